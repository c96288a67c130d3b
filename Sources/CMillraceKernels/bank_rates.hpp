#ifndef MILLRACE_BANK_RATES_HPP
#define MILLRACE_BANK_RATES_HPP

#include "bank.h"
#include "bank_lanes.hpp"

/// N cheap experts: stochastic gradient descent at several rates, and running means of the label,
/// one per lane.
template <int N>
struct Rates {
  typedef Vector<float, N> F;

  size_t d;
  F *row;

  static size_t rowCount(size_t d) { return MILLRACE_RATES_WEIGHTS + d; }
  F *weights() const { return row + MILLRACE_RATES_WEIGHTS; }
};

/// What gradient descent says, in the running means' lanes their averages.
template <int N>
MILLRACE_INLINE Sigmoids<N> withMeans(const Rates<N> &rates, Vector<float, N> average,
                                      Sigmoids<N> linear) {
  const auto isMean = rates.row[MILLRACE_RATES_MEMORY] < 1;
  return {blend<N>(isMean, average, linear.yes), blend<N>(isMean, 1.0f - average, linear.no)};
}

template <int N>
MILLRACE_INLINE void learn(const Rates<N> &rates, const Sigmoids<N> &forecast, const float *z,
                           bool label, float weight) {
  typedef Vector<float, N> F;
  F *weights = rates.weights();
  const F step = weight * rates.row[MILLRACE_RATES_RATE] * (label ? forecast.no : -forecast.yes);
  for (size_t j = 0; j < rates.d; j++) weights[j] += step * z[j];
  F *average = rates.row + MILLRACE_RATES_AVERAGE;
  const F forgotten = 1.0f - rates.row[MILLRACE_RATES_MEMORY];
  // A weight moves a mean like as many records, but never beyond the label.
  const F move = forgotten * weight;
  *average += blend<N>(move < 1, move, F{} + 1.0f) * ((label ? 1.0f : 0.0f) - *average);
}

#endif
