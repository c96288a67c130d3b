#ifndef MILLRACE_REGRESSION_H
#define MILLRACE_REGRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bank.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Rows of a part's state, beside those in bank.h; each row has a float for every lane of the part.
enum {
  /// Two lags of the target stand before the constant of the lagged and the wide filters.
  MILLRACE_REGRESSION_LAGS = 2,
  /// Cheap experts: with the lagged filters they make a row of the mixtures.
  MILLRACE_REGRESSION_CHEAP = 8,
  /// How many filters' means the lagged ones see where there are no covariances: of lanes 0, 4, 8
  /// and 12.
  MILLRACE_REGRESSION_MEANS = 4,
  /// Head: mixtures of 16 filters, 8 cheap experts, 8 lagged and 4 wide filters; the last layer's
  /// weights of their mean and of eight filters; the errors and the interval; eight filters over
  /// eight inputs in rows of 8, with means, directions, triangles and two rows of their errors; by
  /// squared error the experts' weights, their regrets and the squares of these, each in rows of
  /// 16, 16 and 8; the wide group's record.
  MILLRACE_REGRESSION_HEAD_LAST = MILLRACE_MIXTURES_ROWS(2),
  MILLRACE_REGRESSION_HEAD_STATE,
  MILLRACE_REGRESSION_HEAD_FILTERS,
  MILLRACE_REGRESSION_HEAD_SQUARED =
      MILLRACE_REGRESSION_HEAD_FILTERS + (MILLRACE_FILTERS_MEAN + 2 * 8 + 8 * 9 / 2 + 2) * 8 / 16,
  MILLRACE_REGRESSION_HEAD_PLACE = MILLRACE_REGRESSION_HEAD_SQUARED + 3 * MILLRACE_EXPERTS_ROWS(2),
  MILLRACE_REGRESSION_HEAD_ROWS,
  /// Horizon: mixtures; the experts' squared errors in rows of 16, 16 and 8; the interval.
  MILLRACE_REGRESSION_HORIZON_SQUARES = MILLRACE_MIXTURES_ROWS(2),
  MILLRACE_REGRESSION_HORIZON_STATE = MILLRACE_REGRESSION_HORIZON_SQUARES + MILLRACE_EXPERTS_ROWS(2),
  MILLRACE_REGRESSION_HORIZON_ROWS,
  /// What is known of the target: the first one; a power of 2 that is the unit of all that is
  /// learnt, 0 while targets have not varied; in this unit and from the first one: the weight, mean
  /// and squared distances of the targets, and the last two; the number, mean and squared distances
  /// of the recent ones; how much further than these a target must be to be wild, squared.
  MILLRACE_TARGET_ORIGIN = 0,
  MILLRACE_TARGET_UNIT,
  MILLRACE_TARGET_WEIGHT,
  MILLRACE_TARGET_MEAN,
  MILLRACE_TARGET_SQUARES,
  MILLRACE_TARGET_LAST,
  MILLRACE_TARGET_BEFORE_LAST,
  MILLRACE_TARGET_RECENT_COUNT,
  MILLRACE_TARGET_RECENT_MEAN,
  MILLRACE_TARGET_RECENT_SQUARES,
  MILLRACE_TARGET_PATIENCE,
  MILLRACE_TARGET_SIZE,
};

/// A bank of experts for numbers: 64-byte aligned rows of lanes.
typedef struct {
  /// Inputs, the constant included.
  size_t columns;
  /// 16 Kalman filters: rows of 16, the last two the squares and the weight of their errors.
  float *filters;
  /// Whether these have no covariances, but take steps by one curvature
  /// (`millrace_regression_step`).
  bool isBlockwise;
  /// There √weight·z of the records, `columns` each.
  float *scaled;
  /// 8 that see the last targets too: rows of 8.
  float *lagged;
  /// 4 that see functions of the columns beside: rows of 4. Null where there are none.
  float *wide;
  /// The ferns beside them: rows of 4, the last the squares and the weight of their errors; none where
  /// `basis` has none.
  float *ferns;
  millrace_bank_basis basis;
  /// 8 cheap experts: rows of 8, the last two as above.
  float *rates;
  /// What mixes them: rows of 16.
  float *head;
  /// Weights for each horizon: rows of 16.
  float *horizons;
  /// For each horizon, the experts' weights when its block started: rows of 16.
  float *snapshots;
  double *target;
  /// Rows seen before.
  uint64_t rowCount;
} millrace_regression;

/// Floats of each part's state.
size_t millrace_regression_filters_size(size_t columns, bool isBlockwise);
size_t millrace_regression_lagged_size(size_t columns, bool isBlockwise);
size_t millrace_regression_wide_size(const millrace_bank_basis *basis);
/// 0 where there are none.
size_t millrace_regression_ferns_size(const millrace_ferns *ferns);
size_t millrace_regression_rates_size(size_t columns);
size_t millrace_regression_head_size(void);
size_t millrace_regression_horizons_size(void);
size_t millrace_regression_snapshots_size(size_t columns, bool isBlockwise,
                                          const millrace_bank_basis *basis);

/// Inputs of the lagged filters: the columns, or what some of the filters say where these have no
/// covariances; two lags, the constant.
size_t millrace_regression_lagged_width(size_t columns, bool isBlockwise);
/// Inputs of the wide filters: the columns and their functions, two lags, the constant; 0 for a
/// basis of no columns.
size_t millrace_regression_wide_width(const millrace_bank_basis *basis);

/// Puts the bank into the state of one that has seen nothing.
void millrace_regression_start(const millrace_regression *bank);

/// For each row: the mean and the ends of the 90 % interval, where every label is learnt before the
/// next record, or where none comes (`isFrozen`).
void millrace_regression_predict(const millrace_regression *bank, const float *rows, size_t count,
                                 size_t stride, bool isFrozen, double *predictions);

/// For each row in order: what `millrace_regression_predict` would say, bit for bit, then learns
/// it.
void millrace_regression_learn(const millrace_regression *bank, const float *rows, size_t count,
                               size_t stride, const double *labels, const float *weights,
                               double *predictions);

/// w ← w + mass·max(1/rowCount, forgetting)·direction for each of the filters without covariances,
/// bounded by what the block gains; their gradients then are 0. The directions are H⁻¹ times these
/// gradients, with H the curvature of so much `mass`.
void millrace_regression_step(const millrace_regression *bank, const millrace_newton_step *step,
                              float mass);

/// The gradients of the filters without covariances: rows of 16, one per column.
const float *millrace_regression_gradients(const millrace_regression *bank);

#ifdef __cplusplus
}
#endif
#endif
