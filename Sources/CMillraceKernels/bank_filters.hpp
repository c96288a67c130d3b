#ifndef MILLRACE_BANK_FILTERS_HPP
#define MILLRACE_BANK_FILTERS_HPP

#include <cmath>

#include "bank.h"
#include "bank_lanes.hpp"

/// N Gaussian filters over the same d inputs, one per lane: dynamic logistic regression by
/// assumed-density filtering (`GaussianFilter` is the plain version).
///
/// The state is rows of N floats. C is kept as a scale times a matrix, so that drift's factor ρ in
/// C ← ρ(C − h·uuᵀ) + Q touches the scale only; and the step of one record waits until the next
/// record's pass over C, so that C is read and written once a record.
///
/// `group` columns of C share one register. Where they are several, rows of C come in blocks of as
/// many, and the triangle's diagonal is made of whole squares: for many inputs of few lanes.
template <int N, size_t group = N == 4 ? 4 : 1>
struct Filters {
  typedef Vector<float, N> F;

  size_t d;
  F *row;
  /// Means that are kept here: none where they are kept class by class.
  size_t means = 1;

  /// d as C has it: whole blocks. Inputs and u have as many rows; those beyond d are 0.
  static constexpr size_t padded(size_t d) { return (d + group - 1) / group * group; }
  /// Where row i of C starts.
  static size_t triangle(size_t i) {
    const size_t block = i / group;
    return group * (group * block * (block + 1) / 2 + i % group * (block + 1));
  }
  static size_t rowCount(size_t d, size_t means = 1) {
    return MILLRACE_FILTERS_MEAN + (means + 1) * padded(d) + triangle(padded(d));
  }
  /// The same with the number of inputs as the compiler knows it.
  MILLRACE_MEMBER Filters with(size_t inputs) const { return {inputs, row, means}; }
  F *mean() const { return row + MILLRACE_FILTERS_MEAN; }
  /// u of the step that waits.
  F *direction() const { return mean() + means * padded(d); }
  /// The lower triangle of C.
  F *covariance() const { return direction() + padded(d); }
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
  /// κm, where `forecast` made this.
  F logit;
};

/// The constant's variance stops growing here.
static const float constantVarianceLimit = 1e4f;

/// What drift adds to the variance of weight i.
template <int N, size_t group>
MILLRACE_INLINE Vector<float, N> waitingDrift(const Filters<N, group> &filters, size_t i,
                                              Vector<float, N> variance) {
  if (i + 1 < filters.d) return filters.row[MILLRACE_FILTERS_WAITING_DRIFT];
  return blend<N>(variance * filters.row[MILLRACE_FILTERS_SCALE] < constantVarianceLimit,
                  filters.row[MILLRACE_FILTERS_WAITING_CONSTANT_DRIFT], Vector<float, N>{});
}

/// Rows i to i + count − 1 of C: applies the waiting step, stores it if `commit`, adds to u = Cz.
/// Returns the row after them.
template <int N, int count, bool commit, size_t group>
MILLRACE_INLINE Vector<float, N> *pass(const Filters<N, group> &filters, Vector<float, N> *c,
                                       size_t i, const float *z, Vector<float, N> *u) {
  typedef Vector<float, N> F;
  const F *direction = filters.direction();
  F hu[count], total[count], *row[count];
  for (int r = 0; r < count; r++) {
    hu[r] = filters.row[MILLRACE_FILTERS_CURVATURE] * direction[i + r];
    total[r] = F{};
    row[r] = c;
    c += i + r + 1;
  }
  for (size_t j = 0; j < i; j++) {
    const F dj = direction[j];
    const float zj = z[j];
    F uj = u[j];
    for (int r = 0; r < count; r++) {
      const F value = row[r][j] - hu[r] * dj;
      if (commit) row[r][j] = value;
      total[r] += value * zj;
      uj += value * z[i + r];
    }
    u[j] = uj;
  }
  // The triangle on the diagonal.
#pragma clang loop unroll(full)
  for (int r = 0; r < count; r++) {
#pragma clang loop unroll(full)
    for (int k = 0; k <= r; k++) {
      F value = row[r][i + k] - hu[r] * direction[i + k];
      if (k == r) value += waitingDrift(filters, i + r, value);
      if (commit) row[r][i + k] = value;
      total[r] += value * z[i + k];
      if (k < r) total[k] += value * z[i + r];
    }
  }
  for (int r = 0; r < count; r++) u[i + r] = total[r];
  return c;
}

