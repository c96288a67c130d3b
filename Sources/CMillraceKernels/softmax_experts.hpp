#ifndef MILLRACE_SOFTMAX_EXPERTS_HPP
#define MILLRACE_SOFTMAX_EXPERTS_HPP

#include "bank_mixtures.hpp"
#include "bank_wide.hpp"
#include "softmax.h"
#include "softmax_lanes.hpp"

/// What a bank knows of one class.
struct ClassRows {
  /// Inputs, and those of the wide group with what fills them up.
  size_t d, wide;
  Lanes *row;

  static size_t rowCount(size_t d, size_t wide) {
    return MILLRACE_CLASS_WEIGHTS + 2 * d + MILLRACE_BANK_HORIZONS * snapshotRows(d, wide) +
           (wide > 0 ? 1 + wide / 4 : 0);
  }
  /// The curvature that the filters' means have seen.
  Lanes &curvature() const { return row[MILLRACE_CLASS_CURVATURE]; }
  /// Two memories' counts of the class, and of the class after another one.
  Two &counts() const { return *reinterpret_cast<Two *>(row + MILLRACE_CLASS_COUNTS); }
  Two &followed(size_t context) const {
    return reinterpret_cast<Two *>(row + MILLRACE_CLASS_FOLLOWED)[context];
  }
  /// The filters' means, then the weights of gradient descent.
  Lanes *weights() const { return row + MILLRACE_CLASS_WEIGHTS; }
  /// What the tables said when a horizon's block started, the weights, the wide group's means.
  Lanes *snapshot(int horizon) const {
    return weights() + 2 * d + horizon * snapshotRows(d, wide);
  }
  /// The curvature that the wide group's means have seen, and the means.
  Four &wideCurvature() const {
    return *reinterpret_cast<Four *>(snapshot(MILLRACE_BANK_HORIZONS));
  }
  Four *wideMean() const {
    return reinterpret_cast<Four *>(snapshot(MILLRACE_BANK_HORIZONS) + 1);
  }

 private:
  static size_t snapshotRows(size_t d, size_t wide) { return 1 + 2 * d + wide / 4; }
};

/// What N filters say of one class: 1/√(1 + πs/8) with what the class's mean has yet to learn, how
/// much that is, and the probability if no label were wrong.
template <int N>
struct ClassSaid {
  Vector<float, N> kappa, openness, plain;
};

/// What is said of one class.
struct ClassForecast {
  ClassSaid<16> filters;
  ClassSaid<4> wide;
  /// The experts' probabilities and their logarithms, centred over the classes: filters, gradient
  /// descent; the wide group and the tables.
  Lanes expert[2], log[2];
  Eight further, furtherLog;
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
  WideFilters wideFilters;
  Lanes *classes, *head;
  Lanes *u;
  ClassForecast *said;
  float *z;
  WideRoom wide;
  bool isAwake = false;
  /// s = zᵀCz.
  Lanes variance;
  Four wideVariance;

  SoftmaxExperts(const millrace_softmax_bank &bank, float *room)
      : d(bank.columns),
        count(bank.classCount),
        filters{bank.columns, reinterpret_cast<Lanes *>(bank.filters), 0},
        wideFilters{bank.wide ? millrace_bank_basis_width(&bank.basis) : 0,
                    reinterpret_cast<Four *>(bank.wide), 0},
        classes(reinterpret_cast<Lanes *>(bank.classes)),
        head(reinterpret_cast<Lanes *>(bank.head)),
        u(reinterpret_cast<Lanes *>(room)),
        said(reinterpret_cast<ClassForecast *>(u + d)) {
    Four *wideU = reinterpret_cast<Four *>(said + count);
    const size_t width = WideFilters::padded(wideFilters.d);
    wide = {reinterpret_cast<float *>(wideU + width), wideU};
    for (size_t j = wideFilters.d; j < width; j++) wide.inputs[j] = 0;
    z = wide.inputs + width;
  }

  static size_t roomSize(size_t columns, size_t classCount, size_t wideColumns) {
    return 17 * columns + classCount * sizeof(ClassForecast) / sizeof(float) +
           5 * WideFilters::padded(wideColumns);
  }

