#ifndef MILLRACE_BANK_RATES_HPP
#define MILLRACE_BANK_RATES_HPP

#include "bank.h"
#include "bank_lanes.hpp"

/// N cheap experts: stochastic gradient descent at several rates, tables of what follows each label,
/// and running means of the label, one per lane.
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

/// The lanes of the tables of what follows each label (first-order Markov chains).
static const Vector<int32_t, 8> isTable = {0, 0, 0, 0, -1, -1, 0, 0};

/// The running means where no label comes: a table says how often the second label comes in the
/// long run. A mean that few records made is taken to be closer to an even chance.
MILLRACE_INLINE void writeLongRunMeans(const Rates<8> &rates, Eight &result) {
  const Eight mean = rates.row[MILLRACE_RATES_AVERAGE], other = rates.row[MILLRACE_RATES_OTHER];
  const Eight forgotten = 1.0f - rates.row[MILLRACE_RATES_MEMORY];
  const auto isSecond = rates.row[MILLRACE_RATES_LAST] > .5f;
  const Eight own = 1.0f / (1.0f + rates.row[MILLRACE_RATES_COUNT]);
  const Eight others = 1.0f / (1.0f + rates.row[MILLRACE_RATES_OTHER_COUNT]);
  const Eight doubt = blend<8>(own > forgotten, own, forgotten);
  const Eight otherDoubt = blend<8>(others > forgotten, others, forgotten);
  // From the first label to the second and back.
  const Eight up = blend<8>(isSecond, other + otherDoubt, mean + doubt);
  const Eight down = 1.0f + blend<8>(isSecond, doubt - mean, otherDoubt - other);
  result = blend<8>(isTable, up / (up + down), mean);
}

MILLRACE_INLINE void learn(const Rates<8> &rates, const Sigmoids<8> &forecast, const float *z,
                           bool label, float weight) {
  Eight *weights = rates.weights();
  const Eight step =
      weight * rates.row[MILLRACE_RATES_RATE] * (label ? forecast.no : -forecast.yes);
  for (size_t j = 0; j < rates.d; j++) weights[j] += step * z[j];
  const Eight target = Eight{} + (label ? 1.0f : 0.0f);
  // A weight moves a mean like as many records, but never beyond the label.
  const Eight usual = (1.0f - rates.row[MILLRACE_RATES_MEMORY]) * weight;
  // A table starts as the mean of all its records and of an even chance that counts for one
  // (Krichevsky & Trofimov 1981).
  const Eight count = rates.row[MILLRACE_RATES_COUNT] + weight, first = weight / count;
  Eight move = blend<8>(isTable & (first > usual), first, usual);
  move = blend<8>(move < 1, move, Eight{} + 1.0f);
  Eight &average = rates.row[MILLRACE_RATES_AVERAGE], &other = rates.row[MILLRACE_RATES_OTHER];
  Eight &otherCount = rates.row[MILLRACE_RATES_OTHER_COUNT];
  const Eight mean = average + move * (target - average);
  // Where the label turns, the two sides of the tables change places.
  const auto turns = isTable & (rates.row[MILLRACE_RATES_LAST] != target);
  average = blend<8>(turns, other, mean);
  other = blend<8>(turns, mean, other);
  rates.row[MILLRACE_RATES_COUNT] = blend<8>(turns, otherCount, count);
  otherCount = blend<8>(turns, count, otherCount);
  rates.row[MILLRACE_RATES_LAST] = target;
}

#endif
