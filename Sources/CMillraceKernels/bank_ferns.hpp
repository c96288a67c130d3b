#ifndef MILLRACE_BANK_FERNS_HPP
#define MILLRACE_BANK_FERNS_HPP

#include "bank_filters.hpp"

/// Random ferns (Özuysal et al. 2010), added up: each compares a few columns with thresholds, and
/// what comes out is the number of a cell in its table. Steps and corners, where the filters' smooth
/// functions ring, are theirs.
///
/// Two experts: one by themselves, and one on top of a filter of the wide group. A cell has for
/// either a weight's mean, w, and its variance, v: {w, w', v, v'}. The Gaussian is diagonal (Crammer
/// et al. 2009), so that a record costs O(ferns).
struct Ferns {
  static constexpr size_t cellsPerFern = MILLRACE_FERN_CELLS;

  millrace_ferns basis;
  /// How fast each expert forgets, and what variance it begins with; the cells.
  Four *row;

  /// Floats of a snapshot of the weights.
  static size_t weightsSize(size_t count) { return 2 * count * cellsPerFern; }
  size_t cellCount() const { return basis.count * cellsPerFern; }
  Four *cells() const { return row + 1; }

  /// Into the state of ferns that have seen nothing, if there are any. Returns how many experts they
  /// are.
  int start(float forgetting, float variance) const {
    if (basis.count == 0) return 0;
    const Two each = Two{} + variance / basis.count;
    row[0] = joined(Two{} + forgetting, each);
    for (size_t i = 0; i < cellCount(); i++) cells()[i] = joined(Two{}, each);
    return MILLRACE_FERN_EXPERTS;
  }
};

/// Σw and s = Σv of a record's cells.
typedef Projection<2> FernSums;

/// Room for one record: its columns in the ferns' order, in circles, and the cell of each fern,
/// counted from the first one's first.
struct FernRoom {
  float *columns;
  int32_t *cells;
};

/// Puts the columns in order, some time before `findCells`: that reads many at once of what is
/// written one by one here.
MILLRACE_INLINE void order(const millrace_ferns &ferns, const float *z, size_t count,
                           const FernRoom &room) {
  if (ferns.count == 0) return;
  for (size_t j = 0; j < count + 15; j++) room.columns[j] = z[ferns.order[j]];
}

MILLRACE_INLINE void findCells(const millrace_ferns &ferns, const FernRoom &room) {
  typedef Vector<int32_t, 16> I;
  I first = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  first *= static_cast<int32_t>(Ferns::cellsPerFern);
  const Lanes *threshold = reinterpret_cast<const Lanes *>(ferns.thresholds);
  const int32_t *start = ferns.starts, *step = ferns.steps;
  const size_t count = ferns.count;
  for (size_t i = 0; i < count; i += 16) {
    I cell = first + static_cast<int32_t>(i * Ferns::cellsPerFern);
    for (int32_t test = ferns.testCounts[i / 16]; test > 0; test--) {
      Lanes own;
      __builtin_memcpy(&own, room.columns + *start++, sizeof own);
      cell += (own > *threshold++) & *step++;
    }
    __builtin_memcpy(room.cells + i, &cell, sizeof cell);
  }
}

/// Σ of the cells, spread over few sums that do not wait for each other.
template <typename Cell>
MILLRACE_INLINE Cell total(const Cell *table, const int32_t *cells, size_t count) {
  Cell sums[4] = {};
  for (size_t i = 0; i < count; i += 4)
    for (int k = 0; k < 4; k++) sums[k] += table[cells[i + k]];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

MILLRACE_INLINE FernSums project(const Ferns &ferns, const int32_t *cells) {
  const Four sums = total(ferns.cells(), cells, ferns.basis.count);
  return {firstHalf(sums), secondHalf(sums)};
}

/// Moves the weights in the cells by v·gain, takes h·v² from their variances, and lets these forget.
MILLRACE_INLINE void step(const Ferns &ferns, const int32_t *cells, Two gain, Two h) {
  const Four lost = joined(Two{}, firstHalf(ferns.row[0]));
  const Lanes kept = repeated(lost), prior = repeated(lost * ferns.row[0]);
  const Lanes factor = repeated(joined(gain, -h)), ones = Lanes{} + 1.0f;
  Four *table = ferns.cells();
  for (size_t i = 0; i < ferns.basis.count; i += 4) {
    Four *at[4];
    for (int k = 0; k < 4; k++) at[k] = table + cells[i + k];
    const Lanes own = joined(joined(*at[0], *at[1]), joined(*at[2], *at[3]));
    const Lanes variance = __builtin_shufflevector(own, own, 2, 3, 2, 3, 6, 7, 6, 7, 10, 11, 10, 11,
                                                   14, 15, 14, 15);
    const Lanes square = __builtin_shufflevector(ones, own, 0, 1, 18, 19, 4, 5, 22, 23, 8, 9, 26, 27,
                                                 12, 13, 30, 31);
    const Lanes next = own + (variance * (factor * square - kept) + prior);
    const Eight first = firstHalf(next), second = secondHalf(next);
    *at[0] = firstHalf(first);
    *at[1] = secondHalf(first);
    *at[2] = firstHalf(second);
    *at[3] = secondHalf(second);
  }
}

/// The weights of a snapshot.
MILLRACE_INLINE void writeWeights(const Ferns &ferns, Two *result) {
  for (size_t i = 0; i < ferns.cellCount(); i++) result[i] = firstHalf(ferns.cells()[i]);
}

#endif
