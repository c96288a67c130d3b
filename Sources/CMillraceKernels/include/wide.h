#ifndef MILLRACE_WIDE_H
#define MILLRACE_WIDE_H

#include <stddef.h>
#include <stdint.h>

#include "bank.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The bank of experts for wide records and two classes: sixteen lanes, of which the first nine are
/// linear models that move by Newton's steps of several lengths, four descend the gradient at
/// several rates, and three are running label means.
enum {
  MILLRACE_WIDE_LANES = 16,
  MILLRACE_WIDE_NEWTON = 9,
  MILLRACE_WIDE_DESCENT = 4,
  MILLRACE_WIDE_LINEAR = MILLRACE_WIDE_NEWTON + MILLRACE_WIDE_DESCENT,
};
/// Rows of the head, sixteen lanes each: how many records a Newton lane remembers, or how much of a
/// running mean stays; the rates of descent; the share of labels that are simply wrong; the running
/// means; four mixtures by their shares; the mixture of these, and how sharp it should be where no
/// label comes; what frozen models weigh; the weights of the experts in three last layers, then
/// those of the mixture and of the four candidates.
enum {
  MILLRACE_WIDE_MEMORY,
  MILLRACE_WIDE_RATE,
  MILLRACE_WIDE_NOISE,
  MILLRACE_WIDE_AVERAGE,
  MILLRACE_WIDE_MIXTURES,
  MILLRACE_WIDE_TOP = MILLRACE_WIDE_MIXTURES + 4,
  MILLRACE_WIDE_FROZEN,
  MILLRACE_WIDE_COMBINED,
  MILLRACE_WIDE_LAST = MILLRACE_WIDE_COMBINED + 3,
  MILLRACE_WIDE_HEAD_ROWS,
};
/// Lanes of the row of the mixture of mixtures from which on there are how much the experts of each
/// mixture share at a record, the mixtures, and frozen experts. The last row ends as in bank.h.
enum {
  MILLRACE_WIDE_SHARES = 8,
  MILLRACE_WIDE_LENGTH = MILLRACE_WIDE_SHARES + 6,
  MILLRACE_WIDE_INTERVAL,
};

typedef struct {
  /// Columns of a row, the constant included.
  size_t columns;
  /// Rows of 16 lanes, one per column: the weights, those of the last snapshot, and Σ(y − p)z over
  /// the block's records.
  float *weights, *snapshot, *gradients;
  float *head;
  /// √curvature·z of the block's records.
  float *scaled;
  /// Rows seen before.
  uint64_t rowCount;
} millrace_wide_bank;

/// Fills the head of a bank that has seen nothing.
void millrace_wide_start(const millrace_wide_bank *bank);

/// The probability of the second class; with `frozen` where no label comes.
void millrace_wide_predict(const millrace_wide_bank *bank, const float *rows, size_t count,
                           size_t stride, int frozen, double *predictions);

/// For each row: predicts it, then the mixtures, the means and the gradients learn its label.
void millrace_wide_learn(const millrace_wide_bank *bank, const float *rows, size_t count,
                         size_t stride, const double *labels, const float *weights,
                         double *predictions);

/// w ← w + (step of each lane)·direction, bounded by what the block gains, + gradient where models
/// descend it; no gradient is left.
void millrace_wide_step(const millrace_wide_bank *bank, const millrace_newton_step *newton,
                        const float *steps);

#ifdef __cplusplus
}
#endif
#endif