/// `pass` over a block of four rows of C, four lanes each: a register has four columns.
template <bool commit>
MILLRACE_INLINE Four *pass(const Filters<4> &filters, Four *covariance, size_t i, const float *z,
                           Four *u) {
  const Four *direction = filters.direction();
  Lanes hu[4], input[4], total[4] = {};
  Lanes *row[4];
  for (int r = 0; r < 4; r++) {
    hu[r] = repeated(filters.row[MILLRACE_FILTERS_CURVATURE] * direction[i + r]);
    input[r] = Lanes{} + z[i + r];
    row[r] = reinterpret_cast<Lanes *>(covariance + r * (i + 4));
  }
  for (size_t j = 0; j < i; j += 4) {
    const Lanes dj = *reinterpret_cast<const Lanes *>(direction + j);
    const Lanes zj = spreadOut(z + j);
    Lanes value[4];
    for (int r = 0; r < 4; r++) {
      value[r] = row[r][j / 4] - hu[r] * dj;
      if (commit) row[r][j / 4] = value[r];
      total[r] += value[r] * zj;
    }
    *reinterpret_cast<Lanes *>(u + j) += (value[0] * input[0] + value[1] * input[1]) +
                                         (value[2] * input[2] + value[3] * input[3]);
  }
  // The square on the diagonal.
  const Lanes di = *reinterpret_cast<const Lanes *>(direction + i);
  const Lanes zi = spreadOut(z + i);
  for (int r = 0; r < 4; r++) {
    Lanes value = row[r][i / 4] - hu[r] * di;
    if (i + r < filters.d) {
      Four own;
      __builtin_memcpy(&own, reinterpret_cast<Four *>(&value) + r, sizeof own);
      own += waitingDrift(filters, i + r, own);
      __builtin_memcpy(reinterpret_cast<Four *>(&value) + r, &own, sizeof own);
    }
    if (commit) row[r][i / 4] = value;
    total[r] += value * zi;
  }
  for (int r = 0; r < 4; r++) {
    const Eight half = folded(total[r]);
    u[i + r] = firstHalf(half) + secondHalf(half);
  }
  return covariance + 4 * (i + 4);
}

/// The probabilities of the labels where a share of them is simply wrong.
template <int N, size_t group>
MILLRACE_INLINE Sigmoids<N> withNoise(const Filters<N, group> &filters, Sigmoids<N> plain) {
  const Vector<float, N> noise = filters.row[MILLRACE_FILTERS_NOISE];
  return {noise + (1.0f - 2.0f * noise) * plain.yes, noise + (1.0f - 2.0f * noise) * plain.no};
}

/// A record as the weights' Gaussian sees it: m = wᵀz and s = zᵀCz ≥ 0.
template <int N>
struct Projection {
  Vector<float, N> margin, variance;
};

/// `spread` of d inputs that the compiler knows of: straight code, which keeps u in registers.
template <int N, bool commit, size_t d, size_t group>
MILLRACE_INLINE Vector<float, N> straightSpread(const Filters<N, group> &filters, const float *z,
                                                Vector<float, N> *u) {
  static_assert(group == 1, "rows of C lie one after another");
  typedef Vector<float, N> F;
  // All in registers, as far as there are any: loads are what this waits for.
  F *c = filters.covariance(), direction[d], input[d], own[d];
#pragma clang loop unroll(full)
  for (size_t j = 0; j < d; j++) {
    direction[j] = filters.direction()[j];
    input[j] = F{} + z[j];
  }
  const F curvature = filters.row[MILLRACE_FILTERS_CURVATURE];
#pragma clang loop unroll(full)
  for (size_t i = 0; i < d; i++) {
    const F hu = curvature * direction[i];
    F total = {};
#pragma clang loop unroll(full)
    for (size_t j = 0; j <= i; j++, c++) {
      F value = *c - hu * direction[j];
      if (j == i) value += waitingDrift(filters, i, value);
      if (commit) *c = value;
      total += value * input[j];
      if (j < i) own[j] += value * input[i];
    }
    own[i] = total;
  }
  for (size_t i = 0; i < d; i++) u[i] = own[i];
  const F variance = dot<N>(own, z, d) * filters.row[MILLRACE_FILTERS_SCALE];
  return blend<N>(variance > 0, variance, F{});
}