  ClassRows rows(size_t k) const {
    const size_t width = WideFilters::padded(wideFilters.d);
    return {d, width, classes + k * ClassRows::rowCount(d, width)};
  }
  Four memories() const { return *reinterpret_cast<Four *>(head + MILLRACE_SOFTMAX_MEMORIES); }
};

/// The labels that are simply wrong: twice the binary share, as they fall on all classes.
template <int N>
MILLRACE_INLINE Vector<float, N> wrongShare(const Filters<N> &filters) {
  return 2.0f * filters.row[MILLRACE_FILTERS_NOISE];
}

/// What filters give, label noise included.
template <int N>
MILLRACE_INLINE Vector<float, N> noisy(const Filters<N> &filters, Vector<float, N> plain,
                                       float uniform) {
  const Vector<float, N> noise = wrongShare(filters);
  return (1.0f - noise) * plain + noise * uniform;
}

/// The exponential of a margin.
template <int N>
MILLRACE_INLINE Vector<float, N> odds(Vector<float, N> kappa, Vector<float, N> margin) {
  return exponential<N>(clamped<N>(kappa * margin, -30, 30));
}

/// Gradient descent's margin.
MILLRACE_INLINE Lanes descentMargin(const SoftmaxExperts &experts, const Lanes *weights) {
  return clamped<16>(dot<16>(weights, experts.z, experts.d), -marginLimit, marginLimit);
}

/// What the tables say of one class, up to the sum over the classes.
MILLRACE_INLINE Four counted(const SoftmaxExperts &experts, size_t k, size_t context) {
  const ClassRows rows = experts.rows(k);
  return joined(rows.counts(), rows.followed(context)) + 1.0f / experts.count;
}

template <int N>
MILLRACE_INLINE void open(const Filters<N> &filters, Vector<float, N> variance,
                          Vector<float, N> curvature, ClassSaid<N> &said) {
  said.openness = (1.0f + filters.row[MILLRACE_FILTERS_SEEN]) / (1.0f + curvature);
  said.kappa = shrinkage<N>(variance * said.openness);
}

/// The filters' and the other experts' probabilities of every class. Where no label comes
/// (`isFrozen`) the wide group's variance is the usual one.
template <bool commit, bool isFrozen = false>
MILLRACE_INLINE void forecast(SoftmaxExperts &experts, size_t context, Four wideSpread = Four{}) {
  const size_t count = experts.count;
  const float uniform = 1.0f / count;
  experts.variance = spread<16, commit>(experts.filters, experts.z, experts.u);
  if (experts.isAwake)
    experts.wideVariance =
        isFrozen ? wideSpread * experts.wide.squaredLength(experts.wideFilters.d)
                 : spread<4, commit>(experts.wideFilters, experts.wide.inputs, experts.wide.u);
  Lanes filterTotal = {}, descentTotal = {}, greatest = Lanes{} - marginLimit;
  Four tableTotal = {}, wideTotal = {};
  for (size_t k = 0; k < count; k++) {
    const ClassRows rows = experts.rows(k);
    ClassForecast &said = experts.said[k];
    open<16>(experts.filters, experts.variance, rows.curvature(), said.filters);
    said.filters.plain =
        odds<16>(said.filters.kappa, dot<16>(rows.weights(), experts.z, experts.d));
    filterTotal += said.filters.plain;
    said.expert[1] = descentMargin(experts, rows.weights() + experts.d);
    greatest = greater<16>(said.expert[1], greatest);
    const Four table = counted(experts, k, context);
    tableTotal += table;
    said.further = joined(Four{}, table);
    if (!experts.isAwake) continue;
    open<4>(experts.wideFilters, experts.wideVariance, rows.wideCurvature(), said.wide);
    said.wide.plain =
        odds<4>(said.wide.kappa, experts.wide.dot(rows.wideMean(), experts.wideFilters.d));
    wideTotal += said.wide.plain;
  }
  for (size_t k = 0; k < count; k++) {
    ClassForecast &said = experts.said[k];
    said.expert[1] = decayed<16>(said.expert[1] - greatest);
    descentTotal += said.expert[1];
  }
  for (size_t k = 0; k < count; k++) {
    ClassForecast &said = experts.said[k];
    said.filters.plain /= filterTotal;
    said.expert[0] = floored(noisy<16>(experts.filters, said.filters.plain, uniform), uniform);
    said.expert[1] = floored(said.expert[1] / descentTotal, uniform);
    Four wide = Four{} + uniform;
    if (experts.isAwake) {
      said.wide.plain /= wideTotal;
      wide = noisy<4>(experts.wideFilters, said.wide.plain, uniform);
    }
    said.further = floored(joined(wide, secondHalf(said.further) / tableTotal), uniform);
  }
}

