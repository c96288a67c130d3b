#ifndef MILLRACE_SPARSE_FILTERS_HPP
#define MILLRACE_SPARSE_FILTERS_HPP

#include <cmath>
#include <cstring>

#include "bank_lanes.hpp"
#include "sparse.h"

/// The last lane holds what a feature's scale is made of.
constexpr int scaleLane = MILLRACE_SPARSE_LANES;
const Vector<int32_t, 8> isLane = {-1, -1, -1, -1, -1, -1, -1, 0};

/// Scaled values are cut here, and values where their sums would overflow.
const float scaledLimit = 10, valueLimit = 1e30f;
/// A record's step leaves a weight at least so much of its variance.
const float leastShare = 0.1f;

/// What the lanes of one output say of a record: m = Σwz and s = Σvz².
struct Margin {
  Eight mean, variance;
};

MILLRACE_INLINE Eight load(const float *lanes) {
  Eight result;
  memcpy(&result, lanes, sizeof result);
  return result;
}

MILLRACE_INLINE void store(Eight lanes, float *target) { memcpy(target, &lanes, sizeof lanes); }

/// One row's entries, and the constant behind them.
struct Entries {
  const millrace_sparse_bank &bank;
  const uint32_t *places;
  const float *values;
  size_t count;

  MILLRACE_INLINE Entries of(const millrace_sparse_bank &bank, const millrace_sparse_rows &rows,
                             size_t row) {
    size_t start = rows.starts[row] - rows.starts[0];
    return {bank, rows.places + start, rows.values + start, rows.starts[row + 1] - rows.starts[row]};
  }

  __attribute__((always_inline)) float *feature(size_t entry) const {
    size_t place = entry < count ? places[entry] : 0;
    return bank.features + place * bank.outputs * MILLRACE_SPARSE_ROW;
  }

  /// An entry's number; 0, which says nothing, where it is not finite.
  __attribute__((always_inline)) float value(size_t entry) const {
    if (entry == count) return 1;
    float x = values[entry];
    if (!(std::fabs(x) < INFINITY)) return 0;
    return x > valueLimit ? valueLimit : x < -valueLimit ? -valueLimit : x;
  }

  __attribute__((always_inline)) void prefetch() const {
    for (size_t entry = 0; entry < count; entry++) __builtin_prefetch(feature(entry));
  }

  /// Fills the margins of all outputs; with `commit` also the scaled values z.
  template <bool commit>
  __attribute__((always_inline)) void margins(Margin *margins, float *scaled) const {
    for (size_t k = 0; k < bank.outputs; k++) margins[k] = {};
    for (size_t entry = 0; entry <= count; entry++) {
      const float *feature = this->feature(entry);
      float x = value(entry);
      // By the mean of |x| where the feature is not 0: its units do not matter, zeros stay zeros.
      float z = x == 0 ? 0
                       : x * ((feature[8 + scaleLane] + 1) / (feature[scaleLane] + std::fabs(x)));
      z = z > scaledLimit ? scaledLimit : z < -scaledLimit ? -scaledLimit : z;
      if (commit) scaled[entry] = z;
      for (size_t k = 0; k < bank.outputs; k++, feature += MILLRACE_SPARSE_ROW) {
        margins[k].mean += load(feature) * z;
        margins[k].variance += load(feature + 8) * (z * z);
      }
    }
  }

  /// w ← w + g·vz, v ← v − h(vz)² and then towards the prior variance by the drift.
  __attribute__((always_inline)) void update(const Margin *steps, const float *scaled) const {
    const Eight prior = load(bank.head + 8 * MILLRACE_SPARSE_PRIOR);
    const Eight drift = load(bank.head + 8 * MILLRACE_SPARSE_DRIFT);
    for (size_t entry = 0; entry <= count; entry++) {
      float *feature = this->feature(entry);
      float z = scaled[entry], x = std::fabs(value(entry));
      if (x == 0) continue;
      float total = feature[scaleLane] + x, number = feature[8 + scaleLane] + 1;
      for (size_t k = 0; k < bank.outputs; k++) {
        float *row = feature + k * MILLRACE_SPARSE_ROW;
        Eight w = load(row), v = load(row + 8), u = v * z;
        w += steps[k].mean * u;
        Eight left = v - steps[k].variance * u * u, least = v * leastShare;
        left = blend<8>(left < least, least, left);
        Eight grown = left + drift;
        grown = blend<8>(grown > prior, prior, grown);
        left = blend<8>(left < grown, grown, left);
        store(blend<8>(isLane, w, Eight{} + total), row);
        store(blend<8>(isLane, left, Eight{} + number), row + 8);
      }
    }
  }
};

#endif
