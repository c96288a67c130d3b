#ifndef MILLRACE_WIDE_SOFTMAX_H
#define MILLRACE_WIDE_SOFTMAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The bank of experts for wide records and several classes, in rows of sixteen lanes: linear
/// models that move by Newton's steps of several lengths, some that descend the gradient at several
/// rates, and the classes' frequencies with several memories.
enum {
  MILLRACE_WIDE_SOFTMAX_NEWTON = 9,
  MILLRACE_WIDE_SOFTMAX_DESCENT = 4,
  MILLRACE_WIDE_SOFTMAX_LINEAR = MILLRACE_WIDE_SOFTMAX_NEWTON + MILLRACE_WIDE_SOFTMAX_DESCENT,
  /// Rows of a class: its counts in the frequencies' lanes; in the first lane the curvature that it
  /// was learnt with; a row of weights per column.
  MILLRACE_WIDE_SOFTMAX_COUNTS = 0,
  MILLRACE_WIDE_SOFTMAX_CURVATURE = 1,
  MILLRACE_WIDE_SOFTMAX_WEIGHTS = 2,
  /// Rows of the head: how many records a Newton lane remembers; the rates of descent; how much of
  /// the counts stays at each record; the share of labels that are simply wrong; four mixtures by
  /// their shares; the mixture of these, the curvature that the classes have in common, how sharp
  /// frozen experts should be, shares as in wide.h; what these weigh; the weights of the experts in three last layers,
  /// then those of the mixture and of the four candidates.
  MILLRACE_WIDE_SOFTMAX_MEMORY = 0,
  MILLRACE_WIDE_SOFTMAX_RATE,
  MILLRACE_WIDE_SOFTMAX_KEPT,
  MILLRACE_WIDE_SOFTMAX_NOISE,
  MILLRACE_WIDE_SOFTMAX_MIXTURES,
  MILLRACE_WIDE_SOFTMAX_TOP = MILLRACE_WIDE_SOFTMAX_MIXTURES + 4,
  MILLRACE_WIDE_SOFTMAX_FROZEN,
  MILLRACE_WIDE_SOFTMAX_COMBINED,
  MILLRACE_WIDE_SOFTMAX_LAST = MILLRACE_WIDE_SOFTMAX_COMBINED + 3,
  MILLRACE_WIDE_SOFTMAX_HEAD_ROWS,
};

typedef struct {
  /// Columns of a row, the constant included, and classes seen.
  size_t columns, classCount;
  /// The rows of each class, and what they were at the last snapshot.
  float *classes, *snapshot;
  float *head;
  /// Of the unfinished block: rows, what each pulls every lane of every class by, and √curvature.
  float *rows, *pulls, *roots;
  /// Records learnt before, and those of them in the unfinished block.
  uint64_t rowCount;
  size_t pending;
} millrace_wide_softmax;

/// Floats of one class, and of the 64-byte aligned room that a call works in.
size_t millrace_wide_softmax_class_size(size_t columns);
size_t millrace_wide_softmax_room_size(size_t classCount);

/// Fills the head of a bank that has seen nothing.
void millrace_wide_softmax_start(const millrace_wide_softmax *bank);

/// For each row a probability per class seen; with `isFrozen` where no label comes.
void millrace_wide_softmax_predict(const millrace_wide_softmax *bank, float *room,
                                   const float *rows, size_t count, size_t stride, bool isFrozen,
                                   float *probabilities);

/// For each row of the block in order: what `millrace_wide_softmax_predict` would say, bit for bit;
/// then mixtures and frequencies learn its label, and the block keeps what the models will.
void millrace_wide_softmax_learn(const millrace_wide_softmax *bank, float *room, const float *rows,
                                 size_t count, size_t stride, const int32_t *labels,
                                 const float *weights, float *probabilities);

/// The block's end: every model moves.
///
/// - directions: (H + λI)⁻¹z of its rows.
/// - mass: the records that H counts.
/// - memory: those that it can.
void millrace_wide_softmax_step(const millrace_wide_softmax *bank, const float *directions,
                                float mass, float memory, float ridge);

#ifdef __cplusplus
}
#endif
#endif