/// Likelihoods of the label that came, in the form that `Mixtures` learns from.
MILLRACE_INLINE Experts<2> given(Lanes filters, Lanes descent, Eight further) {
  return {{{filters, {}}, {descent, {}}}, {further, {}}, true};
}

/// What the experts gave to the label with their weights when a horizon's block started, and the
/// variances of now; the wide group with its usual one.
MILLRACE_INLINE Experts<2> snapshotGiven(const SoftmaxExperts &experts, int horizon, size_t label,
                                      Four wideSpread) {
  const float uniform = 1.0f / experts.count;
  Lanes filterTotal = {}, greatest = Lanes{} - marginLimit, descentTotal = {};
  Lanes filters = {}, descent = {};
  Four wide = {}, wideTotal = {}, wideVariance = {};
  if (experts.isAwake)
    wideVariance = wideSpread * experts.wide.squaredLength(experts.wideFilters.d);
  for (size_t k = 0; k < experts.count; k++) {
    ClassForecast &said = experts.said[k];
    const Lanes *weights = experts.rows(k).snapshot(horizon) + 1;
    const Lanes own = odds<16>(said.filters.kappa, dot<16>(weights, experts.z, experts.d));
    filterTotal += own;
    // The logarithms are no longer needed.
    said.log[0] = descentMargin(experts, weights + experts.d);
    greatest = greater<16>(said.log[0], greatest);
    if (k == label) filters = own;
    if (!experts.isAwake) continue;
    const Four *mean = reinterpret_cast<const Four *>(weights + 2 * experts.d);
    const Four other = odds<4>(shrinkage<4>(wideVariance * said.wide.openness),
                               experts.wide.dot(mean, experts.wideFilters.d));
    wideTotal += other;
    if (k == label) wide = other;
  }
  for (size_t k = 0; k < experts.count; k++) {
    const Lanes own = decayed<16>(experts.said[k].log[0] - greatest);
    descentTotal += own;
    if (k == label) descent = own;
  }
  wide = experts.isAwake ? noisy<4>(experts.wideFilters, wide / wideTotal, uniform)
                         : Four{} + uniform;
  const Four table = *reinterpret_cast<Four *>(experts.rows(label).snapshot(horizon));
  return given(floored(noisy<16>(experts.filters, filters / filterTotal, uniform), uniform),
               floored(descent / descentTotal, uniform), floored(joined(wide, table), uniform));
}

/// How filters move: what is the same for all classes.
template <int N>
struct ClassStep {
  Vector<float, N> kept, step, seen, h;
};

/// The filters' step: assumed-density filtering with the curvature's mean over the classes, so that
/// one covariance serves all; a class that has seen less than the others moves further. With two
/// classes it is the binary filter's. `said(k)` is what the filters say of a class.
template <int N, typename Said>
MILLRACE_INLINE ClassStep<N> classStep(const Filters<N> &filters, Vector<float, N> variance,
                                       const Vector<float, N> *u, size_t count, Said said,
                                       size_t label, float weight) {
  typedef Vector<float, N> F;
  const F noise = wrongShare(filters), plain = said(label).plain;
  // C is in the units of a binary filter, twice those of the formula: hence the halves.
  const F flat = 1.0f / (1.0f + variance * 0.39269908f);
  const F right = (1.0f - noise) * plain / noisy<N>(filters, plain, 1.0f / count);
  F squares = {};
  for (size_t k = 0; k < count; k++) squares += said(k).plain * said(k).plain;
  const float others = count > 1 ? 1.0f / (count - 1) : 0;
  F curvature = flat * (right * (1.0f - squares) * others -
                        right * (1.0f - right) * (1.0f - 2.0f * plain + squares));
  curvature = blend<N>(curvature > 0, curvature, F{});
  // A weight counts the label's Gaussian site so many times.
  F factor = weight / (1.0f + (weight - 1.0f) * .5f * curvature * variance);
  factor = blend<N>(variance > 0, factor, F{});
  const F h = factor * curvature;

  const F root = __builtin_elementwise_sqrt(filters.row[MILLRACE_FILTERS_DRIFT]);
  const F kept = 1.0f - .5f * blend<N>(root < 1, root, F{} + 1.0f);
  const F step = .5f * factor * right * filters.row[MILLRACE_FILTERS_SCALE];
  F &total = filters.row[MILLRACE_FILTERS_SEEN];
  total = kept * total + h;
  wait<N>(filters, u, .5f * h);
  return {kept, step, factor * flat * right * (count * others), h};
}

