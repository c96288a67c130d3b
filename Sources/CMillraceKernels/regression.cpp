#include "regression.h"

#include <cmath>
#include <cstring>

#include "clones.h"
#include "regression_parts.hpp"
#include "wide_lanes.hpp"

namespace {

/// Lags are cut like the columns of a regression.
const double lagLimit = 30;

/// Room for one record: its inputs, and u = Cz of each group.
struct Workspace {
  float *z, *laggedInputs;
  Lanes *u;
  Eight *laggedU;
  WideRoom wide;
  FernRoom ferns;
};

struct Projections {
  Projection<16> filters;
  Projection<8> lagged;
  Projection<4> wide;
  FernSums ferns;
};

/// Targets around their mean, in deviations; 0 before there are any.
struct Standardization {
  double mean, perDeviation;

  explicit Standardization(const Target &target) : mean(target[MILLRACE_TARGET_MEAN]) {
    const double variance = target.variance();
    perDeviation = variance > 0 ? 1 / sqrt(variance) : 0;
  }

  MILLRACE_MEMBER float distance(double value, double from) const {
    const double distance = (value - from) * perDeviation;
    return float(distance < -lagLimit ? -lagLimit : distance > lagLimit ? lagLimit : distance);
  }
};

/// Two lags before the constant.
MILLRACE_INLINE void writeLags(size_t width, float *inputs, float last, float change,
                               float constant) {
  float *lags = inputs + width - 1 - MILLRACE_REGRESSION_LAGS;
  lags[0] = last;
  lags[1] = change;
  lags[2] = constant;
}

/// Where no label comes, the last targets are not known: 0 stands for their mean.
MILLRACE_INLINE void readLags(const RegressionParts &parts, bool isAwake, float level, float change,
                              const Workspace &space) {
  const float constant = space.z[parts.bank.columns - 1];
  writeLags(parts.lagged.filters.d, space.laggedInputs, level, change, constant);
  if (isAwake) writeLags(parts.wide.filters.d, space.wide.inputs, level, change, constant);
}

MILLRACE_INLINE void readRow(const RegressionParts &parts, const float *row, bool isAwake,
                             bool isFrozen, const Standardization &targets,
                             const Workspace &space) {
  const size_t columns = parts.bank.columns;
  readInputs(row, columns, space.z);
  if (!parts.filters.isBlockwise)
    memcpy(space.laggedInputs, space.z, (columns - 1) * sizeof(float));
  if (isAwake) {
    order(parts.ferns.basis, space.z, columns - 1, space.ferns);
    expand(parts.bank.basis, space.z, space.wide.inputs);
    findCells(parts.ferns.basis, space.ferns);
  }
  const double last = parts.target[MILLRACE_TARGET_LAST];
  const double before = parts.target[MILLRACE_TARGET_BEFORE_LAST];
  readLags(parts, isAwake, isFrozen ? 0 : targets.distance(last, targets.mean),
           isFrozen ? 0 : targets.distance(last, before), space);
}

/// Filters without covariances are what the lagged ones see instead of the columns.
MILLRACE_INLINE void readMeans(const RegressionParts &parts, const Lanes &means,
                               const Standardization &targets, const Workspace &space) {
  if (!parts.filters.isBlockwise) return;
  for (int k = 0; k < MILLRACE_REGRESSION_MEANS; k++)
    space.laggedInputs[k] = targets.distance(means[4 * k], targets.mean);
}

MILLRACE_INLINE void startExperts(const RegressionParts &parts, bool isAwake, Numbers &experts) {
  experts.isAwake = isAwake;
  experts.isRobust[0] = parts.filters.isRobust();
  const Vector<int32_t, 8> isRobust = parts.lagged.isRobust();
  experts.isRobust[1] = __builtin_shufflevector(Vector<int32_t, 8>{}, isRobust, 0, 1, 2, 3, 4, 5, 6,
                                                7, 8, 9, 10, 11, 12, 13, 14, 15);
  if (!isAwake) return;
  const Vector<int32_t, 4> isWideRobust = parts.wide.isRobust();
  experts.isWideRobust = __builtin_shufflevector(isWideRobust, Vector<int32_t, 4>{}, 0, 1, 2, 3, 4,
                                                 5, 6, 7);
}

/// The wide group's means: of its filters and its ferns.
MILLRACE_INLINE Eight wideMeans(Four filters, Two ferns) {
  return joined(filters, joined(ferns + Two{0, filters[MILLRACE_FERN_FILTER]}, Two{}));
}

template <bool commit>
MILLRACE_INLINE void forecast(const RegressionParts &parts, bool isAwake,
                              const Standardization &targets, const Workspace &space,
                              Projections &projections, Numbers &experts) {
  startExperts(parts, isAwake, experts);
  parts.withInputs([&](const RegressionParts &own, auto inputs) __attribute__((always_inline)) {
    constexpr size_t known = inputs.known;
    projections.filters = project<16, commit, known>(own.filters, space.z, space.u);
    experts.narrow[0] = number<16>(own.filters, projections.filters);
    readMeans(own, experts.narrow[0].mean, targets, space);
    projections.lagged = project<8, commit, known == 0 ? 0 : known + MILLRACE_REGRESSION_LAGS>(
        own.lagged, space.laggedInputs, space.laggedU);
    const Number<8> lagged = number<8>(own.lagged, projections.lagged);
    const Eight cheap = means(own.rates, own.rates.weights(),
                              own.rates.row[MILLRACE_RATES_AVERAGE], space.z);
    experts.narrow[1] = {joined(cheap, lagged.mean),
                         joined(errors(own.rates).variance(), lagged.variance)};
  });
  if (isAwake) {
    projections.ferns = project(parts.ferns, space.ferns.cells);
    projections.wide = project<4, commit>(parts.wide, space.wide.inputs, space.wide.u);
    const Number<4> filters = number<4>(parts.wide, projections.wide);
    Two variance = Two{} + 1.0f;
    if (parts.ferns.basis.count > 0)
      variance = errors(parts.ferns).variance() * (1.0f + projections.ferns.variance);
    experts.wide = {wideMeans(filters.mean, projections.ferns.margin),
                    joined(filters.variance, joined(variance, Two{} + 1.0f))};
  }
}

/// What experts with these weights say where no label comes; nothing of their variances.
///
/// - `ferns`: what those with the weights say.
MILLRACE_INLINE void frozenMeans(const RegressionParts &parts, const RegressionSnapshot &weights,
                                 Two ferns, bool isAwake, const Standardization &targets,
                                 const Workspace &space, Numbers &experts) {
  startExperts(parts, isAwake, experts);
  experts.narrow[0].mean = dot<16>(weights.filters, space.z, parts.bank.columns);
  readMeans(parts, experts.narrow[0].mean, targets, space);
  experts.narrow[1].mean = joined(
      means(parts.rates, weights.rates, *weights.averages, space.z),
      dot<8>(weights.lagged, space.laggedInputs, parts.lagged.filters.d));
  if (isAwake)
    experts.wide.mean = wideMeans(space.wide.dot(weights.wide, parts.wide.filters.d), ferns);
}

void write(const Target &target, float mean, float lower, float upper, double *prediction) {
  prediction[0] = target.restored(mean);
  prediction[1] = target.restored(lower);
  prediction[2] = target.restored(upper);
}

/// While targets have not varied, they will not.
void writeConstant(const Target &target, double *prediction) {
  const double value = target.isKnown() ? target[MILLRACE_TARGET_ORIGIN] : 0;
  prediction[0] = prediction[1] = prediction[2] = value;
}

void write(const RegressionParts &parts, const RegressionHeadForecast &head, double *prediction) {
  const Interval interval = parts.head.interval();
  const float deviation = interval.deviation();
  write(parts.target, head.mean, head.mean - interval.state[Interval::lower] * deviation,
        head.mean + interval.state[Interval::upper] * deviation, prediction);
}

/// The mean over the horizons, and the widest interval: nobody says how long no label will come.
MILLRACE_INLINE void writeFrozen(const RegressionParts &parts, const Numbers &experts,
                                 double *prediction) {
  float mean = 0, below = 0, above = 0;
  for (int h = 0; h < Horizon::count; h++) {
    mean += forecast(parts.horizon(h).mixtures(), experts).top / Horizon::count;
    const Interval interval = parts.horizon(h).interval();
    const float deviation = interval.deviation();
    below = fmaxf(below, interval.state[Interval::lower] * deviation);
    above = fmaxf(above, interval.state[Interval::upper] * deviation);
  }
  write(parts.target, mean, mean - below, mean + above, prediction);
}

/// The first targets that differ decide the unit, and the variance of what is not known yet.
void startVariances(const RegressionParts &parts, float variance) {
  parts.filters.errors().start(variance);
  parts.lagged.errors().start(variance);
  if (parts.bank.wide) parts.wide.errors().start(variance);
  if (parts.ferns.basis.count > 0) errors(parts.ferns).start(variance);
  errors(parts.rates).start(variance);
  parts.head.interval().start(variance);
  parts.head.state()[RegressionHead::mixtureErrors] = variance;
  parts.head.state()[RegressionHead::mixtureErrors + 1] = 1;
  for (int h = 0; h < Horizon::count; h++) {
    const ExpertRows<2> squares = parts.horizon(h).squares();
    squares.narrow[0] = squares.narrow[1] = Lanes{} + variance;
    squares.wide() = Eight{} + variance;
    parts.horizon(h).interval().start(variance);
  }
}

/// Takes in a target while they have not varied; whether they vary now.
bool beginVarying(const RegressionParts &parts, double label, double weight) {
  const Target &target = parts.target;
  if (!target.isKnown()) target[MILLRACE_TARGET_ORIGIN] = label;
  const double distance = label - target[MILLRACE_TARGET_ORIGIN];
  if (distance == 0) {
    target[MILLRACE_TARGET_WEIGHT] += weight;
    target.learnRecent(0);
    return false;
  }
  // Not less than a millionth of what differs: rounding is no unit.
  const double size = fmax(fabs(distance), 1e-6 * fabs(label));
  const double bounded = fmin(fmax(size, 1e-300), 1e300);
  target[MILLRACE_TARGET_UNIT] = ldexp(1, ilogb(bounded));
  const double seen = target[MILLRACE_TARGET_WEIGHT], y = target.relative(label);
  startVariances(parts, float(y * y * seen * weight / ((seen + weight) * (seen + weight))));
  return true;
}

/// All that a filter has learnt but how sure it is.
template <int N>
void forget(const Filters<N> &filters) {
  memset(filters.mean(), 0, 2 * filters.padded(filters.d) * sizeof *filters.mean());
  settle(filters);
}

/// Where one of the first two targets was wild, so are the unit and what was learnt: the experts
/// begin anew, as if the second record had come with the target that is kept.
void beginAnew(const RegressionParts &parts, double label, double weight) {
  parts.target.forgetFurther(parts.target.relative(label));
  forget(parts.filters.filters);
  forget(parts.lagged.filters);
  if (parts.bank.wide) forget(parts.wide.filters);
  for (size_t i = 0; i < parts.ferns.cellCount(); i++)
    parts.ferns.cells()[i] = joined(Two{}, secondHalf(parts.ferns.cells()[i]));
  forget(parts.head.filters().filters);
  memset(parts.rates.weights(), 0, parts.bank.columns * sizeof(Eight));
  parts.rates.row[MILLRACE_RATES_AVERAGE] = Eight{};
  for (int k = 0; k < 2; k++) parts.head.state()[RegressionHead::lastErrors + k] = 0;
  if (!beginVarying(parts, label, weight)) return;
  const double y = parts.target.relative(label);
  parts.target.learn(y, weight);
  parts.target.learnRecent(y);
}

/// Whether a target is one to learn.
bool believes(const RegressionParts &parts, double label, double weight) {
  const double y = parts.target.relative(label);
  if (!parts.target.startedWild(y)) return !parts.target.holdsBack(y);
  beginAnew(parts, label, weight);
  return false;
}

/// A Kalman filter's step, the variances in units of the noise.
MILLRACE_INLINE void learn(const Ferns &ferns, const FernSums &sums, const int32_t *cells,
                           const Number<8> &wide, float y, float weight, float least) {
  const Two error = y - firstHalf(secondHalf(wide.mean));
  const Two gain = weight / (1.0f + weight * sums.variance);
  step(ferns, cells, gain * error, gain);
  Errors<2>::learn(errors(ferns), error * error / (1.0f + sums.variance), weight, least);
}

MILLRACE_INLINE void learnHorizons(const RegressionParts &parts, HorizonTurns &turns,
                                   uint64_t record, bool isAwake,
                                   const Standardization &targets, const Workspace &space, float y,
                                   float weight, float scale) {
  bool isRead = false;
  for (int h = 0; h < Horizon::count; h++) {
    if (!turns.isNow(h, record)) continue;
    if (!isRead) readLags(parts, isAwake, 0, 0, space);
    isRead = true;
    Numbers experts;
    const RegressionSnapshot snapshot = parts.snapshot(h);
    Two ferns = {};
    if (isAwake) ferns = total(snapshot.ferns, space.ferns.cells, parts.ferns.basis.count);
    frozenMeans(parts, snapshot, ferns, isAwake, targets, space, experts);
    learn(parts.horizon(h), experts, y, weight, turns.worth[h], scale);
  }
}

void takeSnapshots(const RegressionParts &parts, uint64_t record) {
  for (int h = 0; h < Horizon::count; h++) {
    if (!parts.place.startsBlock(h, record)) continue;
    const RegressionSnapshot snapshot = parts.snapshot(h);
    const size_t columns = parts.bank.columns;
    memcpy(snapshot.filters, parts.filters.filters.mean(), columns * sizeof(Lanes));
    memcpy(snapshot.rates, parts.rates.weights(), columns * sizeof(Eight));
    memcpy(snapshot.lagged, parts.lagged.filters.mean(), parts.lagged.filters.d * sizeof(Eight));
    *snapshot.averages = parts.rates.row[MILLRACE_RATES_AVERAGE];
    if (!parts.place.isAwake()) continue;
    memcpy(snapshot.wide, parts.wide.filters.mean(), parts.wide.filters.d * sizeof(Four));
    writeWeights(parts.ferns, snapshot.ferns);
  }
}

/// Between two records, `record` of which are learnt.
void finishRecord(const RegressionParts &parts, uint64_t record) {
  // Every block's start is a multiple of the first block's length.
  if (record % 16 != 0) return;
  if (parts.bank.wide && parts.place.changes(parts.head.mixtures(), record,
                                             parts.bank.basis.mustStay)) {
    const bool isAwake = !parts.place.isAwake();
    parts.place.setAwake(isAwake);
    parts.head.setAwake(isAwake);
    for (int h = 0; h < Horizon::count; h++) parts.horizon(h).mixtures().setAwake(isAwake);
  }
  if (!parts.filters.isBlockwise) hold(parts.filters.filters, record);
  hold(parts.lagged.filters, record);
  if (parts.place.isAwake()) hold(parts.wide.filters, record);
  hold(parts.head.filters().filters, record);
  takeSnapshots(parts, record);
}

/// w ← w + mass·max(1/rows, forgetting)·direction, bounded.
MILLRACE_INLINE void takeStep(const Filters<16> &filters, float rows,
                              const millrace_newton_step &newton, float mass) {
  const Lanes forgetting = filters.row[MILLRACE_FILTERS_DRIFT], fresh = Lanes{} + 1 / rows;
  const float *gradients = reinterpret_cast<const float *>(filters.direction());
  const Lanes step = boundedStep(mass * blend<16>(forgetting > fresh, forgetting, fresh), newton,
                                 gradients, filters.d);
  const Lanes *direction = reinterpret_cast<const Lanes *>(newton.directions);
  for (size_t j = 0; j < filters.d; j++) {
    filters.mean()[j] += step * direction[j];
    filters.direction()[j] = Lanes{};
  }
}

}  // namespace

