#ifndef MILLRACE_REGRESSION_PARTS_HPP
#define MILLRACE_REGRESSION_PARTS_HPP

#include "bank_inputs.hpp"
#include "bank_place.hpp"
#include "bank_wide.hpp"
#include "regression_head.hpp"

/// The experts' weights at the start of a horizon's block.
struct RegressionSnapshot {
  Lanes *filters;
  Eight *averages, *rates, *lagged;
  Four *wide;
  Two *ferns;

  /// Whole registers, so that the next snapshot is aligned.
  static size_t size(size_t columns, size_t laggedColumns, size_t wideColumns, size_t fernCount) {
    return 16 * (columns + (1 + columns + laggedColumns + 1) / 2) +
           4 * WideFilters::padded(wideColumns) + Ferns::weightsSize(fernCount);
  }
};

/// What is known of the target (`MILLRACE_TARGET_ORIGIN` and on).
struct Target {
  /// Targets this many units away are as far away as any.
  static constexpr double limit = 1e12;
  /// Beyond so many recent deviations a target is wild: those of log-normal targets, whose logarithms
  /// deviate by 2, stay below.
  static constexpr double wildLimit = 200;
  /// A recent target counts this much less from record to record.
  static constexpr double recentMemory = .999;
  /// Recent deviations are not less than this share of all, squared.
  static constexpr double leastRecent = 1e-4;
  /// How near two targets must be to each other, measured by a third, for that to be wild.
  static constexpr double nearLimit = .01;

  double *state;

  double &operator[](int index) const { return state[index]; }
  bool isKnown() const { return state[MILLRACE_TARGET_WEIGHT] > 0; }
  bool varies() const { return state[MILLRACE_TARGET_UNIT] > 0; }
  double variance() const { return state[MILLRACE_TARGET_SQUARES] / state[MILLRACE_TARGET_WEIGHT]; }

  /// In units, from the first target.
  double relative(double value) const {
    const double distance =
        (value - state[MILLRACE_TARGET_ORIGIN]) / state[MILLRACE_TARGET_UNIT];
    return distance < -limit ? -limit : distance > limit ? limit : distance;
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

  /// Holds back a target that is too wild to be believed: it would drag what is learnt far off, for as
  /// long as it is remembered. Each that follows at once may be further away, so that a level that
  /// jumps is learnt after a record or a few.
  bool holdsBack(double y) const {
    const double count = state[MILLRACE_TARGET_RECENT_COUNT];
    double &squares = state[MILLRACE_TARGET_RECENT_SQUARES];
    double &patience = state[MILLRACE_TARGET_PATIENCE];
    const double distance = y - state[MILLRACE_TARGET_RECENT_MEAN];
    const double least = leastRecent * variance() * count;
    const double most = wildLimit * wildLimit * patience * (squares > least ? squares : least);
    if (distance * distance * count <= most) return false;
    patience *= wildLimit * wildLimit;
    // What comes again and again is not wild.
    squares *= 4;
    return true;
  }

  /// Moments of the recent targets, whatever their weights.
  void learnRecent(double y) const {
    double &count = state[MILLRACE_TARGET_RECENT_COUNT], &mean = state[MILLRACE_TARGET_RECENT_MEAN];
    double &squares = state[MILLRACE_TARGET_RECENT_SQUARES];
    const double distance = y - mean;
    count = count * recentMemory + 1;
    mean += distance / count;
    squares = squares * recentMemory + distance * (y - mean);
    state[MILLRACE_TARGET_PATIENCE] = 1;
  }

  /// Whether one of the two targets known so far turns out to be wild by a third, which is next to
  /// the other.
  bool startedWild(double y) const {
    const double second = state[MILLRACE_TARGET_LAST], near = nearLimit * __builtin_fabs(second);
    return state[MILLRACE_TARGET_RECENT_COUNT] < 2 &&
           (__builtin_fabs(y) < near || __builtin_fabs(y - second) < near);
  }

  /// Forgets which of the two is further from a third.
  void forgetFurther(double y) const {
    const double second = state[MILLRACE_TARGET_LAST], total = state[MILLRACE_TARGET_WEIGHT];
    const double share = state[MILLRACE_TARGET_MEAN] / second;
    const bool isFirst = __builtin_fabs(y - second) < __builtin_fabs(y);
    const double origin =
        state[MILLRACE_TARGET_ORIGIN] + (isFirst ? state[MILLRACE_TARGET_UNIT] * second : 0);
    for (int index = 0; index < MILLRACE_TARGET_SIZE; index++) state[index] = 0;
    state[MILLRACE_TARGET_ORIGIN] = origin;
    state[MILLRACE_TARGET_WEIGHT] = total * (isFirst ? share : 1 - share);
    learnRecent(0);
  }
};

/// The parts of a `millrace_regression`.
struct RegressionParts {
  KalmanFilters<16> filters;
  KalmanFilters<8> lagged;
  KalmanFilters<4> wide;
  Ferns ferns;
  Rates<8> rates;
  RegressionHead head;
  WidePlace place;
  Target target;
  const millrace_regression &bank;

  explicit RegressionParts(const millrace_regression &bank)
      : filters{{bank.columns, reinterpret_cast<Lanes *>(bank.filters)}, bank.isBlockwise},
        lagged{{millrace_regression_lagged_width(bank.columns, bank.isBlockwise),
                reinterpret_cast<Eight *>(bank.lagged)},
               false},
        wide{{millrace_regression_wide_width(&bank.basis), reinterpret_cast<Four *>(bank.wide)},
             false},
        ferns{bank.basis.ferns, reinterpret_cast<Four *>(bank.ferns)},
        rates{bank.columns, reinterpret_cast<Eight *>(bank.rates)},
        head{reinterpret_cast<Lanes *>(bank.head)},
        place(head.row + MILLRACE_REGRESSION_HEAD_PLACE, wide.filters.d),
        target{bank.target},
        bank(bank) {}

  /// Calls `body` with these parts and the number of columns, of few with one that the compiler
  /// knows.
  template <typename Body>
  MILLRACE_MEMBER void withInputs(Body body) const {
    if (filters.isBlockwise) return body(*this, Inputs<0>{bank.columns});
    ::withInputs(bank.columns, [&](auto inputs) __attribute__((always_inline)) {
      RegressionParts own = *this;
      own.filters.isBlockwise = false;
      own.filters.filters.d = own.rates.d = inputs.count;
      own.lagged.filters.d = inputs.count + MILLRACE_REGRESSION_LAGS;
      body(own, inputs);
    });
  }

  RegressionHorizon horizon(int index) const {
    return {reinterpret_cast<Lanes *>(bank.horizons) + index * MILLRACE_REGRESSION_HORIZON_ROWS};
  }

  RegressionSnapshot snapshot(int horizon) const {
    const size_t size = RegressionSnapshot::size(bank.columns, lagged.filters.d, wide.filters.d,
                                                 ferns.basis.count);
    float *start = bank.snapshots + horizon * size;
    Lanes *filters = reinterpret_cast<Lanes *>(start);
    Eight *averages = reinterpret_cast<Eight *>(filters + bank.columns), *rates = averages + 1;
    float *ferns = start + size - Ferns::weightsSize(this->ferns.basis.count);
    float *wide = ferns - 4 * WideFilters::padded(this->wide.filters.d);
    return {filters, averages, rates, rates + bank.columns, reinterpret_cast<Four *>(wide),
            reinterpret_cast<Two *>(ferns)};
  }
};

#endif
