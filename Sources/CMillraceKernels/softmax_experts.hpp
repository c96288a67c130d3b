#ifndef MILLRACE_SOFTMAX_EXPERTS_HPP
#define MILLRACE_SOFTMAX_EXPERTS_HPP

#include "bank_inputs.hpp"
#include "bank_mixtures.hpp"
#include "bank_wide.hpp"
#include "softmax.h"
#include "softmax_ferns.hpp"
#include "softmax_lanes.hpp"

/// What a bank knows of one class.
struct ClassRows {
  /// Inputs, and those of the wide group with what fills them up.
  size_t d, wide;
  Lanes *row;

  static size_t rowCount(size_t d, size_t wide) {
    return MILLRACE_CLASS_WEIGHTS + d + MILLRACE_BANK_HORIZONS * snapshotRows(d, wide) +
           (wide > 0 ? 1 + wide / 4 : 0);
  }
  /// The curvature that the filters' means have seen.
  Eight &curvature() const { return *reinterpret_cast<Eight *>(row + MILLRACE_CLASS_CURVATURE); }
  /// Two memories' counts of the class, and its count after another one.
  Two &counts() const {
    return reinterpret_cast<Two *>(row + MILLRACE_CLASS_CURVATURE)[MILLRACE_BANK_FILTERS / 2];
  }
  /// The curvature that the ferns' weights have seen.
  float &fernCurvature() const {
    return reinterpret_cast<float *>(row + MILLRACE_CLASS_CURVATURE)[MILLRACE_BANK_FILTERS + 2];
  }
  float &followed(size_t context) const {
    return reinterpret_cast<float *>(row + MILLRACE_CLASS_FOLLOWED)[context];
  }
  /// The filters' means and the weights of gradient descent.
  Lanes *weights() const { return row + MILLRACE_CLASS_WEIGHTS; }
  /// What the tables said when a horizon's block started, the weights, the wide group's means.
  Lanes *snapshot(int horizon) const { return weights() + d + horizon * snapshotRows(d, wide); }
  /// The curvature that the wide group's means have seen, and the means.
  Four &wideCurvature() const {
    return *reinterpret_cast<Four *>(snapshot(MILLRACE_BANK_HORIZONS));
  }
  Four *wideMean() const {
    return reinterpret_cast<Four *>(snapshot(MILLRACE_BANK_HORIZONS) + 1);
  }

 private:
  static size_t snapshotRows(size_t d, size_t wide) { return 1 + d + wide / 4; }
};

/// How sure N filters are of one class: 1/√(1 + πs/8) with what the class's mean has yet to learn,
/// and how much that is.
template <int N>
struct ClassSureness {
  Vector<float, N> kappa, openness;
};

/// What is said of one class.
struct ClassForecast {
  ClassSureness<8> filters;
  ClassSureness<4> wide;
  /// Filters and gradient descent: their margins, then their probabilities if no label were wrong;
  /// these with label noise.
  Lanes plain, expert;
  /// The probabilities of the wide group's filters, of the ferns, and of the tables.
  Eight further;
  Four mixture;
  /// The logarithms of all these; the second row's are `further`, `mixture` and 0.
  Lanes log[2];
  /// The mixture of mixtures.
  float top;
};

/// The experts of a bank, and the room that a record is worked on in.
struct SoftmaxExperts {
  size_t d, count;
  Filters<8> filters;
  WideFilters wideFilters;
  Lanes *classes, *head;
  /// For each input u, and what moves the weights: u in the filters' lanes, z in gradient descent's.
  Eight *u;
  Lanes *direction;
  ClassForecast *said;
  /// For each class the wide group's probabilities if no label were wrong, and the last layer's
  /// candidates: the mixture of mixtures, and three mixers.
  Four *wideSaid, *candidate;
  float *z;
  WideRoom wide;
  SoftmaxFerns ferns;
  FernRoom fernRoom;
  /// The variances in the record's cells, and their sum.
  float *cellVariances, fernVariance;
  /// By class κ, the variance that it has yet to learn, and the probability.
  Lanes fernKappa, fernOpen, fernSaid;
  bool isAwake = false;
  /// s = zᵀCz.
  Eight variance;
  Four wideVariance;
  /// Σ of the classes' probabilities' squares.
  Eight squares;
  Four wideSquares;