MILLRACE_CLONES
void millrace_regression_predict(const millrace_regression *bank, const float *rows, size_t count,
                                 size_t stride, bool isFrozen, double *predictions) {
  const RegressionParts parts(*bank);
  const bool isAwake = parts.place.isAwake();
  float z[bank->columns], laggedInputs[parts.lagged.filters.d];
  Lanes u[bank->isBlockwise ? 1 : bank->columns];
  Eight laggedU[parts.lagged.filters.d];
  // A length of 0 is not allowed.
  const size_t width = WideFilters::padded(parts.wide.filters.d) + 4;
  alignas(64) float wideInputs[width];
  alignas(64) Four wideU[width];
  memset(wideInputs, 0, sizeof wideInputs);
  int32_t cells[parts.ferns.basis.count + 1];
  float ordered[bank->columns + 15];
  const Workspace space = {z, laggedInputs, u, laggedU, {wideInputs, wideU}, {ordered, cells}};
  const RegressionSnapshot now = {parts.filters.filters.mean(),
                                  parts.rates.row + MILLRACE_RATES_AVERAGE, parts.rates.weights(),
                                  parts.lagged.filters.mean(), parts.wide.filters.mean(), nullptr};
  Projections projections;
  Numbers experts;
  RegressionHeadForecast head;
  const Standardization targets(parts.target);
  for (size_t i = 0; i < count; i++) {
    double *prediction = predictions + 3 * i;
    if (!parts.target.varies()) {
      writeConstant(parts.target, prediction);
      continue;
    }
    readRow(parts, rows + i * stride, isAwake, isFrozen, targets, space);
    if (isFrozen) {
      Two ferns = {};
      if (isAwake) ferns = project(parts.ferns, cells).margin;
      frozenMeans(parts, now, ferns, isAwake, targets, space, experts);
      writeFrozen(parts, experts, prediction);
    } else {
      forecast<false>(parts, isAwake, targets, space, projections, experts);
      forecast<false>(parts.head, experts, float(parts.target[MILLRACE_TARGET_LAST]), head);
      write(parts, head, prediction);
    }
  }
}

