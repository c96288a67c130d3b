#ifndef MILLRACE_SOFTMAX_EXPERTS_HPP
#define MILLRACE_SOFTMAX_EXPERTS_HPP

#include "bank_filters.hpp"
#include "bank_mixtures.hpp"
#include "softmax.h"


/// What a bank knows of one class.
struct ClassRows {
  size_t d;
  Lanes *row;

  static size_t rowCount(size_t d) {
    return MILLRACE_CLASS_WEIGHTS + 2 * d + MILLRACE_BANK_HORIZONS * (1 + 2 * d);
  }
  /// The curvature that the filters' means have seen.
  Lanes &curvature() const { return row[MILLRACE_CLASS_CURVATURE]; }
  Four &counts() const { return reinterpret_cast<Four *>(row + MILLRACE_CLASS_COUNTS)[0]; }
  Four &followed(size_t context) const {
    return reinterpret_cast<Four *>(row + MILLRACE_CLASS_FOLLOWED)[context];
  }
  /// The filters' means, then the weights of gradient descent.
  Lanes *weights() const { return row + MILLRACE_CLASS_WEIGHTS; }
  /// What the tables said when a horizon's block started, then the weights.
  Lanes *snapshot(int horizon) const { return weights() + 2 * d + horizon * (1 + 2 * d); }
};

/// What is said of one class.
struct ClassForecast {
  /// Of the filters: 1/√(1 + πs/8) with what the class's mean has yet to learn, how much that is,
  /// and the probability if no label were wrong.
  Lanes kappa, openness, plain;
  /// The experts' probabilities and their logarithms, centred over the classes: filters, gradient
  /// descent, tables.
  Lanes expert[2], log[2];
  Eight table, tableLog;
  /// The mixtures' in four lanes.
  Eight mixtureLog;
  Four mixture;
  /// The mixture of mixtures, and three mixers.
  float top;
  Four candidate;
};

/// The experts of a bank, and the room that a record is worked on in.
struct SoftmaxExperts {
  size_t d, count;
  Filters<16> filters;
  Lanes *classes, *head;
  Lanes *u;
  ClassForecast *said;
  float *z;
  /// s = zᵀCz.
  Lanes variance;

  SoftmaxExperts(const millrace_softmax_bank &bank, float *room)
      : d(bank.columns),
        count(bank.classCount),
        filters{bank.columns, reinterpret_cast<Lanes *>(bank.filters), 0},
        classes(reinterpret_cast<Lanes *>(bank.classes)),
        head(reinterpret_cast<Lanes *>(bank.head)),
        u(reinterpret_cast<Lanes *>(room)),
        said(reinterpret_cast<ClassForecast *>(u + d)),
        z(reinterpret_cast<float *>(said + bank.classCount)) {}

  static size_t roomSize(size_t columns, size_t classCount) {
    return 16 * columns + classCount * sizeof(ClassForecast) / sizeof(float) + columns;
  }

  ClassRows rows(size_t k) const { return {d, classes + k * ClassRows::rowCount(d)}; }
  /// The labels that are simply wrong: twice the binary share, as they fall on all classes.
  Lanes noise() const { return 2.0f * filters.row[MILLRACE_FILTERS_NOISE]; }
  Eight memories() const { return *reinterpret_cast<Eight *>(head + MILLRACE_SOFTMAX_MEMORIES); }
};

/// No probability is below this share of the uniform one.
static const float floorShare = 2e-4f;
static const float marginLimit = 300;

template <typename F>
MILLRACE_INLINE F floored(F p, float uniform) {
  return (1.0f - floorShare) * p + floorShare * uniform;
}

/// What the filters give, label noise included.
MILLRACE_INLINE Lanes noisy(const SoftmaxExperts &experts, Lanes plain) {
  return (1.0f - experts.noise()) * plain + experts.noise() * (1.0f / experts.count);
}

