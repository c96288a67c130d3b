#include "regression.h"

#include <cmath>
#include <cstring>

#include "bank_basis.hpp"
#include "clones.h"
#include "regression_head.hpp"

namespace {

/// The first lane of each group drifts fastest, as `step` wants it.
const float drifts[16] = {1e-1f, 1e-2f, 1e-3f, 3e-4f, 1e-4f, 1e-5f, 1e-6f, 0,
                          0,     0,     1e-5f, 1e-3f, 1e-6f, 1e-5f, 1e-4f, 1e-3f};
const float constantDrifts[16] = {1e-1f, 1e-2f, 1e-3f, 3e-4f, 1e-4f, 1e-5f, 1e-6f, 0,
                                  0,     0,     1e-5f, 1e-3f, 1e-2f, 1e-1f, 1,     1};
const float robust[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0};
const float variances[16] = {1, 1, 1, 1, 1, 1, 1, 1, 100, 1, 1, 1, 1, 1, 1, 1};
const float laggedDrifts[8] = {1e-2f, 1e-3f, 1e-4f, 1e-5f, 1e-6f, 0, 0, 1e-5f};
const float laggedRobust[8] = {0, 0, 0, 0, 0, 0, 1, 1};
const float lastDrifts[8] = {1e-4f, 1e-5f, 1e-6f, 0, 1e-4f, 1e-5f, 1e-6f, 0};
const float lastRobust[8] = {0, 0, 0, 0, 1, 1, 1, 1};
const float lastVariances[8] = {.05f, .05f, .05f, .05f, .05f, .05f, .05f, .05f};
const float constantFactor = 100;
/// How many records per column filters without covariances remember, the last four of them robust.
const float recordsPerColumn[16] = {1e9f, 400, 150, 100, 64, 45, 32, 22,
                                    16,   11,  8,   4,   1e9f, 100, 25, 6};
/// A step of a block of 64 records is stable where so many are remembered.
const float leastMemory = 128;
/// There the lagged ones follow what the filters leave.
const float followingDrifts[8] = {1e-3f, 1e-4f, 1e-5f, 0, 1e-4f, 1e-5f, 1e-6f, 0};
const float followingConstantDrifts[8] = {1e-3f, 1e-4f, 1e-5f, 0, 1, 1e-1f, 1e-2f, 0};
const float followingRobust[8] = {0, 0, 0, 0, 0, 0, 0, 1};
const float rates[16] = {3e-4f, 1e-3f, 2e-3f, 4e-3f, 8e-3f, .015f, .03f, .06f,
                         .12f,  .25f,  .5f,   1,     0,     0,     0,    0};
const float memories[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, .95f, .8f, .5f, 0};

/// Inputs beyond this would overflow what is squared of them; a `StandardScaler` stays far below.
const float inputLimit = 100;
/// A record counts at most like so many.
const float weightLimit = 100;
/// Targets this many units away are as far away as any.
const double targetLimit = 1e12;
/// Lags are cut like the columns of a regression.
const double lagLimit = 30;

struct Snapshot {
  Lanes *averages, *filters, *rates;
  Eight *lagged;

  /// An even number of lagged rows, so that the next snapshot is aligned.
  static size_t size(size_t columns, size_t laggedColumns) {
    return 16 * (1 + 2 * columns + (laggedColumns + 1) / 2);
  }
};

struct Target {
  double *state;

  double &operator[](int index) const { return state[index]; }
  bool isKnown() const { return state[MILLRACE_TARGET_WEIGHT] > 0; }
  bool varies() const { return state[MILLRACE_TARGET_UNIT] > 0; }
  double variance() const { return state[MILLRACE_TARGET_SQUARES] / state[MILLRACE_TARGET_WEIGHT]; }

  /// In units, from the first target.
  double relative(double value) const {
    const double distance =
        (value - state[MILLRACE_TARGET_ORIGIN]) / state[MILLRACE_TARGET_UNIT];
    return distance < -targetLimit ? -targetLimit : distance > targetLimit ? targetLimit : distance;
  }

  double restored(float value) const {
    const double result =
        state[MILLRACE_TARGET_ORIGIN] + state[MILLRACE_TARGET_UNIT] * double(value);
    return result < -1e300 ? -1e300 : result > 1e300 ? 1e300 : result;
  }

