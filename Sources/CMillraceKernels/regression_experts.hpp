#ifndef MILLRACE_REGRESSION_EXPERTS_HPP
#define MILLRACE_REGRESSION_EXPERTS_HPP

#include "bank_ferns.hpp"
#include "bank_filters.hpp"
#include "bank_mixtures.hpp"
#include "bank_rates.hpp"
#include "regression.h"

/// What the experts of N lanes say of a number: its mean and its variance.
template <int N>
struct Number {
  Vector<float, N> mean, variance;
};

/// An error counts this much less from record to record.
static const float errorMemory = .99f;

/// The same where a record counts only in part.
MILLRACE_INLINE float errorsKept(float worth) {
  return worth < 1 ? 1 - (1 - errorMemory) * worth : errorMemory;
}

/// Squared errors that fade: a variance.
template <int N>
struct Errors {
  typedef Vector<float, N> F;
  F *squares, *weight;

  __attribute__((always_inline)) F variance() const { return *squares * (1 / (*weight)[0]); }

  void start(float variance) const {
    *squares = F{} + variance;
    *weight = F{} + 1.0f;
  }

  __attribute__((always_inline)) static void learn(const Errors &errors, F square, float weight,
                                                   float least) {
    *errors.weight = *errors.weight * errorMemory + weight;
    const F sum = *errors.squares * errorMemory + square * weight;
    const F floor = *errors.weight * least;
    *errors.squares = blend<N>(sum > floor, sum, floor);
  }
};

/// Kalman filters (dynamic linear models: West & Harrison 1997), the covariances in units of the
/// noise that each filter learns. A lane whose label noise is 1 is robust: its noise is Student's t
/// with three degrees of freedom.
///
/// Wide records leave no room for a covariance each: there the lanes gather their gradients where
/// the direction of a waiting step would stand, and take Newton's steps by one curvature once a
/// block; their drift is the share of what they know that they forget per record.
template <int N>
struct KalmanFilters {
  typedef Vector<float, N> F;
  Filters<N> filters;
  bool isBlockwise;

  static size_t rowCount(size_t d, bool isBlockwise) {
    return (isBlockwise ? MILLRACE_FILTERS_MEAN + 2 * d : Filters<N>::rowCount(d)) + 2;
  }
  Errors<N> errors() const {
    F *row = filters.row + rowCount(filters.d, isBlockwise) - 2;
    return {row, row + 1};
  }
  __attribute__((always_inline)) Vector<int32_t, N> isRobust() const {
    return filters.row[MILLRACE_FILTERS_NOISE] > 0;
  }
};

template <int N, bool commit, size_t known = 0>
MILLRACE_INLINE Projection<N> project(const KalmanFilters<N> &kalman, const float *z,
                                      Vector<float, N> *u) {
  if (kalman.isBlockwise)
    return {dot<N>(kalman.filters.mean(), z, kalman.filters.d), Vector<float, N>{}};
  return project<N, commit, known>(kalman.filters, z, u);
}

template <int N>
MILLRACE_INLINE Number<N> number(const KalmanFilters<N> &kalman, const Projection<N> &projection) {
  return {projection.margin, kalman.errors().variance() * (1.0f + projection.variance)};
}

template <int N>
MILLRACE_INLINE void learn(const KalmanFilters<N> &kalman, const Projection<N> &projection,
                           const Number<N> &number, const float *z, const Vector<float, N> *u,
                           float y, float weight, float least) {
  typedef Vector<float, N> F;
  const F error = y - number.mean;
  // Student's t doubts a label by (3 + error²/variance)/4.
  const F surprise = error * error / number.variance;
  const F doubt = blend<N>(kalman.isRobust(), .75f + .25f * surprise, F{} + 1.0f);
  if (kalman.isBlockwise) {
    F *gradient = kalman.filters.direction();
    const F pull = weight * error / doubt;
    for (size_t j = 0; j < kalman.filters.d; j++) gradient[j] += pull * z[j];
  } else {
    const F gain = weight / (doubt + weight * projection.variance);
    step(kalman.filters, projection.variance, u, gain * error, gain);
  }
  Errors<N>::learn(kalman.errors(), kalman.errors().variance() * (surprise / doubt), weight, least);
}

/// The errors of the ferns' experts.
MILLRACE_INLINE Errors<2> errors(const Ferns &ferns) {
  Two *row = reinterpret_cast<Two *>(ferns.cells() + ferns.cellCount());
  return {row, row + 1};
}

/// What these weights and averages say.
MILLRACE_INLINE Eight means(const Rates<8> &rates, const Eight *weights, Eight average,
                            const float *z) {
  return blend<8>(rates.row[MILLRACE_RATES_MEMORY] < 1, average, dot<8>(weights, z, rates.d));
}

/// The errors of the cheap experts.
MILLRACE_INLINE Errors<8> errors(const Rates<8> &rates) {
  Eight *row = rates.row + Rates<8>::rowCount(rates.d);
  return {row, row + 1};
}

/// Normalised gradient steps, stable at every rate; running means.
MILLRACE_INLINE void learn(const Rates<8> &rates, Eight mean, const float *z, float y,
                           float weight, float least) {
  const Eight error = y - mean;
  float length = 0;
  for (size_t j = 0; j < rates.d; j++) length += z[j] * z[j];
  const Eight rate = rates.row[MILLRACE_RATES_RATE] * weight;
  const Eight step = rate * error / (1.0f + rate * length);
  Eight *weights = rates.weights();
  for (size_t j = 0; j < rates.d; j++) weights[j] += step * z[j];
  Eight *average = rates.row + MILLRACE_RATES_AVERAGE;
  const Eight move = (1.0f - rates.row[MILLRACE_RATES_MEMORY]) * weight;
  *average += blend<8>(move < 1, move, Eight{} + 1.0f) * (y - *average);
  Errors<8>::learn(errors(rates), error * error, weight, least);
}