  SoftmaxExperts(const millrace_softmax_bank &bank, float *room)
      : d(bank.columns),
        count(bank.classCount),
        filters{bank.columns, reinterpret_cast<Eight *>(bank.filters), 0},
        wideFilters{bank.wide ? millrace_bank_basis_width(&bank.basis) : 0,
                    reinterpret_cast<Four *>(bank.wide), 0},
        classes(reinterpret_cast<Lanes *>(bank.classes)),
        head(reinterpret_cast<Lanes *>(bank.head)),
        direction(reinterpret_cast<Lanes *>(room)),
        said(reinterpret_cast<ClassForecast *>(direction + d)) {
    wideSaid = reinterpret_cast<Four *>(said + count);
    candidate = wideSaid + wholeRegisters(count);
    Four *wideU = candidate + wholeRegisters(count);
    const size_t width = WideFilters::padded(wideFilters.d);
    wide = {reinterpret_cast<float *>(wideU + width), wideU};
    for (size_t j = wideFilters.d; j < width; j++) wide.inputs[j] = 0;
    u = reinterpret_cast<Eight *>(wide.inputs + 4 * wholeRegisters(width / 4));
    z = reinterpret_cast<float *>(u + d);
    ferns = {bank.basis.ferns, bank.ferns, bank.fernWeights};
    cellVariances = z + d;
    float *columns = cellVariances + ferns.basis.count;
    fernRoom = {columns, reinterpret_cast<int32_t *>(columns + d + 15)};
  }

