#ifndef MILLRACE_SOFTMAX_H
#define MILLRACE_SOFTMAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bank.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  /// Rows that the tables tell apart: the last class, modulo this.
  MILLRACE_SOFTMAX_CONTEXTS = 64,
  /// For more classes ferns say nothing.
  MILLRACE_FERN_CLASSES = 16,
  /// Tables: two of how often each class comes, one of what follows each.
  MILLRACE_SOFTMAX_TABLES = 3,
  /// A class, in rows of 16: in eight lanes the curvature that each filter's mean has seen, in two
  /// the decayed counts of the class, in one the curvature that the ferns' weights have seen; for
  /// each context in a lane that of the class after it; d rows of the filters' means and of gradient
  /// descent's weights, eight lanes each; then for each horizon what the tables said in the last three
  /// of four lanes, these d rows when its block started, and the wide group's means in rows of 4; last
  /// in four lanes the curvature that the wide group's means have seen, and these in rows of 4.
  MILLRACE_CLASS_CURVATURE = 0,
  MILLRACE_CLASS_FOLLOWED,
  MILLRACE_CLASS_WEIGHTS = MILLRACE_CLASS_FOLLOWED + MILLRACE_SOFTMAX_CONTEXTS / 16,
  /// Head, in rows of 16: mixtures; three mixers as in a binary bank's head; the weights of the
  /// last layer's four candidates; in eight lanes the step sizes of gradient descent; in the last
  /// three of four lanes how much of the tables' counts stays at each record; the wide group's
  /// record; each horizon's mixtures.
  MILLRACE_SOFTMAX_MIXTURES = 0,
  MILLRACE_SOFTMAX_MIXERS = MILLRACE_MIXTURES_ROWS(1),
  MILLRACE_SOFTMAX_LAST = MILLRACE_SOFTMAX_MIXERS + 3 * MILLRACE_EXPERTS_ROWS(1),
  MILLRACE_SOFTMAX_RATES,
  MILLRACE_SOFTMAX_MEMORIES,
  MILLRACE_SOFTMAX_PLACE,
  MILLRACE_SOFTMAX_HORIZON_MIXTURES,
  MILLRACE_SOFTMAX_HEAD_ROWS =
      MILLRACE_SOFTMAX_HORIZON_MIXTURES + MILLRACE_BANK_HORIZONS * MILLRACE_MIXTURES_ROWS(1),
};

/// A bank of experts for several classes: 64-byte aligned rows of 16 lanes.
typedef struct {
  /// Inputs, the constant included.
  size_t columns;
  /// Classes seen: the outputs.
  size_t classCount;
  /// What the 8 filters share over the classes, as in a binary bank, without means.
  float *filters;
  /// For each class its rows; all 0 when it is new.
  float *classes;
  /// What mixes the experts.
  float *head;
  /// What four filters over a wider basis share over the classes, as in a binary bank, without
  /// means: rows of 4. Null where there are none.
  float *wide;
  /// What ferns above one of these share over the classes: 16 floats, of which the first are how fast
  /// they forget, what variance a weight begins with, and the curvature seen; the variance of each
  /// cell's weight. None where `basis` has none.
  float *ferns;
  /// Their weights in each class, and those when each horizon's block started. Null where they say
  /// nothing.
  float *fernWeights;
  millrace_bank_basis basis;
  /// Rows seen before.
  uint64_t rowCount;
  /// The output of the last row learnt.
  size_t lastClass;
} millrace_softmax_bank;

/// Floats of each part, and of the room that a call works in.
size_t millrace_softmax_filters_size(size_t columns);
size_t millrace_softmax_class_size(size_t columns, size_t wideColumns);
size_t millrace_softmax_head_size(void);
size_t millrace_softmax_room_size(size_t columns, size_t classCount, size_t wideColumns,
                                  size_t fernCount);
size_t millrace_softmax_wide_size(const millrace_bank_basis *basis);
/// What ferns share, 0 where there are none; their weights in one class.
size_t millrace_softmax_ferns_size(const millrace_ferns *ferns);
size_t millrace_softmax_fern_weights_size(const millrace_ferns *ferns);
/// Floats of a class before its wide group's means.
size_t millrace_softmax_wide_start(size_t columns, size_t wideColumns);

/// Puts the shared parts into the state of a bank that has seen nothing.
void millrace_softmax_start(const millrace_softmax_bank *bank);

/// For each row a probability per output, where every label is learnt before the next record, or
/// where none comes (`isFrozen`). `room` is 64-byte aligned.
void millrace_softmax_predict(const millrace_softmax_bank *bank, float *room, const float *rows,
                              size_t count, size_t stride, bool isFrozen, float *probabilities);

/// For each row in order: what `millrace_softmax_predict` would say, bit for bit, then learns it.
/// Labels are outputs; those of rows of weight 0 are ignored.
void millrace_softmax_learn(const millrace_softmax_bank *bank, float *room, const float *rows,
                            size_t count, size_t stride, const int32_t *labels,
                            const float *weights, float *probabilities);

#ifdef __cplusplus
}
#endif
#endif