/// How likely a number is where a mean and a variance were said: Student's t with 7 degrees of
/// freedom, or 3 for robust experts; up to a common factor. `scale` is the variances' unit.
template <int N>
MILLRACE_INLINE Vector<float, N> density(const Number<N> &number, Vector<int32_t, N> isRobust,
                                         float y, float scale) {
  typedef Vector<float, N> F;
  const F error = y - number.mean, variance = number.variance * scale;
  F square = error * error * scale * blend<N>(isRobust, F{} + 1.0f / 3, F{} + 1.0f / 7);
  square = blend<N>(square < 1e6f * variance, square, 1e6f * variance);
  // 1/(1 + square/variance), and 1/√variance, by one division.
  const F sum = variance + square, root = __builtin_elementwise_sqrt(variance);
  const F inverse = 1.0f / (sum * root);
  const F share = variance * root * inverse, power = share * share;
  return blend<N>(isRobust, .95f * power, power * power) * (sum * inverse);
}

/// What all experts say.
struct Numbers {
  /// Filters; eight cheap experts, and filters that see the last targets.
  Number<16> narrow[2];
  /// The wide group: filters, ferns; says nothing while it sleeps.
  Number<8> wide;
  bool isAwake;
  Vector<int32_t, 16> isRobust[2];
  Vector<int32_t, 8> isWideRobust;

  __attribute__((always_inline)) static float mean(const Numbers &experts,
                                                   const ExpertRows<2> &weights) {
    const Lanes means[2] = {experts.narrow[0].mean, experts.narrow[1].mean};
    return sum(weights.dot(means, experts.wide.mean, experts.isAwake));
  }
};

struct NumbersForecast {
  /// The mean of each mixture, and of the mixture of mixtures.
  Vector<float, 4> mixture;
  float top;
};

MILLRACE_INLINE NumbersForecast forecast(const Mixtures<2> &mixtures, const Numbers &experts) {
  const Lanes means[2] = {experts.narrow[0].mean, experts.narrow[1].mean};
  NumbersForecast result;
  result.mixture = mixed(mixtures, means, experts.wide.mean, experts.isAwake);
  result.top = sum(mixtures.top() * result.mixture);
  return result;
}

/// Every expert grants that one target in a hundred is an outlier: Cauchy's distribution around
/// what the mixture says, of the targets' deviation. Without it the expert that is least sure would
/// win by a single outlier.
static const float outlierShare = .01f;

/// Mixes by predictive density. `top` is what the mixtures said; `worth`: how much of a record this
/// is.
MILLRACE_INLINE void learn(const Mixtures<2> &mixtures, const Numbers &experts, float top, float y,
                           float weight, float worth, float scale) {
  weight *= worth;
  const float outlier = outlierShare / (1.0f + (y - top) * (y - top) * scale);
  Lanes narrow[2];
  for (int v = 0; v < 2; v++)
    narrow[v] = density<16>(experts.narrow[v], experts.isRobust[v], y, scale) + outlier;
  Eight wide = {};
  if (experts.isAwake)
    wide = density<8>(experts.wide, experts.isWideRobust, y, scale) + outlier;
  Four mixture = {};
  if (weight != 1) {
    mixture = likelihood<4>(mixed(mixtures, narrow, wide, experts.isAwake), 1, weight);
    for (int v = 0; v < 2; v++) narrow[v] = likelihood<16>(narrow[v], 1, weight);
    if (experts.isAwake) wide = likelihood<8>(wide, 1, weight);
  }
  const Four whole = reweigh(mixtures, narrow, wide, experts.isAwake, worth);
  if (weight == 1) mixture = whole;
  fixedShare<4>(mixtures.top(), mixture, worth * mixtures.shares().top);
}

/// The 90 % interval around a prediction: its error's deviation, times a factor for either side
/// that grows when the side is missed (Gibbs & Candès 2021), by steps that shorten as 1/√n, so that
/// short streams are covered too (Angelopoulos, Barber & Bates 2024). Lanes of one row.
struct Interval {
  enum { squares, weight, lower, upper, steps, size };
  static constexpr float outlierLimit = 25;

  float *state;

  float deviation() const { return __builtin_sqrtf(state[squares] / state[weight]); }

  void start(float variance) const {
    state[squares] = variance;
    state[weight] = 1;
    state[lower] = state[upper] = 1.645f;
    state[steps] = 0;
  }

  /// - `worth`: how much of a record this is.
  void learn(float error, float worth, float least) const {
    const float deviation = this->deviation(), kept = errorsKept(worth);
    state[steps] += worth;
    const float pace = 2 / __builtin_sqrtf(state[steps]);
    const float gamma = worth * (pace > .25f ? .25f : pace > .02f ? pace : .02f);
    const bool isBelow = error < -state[lower] * deviation;
    const bool isAbove = error > state[upper] * deviation;
    const Vector<float, 4> factor = exponential<4>(
        Vector<float, 4>{gamma * (isBelow - .05f), gamma * (isAbove - .05f), 0, 0});
    state[lower] *= factor[0];
    state[upper] *= factor[1];
    state[weight] = state[weight] * kept + worth;
    // An outlier widens the next intervals a little, a new regime for good.
    const float most = outlierLimit * deviation * deviation, square = error * error;
    const float sum = state[squares] * kept + worth * (square < most ? square : most);
    state[squares] = sum > state[weight] * least ? sum : state[weight] * least;
  }
};

#endif
