#ifndef MILLRACE_SPARSE_FILTERS_HPP
#define MILLRACE_SPARSE_FILTERS_HPP

#include <cmath>
#include <cstring>

#include "bank_lanes.hpp"
#include "sparse.h"

const Vector<int32_t, 8> isLane = {-1, -1, -1, -1, -1, 0, 0, 0};
const Vector<int32_t, 8> isPrecision = {0, 0, 0, 0, 0, -1, 0, 0};
const Vector<int32_t, 8> isSum = {0, 0, 0, 0, 0, 0, -1, 0};
const Vector<int32_t, 8> isCount = {0, 0, 0, 0, 0, 0, 0, -1};

/// Scaled values are cut here, and values where their sums would overflow.
const float scaledLimit = 10, valueLimit = 1e30f;

MILLRACE_INLINE Eight lanesOnly(Eight x) { return blend<8>(isLane, x, Eight{}); }

MILLRACE_INLINE Eight splat(float x) { return Eight{x, x, x, x, x, x, x, x}; }

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

  /// What a feature's move is multiplied by.
  __attribute__((always_inline)) Eight factors() const {
    const Eight counts = {0, 0, 0, 0, 0, precision, 1, 1};
    return blend<8>(isLane, gain, counts);
  }
};

/// What weights are expected to be before anything is learnt of them.
struct Prior {
  Eight precision, limit;

  /// v of a feature.
  __attribute__((always_inline)) Eight variance(const float *feature) const {
    Eight learnt = splat(feature[MILLRACE_SPARSE_PRECISION]);
    return 1 / (precision + blend<8>(learnt > limit, limit, learnt));
  }
};

/// One row's entries, and the constant behind them.
struct Entries {
  float *features;
  const uint32_t *places;
  const float *values;
  size_t count;
  Prior prior, constantPrior;

  MILLRACE_INLINE Entries of(const millrace_sparse_bank &bank, const millrace_sparse_rows &rows,
                             size_t row) {
    size_t start = rows.starts[row] - rows.starts[0];
    Eight limit = load(bank.head + 8 * MILLRACE_SPARSE_LIMIT);
    return {bank.features,
            rows.places + start,
            rows.values + start,
            rows.starts[row + 1] - rows.starts[row],
            {load(bank.head + 8 * MILLRACE_SPARSE_PRIOR), limit},
            {Eight{} + 1, limit}};
  }

  __attribute__((always_inline)) float *feature(size_t entry, size_t outputs) const {
    return features + places[entry] * outputs * MILLRACE_SPARSE_ROW;
  }

  /// Eight numbers from an entry on; 0 beyond the last.
  __attribute__((always_inline)) Eight eightValues(size_t entry) const {
    if (entry + 8 <= count) return load(values + entry);
    Eight x = {};
    for (size_t k = 0; entry + k < count; k++) x[k] = values[entry + k];
    return x;
  }

  /// Fills |x| and z of each entry: x by the mean of |x| where the feature is not 0, so that its
  /// units do not matter and zeros stay zeros. Both are 0, which says nothing, where x is not finite.
  __attribute__((always_inline)) void scale(size_t outputs, float *sizes, float *scaled) const {
    for (size_t next = 0; next < count; next += 8) {
      // The last eight overlap those before them.
      size_t entry = next + 8 <= count || count < 8 ? next : count - 8;
      Two known[8];
      for (size_t k = 0; k < 8; k++) {
        memcpy(&known[k], feature(entry + k, outputs) + MILLRACE_SPARSE_SUM, sizeof known[k]);
      }
      Eight low = joined(joined(known[0], known[1]), joined(known[2], known[3]));
      Eight high = joined(joined(known[4], known[5]), joined(known[6], known[7]));
      Eight sums = __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14);
      Eight counts = __builtin_shufflevector(low, high, 1, 3, 5, 7, 9, 11, 13, 15);
      Eight x = eightValues(entry);
      auto bits = (Vector<int32_t, 8>)x & 0x7fffffff;
      auto isNumber = (bits > 0) & (bits < 0x7f800000);
      Eight size = (Eight)bits;
      size = blend<8>(isNumber, blend<8>(size > valueLimit, splat(valueLimit), size), Eight{});
      Eight z = clamped<8>(x * ((counts + 1) / (sums + size)), -scaledLimit, scaledLimit);
      store(size, sizes + entry);
      store(blend<8>(isNumber, z, Eight{}), scaled + entry);
    }
  }

  /// Adds what the outputs' rows of a feature say of z. With `commit` also fills their moves: vz in
  /// the lanes, and z², |x| and 1 for what is counted.
  template <bool commit>
  MILLRACE_INLINE void add(const float *feature, float size, float scaled, Prior prior,
                           size_t outputs, Margin *margins, float *moves) {
    Eight z = splat(scaled);
    for (size_t k = 0; k < outputs; k++) {
      const float *row = feature + k * MILLRACE_SPARSE_ROW;
      Eight move = prior.variance(row) * z, variance = move * z;
      margins[k].mean += load(row) * z;
      margins[k].variance += variance;
      if (commit) {
        move = blend<8>(isPrecision, variance, move);
        move = blend<8>(isCount, splat(1), blend<8>(isSum, splat(size), move));
        store(move, moves + k * MILLRACE_SPARSE_ROW);
      }
    }
  }

  /// Fills the margins of `outputs` outputs. With `commit` `room` begins with the moves, those of the
  /// constant first.
  template <bool commit>
  __attribute__((always_inline)) void margins(size_t outputs, Margin *margins, float *room) const {
    float *moves = room, *sizes = moves + (count + 1) * outputs * MILLRACE_SPARSE_ROW;
    float *scaled = sizes + count + 8;
    scale(outputs, sizes, scaled);
    for (size_t k = 0; k < outputs; k++) margins[k] = {};
    add<commit>(features, 1, 1, constantPrior, outputs, margins, moves);
    for (size_t entry = 0; entry < count; entry++) {
      moves += outputs * MILLRACE_SPARSE_ROW;
      if (sizes[entry] > 0) {
        add<commit>(feature(entry, outputs), sizes[entry], scaled[entry], prior, outputs, margins,
                    moves);
      } else if (commit) {
        memset(moves, 0, outputs * MILLRACE_SPARSE_ROW * sizeof *moves);
      }
    }
  }

  MILLRACE_INLINE void learn(float *feature, size_t outputs, const Step *steps,
                             const float *moves) {
    for (size_t k = 0; k < outputs; k++) {
      float *row = feature + k * MILLRACE_SPARSE_ROW;
      store(load(row) + steps[k].factors() * load(moves + k * MILLRACE_SPARSE_ROW), row);
    }
  }

  /// Takes the steps of `outputs` outputs.
  __attribute__((always_inline)) void learn(size_t outputs, const Step *steps,
                                            const float *moves) const {
    learn(features, outputs, steps, moves);
    for (size_t entry = 0; entry < count; entry++) {
      moves += outputs * MILLRACE_SPARSE_ROW;
      learn(feature(entry, outputs), outputs, steps, moves);
    }
  }
};

#endif