/// The exponential of the filters' margin and gradient descent's margin for one class.
MILLRACE_INLINE void margins(const SoftmaxExperts &experts, const Lanes *weights, Lanes kappa,
                             Lanes &filters, Lanes &descent) {
  filters =
      exponential<16>(clamped<16>(kappa * dot<16>(weights, experts.z, experts.d), -30, 30));
  descent = clamped<16>(dot<16>(weights + experts.d, experts.z, experts.d), -marginLimit,
                        marginLimit);
}

/// eˣ of what is at most 0.
template <int N>
MILLRACE_INLINE Vector<float, N> decayed(Vector<float, N> x) {
  return exponential<N>(blend<N>(x > -80, x, Vector<float, N>{} - 80.0f));
}

template <int N>
MILLRACE_INLINE Vector<float, N> greater(Vector<float, N> a, Vector<float, N> b) {
  return blend<N>(a > b, a, b);
}

/// What the tables say of one class, up to the sum over the classes.
MILLRACE_INLINE Eight counted(const SoftmaxExperts &experts, size_t k, size_t context) {
  const ClassRows rows = experts.rows(k);
  return joined(rows.counts(), rows.followed(context)) + 1.0f / experts.count;
}

/// The filters' and the other experts' probabilities of every class.
template <bool commit>
MILLRACE_INLINE void forecast(SoftmaxExperts &experts, size_t context) {
  const size_t count = experts.count;
  const float uniform = 1.0f / count;
  const Lanes variance = spread<16, commit>(experts.filters, experts.z, experts.u);
  experts.variance = variance;
  Lanes filterTotal = {}, descentTotal = {}, greatest = Lanes{} - marginLimit;
  Eight tableTotal = {};
  for (size_t k = 0; k < count; k++) {
    const ClassRows rows = experts.rows(k);
    ClassForecast &said = experts.said[k];
    said.openness =
        (1.0f + experts.filters.row[MILLRACE_FILTERS_SEEN]) / (1.0f + rows.curvature());
    said.kappa = shrinkage<16>(variance * said.openness);
    margins(experts, rows.weights(), said.kappa, said.plain, said.expert[1]);
    filterTotal += said.plain;
    greatest = greater<16>(said.expert[1], greatest);
    said.table = counted(experts, k, context);
    tableTotal += said.table;
  }
  for (size_t k = 0; k < count; k++) {
    ClassForecast &said = experts.said[k];
    said.expert[1] = decayed<16>(said.expert[1] - greatest);
    descentTotal += said.expert[1];
  }
  for (size_t k = 0; k < count; k++) {
    ClassForecast &said = experts.said[k];
    said.plain /= filterTotal;
    said.expert[0] = floored(noisy(experts, said.plain), uniform);
    said.expert[1] = floored(said.expert[1] / descentTotal, uniform);
    said.table = floored(said.table / tableTotal, uniform);
  }
}

/// Likelihoods of the label that came, in the form that `Mixtures` learns from.
MILLRACE_INLINE Experts given(Lanes filters, Lanes descent, Eight tables) {
  return {{{filters, {}}, {descent, {}}}, {tables, {}}, true};
}

/// What the experts gave to the label with their weights when a horizon's block started, and the
/// variances of now.
MILLRACE_INLINE Experts snapshotGiven(const SoftmaxExperts &experts, int horizon, size_t label) {
  const float uniform = 1.0f / experts.count;
  Lanes filterTotal = {}, greatest = Lanes{} - marginLimit, descentTotal = {};
  Lanes filters = {}, descent = {};
  for (size_t k = 0; k < experts.count; k++) {
    ClassForecast &said = experts.said[k];
    Lanes own;
    // The logarithms are no longer needed.
    margins(experts, experts.rows(k).snapshot(horizon) + 1, said.kappa, own, said.log[0]);
    filterTotal += own;
    greatest = greater<16>(said.log[0], greatest);
    if (k == label) filters = own;
  }
  for (size_t k = 0; k < experts.count; k++) {
    const Lanes own = decayed<16>(experts.said[k].log[0] - greatest);
    descentTotal += own;
    if (k == label) descent = own;
  }
  const Eight table = *reinterpret_cast<Eight *>(experts.rows(label).snapshot(horizon));
  return given(floored(noisy(experts, filters / filterTotal), uniform),
               floored(descent / descentTotal, uniform), floored(table, uniform));
}

