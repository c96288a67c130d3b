#ifndef MILLRACE_SPARSE_FILTERS_HPP
#define MILLRACE_SPARSE_FILTERS_HPP

#include <cmath>
#include <cstring>

#include "bank_lanes.hpp"
#include "sparse.h"

const Vector<int32_t, 8> isLane = {-1, -1, -1, -1, -1, 0, 0, 0};

/// Scaled values are cut here, and values where their sums would overflow.
const float scaledLimit = 10, valueLimit = 1e30f;

MILLRACE_INLINE Eight lanesOnly(Eight x) { return blend<8>(isLane, x, Eight{}); }

MILLRACE_INLINE Eight load(const float *lanes) {
  Eight result;
  memcpy(&result, lanes, sizeof result);
  return result;
}

MILLRACE_INLINE void store(Eight lanes, float *target) { memcpy(target, &lanes, sizeof lanes); }

/// What the lanes of one output say of a record: m = Σwz and s = Σvz².
struct Margin {
  Eight mean, variance;
};

/// How they learn from it: w ← w + gain·vz, and z² times as much precision.
struct Step {
  Eight gain;
  float precision;
};

/// What weights are expected to be before anything is learnt of them.
struct Prior {
  Eight precision, limit;

  /// v of a feature.
  __attribute__((always_inline)) Eight variance(const float *feature) const {
    Eight learnt = Eight{} + feature[MILLRACE_SPARSE_PRECISION];
    return 1 / (precision + blend<8>(learnt > limit, limit, learnt));
  }
};

/// One row's entries, and the constant behind them.
struct Entries {
  const millrace_sparse_bank &bank;
  const uint32_t *places;
  const float *values;
  size_t count;
  Prior prior, constantPrior;

  MILLRACE_INLINE Entries of(const millrace_sparse_bank &bank, const millrace_sparse_rows &rows,
                             size_t row) {
    size_t start = rows.starts[row] - rows.starts[0];
    Eight limit = load(bank.head + 8 * MILLRACE_SPARSE_LIMIT);
    return {bank,
            rows.places + start,
            rows.values + start,
            rows.starts[row + 1] - rows.starts[row],
            {load(bank.head + 8 * MILLRACE_SPARSE_PRIOR), limit},
            {Eight{} + 1, limit}};
  }

  __attribute__((always_inline)) float *feature(size_t entry) const {
    return bank.features + places[entry] * bank.outputs * MILLRACE_SPARSE_ROW;
  }

  /// An entry's number; 0, which says nothing, where it is not finite.
  __attribute__((always_inline)) float value(size_t entry) const {
    float x = values[entry];
    if (!(std::fabs(x) < INFINITY)) return 0;
    return x > valueLimit ? valueLimit : x < -valueLimit ? -valueLimit : x;
  }

  __attribute__((always_inline)) void prefetch() const {
    for (size_t entry = 0; entry < count; entry++) __builtin_prefetch(feature(entry));
  }

  MILLRACE_INLINE void add(const float *feature, float z, Prior prior, Margin &margin) {
    margin.mean += load(feature) * z;
    margin.variance += prior.variance(feature) * (z * z);
  }

  /// By the mean of |x| where the feature is not 0: its units do not matter, zeros stay zeros.
  MILLRACE_INLINE float scaled(const float *feature, float x) {
    if (x == 0) return 0;
    float z = x * ((feature[MILLRACE_SPARSE_COUNT] + 1) /
                   (feature[MILLRACE_SPARSE_SUM] + std::fabs(x)));
    return z > scaledLimit ? scaledLimit : z < -scaledLimit ? -scaledLimit : z;
  }

  /// Fills the margins of `outputs` outputs; with `commit` also the scaled values z.
  template <bool commit>
  __attribute__((always_inline)) void margins(size_t outputs, Margin *margins, float *z) const {
    for (size_t k = 0; k < outputs; k++) {
      margins[k] = {};
      add(bank.features + k * MILLRACE_SPARSE_ROW, 1, constantPrior, margins[k]);
    }
    for (size_t entry = 0; entry < count; entry++) {
      const float *feature = this->feature(entry);
      float own = scaled(feature, value(entry));
      if (commit) z[entry] = own;
      for (size_t k = 0; k < outputs; k++)
        add(feature + k * MILLRACE_SPARSE_ROW, own, prior, margins[k]);
    }
  }

  MILLRACE_INLINE void learn(float *feature, float z, float x, Prior prior, Step step) {
    Eight w = load(feature);
    w += step.gain * (z * prior.variance(feature));
    const Eight counts = {0, 0, 0, 0, 0, step.precision * (z * z), x, 1};
    store(w + counts, feature);
  }

  /// Takes the steps of `outputs` outputs.
  __attribute__((always_inline)) void learn(size_t outputs, const Step *steps,
                                            const float *z) const {
    for (size_t k = 0; k < outputs; k++)
      learn(bank.features + k * MILLRACE_SPARSE_ROW, 1, 1, constantPrior, steps[k]);
    for (size_t entry = 0; entry < count; entry++) {
      float x = std::fabs(value(entry));
      if (x == 0) continue;
      for (size_t k = 0; k < outputs; k++)
        learn(feature(entry) + k * MILLRACE_SPARSE_ROW, z[entry], x, prior, steps[k]);
    }
  }
};

#endif
