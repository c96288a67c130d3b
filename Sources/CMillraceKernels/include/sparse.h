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
/// at most, their weights in the mixture; the shares of the mixtures of filters and of logits, and
/// two steps of the logits' weights.
enum {
  MILLRACE_SPARSE_PRIOR = 0,
  MILLRACE_SPARSE_LIMIT = 1,
  MILLRACE_SPARSE_MIXTURE = 2,
  MILLRACE_SPARSE_STEPS = 6,
  MILLRACE_SPARSE_HEAD_ROWS = 8,
};

/// How many places can be read behind the last one.
enum { MILLRACE_SPARSE_PADDING = 8 };

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

/// Which place each column has, and what is kept of each place: `size` bytes at kept + place·size.
typedef struct {
  /// 0 where a column has none.
  uint32_t *places;
  /// Of columns its lower bits count.
  uint32_t mask;
  const void *kept;
  size_t size;
} millrace_sparse_table;

/// Row i has the entries from starts[i] − starts[0] to starts[i + 1] − starts[0].
typedef struct {
  const size_t *starts;
  /// With the padding.
  const uint32_t *places;
  const float *values;
  size_t count;
} millrace_sparse_rows;

/// Fills the head of a bank that has seen nothing.
void millrace_sparse_start(millrace_sparse_task task, float *head);

/// Fills the places of columns, and fetches what is kept of them. Those that have none get `unseen`.
///
/// - places: room for `MILLRACE_SPARSE_PADDING` more, which will be 0.
void millrace_sparse_find(const millrace_sparse_table *table, const uint32_t *columns, size_t count,
                          uint32_t unseen, uint32_t *places);

/// The same, but those that have none get the places from `next` on.
///
/// - added: room for `count` columns; receives those.
/// - Returns: how many.
size_t millrace_sparse_place(const millrace_sparse_table *table, const uint32_t *columns,
                             size_t count, uint32_t next, uint32_t *places, uint32_t *added);

/// The floats of room that rows of at most so many entries need.
size_t millrace_sparse_room(size_t entries, size_t outputs);

/// Predicts rows: the mean, the probability of the second class, or one of each output.
void millrace_sparse_predict(const millrace_sparse_bank *bank, const millrace_sparse_rows *rows,
                             float *room, double *predictions);

/// For each row: predicts it, then learns its label.
///
/// - labels: the target, 0 or 1, or the output.
/// - room, predictions: as `millrace_sparse_predict` gives them.
void millrace_sparse_learn(const millrace_sparse_bank *bank, const millrace_sparse_rows *rows,
                           const double *labels, const float *weights, float *room,
                           double *predictions);

#ifdef __cplusplus
}
#endif
#endif