/// The filters' step: assumed-density filtering with the curvature's mean over the classes, so that
/// one covariance serves all; a class that has seen less than the others moves further. With two
/// classes it is the binary filter's.
MILLRACE_INLINE void learnFilters(const SoftmaxExperts &experts, size_t label, float weight) {
  const Filters<16> &filters = experts.filters;
  const size_t count = experts.count;
  const ClassForecast &said = experts.said[label];
  const Lanes noise = experts.noise(), given = noisy(experts, said.plain);
  // C is in the units of a binary filter, twice those of the formula: hence the halves.
  const Lanes flat = 1.0f / (1.0f + experts.variance * 0.39269908f);
  const Lanes right = (1.0f - noise) * said.plain / given;
  Lanes squares = {};
  for (size_t k = 0; k < count; k++) squares += experts.said[k].plain * experts.said[k].plain;
  const float others = count > 1 ? 1.0f / (count - 1) : 0;
  Lanes curvature =
      flat * (right * (1.0f - squares) * others -
              right * (1.0f - right) * (1.0f - 2.0f * said.plain + squares));
  curvature = blend<16>(curvature > 0, curvature, Lanes{});
  // A weight counts the label's Gaussian site so many times.
  Lanes factor = weight / (1.0f + (weight - 1.0f) * .5f * curvature * experts.variance);
  factor = blend<16>(experts.variance > 0, factor, Lanes{});
  const Lanes h = factor * curvature;

  const Lanes root = __builtin_elementwise_sqrt(filters.row[MILLRACE_FILTERS_DRIFT]);
  const Lanes kept = 1.0f - .5f * blend<16>(root < 1, root, Lanes{} + 1.0f);
  const Lanes step = .5f * factor * right * filters.row[MILLRACE_FILTERS_SCALE];
  for (size_t k = 0; k < count; k++) {
    const ClassForecast &own = experts.said[k];
    const ClassRows rows = experts.rows(k);
    const Lanes gain =
        step * ((k == label ? 1.0f : 0.0f) - own.plain) * own.kappa * own.openness;
    Lanes *mean = rows.weights();
    for (size_t j = 0; j < experts.d; j++) mean[j] += gain * experts.u[j];
    const Lanes seen =
        factor * flat * right * own.plain * (1.0f - own.plain) * (count * others);
    rows.curvature() = kept * rows.curvature() + blend<16>(seen < h, seen, h);
  }
  Lanes &total = filters.row[MILLRACE_FILTERS_SEEN];
  total = kept * total + h;
  wait<16>(filters, experts.u, .5f * h);
}

/// Gradient descent and the tables.
MILLRACE_INLINE void learnOthers(const SoftmaxExperts &experts, size_t label, size_t context,
                                 float weight) {
  const Lanes rate = (.5f * weight) * experts.head[MILLRACE_SOFTMAX_RATES];
  const Eight memories = experts.memories();
  for (size_t k = 0; k < experts.count; k++) {
    const ClassRows rows = experts.rows(k);
    const float target = k == label ? 1 : 0;
    const Lanes step = rate * (target - experts.said[k].expert[1]);
    Lanes *weights = rows.weights() + experts.d;
    for (size_t j = 0; j < experts.d; j++) weights[j] += step * experts.z[j];
    const Eight counts =
        memories * joined(rows.counts(), rows.followed(context)) + target * weight;
    rows.counts() = __builtin_shufflevector(counts, counts, 0, 1, 2, 3);
    rows.followed(context) = __builtin_shufflevector(counts, counts, 4, 5, 6, 7);
  }
}

#endif