/// Moves one class's mean, which has seen `curvature`. Returns the gain.
template <int N>
MILLRACE_INLINE Vector<float, N> classGain(const ClassStep<N> &step, const ClassSaid<N> &said,
                                           bool isLabel, Vector<float, N> &curvature) {
  const Vector<float, N> seen = step.seen * said.plain * (1.0f - said.plain);
  curvature = step.kept * curvature + blend<N>(seen < step.h, seen, step.h);
  return step.step * ((isLabel ? 1.0f : 0.0f) - said.plain) * said.kappa * said.openness;
}

MILLRACE_INLINE void learnFilters(const SoftmaxExperts &experts, size_t label, float weight) {
  const ClassStep<16> step = classStep<16>(
      experts.filters, experts.variance, experts.u, experts.count,
      [&](size_t k) __attribute__((always_inline)) -> const ClassSaid<16> & {
        return experts.said[k].filters;
      }, label, weight);
  for (size_t k = 0; k < experts.count; k++) {
    const ClassRows rows = experts.rows(k);
    const Lanes gain =
        classGain<16>(step, experts.said[k].filters, k == label, rows.curvature());
    Lanes *mean = rows.weights();
    for (size_t j = 0; j < experts.d; j++) mean[j] += gain * experts.u[j];
  }
}

/// The same of the wide group, four columns at a time.
MILLRACE_INLINE void learnWide(const SoftmaxExperts &experts, size_t label, float weight,
                               Four &wideSpread) {
  const WideFilters &filters = experts.wideFilters;
  experts.wide.learnSpread(wideSpread, experts.wideVariance, filters.d);
  const ClassStep<4> step = classStep<4>(
      filters, experts.wideVariance, experts.wide.u, experts.count,
      [&](size_t k) __attribute__((always_inline)) -> const ClassSaid<4> & {
        return experts.said[k].wide;
      }, label, weight);
  for (size_t k = 0; k < experts.count; k++) {
    const ClassRows rows = experts.rows(k);
    const Lanes gain =
        repeated(classGain<4>(step, experts.said[k].wide, k == label, rows.wideCurvature()));
    for (size_t j = 0; j < filters.d; j += 4)
      *reinterpret_cast<Lanes *>(rows.wideMean() + j) +=
          gain * *reinterpret_cast<Lanes *>(experts.wide.u + j);
  }
}

/// Gradient descent and the tables.
MILLRACE_INLINE void learnOthers(const SoftmaxExperts &experts, size_t label, size_t context,
                                 float weight) {
  const Lanes rate = (.5f * weight) * experts.head[MILLRACE_SOFTMAX_RATES];
  const Four memories = experts.memories();
  for (size_t k = 0; k < experts.count; k++) {
    const ClassRows rows = experts.rows(k);
    const float target = k == label ? 1 : 0;
    const Lanes step = rate * (target - experts.said[k].expert[1]);
    Lanes *weights = rows.weights() + experts.d;
    for (size_t j = 0; j < experts.d; j++) weights[j] += step * experts.z[j];
    const Four counts = memories * joined(rows.counts(), rows.followed(context)) + target * weight;
    rows.counts() = __builtin_shufflevector(counts, counts, 0, 1);
    rows.followed(context) = __builtin_shufflevector(counts, counts, 2, 3);
  }
}

#endif