  /// Welford's moments (1962), weighted as in West (1979), and the lags.
  void learn(double y, double weight) const {
    double &total = state[MILLRACE_TARGET_WEIGHT], &mean = state[MILLRACE_TARGET_MEAN];
    const double distance = y - mean;
    total += weight;
    mean += distance * (weight / total);
    state[MILLRACE_TARGET_SQUARES] += weight * distance * (y - mean);
    state[MILLRACE_TARGET_BEFORE_LAST] = state[MILLRACE_TARGET_LAST];
    state[MILLRACE_TARGET_LAST] = y;
  }
};

struct Parts {
  KalmanFilters<16> filters;
  KalmanFilters<8> lagged;
  Rates rates;
  RegressionHead head;
  Target target;
  const millrace_regression &bank;

  explicit Parts(const millrace_regression &bank)
      : filters{{bank.columns, reinterpret_cast<Lanes *>(bank.filters)}, bank.isBlockwise},
        lagged{{millrace_regression_lagged_width(bank.columns, &bank.basis, bank.isBlockwise),
                reinterpret_cast<Eight *>(bank.lagged)},
               false},
        rates{bank.columns, reinterpret_cast<Lanes *>(bank.rates)},
        head{reinterpret_cast<Lanes *>(bank.head)},
        target{bank.target},
        bank(bank) {}

  /// The lags among the inputs of the lagged filters; the constant follows.
  float *lags(float *inputs) const {
    return inputs + lagged.filters.d - 1 - MILLRACE_REGRESSION_LAGS;
  }

  RegressionHorizon horizon(int index) const {
    return {reinterpret_cast<Lanes *>(bank.horizons) + index * MILLRACE_REGRESSION_HORIZON_ROWS};
  }

