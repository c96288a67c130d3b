#ifndef MILLRACE_BANK_RATES_HPP
#define MILLRACE_BANK_RATES_HPP

#include "bank.h"
#include "bank_lanes.hpp"

/// Sixteen cheap experts: stochastic gradient descent at several rates, and running means of the
/// label, one per lane.
struct Rates {
  size_t d;
  Lanes *row;

  static size_t rowCount(size_t d) { return MILLRACE_RATES_WEIGHTS + d; }
  Lanes *weights() const { return row + MILLRACE_RATES_WEIGHTS; }
};

/// What these weights and averages say.
MILLRACE_INLINE Sigmoids<16> forecast(const Rates &rates, const Lanes *weights, Lanes average,
                                      const float *z) {
  const Sigmoids<16> linear = sigmoids<16>(dot<16>(weights, z, rates.d));
  const auto isMean = rates.row[MILLRACE_RATES_MEMORY] < 1;
  return {blend<16>(isMean, average, linear.yes), blend<16>(isMean, 1.0f - average, linear.no)};
}

MILLRACE_INLINE void learn(const Rates &rates, const Sigmoids<16> &forecast, const float *z,
                           bool label, float weight) {
  Lanes *weights = rates.weights();
  const Lanes step = weight * rates.row[MILLRACE_RATES_RATE] * (label ? forecast.no : -forecast.yes);
  for (size_t j = 0; j < rates.d; j++) weights[j] += step * z[j];
  Lanes *average = rates.row + MILLRACE_RATES_AVERAGE;
  const Lanes forgotten = 1.0f - rates.row[MILLRACE_RATES_MEMORY];
  // A weight moves a mean like as many records, but never beyond the label.
  const Lanes move = forgotten * weight;
  *average += blend<16>(move < 1, move, Lanes{} + 1.0f) * ((label ? 1.0f : 0.0f) - *average);
}

#endif