/// One pass over C: u = Cz (without the scale), and s; `commit` stores the step that waited.
template <int N, bool commit, size_t known = 0, size_t group>
MILLRACE_INLINE Vector<float, N> spread(const Filters<N, group> &filters, const float *z,
                                        Vector<float, N> *u) {
  if constexpr (known > 0) return straightSpread<N, commit, known>(filters, z, u);
  typedef Vector<float, N> F;
  const size_t d = filters.d;
  F *c = filters.covariance();
  size_t i = 0;
  if constexpr (group > 1) {
    for (; i < d; i += group) c = pass<commit>(filters, c, i, z, u);
  } else {
    // Several rows at once share the loads of u and of the waiting direction.
    constexpr size_t together = N >= 8 ? 32 / N : 1;
    for (; i + together <= d; i += together) c = pass<N, together, commit>(filters, c, i, z, u);
    for (; i < d; i++) c = pass<N, 1, commit>(filters, c, i, z, u);
  }
  const F variance = dot<N>(u, z, d) * filters.row[MILLRACE_FILTERS_SCALE];
  return blend<N>(variance > 0, variance, F{});
}

/// m, s, and u = Cz.
template <int N, bool commit, size_t known = 0, size_t group>
MILLRACE_INLINE Projection<N> project(const Filters<N, group> &filters, const float *z,
                                      Vector<float, N> *u) {
  const Vector<float, N> variance = spread<N, commit, known>(filters, z, u);
  return {dot<N>(filters.mean(), z, filters.d), variance};
}

/// κ = 1/√(1 + πs/8).
template <int N>
MILLRACE_INLINE Vector<float, N> shrinkage(Vector<float, N> variance) {
  return 1.0f / __builtin_elementwise_sqrt(1.0f + variance * 0.39269908f);
}

/// The probabilities of the labels, and u = Cz.
template <int N, bool commit, size_t group>
MILLRACE_INLINE Forecast<N> forecast(const Filters<N, group> &filters, const float *z,
                                     Vector<float, N> *u) {
  const Projection<N> projection = project<N, commit>(filters, z, u);
  const Vector<float, N> kappa = shrinkage<N>(projection.variance);
  const Vector<float, N> logit = kappa * projection.margin;
  const Sigmoids<N> plain = sigmoids<N>(logit);
  return {projection.variance, kappa, plain, withNoise(filters, plain), logit};
}

/// Nothing waits any more: for a record that is not learnt after a pass that committed.
template <int N, size_t group>
MILLRACE_INLINE void settle(const Filters<N, group> &filters) {
  filters.row[MILLRACE_FILTERS_CURVATURE] = filters.row[MILLRACE_FILTERS_WAITING_DRIFT] =
      filters.row[MILLRACE_FILTERS_WAITING_CONSTANT_DRIFT] = Vector<float, N>{};
}

/// Applies the step that waits, and the scale.
template <int N, size_t group>
MILLRACE_INLINE void fold(const Filters<N, group> &filters) {
  typedef Vector<float, N> F;
  const F *direction = filters.direction();
  for (size_t i = 0; i < filters.d; i++) {
    const F hu = filters.row[MILLRACE_FILTERS_CURVATURE] * direction[i];
    F *c = filters.covariance() + filters.triangle(i);
    for (size_t j = 0; j < filters.triangle(i + 1) - filters.triangle(i); j++) {
      F value = c[j] - hu * direction[j];
      if (i == j) value += waitingDrift(filters, i, value);
      c[j] = value * filters.row[MILLRACE_FILTERS_SCALE];
    }
  }
  settle(filters);
  filters.row[MILLRACE_FILTERS_SCALE] = F{} + 1.0f;
}

/// The variance of weight i, the waiting step included, of filters that do not drift.
template <int N, size_t group>
static Vector<float, N> stillVariance(const Filters<N, group> &filters, size_t i) {
  const Vector<float, N> u = filters.direction()[i];
  return (filters.covariance()[filters.triangle(i) + i] -
          filters.row[MILLRACE_FILTERS_CURVATURE] * u * u) *
         filters.row[MILLRACE_FILTERS_SCALE];
}

