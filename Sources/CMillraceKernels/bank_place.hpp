#ifndef MILLRACE_BANK_PLACE_HPP
#define MILLRACE_BANK_PLACE_HPP

#include "bank_horizon.hpp"

/// What is decided by record number: a row of 16 floats.
struct PlaceState {
  /// The running mean of the wide group's weight, whether it is awake, its weight a block ago, and
  /// the blocks from one trial to the next.
  float record, isAwake, lastWeight, pause;
  /// The running mean of s/|z|² of each filter: what stands for s where no label comes, when the
  /// covariance is too wide to be asked for each record.
  Four spread;
  /// A weight below this is negligible.
  float leastWeight;
  /// The least and the most blocks from one trial to the next.
  float leastPause, mostPause;
  float unused;
  /// Records from one snapshot of a horizon to the next, and from one that it scores to the next.
  float lengths[MILLRACE_BANK_HORIZONS], intervals[MILLRACE_BANK_HORIZONS];
};

/// Whether the wide group earns its place.
///
/// It falls asleep when its weight in the mixtures has been negligible for some thousand records,
/// and is woken for one block in many to prove itself; it may go on while its weight doubles from
/// block to block. Once it has failed it is asked half as often, until it earns its place. Decided
/// by record number.
struct WidePlace {
  static const uint64_t blockRows = 64;

  PlaceState *state;
  /// The group's inputs; 0 for none.
  size_t width;
  /// How many times the group costs what 90 inputs do; at least 1. Dear groups must be quicker to
  /// prove themselves, and are asked less often.
  float cost;

  /// `row` is 16 floats of state.
  WidePlace(Lanes *row, size_t width) : state(reinterpret_cast<PlaceState *>(row)), width(width) {
    const float relative = static_cast<float>(width) / 90;
    cost = relative > 1 ? relative * relative : 1;
  }

  /// Never where there is no such group, whatever was read.
  bool isAwake() const { return width > 0 && state->isAwake > 0; }

  /// - `variance`: of each of the group's weights, before anything is learnt.
  void start(bool isWide, float variance) const {
    // The intervals are primes: every hour of the day and every day of the week is seen.
    const float leastPause = 32, mostPause = 64;
    *state = {.5f / cost, float(isWide), 0, leastPause, Four{} + variance,
              .05f, leastPause, mostPause, 0, {1024, 4096}, {37, 61}};
  }

  /// Whether the group should fall asleep or wake now that so many records are learnt. `mustStay`
  /// keeps it awake.
  template <int rows>
  bool changes(const Mixtures<rows> &mixtures, uint64_t rowCount, bool mustStay) const {
    if (rowCount % blockRows != 0) return false;
    const float weight = mixtures.wideWeight(isAwake());
    const uint64_t pause = atLeast(1, state->pause * cost);
    bool next = mustStay || rowCount / blockRows % pause == 0;
    if (isAwake()) {
      state->record += (weight - state->record) * (weight > state->record ? .25f : 1.0f / 16);
      const bool isWorth = state->record >= state->leastWeight;
      next |= isWorth || weight > 2 * state->lastWeight;
      if (isWorth) state->pause = state->leastPause;
      else if (!next && 2 * state->pause <= state->mostPause) state->pause *= 2;
    }
    state->lastWeight = weight;
    return next != isAwake();
  }

  void setAwake(bool isAwake) const { state->isAwake = isAwake; }

  Four &spread() const { return state->spread; }

  /// Records from one that a horizon scores to the next: at first each is scored, then more of them
  /// than later.
  uint64_t interval(int horizon, uint64_t record) const {
    if (record < 256) return 1;
    const uint64_t late = atLeast(1, state->intervals[horizon]), early = (2 * late + 3) / 7;
    return record >= 65536 ? late : early > 0 ? early : 1;
  }

  /// Whether a horizon's block starts at a record: at powers of 2 until the horizon's length is
  /// reached.
  bool startsBlock(int horizon, uint64_t record) const {
    const uint64_t length = atLeast(Horizon::lateBlocks, state->lengths[horizon]);
    if (record < length) return record >= Horizon::firstBlock && (record & (record - 1)) == 0;
    return record % Horizon::lateBlocks == 0 &&
           record / length > (record - Horizon::lateBlocks) / length;
  }
};

/// The records that horizons score, found without a division for each. It holds while intervals are
/// what they are at its first record: they change at multiples of the first block's length.
struct HorizonTurns {
  uint64_t next[Horizon::count], interval[Horizon::count];

  /// - `record`: the first that will be asked for.
  HorizonTurns(const WidePlace &place, uint64_t record) {
    if (record < Horizon::firstBlock) record = Horizon::firstBlock;
    for (int h = 0; h < Horizon::count; h++) {
      interval[h] = place.interval(h, record);
      next[h] = record + (interval[h] + h % interval[h] - record % interval[h]) % interval[h];
    }
  }

  /// Whether a record is scored; records are asked for in order, and may be left out.
  MILLRACE_MEMBER bool isNow(int horizon, uint64_t record) {
    while (next[horizon] < record) next[horizon] += interval[horizon];
    return next[horizon] == record;
  }
};

#endif
