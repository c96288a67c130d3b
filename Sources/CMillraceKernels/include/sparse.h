#ifndef MILLRACE_SPARSE_H
#define MILLRACE_SPARSE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Linear models of sparse rows: five filters without covariance, as lanes. A feature is a row of
/// eight floats per output: the five means; the precision that was learnt of the weight, which the
/// filters add to that of their priors; and for its scale Σ|x| and the number of its values.
enum {
  MILLRACE_SPARSE_ROW = 8,
  MILLRACE_SPARSE_LANES = 5,
  MILLRACE_SPARSE_PRECISION = 5,
  MILLRACE_SPARSE_SUM = 6,
  MILLRACE_SPARSE_COUNT = 7,
};
/// Rows of the head, eight lanes each: the filters' prior precisions, how much precision they add
/// at most, their weights in the mixture.
enum {
  MILLRACE_SPARSE_PRIOR = 0,
  MILLRACE_SPARSE_LIMIT = 1,
  MILLRACE_SPARSE_MIXTURE = 2,
  MILLRACE_SPARSE_HEAD_ROWS = 8,
};

/// What is learnt: a number, one of two classes, or one of several.
typedef enum {
  millrace_sparse_regression,
  millrace_sparse_binary,
  millrace_sparse_multiclass,
} millrace_sparse_task;

typedef struct {
  millrace_sparse_task task;
  /// Place 0 is the constant's; a feature that was never seen is all 0.
  float *features;
  /// Classes seen; otherwise 1.
  size_t outputs;
  float *head;
} millrace_sparse_bank;

/// Row i has the entries from starts[i] − starts[0] to starts[i + 1] − starts[0].
typedef struct {
  const size_t *starts;
  const uint32_t *places;
  const float *values;
  size_t count;
} millrace_sparse_rows;

/// Fills the head of a bank that has seen nothing.
void millrace_sparse_start(millrace_sparse_task task, float *head);

/// Predicts rows: the mean, the probability of the second class, or one of each output.
void millrace_sparse_predict(const millrace_sparse_bank *bank, const millrace_sparse_rows *rows,
                             double *predictions);

/// For each row: predicts it, then learns its label.
///
/// - labels: the target, 0 or 1, or the output.
/// - scaled: room for the entries of the longest row.
/// - predictions: as `millrace_sparse_predict` gives them.
void millrace_sparse_learn(const millrace_sparse_bank *bank, const millrace_sparse_rows *rows,
                           const double *labels, const float *weights, float *scaled,
                           double *predictions);

#ifdef __cplusplus
}
#endif
#endif