/// Lets filters that do not drift be sure of their weights as they are, where records say nothing of
/// them (columns that repeat others, or are 0): no variance stays above 32,768 times the least one,
/// as if wᵢ itself had been observed. A float has no digits for variances that shrink beside one that
/// stays what it was. Whenever the number of records doubles, from 4,096 on: O(d³) where any is held.
template <int N, size_t group>
static void hold(const Filters<N, group> &filters, uint64_t record) {
  typedef Vector<float, N> F;
  if (record < 4096 || (record & (record - 1)) != 0) return;
  F least = F{} + INFINITY;
  for (size_t i = 0; i < filters.d; i++) {
    const F variance = stillVariance(filters, i);
    least = blend<N>((variance > 0) & (variance < least), variance, least);
  }
  const F most = 32768.0f * least;
  for (size_t i = 0; i < filters.d; i++) {
    const F variance = stillVariance(filters, i);
    const Vector<int32_t, N> isHeld =
        (filters.row[MILLRACE_FILTERS_DRIFT] == 0) & (variance > most);
    if (__builtin_reduce_and(isHeld == 0)) continue;
    fold(filters);
    for (size_t j = 0; j < filters.d; j++)
      filters.direction()[j] =
          filters.covariance()[filters.triangle(i > j ? i : j) + (i > j ? j : i)];
    filters.row[MILLRACE_FILTERS_CURVATURE] =
        blend<N>(isHeld, (variance - most) / (variance * variance), F{});
    fold(filters);
  }
}

/// Leaves C ← ρ(C − h·uuᵀ) + Q waiting; u = Cz is the direction already.
template <int N, size_t group>
MILLRACE_INLINE void wait(const Filters<N, group> &filters, Vector<float, N> h) {
  typedef Vector<float, N> F;
  const F scale = filters.row[MILLRACE_FILTERS_SCALE];
  const F drift = filters.row[MILLRACE_FILTERS_DRIFT];
  const F newScale = scale - scale * (drift * 1e-3f);
  const F perScale = 1.0f / newScale;
  filters.row[MILLRACE_FILTERS_CURVATURE] = h * scale;
  filters.row[MILLRACE_FILTERS_SCALE] = newScale;
  filters.row[MILLRACE_FILTERS_WAITING_DRIFT] = drift * perScale;
  filters.row[MILLRACE_FILTERS_WAITING_CONSTANT_DRIFT] =
      filters.row[MILLRACE_FILTERS_CONSTANT_DRIFT] * perScale;
  if (__builtin_reduce_or(newScale < .25f)) fold(filters);
}

/// w ← w + g·u, and leaves the step of C waiting; u is that of the projection, whose variance is s.
template <int N, size_t group>
MILLRACE_INLINE void step(const Filters<N, group> &filters, Vector<float, N> variance,
                          const Vector<float, N> *u, Vector<float, N> gain, Vector<float, N> h) {
  typedef Vector<float, N> F;
  // Where rounding left no variance along a row, there is nothing to learn from it.
  const auto open = variance > 0;
  gain = blend<N>(open, gain, F{});
  h = blend<N>(open, h, F{});

  gain *= filters.row[MILLRACE_FILTERS_SCALE];
  F *mean = filters.mean(), *direction = filters.direction();
  for (size_t j = 0; j < filters.d; j++) {
    const F own = u[j];
    mean[j] += gain * own;
    direction[j] = own;
  }
  wait(filters, h);
}

/// Learns a label by assumed-density filtering; u is that of `forecast`.
template <int N, size_t group>
MILLRACE_INLINE void learn(const Filters<N, group> &filters, const Forecast<N> &forecast,
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
  if (weight != 1) {
    // A weight counts the label's Gaussian site so many times.
    const F factor = weight / (1.0f + (weight - 1.0f) * h * forecast.variance);
    gain *= factor;
    h *= factor;
  }
  step(filters, forecast.variance, u, label ? gain : -gain, h);
}

/// Independent weights of mean 0; the drifts and the noise of each lane.
template <int N, size_t group>
static void start(const Filters<N, group> &filters, const float *drifts,
                  const float *constantDrifts, const float *noises, const float *variances,
                  float constantFactor) {
  for (int lane = 0; lane < N; lane++) {
    filters.row[MILLRACE_FILTERS_DRIFT][lane] = drifts[lane];
    filters.row[MILLRACE_FILTERS_CONSTANT_DRIFT][lane] = constantDrifts[lane];
    filters.row[MILLRACE_FILTERS_NOISE][lane] = noises[lane];
    filters.row[MILLRACE_FILTERS_SCALE][lane] = 1;
    for (size_t i = 0; i < filters.d; i++)
      filters.covariance()[filters.triangle(i) + i][lane] =
          variances[lane] * (i + 1 < filters.d ? 1 : constantFactor);
  }
}

#endif
