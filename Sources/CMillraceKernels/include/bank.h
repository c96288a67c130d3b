#ifndef MILLRACE_BANK_H
#define MILLRACE_BANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Rows of what there is of every expert, where the narrow ones take N rows of 16: these, and one
/// whose first lanes are the wide group's, filters and ferns, and of whose eight lanes the last may be
/// those of further experts.
#define MILLRACE_EXPERTS_ROWS(N) ((N) + 1)
/// Rows of mixtures of such experts: for each of four their weights, and in the last eight lanes what
/// the wide group had when it fell asleep; 1/n for the n experts awake, and in the last eight lanes
/// 1 for those of the wide group; last the four's own weights, and from `MILLRACE_SHARES` on how
/// much the experts of each of the four share at a record, and the four.
#define MILLRACE_MIXTURES_ROWS(N) (5 * MILLRACE_EXPERTS_ROWS(N) + 1)
/// The same for Swift, which does not see macros.
static inline size_t millrace_experts_rows(size_t narrow) { return MILLRACE_EXPERTS_ROWS(narrow); }
static inline size_t millrace_mixtures_rows(size_t narrow) {
  return MILLRACE_MIXTURES_ROWS(narrow);
}

/// Rows of a part's state; each row has a float for every lane of the part.
enum {
  /// Filters: what the means and the waiting step follow; then d rows of means, d rows of the
  /// waiting step's direction u (both filled up with 0 to a multiple of the filters' group),
  /// the rows of the covariances' lower triangles (see `millrace_filters_covariance_row`).
  MILLRACE_FILTERS_DRIFT = 0,
  MILLRACE_FILTERS_CONSTANT_DRIFT,
  MILLRACE_FILTERS_NOISE,
  /// C = scale·(Ĉ − h·uuᵀ + Q) with Ĉ the covariance's rows: the scale, h, and Q's two diagonals.
  MILLRACE_FILTERS_SCALE,
  MILLRACE_FILTERS_CURVATURE,
  MILLRACE_FILTERS_WAITING_DRIFT,
  MILLRACE_FILTERS_WAITING_CONSTANT_DRIFT,
  /// Where means are kept class by class: the curvature that the filter has seen.
  MILLRACE_FILTERS_SEEN,
  MILLRACE_FILTERS_MEAN,
  /// Cheap experts: the step size (0 for a running mean), how much of a mean stays at each record
  /// (1 for stochastic gradient descent), the mean; then d rows of weights. With two classes, lanes
  /// 4 and 5 are tables, whose mean is that of the labels that followed the last one: for them the
  /// mean of those that followed the other one, the records that the two means count for, and the
  /// last label.
  MILLRACE_RATES_RATE = 0,
  MILLRACE_RATES_MEMORY,
  MILLRACE_RATES_AVERAGE,
  MILLRACE_RATES_OTHER,
  MILLRACE_RATES_COUNT,
  MILLRACE_RATES_OTHER_COUNT,
  MILLRACE_RATES_LAST,
  MILLRACE_RATES_WEIGHTS = 8,
  MILLRACE_BANK_TABLE = 4,
  MILLRACE_BANK_TABLES = 2,
  /// What is decided by record number, a row of 16: the wide group's record and spread in eight
  /// lanes, the weight below which it falls asleep, the least and the most blocks from one trial to
  /// the next; how many records in a row tell horizons as much as one; from the twelfth lane on the
  /// horizons' lengths and intervals.
  MILLRACE_PLACE_PAUSE = 3,
  MILLRACE_PLACE_LEAST_WEIGHT = 8,
  MILLRACE_PLACE_PAUSES = 9,
  MILLRACE_PLACE_LIKENESS = 11,
  MILLRACE_PLACE_LENGTHS = 12,
  MILLRACE_PLACE_INTERVALS = 14,
  MILLRACE_MIXTURES = 4,
  MILLRACE_SHARES = 8,
  /// Last layer: lanes from here on are how much its candidates share, and the mixers' steps.
  MILLRACE_LAST_STEPS = 8,
  /// Head: mixtures of the experts in one row, three mixers of two rows of weights of the logits
  /// (lanes 8 to 11 of the second row are the mixtures'), the weights of the last layer's
  /// candidates, the wide group's record, four filters over five inputs in rows of 4.
  MILLRACE_HEAD_MIXTURES = 0,
  MILLRACE_HEAD_MIXERS = MILLRACE_MIXTURES_ROWS(1),
  MILLRACE_HEAD_LAST = MILLRACE_HEAD_MIXERS + 3 * MILLRACE_EXPERTS_ROWS(1),
  MILLRACE_HEAD_PLACE,
  MILLRACE_HEAD_FILTERS,
  MILLRACE_HEAD_ROWS =
      MILLRACE_HEAD_FILTERS + (MILLRACE_FILTERS_MEAN + 2 * 5 + 5 * 6 / 2 + 3) * 4 / 16,
  /// Horizon: mixtures, a filter over two inputs in rows of 1.
  MILLRACE_HORIZON_CALIBRATION = MILLRACE_MIXTURES_ROWS(1),
  MILLRACE_HORIZON_ROWS,
  MILLRACE_BANK_HORIZONS = 2,
  MILLRACE_BANK_FILTERS = 8,
  MILLRACE_BANK_RATES = 8,
  MILLRACE_BANK_WIDE_FILTERS = 4,
  /// Cells of each fern's table, and experts that add ferns up. Their state is a row of how fast each
  /// of these forgets and of what variance it begins with, and one for each cell of each fern: the
  /// weight's means, and its variances.
  MILLRACE_FERN_CELLS = 128,
  MILLRACE_FERN_EXPERTS = 2,
  /// The filter of the wide group that the last expert of ferns adds to: one that does not drift.
  MILLRACE_FERN_FILTER = 2,
};