MILLRACE_CLONES
void millrace_regression_learn(const millrace_regression *bank, const float *rows, size_t count,
                               size_t stride, const double *labels, const float *weights,
                               double *predictions) {
  const RegressionParts parts(*bank);
  float z[bank->columns], laggedInputs[parts.lagged.filters.d];
  Lanes u[bank->isBlockwise ? 1 : bank->columns];
  Eight laggedU[parts.lagged.filters.d];
  // A length of 0 is not allowed.
  const size_t width = WideFilters::padded(parts.wide.filters.d) + 4;
  alignas(64) float wideInputs[width];
  alignas(64) Four wideU[width];
  memset(wideInputs, 0, sizeof wideInputs);
  int32_t cells[parts.ferns.basis.count + 1];
  float ordered[bank->columns + 15];
  const Workspace space = {z, laggedInputs, u, laggedU, {wideInputs, wideU}, {ordered, cells}};
  Projections projections;
  Numbers experts;
  RegressionHeadForecast head;
  HorizonTurns turns(parts.place, bank->rowCount);
  for (size_t i = 0; i < count; i++) {
    const uint64_t record = bank->rowCount + i;
    if (record % Horizon::firstBlock == 0) turns = HorizonTurns(parts.place, record);
    const float weight = limitedWeight(weights[i]);
    const bool varies = parts.target.varies(), isAwake = parts.place.isAwake();
    const Standardization targets(parts.target);
    readRow(parts, rows + i * stride, isAwake, !varies, targets, space);
    float *scaled = bank->isBlockwise ? bank->scaled + i * bank->columns : nullptr;
    if (scaled) {
      const float root = __builtin_sqrtf(weight);
      for (size_t j = 0; j < bank->columns; j++) scaled[j] = root * z[j];
    }
    if (!varies) {
      writeConstant(parts.target, predictions + 3 * i);
      if (!(weight > 0) || !beginVarying(parts, labels[i], weight)) continue;
    }
    forecast<true>(parts, isAwake, targets, space, projections, experts);
    forecast<true>(parts.head, experts, float(parts.target[MILLRACE_TARGET_LAST]), head);
    if (varies) write(parts, head, predictions + 3 * i);
    if (weight > 0 && (!varies || believes(parts, labels[i], weight))) {
      const double label = parts.target.relative(labels[i]);
      const float y = float(label);
      // The first varying target has no variance before it.
      const double variance =
          varies ? parts.target.variance()
                 : double(parts.head.interval().state[Interval::squares]);
      const float scale = float(1 / variance), least = float(variance * 1e-10);
      parts.withInputs([&](const RegressionParts &own, auto) __attribute__((always_inline)) {
        learn<16>(own.filters, projections.filters, experts.narrow[0], z, u, y, weight, least);
        learn<8>(own.lagged, projections.lagged, number<8>(own.lagged, projections.lagged),
                 laggedInputs, laggedU, y, weight, least);
        learn(own.rates, firstHalf(experts.narrow[1].mean), z, y, weight, least);
      });
      if (isAwake) {
        learn<4>(parts.wide, projections.wide, number<4>(parts.wide, projections.wide), wideInputs,
                 wideU, y, weight, least);
        if (parts.ferns.basis.count > 0)
          learn(parts.ferns, projections.ferns, cells, experts.wide, y, weight, least);
      }
      learn(parts.head, head, experts, y, weight, scale);
      learnHorizons(parts, turns, record, isAwake, targets, space, y, weight, scale);
      parts.target.learn(label, weight);
      parts.target.learnRecent(label);
    } else {
      if (scaled) memset(scaled, 0, bank->columns * sizeof(float));
      settle<16>(parts.filters.filters);
      settle<8>(parts.lagged.filters);
      if (isAwake) settle<4>(parts.wide.filters);
      settle<8>(parts.head.filters().filters);
    }
    finishRecord(parts, record + 1);
  }
}

const float *millrace_regression_gradients(const millrace_regression *bank) {
  return reinterpret_cast<const float *>(RegressionParts(*bank).filters.filters.direction());
}

MILLRACE_CLONES
void millrace_regression_step(const millrace_regression *bank, const millrace_newton_step *step,
                              float mass) {
  takeStep(RegressionParts(*bank).filters.filters, float(bank->rowCount), *step, mass);
}
