#ifndef MILLRACE_BANK_FILTERS_HPP
#define MILLRACE_BANK_FILTERS_HPP

#include "bank.h"
#include "bank_lanes.hpp"

/// N Gaussian filters over the same d inputs, one per lane: dynamic logistic regression by
/// assumed-density filtering (`GaussianFilter` is the plain version).
///
/// The state is rows of N floats. The step C ← ρ(C − h·uuᵀ) + Q of one record waits until the next
/// record's pass over C, so that C is read and written once a record.
template <int N>
struct Filters {
  typedef Vector<float, N> F;

  size_t d;
  F *row;

  static size_t rowCount(size_t d) { return MILLRACE_FILTERS_MEAN + 2 * d + d * (d + 1) / 2; }
  F *mean() const { return row + MILLRACE_FILTERS_MEAN; }
  /// u of the step that waits.
  F *direction() const { return mean() + d; }
  /// The lower triangle of C.
  F *covariance() const { return direction() + d; }
};

/// What filters say of a record.
template <int N>
struct Forecast {
  typedef Vector<float, N> F;
  /// s = zᵀCz and κ = 1/√(1 + πs/8).
  F variance, kappa;
  /// σ(±κm): the probabilities of the labels if none were wrong.
  Sigmoids<N> plain;
  /// The probabilities of the labels.
  Sigmoids<N> label;
};

/// The constant's variance stops growing here.
static const float constantVarianceLimit = 1e4f;

/// One pass over C: u = Cz, and s and m; `commit` stores the step that waited.
template <int N, bool commit>
MILLRACE_INLINE Forecast<N> forecast(const Filters<N> &filters, const float *z,
                                     Vector<float, N> *u) {
  typedef Vector<float, N> F;
  const size_t d = filters.d;
  const F *direction = filters.direction(), *mean = filters.mean();
  const F h = filters.row[MILLRACE_FILTERS_CURVATURE], retention = filters.row[MILLRACE_FILTERS_RETENTION];
  F *c = filters.covariance();
  for (size_t i = 0; i < d; i++) {
    const F hu = h * direction[i];
    F total = {};
    for (size_t j = 0; j < i; j++) {
      const F value = retention * c[j] - hu * direction[j];
      if (commit) c[j] = value;
      total += value * z[j];
      u[j] += value * z[i];
    }
    F value = retention * c[i] - hu * direction[i];
    if (i + 1 < d)
      value += filters.row[MILLRACE_FILTERS_WAITING_DRIFT];
    else
      value += blend<N>(value < constantVarianceLimit, filters.row[MILLRACE_FILTERS_WAITING_CONSTANT_DRIFT], F{});
    if (commit) c[i] = value;
    u[i] = total + value * z[i];
    c += i + 1;
  }
  F margin = {}, variance = {};
  for (size_t j = 0; j < d; j++) {
    margin += mean[j] * z[j];
    variance += u[j] * z[j];
  }
  Forecast<N> result;
  result.variance = blend<N>(variance > 0, variance, F{});
  result.kappa = 1.0f / __builtin_elementwise_sqrt(1.0f + result.variance * 0.39269908f);
  result.plain = sigmoids<N>(result.kappa * margin);
  const F noise = filters.row[MILLRACE_FILTERS_NOISE];
  result.label = {noise + (1.0f - 2.0f * noise) * result.plain.yes,
                  noise + (1.0f - 2.0f * noise) * result.plain.no};
  return result;
}

/// Nothing waits any more: for a record that is not learnt after a pass that committed.
template <int N>
MILLRACE_INLINE void settle(const Filters<N> &filters) {
  filters.row[MILLRACE_FILTERS_CURVATURE] = filters.row[MILLRACE_FILTERS_WAITING_DRIFT] = Vector<float, N>{};
  filters.row[MILLRACE_FILTERS_WAITING_CONSTANT_DRIFT] = Vector<float, N>{};
  filters.row[MILLRACE_FILTERS_RETENTION] = Vector<float, N>{} + 1.0f;
}

/// w ← w + g·u, and leaves the step of C waiting; u is that of `forecast`.
template <int N>
MILLRACE_INLINE void learn(const Filters<N> &filters, const Forecast<N> &forecast,
                           const Vector<float, N> *u, bool label, float weight) {
  typedef Vector<float, N> F;
  const F right = label ? forecast.plain.yes : forecast.plain.no;
  const F wrong = label ? forecast.plain.no : forecast.plain.yes;
  const F given = label ? forecast.label.yes : forecast.label.no;
  // The first two derivatives of the logarithm of the probability given to the label.
  const F slope = (1.0f - 2.0f * filters.row[MILLRACE_FILTERS_NOISE]) * right * wrong / given;
  F bend = slope * (slope - wrong + right);
  bend = blend<N>(bend > 0, bend, F{});
  F gain = forecast.kappa * slope;
  F h = forecast.kappa * forecast.kappa * bend;
  // A weight counts the label's Gaussian site so many times.
  const F factor = weight / (1.0f + (weight - 1.0f) * h * forecast.variance);
  // Where rounding left no variance along a row, there is nothing to learn from it.
  const auto open = forecast.variance > 0;
  gain = blend<N>(open, factor * gain, F{});
  h = blend<N>(open, factor * h, F{});
  if (!label) gain = -gain;

  F *mean = filters.mean(), *direction = filters.direction();
  for (size_t j = 0; j < filters.d; j++) {
    mean[j] += gain * u[j];
    direction[j] = u[j];
  }
  const F drift = filters.row[MILLRACE_FILTERS_DRIFT];
  const F retention = 1.0f - drift * 1e-3f;
  filters.row[MILLRACE_FILTERS_CURVATURE] = retention * h;
  filters.row[MILLRACE_FILTERS_RETENTION] = retention;
  filters.row[MILLRACE_FILTERS_WAITING_DRIFT] = drift;
  filters.row[MILLRACE_FILTERS_WAITING_CONSTANT_DRIFT] = filters.row[MILLRACE_FILTERS_CONSTANT_DRIFT];
}

#endif