/// What models without covariances learn from a block of records: a direction for each of 16 by the
/// curvature that they have in common, rows of 16, and √weight·zᵀ times these for each record.
typedef struct {
  const float *directions, *products;
  size_t count;
} millrace_newton_step;

/// Random ferns: their tables are part of the wide group.
typedef struct {
  /// How many, a multiple of 16; 0 for none.
  size_t count;
  /// For 16 ferns each, how many tests they make, and for each test a row of thresholds.
  const int32_t *testCounts;
  const float *thresholds;
  /// For each of these rows: which place in `order` has the column of its first lane, the next ones'
  /// following; and by how much the number of the cell grows where the column is above its threshold.
  const int32_t *starts, *steps;
  /// The columns in some order, followed by its first 15, in circles.
  const int32_t *order;
} millrace_ferns;

/// Which functions of the columns the wide group of filters sees.
typedef struct {
  /// Inputs of the narrow filters, the constant included.
  size_t columns;
  /// Whether the products of all pairs of columns are among them.
  bool pairs;
  /// Random Fourier features, a multiple of 16.
  size_t waveCount;
  /// For 16 features each: a row of phases and `columns - 1` rows of frequencies, in turns.
  const float *waves;
  /// Ferns beside the filters.
  millrace_ferns ferns;
  /// Whether the group works where it does not earn its place, too.
  bool mustStay;
} millrace_bank_basis;

/// Inputs of the wide group, the constant included.
size_t millrace_bank_basis_width(const millrace_bank_basis *basis);

/// A bank of experts for binary labels: 64-byte aligned rows of lanes.
typedef struct {
  /// Inputs, the constant included.
  size_t columns;
  /// 8 filters: rows of 8.
  float *filters;
  /// 8 cheap experts: rows of 8.
  float *rates;
  /// What mixes them: rows of 16.
  float *head;
  /// 4 filters over a wider basis: rows of 4. Null where there are none.
  float *wide;
  /// The ferns beside them: rows of 4; none where `basis` has none.
  float *ferns;
  millrace_bank_basis basis;
  /// Weights for each horizon: rows of 16.
  float *horizons;
  /// For each horizon, the experts' weights when its block started: rows of 16.
  float *snapshots;
  /// Rows seen before.
  uint64_t rowCount;
} millrace_bank;

/// Floats of each part's state.
size_t millrace_bank_filters_size(size_t columns);
size_t millrace_bank_rates_size(size_t columns);
size_t millrace_bank_head_size(void);
size_t millrace_bank_wide_size(const millrace_bank_basis *basis);
/// 0 where there are none.
size_t millrace_ferns_size(const millrace_ferns *ferns);
size_t millrace_bank_horizons_size(void);
/// Floats of one horizon's snapshot; `wideColumns` is 0 where there is no wide group.
size_t millrace_bank_snapshot_size(size_t columns, size_t wideColumns, size_t fernCount);

/// Where the waiting step's direction starts in the rows of some filters, and where row i of their
/// covariances does: its elements up to the diagonal, in groups of four columns up to the end of the
/// diagonal's square of four. `group` is 1 or 4.
size_t millrace_filters_direction_row(size_t group, size_t inputs, size_t means);
size_t millrace_filters_covariance_row(size_t group, size_t inputs, size_t means, size_t i);

/// The functions of each row's columns, the constant last.
void millrace_bank_expand(const millrace_bank_basis *basis, const float *rows, size_t count,
                          size_t stride, float *out, size_t outStride);

/// Adds each row times its residual, and the squares of that.
void millrace_bank_score(const float *rows, size_t count, size_t columns, size_t stride,
                         const float *residuals, float *scores, float *squares);

/// Puts the bank into the state of one that has seen nothing.
void millrace_bank_start(const millrace_bank *bank);

/// For each row: the probability of the second class where every label is learnt before the next
/// record, or where none comes (`isFrozen`).
void millrace_bank_predict(const millrace_bank *bank, const float *rows, size_t count,
                           size_t stride, bool isFrozen, double *probabilities);

/// For each row in order: what `millrace_bank_predict` would say, bit for bit, then learns it.
void millrace_bank_learn(const millrace_bank *bank, const float *rows, size_t count, size_t stride,
                         const double *labels, const float *weights, double *probabilities);

#ifdef __cplusplus
}
#endif
#endif
