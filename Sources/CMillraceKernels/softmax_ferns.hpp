#ifndef MILLRACE_SOFTMAX_FERNS_HPP
#define MILLRACE_SOFTMAX_FERNS_HPP

#include "bank_ferns.hpp"
#include "softmax.h"

/// One expert of ferns, above a filter of the wide group: its cells' variances are shared by the
/// classes, which are the lanes of what it says.
struct SoftmaxFerns {
  millrace_ferns basis;
  /// How fast it forgets, what variance it begins with, the curvature that it has seen; from the 17th
  /// on the variances.
  float *head;
  float *classes;

  bool saysAny() const { return classes != nullptr; }
  size_t cellCount() const { return basis.count * Ferns::cellsPerFern; }
  static size_t size(const millrace_ferns &basis) { return 16 + basis.count * Ferns::cellsPerFern; }
  static size_t weightsSize(const millrace_ferns &basis) {
    return (1 + MILLRACE_BANK_HORIZONS) * basis.count * Ferns::cellsPerFern;
  }
  float &prior() const { return head[1]; }
  float &seen() const { return head[2]; }
  float *variances() const { return head + 16; }
  float *weights(size_t k) const { return classes + k * weightsSize(basis); }
  float *snapshot(size_t k, int horizon) const { return weights(k) + (1 + horizon) * cellCount(); }

  /// As `Ferns::start`.
  int start(float forgetting, float variance) const {
    if (basis.count == 0) return 0;
    head[0] = forgetting;
    prior() = variance / basis.count;
    for (size_t i = 0; i < cellCount(); i++) variances()[i] = prior();
    return 1;
  }
};

/// How much of a cell's variance a class has yet to learn that has seen this share of the curvature.
MILLRACE_INLINE Lanes openVariance(Lanes variance, float prior, float share) {
  return variance * prior / (variance + share * (prior - variance));
}

/// Margins of at most 30 turned into probabilities over the classes.
MILLRACE_INLINE Lanes softmax(Lanes margins, size_t count) {
  typedef Vector<int32_t, 16> I;
  const I lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const Lanes own = blend<16>(lane < static_cast<int32_t>(count), exponential<16>(margins), Lanes{});
  return own * (1.0f / sum(folded(own)));
}

#endif