  Snapshot snapshot(int horizon) const {
    const size_t size = Snapshot::size(bank.columns, lagged.filters.d);
    Lanes *averages = reinterpret_cast<Lanes *>(bank.snapshots + horizon * size);
    Lanes *filters = averages + 1, *rates = filters + bank.columns;
    return {averages, filters, rates, reinterpret_cast<Eight *>(rates + bank.columns)};
  }
};

/// Room for one record: its inputs, and u = Cz of each group.
struct Workspace {
  float *z, *laggedInputs;
  Lanes *u;
  Eight *laggedU;
};

struct Projections {
  Projection<16> filters;
  Projection<8> lagged;
};

/// The distance of two targets in deviations; 0 before there are any.
MILLRACE_INLINE float standardized(const Target &target, double value, double from) {
  const double variance = target.variance();
  const double distance = variance > 0 ? (value - from) / sqrt(variance) : 0;
  return float(distance < -lagLimit ? -lagLimit : distance > lagLimit ? lagLimit : distance);
}

MILLRACE_INLINE void readRow(const Parts &parts, const float *row, bool isFrozen,
                             const Workspace &space) {
  const size_t columns = parts.bank.columns;
  for (size_t j = 0; j < columns; j++)
    space.z[j] = row[j] > inputLimit ? inputLimit : row[j] < -inputLimit ? -inputLimit : row[j];
  if (parts.bank.basis.columns > 0) {
    expand(parts.bank.basis, space.z, space.laggedInputs);
  } else if (!parts.bank.isBlockwise) {
    memcpy(space.laggedInputs, space.z, (columns - 1) * sizeof(float));
  }
  float *lags = parts.lags(space.laggedInputs);
  lags[0] = lags[1] = 0;
  lags[MILLRACE_REGRESSION_LAGS] = space.z[columns - 1];
  if (isFrozen) return;
  const Target &target = parts.target;
  const double last = target[MILLRACE_TARGET_LAST];
  lags[0] = standardized(target, last, target[MILLRACE_TARGET_MEAN]);
  lags[1] = standardized(target, last, target[MILLRACE_TARGET_BEFORE_LAST]);
}

/// Filters without covariances are what the lagged ones see instead of the columns.
MILLRACE_INLINE void readMeans(const Parts &parts, const Lanes &means, const Workspace &space) {
  if (!parts.filters.isBlockwise) return;
  for (int k = 0; k < MILLRACE_REGRESSION_MEANS; k++)
    space.laggedInputs[k] =
        standardized(parts.target, means[4 * k], parts.target[MILLRACE_TARGET_MEAN]);
}

template <bool commit>
MILLRACE_INLINE void forecast(const Parts &parts, const Workspace &space, Projections &projections,
                              Numbers &experts) {
  projections.filters = project<16, commit>(parts.filters, space.z, space.u);
  experts.narrow[0] = number<16>(parts.filters, projections.filters);
  readMeans(parts, experts.narrow[0].mean, space);
  projections.lagged = project<8, commit>(parts.lagged, space.laggedInputs, space.laggedU);
  experts.lagged = number<8>(parts.lagged, projections.lagged);
  experts.narrow[1] = {means(parts.rates, parts.rates.weights(),
                             parts.rates.row[MILLRACE_RATES_AVERAGE], space.z),
                       errors(parts.rates).variance()};
}

/// What experts with these weights say where no label comes; nothing of their variances.
MILLRACE_INLINE void frozenMeans(const Parts &parts, const Lanes *filters, const Eight *lagged,
                                 const Lanes *rates, const Lanes &averages,
                                 const Workspace &space,
                                 Numbers &experts) {
  experts.narrow[0].mean = dot<16>(filters, space.z, parts.bank.columns);
  readMeans(parts, experts.narrow[0].mean, space);
  experts.narrow[1].mean = means(parts.rates, rates, averages, space.z);
  experts.lagged.mean = dot<8>(lagged, space.laggedInputs, parts.lagged.filters.d);
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

void write(const Parts &parts, const RegressionHeadForecast &head, double *prediction) {
  const Interval interval = parts.head.interval();
  const float deviation = interval.deviation();
  write(parts.target, head.mean, head.mean - interval.state[Interval::lower] * deviation,
        head.mean + interval.state[Interval::upper] * deviation, prediction);
}

/// The mean over the horizons, and the widest interval: nobody says how long no label will come.
MILLRACE_INLINE void writeFrozen(const Parts &parts, const Numbers &experts, double *prediction) {
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
void startVariances(const Parts &parts, float variance) {
  parts.filters.errors().start(variance);
  parts.lagged.errors().start(variance);
  errors(parts.rates).start(variance);
  parts.head.interval().start(variance);
  parts.head.state()[RegressionHead::mixtureErrors] = variance;
  parts.head.state()[RegressionHead::mixtureErrors + 1] = 1;
  for (int h = 0; h < Horizon::count; h++) {
    const ExpertRows squares = parts.horizon(h).squares();
    squares.narrow[0] = squares.narrow[1] = Lanes{} + variance;
    squares.wide() = Eight{} + variance;
    parts.horizon(h).interval().start(variance);
  }
}

/// Takes in a target while they have not varied; whether they vary now.
bool beginVarying(const Parts &parts, double label, double weight) {
  const Target &target = parts.target;
  if (!target.isKnown()) target[MILLRACE_TARGET_ORIGIN] = label;
  const double distance = label - target[MILLRACE_TARGET_ORIGIN];
  if (distance == 0) {
    target[MILLRACE_TARGET_WEIGHT] += weight;
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

MILLRACE_INLINE void learnHorizons(const Parts &parts, uint64_t record, const Workspace &space,
                                   float y, float weight, float scale) {
  bool isRead = false;
  for (int h = 0; h < Horizon::count; h++) {
    if (!Horizon::scores(h, record)) continue;
    if (!isRead) {
      float *lags = parts.lags(space.laggedInputs);
      lags[0] = lags[1] = 0;
      isRead = true;
    }
    const Snapshot snapshot = parts.snapshot(h);
    Numbers experts;
    frozenMeans(parts, snapshot.filters, snapshot.lagged, snapshot.rates, *snapshot.averages, space,
                experts);
    learn(parts.horizon(h), experts, parts.filters, parts.lagged, y, weight,
          scale);
  }
}

void takeSnapshots(const Parts &parts, uint64_t record) {
  // Every block's start is a multiple of the first block's length.
  if (record % 16 != 0) return;
  for (int h = 0; h < Horizon::count; h++) {
    if (!Horizon::startsBlock(h, record)) continue;
    const Snapshot snapshot = parts.snapshot(h);
    const size_t columns = parts.bank.columns;
    memcpy(snapshot.filters, parts.filters.filters.mean(), columns * sizeof(Lanes));
    memcpy(snapshot.rates, parts.rates.weights(), columns * sizeof(Lanes));
    memcpy(snapshot.lagged, parts.lagged.filters.mean(), parts.lagged.filters.d * sizeof(Eight));
    *snapshot.averages = parts.rates.row[MILLRACE_RATES_AVERAGE];
  }
}

/// w ← w + mass·max(1/rows, forgetting)·direction.
MILLRACE_INLINE void takeStep(const Filters<16> &filters, float rows, const float *directions,
                              float mass) {
  const Lanes forgetting = filters.row[MILLRACE_FILTERS_DRIFT], fresh = Lanes{} + 1 / rows;
  const Lanes step = mass * blend<16>(forgetting > fresh, forgetting, fresh);
  const Lanes *direction = reinterpret_cast<const Lanes *>(directions);
  for (size_t j = 0; j < filters.d; j++) {
    filters.mean()[j] += step * direction[j];
    filters.direction()[j] = Lanes{};
  }
}

}  // namespace

size_t millrace_regression_filters_size(size_t columns, bool isBlockwise) {
  return 16 * KalmanFilters<16>::rowCount(columns, isBlockwise);
}
size_t millrace_regression_lagged_width(size_t columns, const millrace_bank_basis *basis,
                                        bool isBlockwise) {
  if (isBlockwise) return MILLRACE_REGRESSION_MEANS + MILLRACE_REGRESSION_LAGS + 1;
  return (basis->columns > 0 ? millrace_bank_basis_width(basis) : columns) +
         MILLRACE_REGRESSION_LAGS;
}
size_t millrace_regression_lagged_size(size_t laggedColumns) {
  return 8 * KalmanFilters<8>::rowCount(laggedColumns, false);
}
size_t millrace_regression_rates_size(size_t columns) {
  return 16 * (Rates::rowCount(columns) + 2);
}
size_t millrace_regression_head_size(void) { return 16 * MILLRACE_REGRESSION_HEAD_ROWS; }
size_t millrace_regression_horizons_size(void) {
  return 16 * MILLRACE_REGRESSION_HORIZON_ROWS * Horizon::count;
}
size_t millrace_regression_snapshots_size(size_t columns, size_t laggedColumns) {
  return Horizon::count * Snapshot::size(columns, laggedColumns);
}

void millrace_regression_start(const millrace_regression *bank) {
  const Parts parts(*bank);
  if (bank->isBlockwise) {
    for (int lane = 0; lane < 16; lane++) {
      parts.filters.filters.row[MILLRACE_FILTERS_DRIFT][lane] =
          1 / fmaxf(recordsPerColumn[lane] * float(bank->columns), leastMemory);
      parts.filters.filters.row[MILLRACE_FILTERS_NOISE][lane] = lane >= 12;
    }
    start(parts.lagged.filters, followingDrifts, followingConstantDrifts, followingRobust,
          variances, constantFactor);
  } else {
    start(parts.filters.filters, drifts, constantDrifts, robust, variances, constantFactor);
    start(parts.lagged.filters, laggedDrifts, laggedDrifts, laggedRobust, variances,
          constantFactor);
  }
  start(parts.head.filters().filters, lastDrifts, lastDrifts, lastRobust, lastVariances, 1);
  parts.head.filters().errors().start(1);
  for (int lane = 0; lane < 16; lane++) {
    parts.rates.row[MILLRACE_RATES_RATE][lane] = rates[lane];
    parts.rates.row[MILLRACE_RATES_MEMORY][lane] = memories[lane];
  }
  parts.head.mixtures().start(true, true);
  const ExpertRows squared = parts.head.squared();
  squared.narrow[0] = squared.narrow[1] = Lanes{} + 1.0f / 40;
  squared.wide() = Eight{} + 1.0f / 40;
  parts.head.state()[RegressionHead::choice] = .5f;
  parts.head.state()[RegressionHead::choice + 1] = .5f;
  for (int k = 0; k < RegressionHead::candidates; k++)
    parts.head.last()[k] = 1.0f / RegressionHead::candidates;
  for (int h = 0; h < Horizon::count; h++) parts.horizon(h).mixtures().start(true, true);
}

MILLRACE_CLONES
void millrace_regression_predict(const millrace_regression *bank, const float *rows, size_t count,
                                 size_t stride, bool isFrozen, double *predictions) {
  const Parts parts(*bank);
  float z[bank->columns], laggedInputs[parts.lagged.filters.d];
  Lanes u[bank->isBlockwise ? 1 : bank->columns];
  Eight laggedU[parts.lagged.filters.d];
  const Workspace space = {z, laggedInputs, u, laggedU};
  Projections projections;
  Numbers experts;
  RegressionHeadForecast head;
  for (size_t i = 0; i < count; i++) {
    double *prediction = predictions + 3 * i;
    if (!parts.target.varies()) {
      writeConstant(parts.target, prediction);
      continue;
    }
    readRow(parts, rows + i * stride, isFrozen, space);
    if (isFrozen) {
      frozenMeans(parts, parts.filters.filters.mean(), parts.lagged.filters.mean(),
                  parts.rates.weights(), parts.rates.row[MILLRACE_RATES_AVERAGE], space, experts);
      writeFrozen(parts, experts, prediction);
    } else {
      forecast<false>(parts, space, projections, experts);
      forecast<false>(parts.head, experts, float(parts.target[MILLRACE_TARGET_LAST]), head);
      write(parts, head, prediction);
    }
  }
}

MILLRACE_CLONES
void millrace_regression_learn(const millrace_regression *bank, const float *rows, size_t count,
                               size_t stride, const double *labels, const float *weights,
                               double *predictions) {
  const Parts parts(*bank);
  float z[bank->columns], laggedInputs[parts.lagged.filters.d];
  Lanes u[bank->isBlockwise ? 1 : bank->columns];
  Eight laggedU[parts.lagged.filters.d];
  const Workspace space = {z, laggedInputs, u, laggedU};
  Projections projections;
  Numbers experts;
  RegressionHeadForecast head;
  for (size_t i = 0; i < count; i++) {
    const float weight = weights[i] < weightLimit ? weights[i] : weightLimit;
    const bool varies = parts.target.varies();
    readRow(parts, rows + i * stride, !varies, space);
    if (bank->scaled) {
      const float root = __builtin_sqrtf(weight);
      for (size_t j = 0; j < bank->columns; j++) bank->scaled[i * bank->columns + j] = root * z[j];
    }
    if (!varies) {
      writeConstant(parts.target, predictions + 3 * i);
      if (!(weight > 0) || !beginVarying(parts, labels[i], weight)) continue;
    }
    forecast<true>(parts, space, projections, experts);
    forecast<true>(parts.head, experts, float(parts.target[MILLRACE_TARGET_LAST]), head);
    if (varies) write(parts, head, predictions + 3 * i);
    const uint64_t record = bank->rowCount + i;
    if (weight > 0) {
      const double label = parts.target.relative(labels[i]);
      const float y = float(label);
      // The first varying target has no variance before it.
      const double variance =
          varies ? parts.target.variance()
                 : double(parts.head.interval().state[Interval::squares]);
      const float scale = float(1 / variance), least = float(variance * 1e-10);
      learn<16>(parts.filters, projections.filters, experts.narrow[0], z, u, y, weight, least);
      learn<8>(parts.lagged, projections.lagged, experts.lagged, laggedInputs, laggedU, y, weight,
               least);
      learn(parts.rates, experts.narrow[1].mean, z, y, weight, least);
      learn(parts.head, head, experts, parts.filters, parts.lagged, y, weight,
            scale);
      learnHorizons(parts, record, space, y, weight, scale);
      parts.target.learn(label, weight);
    } else {
      settle<16>(parts.filters.filters);
      settle<8>(parts.lagged.filters);
      settle<8>(parts.head.filters().filters);
    }
    takeSnapshots(parts, record + 1);
  }
}

const float *millrace_regression_gradients(const millrace_regression *bank) {
  return reinterpret_cast<const float *>(Parts(*bank).filters.filters.direction());
}

MILLRACE_CLONES
void millrace_regression_step(const millrace_regression *bank, const float *directions,
                              float mass) {
  takeStep(Parts(*bank).filters.filters, float(bank->rowCount), directions, mass);
}
