#ifndef MILLRACE_BANK_H
#define MILLRACE_BANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Rows of a part's state; each row has a float for every lane of the part.
enum {
  /// Filters: what the means and the waiting step follow; then d rows of means, d rows of the
  /// waiting step's direction u, d(d + 1)/2 rows of the covariances' lower triangles.
  MILLRACE_FILTERS_DRIFT = 0,
  MILLRACE_FILTERS_CONSTANT_DRIFT,
  MILLRACE_FILTERS_NOISE,
  /// C = scale·(Ĉ − h·uuᵀ + Q) with Ĉ the covariance's rows: the scale, h, and Q's two diagonals.
  MILLRACE_FILTERS_SCALE,
  MILLRACE_FILTERS_CURVATURE,
  MILLRACE_FILTERS_WAITING_DRIFT,
  MILLRACE_FILTERS_WAITING_CONSTANT_DRIFT,
  MILLRACE_FILTERS_MEAN = 8,
  /// Cheap experts: the step size (0 for a running mean), how much of a mean stays at each record
  /// (1 for stochastic gradient descent), the mean; then d rows of weights.
  MILLRACE_RATES_RATE = 0,
  MILLRACE_RATES_MEMORY,
  MILLRACE_RATES_AVERAGE,
  MILLRACE_RATES_WEIGHTS = 4,
  /// Head: four mixtures of three rows of experts' weights, the prior of the experts in three
  /// rows, three mixers of three rows of logits' weights, a row with the weights of the mixtures (4)
  /// and of the last layer's candidates (8), four filters over five inputs in rows of 4, what the
  /// wide group had in each mixture when it fell asleep, its record.
  MILLRACE_HEAD_MIXTURE = 0,
  MILLRACE_HEAD_PRIOR = 12,
  MILLRACE_HEAD_MIXER = 15,
  MILLRACE_HEAD_SMALL = 24,
  MILLRACE_HEAD_FILTERS = 25,
  MILLRACE_HEAD_ASLEEP = 34,
  MILLRACE_HEAD_WIDE = 38,
  MILLRACE_HEAD_ROWS = 39,
};

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
  /// Whether the group works where it does not earn its place, too.
  bool mustStay;
} millrace_bank_basis;

/// Inputs of the wide group, the constant included.
size_t millrace_bank_basis_width(const millrace_bank_basis *basis);

/// A bank of experts for binary labels: 64-byte aligned rows of lanes.
typedef struct {
  /// Inputs, the constant included.
  size_t columns;
  /// 16 filters: rows of 16.
  float *filters;
  /// 16 cheap experts: rows of 16.
  float *rates;
  /// What mixes them: rows of 16.
  float *head;
  /// 8 filters over a wider basis: rows of 8. Null where there are none.
  float *wide;
  millrace_bank_basis basis;
  /// Rows seen before.
  uint64_t rowCount;
} millrace_bank;

/// Floats of each part's state.
size_t millrace_bank_filters_size(size_t columns);
size_t millrace_bank_rates_size(size_t columns);
size_t millrace_bank_head_size(void);
size_t millrace_bank_wide_size(const millrace_bank_basis *basis);

/// Puts the bank into the state of one that has seen nothing.
void millrace_bank_start(const millrace_bank *bank);

/// For each row: the probability of the second class.
void millrace_bank_predict(const millrace_bank *bank, const float *rows, size_t count,
                           size_t stride, double *probabilities);

/// For each row in order: what `millrace_bank_predict` would say, bit for bit, then learns it.
void millrace_bank_learn(const millrace_bank *bank, const float *rows, size_t count, size_t stride,
                         const double *labels, const float *weights, double *probabilities);

#ifdef __cplusplus
}
#endif
#endif