  static size_t roomSize(size_t columns, size_t classCount, size_t wideColumns, size_t fernCount) {
    const size_t width = WideFilters::padded(wideColumns);
    return (16 + 8 + 1) * columns + classCount * sizeof(ClassForecast) / sizeof(float) +
           2 * 4 * wholeRegisters(classCount) + 4 * width + 4 * wholeRegisters(width / 4) +
           2 * fernCount + columns + 15;
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

/// The margins of filters.
template <int N>
MILLRACE_INLINE Vector<float, N> margin(Vector<float, N> kappa, Vector<float, N> dot) {
  return clamped<N>(kappa * dot, -30, 30);
}

/// The margins of filters and gradient descent.
MILLRACE_INLINE Lanes margins(Eight kappa, Lanes dot) {
  return joined(margin<8>(kappa, firstHalf(dot)),
                clamped<8>(secondHalf(dot), -marginLimit, marginLimit));
}

/// What filters and gradient descent give, label noise included.
MILLRACE_INLINE Lanes narrowExpert(const Filters<8> &filters, Lanes plain, float uniform) {
  return floored(joined(noisy<8>(filters, firstHalf(plain), uniform), secondHalf(plain)), uniform);
}

/// What the tables say of one class, up to the sum over the classes.
MILLRACE_INLINE Four counted(const SoftmaxExperts &experts, size_t k, size_t context) {
  const ClassRows rows = experts.rows(k);
  return Four{0, rows.counts()[0], rows.counts()[1], rows.followed(context)} + 1.0f / experts.count;
}

MILLRACE_INLINE float curvatureShare(const SoftmaxExperts &experts, size_t k) {
  return (1.0f + experts.rows(k).fernCurvature()) / (1.0f + experts.ferns.seen());
}

/// What ferns' weights, and the filter's margin below them, say of one class.
MILLRACE_INLINE float fernMargin(const SoftmaxExperts &experts, size_t k, const float *weights,
                                 Four wide) {
  const float own = total(weights, experts.fernRoom.cells, experts.ferns.basis.count);
  return experts.fernKappa[k] * (own + wide[MILLRACE_FERN_FILTER]);
}

/// What ferns say of each class; the wide group's margins are there already.
MILLRACE_INLINE void forecastFerns(SoftmaxExperts &experts) {
  const SoftmaxFerns &ferns = experts.ferns;
  const size_t fernCount = ferns.basis.count;
  for (size_t i = 0; i < fernCount; i++)
    experts.cellVariances[i] = ferns.variances()[experts.fernRoom.cells[i]];
  experts.fernVariance = total(ferns.variances(), experts.fernRoom.cells, fernCount);
  for (size_t k = 0; k < experts.count; k++) {
    const float share = curvatureShare(experts, k);
    Lanes open = {};
    for (size_t i = 0; i < fernCount; i += 16) {
      Lanes own;
      __builtin_memcpy(&own, experts.cellVariances + i, sizeof own);
      open += openVariance(own, ferns.prior(), share);
    }
    experts.fernOpen[k] = sum(folded(open));
  }
  experts.fernKappa = shrinkage<16>(experts.fernOpen);
  Lanes margins = {};
  for (size_t k = 0; k < experts.count; k++)
    margins[k] = fernMargin(experts, k, ferns.weights(k), experts.wideSaid[k]);
  experts.fernSaid = softmax(clamped<16>(margins, -30, 30), experts.count);
}

template <int N>
MILLRACE_INLINE ClassSureness<N> open(const Filters<N> &filters, Vector<float, N> variance,
                                      Vector<float, N> curvature) {
  const Vector<float, N> openness =
      (1.0f + filters.row[MILLRACE_FILTERS_SEEN]) / (1.0f + curvature);
  return {shrinkage<N>(variance * openness), openness};
}

/// The filters' and the other experts' probabilities of every class. Where no label comes
/// (`isFrozen`) the wide group's variance is the usual one.
template <bool commit, bool isFrozen = false>
MILLRACE_INLINE void forecast(SoftmaxExperts &experts, size_t context, Four wideSpread = Four{}) {
  const size_t count = experts.count;
  const float uniform = 1.0f / count;
  Lanes greatest = Lanes{} - marginLimit, total = {};
  Four tableTotal = {};
  withInputs(experts.d, [&](auto inputs) __attribute__((always_inline)) {
    const Filters<8> filters = experts.filters.with(inputs.count);
    experts.variance = spread<8, commit, inputs.known>(filters, experts.z, experts.u);
    for (size_t k = 0; k < count; k++) {
      const ClassRows rows = experts.rows(k);
      ClassForecast &said = experts.said[k];
      said.filters = open<8>(filters, experts.variance, rows.curvature());
      said.plain = margins(said.filters.kappa, dot<16>(rows.weights(), experts.z, inputs.count));
      greatest = greater<16>(said.plain, greatest);
      const Four table = counted(experts, k, context);
      tableTotal += table;
      said.further = joined(Four{} + uniform, table);
    }
  });
  if (experts.isAwake) {
    experts.wideVariance =
        isFrozen ? wideSpread * experts.wide.squaredLength(experts.wideFilters.d)
                 : spread<4, commit>(experts.wideFilters, experts.wide.inputs, experts.wide.u);
    Four wideGreatest = Four{} - marginLimit;
    for (size_t k = 0; k < count; k++) {
      const ClassRows rows = experts.rows(k);
      ClassForecast &said = experts.said[k];
      said.wide = open<4>(experts.wideFilters, experts.wideVariance, rows.wideCurvature());
      experts.wideSaid[k] =
          margin<4>(said.wide.kappa, experts.wide.dot(rows.wideMean(), experts.wideFilters.d));
      wideGreatest = greater<4>(experts.wideSaid[k], wideGreatest);
    }
    if (experts.ferns.saysAny()) forecastFerns(experts);
    softmax(experts.wideSaid, count, wideGreatest);
  }
  for (size_t k = 0; k < count; k++) {
    ClassForecast &said = experts.said[k];
    said.plain = decayed<16>(said.plain - greatest);
    total += said.plain;
  }
  const Lanes scale = 1.0f / total;
  const Four tableScale = 1.0f / tableTotal;
  experts.squares = Eight{};
  experts.wideSquares = Four{};
  for (size_t k = 0; k < count; k++) {
    ClassForecast &said = experts.said[k];
    said.plain *= scale;
    const Eight filters = firstHalf(said.plain);
    experts.squares += filters * filters;
    said.expert = narrowExpert(experts.filters, said.plain, uniform);
    Four wide = firstHalf(said.further), others = secondHalf(said.further) * tableScale;
    others[0] = experts.isAwake && experts.ferns.saysAny() ? experts.fernSaid[k] : uniform;
    if (experts.isAwake) {
      const Four plain = experts.wideSaid[k];
      experts.wideSquares += plain * plain;
      wide = noisy<4>(experts.wideFilters, plain, uniform);
    }
    said.further = floored(joined(wide, others), uniform);
  }
}

/// Likelihoods of the label that came, in the form that `Mixtures` learns from.
MILLRACE_INLINE Experts<1> given(Lanes narrow, Eight further) {
  return {{{narrow, {}}}, {further, {}}, true};
}

/// What the experts gave to the label with their weights when a horizon's block started, and the
/// variances of now; the wide group with its usual one.
MILLRACE_INLINE Experts<1> snapshotGiven(const SoftmaxExperts &experts, int horizon, size_t label,
                                         Four wideSpread) {
  const float uniform = 1.0f / experts.count;
  Lanes greatest = Lanes{} - marginLimit, narrowTotal = {}, narrow = {};
  Four wide = {}, wideTotal = {}, wideVariance = {};
  const bool hasFerns = experts.isAwake && experts.ferns.saysAny();
  Lanes fernMargins = {};
  if (experts.isAwake)
    wideVariance = wideSpread * experts.wide.squaredLength(experts.wideFilters.d);
  for (size_t k = 0; k < experts.count; k++) {
    ClassForecast &said = experts.said[k];
    const Lanes *weights = experts.rows(k).snapshot(horizon) + 1;
    // The logarithms are no longer needed.
    said.log[0] = margins(said.filters.kappa, dot<16>(weights, experts.z, experts.d));
    greatest = greater<16>(said.log[0], greatest);
    if (!experts.isAwake) continue;
    const Four *mean = reinterpret_cast<const Four *>(weights + experts.d);
    const Four kappa = shrinkage<4>(wideVariance * said.wide.openness);
    const Four own = margin<4>(kappa, experts.wide.dot(mean, experts.wideFilters.d));
    if (hasFerns)
      fernMargins[k] = fernMargin(experts, k, experts.ferns.snapshot(k, horizon), own);
    const Four other = exponential<4>(own);
    wideTotal += other;
    if (k == label) wide = other;
  }
  for (size_t k = 0; k < experts.count; k++) {
    const Lanes own = decayed<16>(experts.said[k].log[0] - greatest);
    narrowTotal += own;
    if (k == label) narrow = own;
  }
  wide = experts.isAwake ? noisy<4>(experts.wideFilters, wide / wideTotal, uniform)
                         : Four{} + uniform;
  Four others = *reinterpret_cast<Four *>(experts.rows(label).snapshot(horizon));
  others[0] = uniform;
  if (hasFerns)
    others[0] = softmax(clamped<16>(fernMargins, -30, 30), experts.count)[label];
  return given(narrowExpert(experts.filters, narrow / narrowTotal, uniform),
               floored(joined(wide, others), uniform));
}

/// How filters move: what is the same for all classes.
template <int N>
struct ClassStep {
  Vector<float, N> kept, step, seen, h;
};

/// The filters' step: assumed-density filtering with the curvature's mean over the classes, so that
/// one covariance serves all; a class that has seen less than the others moves further. With two
/// classes it is the binary filter's.
///
/// - `plain`: the label's probability if no label were wrong; `squares`: Σ of the classes' squares.
template <int N>
MILLRACE_INLINE ClassStep<N> classStep(const Filters<N> &filters, Vector<float, N> variance,
                                       const Vector<float, N> *u, size_t count,
                                       Vector<float, N> plain, Vector<float, N> squares,
                                       float weight) {
  typedef Vector<float, N> F;
  const F noise = wrongShare(filters);
  // C is in the units of a binary filter, twice those of the formula: hence the halves.
  const F flat = 1.0f / (1.0f + variance * 0.39269908f);
  const F right = (1.0f - noise) * plain / noisy<N>(filters, plain, 1.0f / count);
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
  for (size_t j = 0; j < filters.d; j++) filters.direction()[j] = u[j];
  wait(filters, .5f * h);
  return {kept, step, factor * flat * right * (count * others), h};
}

/// Moves one class's mean, which has seen `curvature`. Returns the gain.
template <int N>
MILLRACE_INLINE Vector<float, N> classGain(const ClassStep<N> &step, const ClassSureness<N> &said,
                                           Vector<float, N> plain, float target,
                                           Vector<float, N> &curvature) {
  const Vector<float, N> seen = step.seen * plain * (1.0f - plain);
  curvature = step.kept * curvature + blend<N>(seen < step.h, seen, step.h);
  return step.step * (target - plain) * said.kappa * said.openness;
}

/// Filters, gradient descent, and the tables.
MILLRACE_INLINE void learnNarrow(const SoftmaxExperts &experts, size_t label, size_t context,
                                 float weight) {
  const Eight rate = (.5f * weight) * firstHalf(experts.head[MILLRACE_SOFTMAX_RATES]);
  const Four memories = experts.memories();
  withInputs(experts.d, [&](auto inputs) __attribute__((always_inline)) {
    const Filters<8> filters = experts.filters.with(inputs.count);
    const ClassStep<8> step =
        classStep<8>(filters, experts.variance, experts.u, experts.count,
                     firstHalf(experts.said[label].plain), experts.squares, weight);
    for (size_t j = 0; j < inputs.count; j++)
      experts.direction[j] = joined(experts.u[j], Eight{} + experts.z[j]);
    for (size_t k = 0; k < experts.count; k++) {
      const ClassRows rows = experts.rows(k);
      const ClassForecast &said = experts.said[k];
      const float target = k == label ? 1 : 0;
      const Lanes move =
          joined(classGain<8>(step, said.filters, firstHalf(said.plain), target, rows.curvature()),
                 rate * (target - secondHalf(said.expert)));
      Lanes *weights = rows.weights();
      for (size_t j = 0; j < inputs.count; j++) weights[j] += move * experts.direction[j];
      const Two old = rows.counts();
      const Four counts =
          memories * Four{0, old[0], old[1], rows.followed(context)} + target * weight;
      rows.counts() = __builtin_shufflevector(counts, counts, 1, 2);
      rows.followed(context) = counts[3];
    }
  });
}

/// The wide group, four columns at a time.
MILLRACE_INLINE void learnWide(const SoftmaxExperts &experts, size_t label, float weight,
                               Four &wideSpread) {
  const WideFilters &filters = experts.wideFilters;
  experts.wide.learnSpread(wideSpread, experts.wideVariance, filters.d);
  const ClassStep<4> step =
      classStep<4>(filters, experts.wideVariance, experts.wide.u, experts.count,
                   experts.wideSaid[label], experts.wideSquares, weight);
  for (size_t k = 0; k < experts.count; k++) {
    const ClassRows rows = experts.rows(k);
    const Lanes gain = repeated(classGain<4>(step, experts.said[k].wide, experts.wideSaid[k],
                                             k == label ? 1 : 0, rows.wideCurvature()));
    for (size_t j = 0; j < filters.d; j += 4)
      *reinterpret_cast<Lanes *>(rows.wideMean() + j) +=
          gain * *reinterpret_cast<Lanes *>(experts.wide.u + j);
  }
}

/// The ferns' step, an extended Kalman filter's: with the curvature's mean over the classes, as
/// `classStep`; a class that has seen less than the others moves further.
MILLRACE_INLINE void learnFerns(const SoftmaxExperts &experts, size_t label, float weight) {
  const SoftmaxFerns &ferns = experts.ferns;
  const size_t fernCount = ferns.basis.count;
  const int32_t *cells = experts.fernRoom.cells;
  const Lanes &said = experts.fernSaid;
  // Half, as the margins of two classes are half the binary one.
  const float half = experts.count > 1 ? .5f * weight / (experts.count - 1) : 0;
  const float spread = 1.0f - sum(folded(said * said));
  const float curvature = half * (spread > 0 ? spread : 0);
  for (size_t k = 0; k < experts.count; k++) {
    const float share = curvatureShare(experts, k);
    const float left = 1.0f / (1.0f + experts.fernOpen[k] * curvature);
    const float gain = (.5f * weight * left) * ((k == label ? 1.0f : 0.0f) - said[k]);
    float *weights = ferns.weights(k);
    for (size_t i = 0; i < fernCount; i += 16) {
      Lanes own;
      __builtin_memcpy(&own, experts.cellVariances + i, sizeof own);
      own = gain * openVariance(own, ferns.prior(), share);
      for (int lane = 0; lane < 16; lane++) weights[cells[i + lane]] += own[lane];
    }
    const float seen = half * experts.count * said[k] * (1.0f - said[k]);
    experts.rows(k).fernCurvature() += seen < curvature ? seen : curvature;
  }
  ferns.seen() += curvature;
  const float h = curvature / (1.0f + experts.fernVariance * curvature), forgetting = ferns.head[0];
  for (size_t i = 0; i < fernCount; i++) {
    const float variance = experts.cellVariances[i];
    ferns.variances()[cells[i]] =
        variance - h * variance * variance + forgetting * (ferns.prior() - variance);
  }
}

#endif
