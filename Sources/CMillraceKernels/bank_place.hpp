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
  /// How many records in a row tell horizons as much as one.
  float likeness;
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

  /// - `variances`: of each filter's weights, before anything is learnt.
  void start(bool isWide, const float (&variances)[4]) const {
    const float leastPause = 32, mostPause = 64;
    *state = {.5f / cost, float(isWide), 0, leastPause,
              {variances[0], variances[1], variances[2], variances[3]},
              .05f, leastPause, mostPause, 8, {1024, 4096}, {37, 61}};
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

  /// A horizon scores one record in so many: at first each, then fewer as there are more.
  uint64_t interval(int horizon, uint64_t record) const {
    const uint64_t late = atLeast(1, state->intervals[horizon]), early = record / 4096;
    return early < 1 ? 1 : early < late ? early : late;
  }

  /// How much a record counts if one in so many is scored. Records near each other have a level in
  /// common, and so has a block's snapshot: if each counted in full, they would be sure of an expert
  /// that was lucky in it.
  float worth(uint64_t interval) const {
    return interval < state->likeness ? interval / state->likeness : 1;
  }

  /// Whether a horizon's block starts at a record, which is a multiple of the first block's length:
  /// until blocks are as long as the horizon, whenever records have doubled; those of the first
  /// horizon half-way to there, too.
  bool startsBlock(int horizon, uint64_t record) const {
    if (record < Horizon::lateBlocks) return record > 0 && (record & (record - 1)) == 0;
    if (record % Horizon::lateBlocks != 0) return false;
    const uint64_t length = atLeast(Horizon::lateBlocks, state->lengths[horizon]);
    const uint64_t early = (uint64_t(1) << (horizon == 0 ? 62 : 63)) >> __builtin_clzll(record);
    if (early < length) return record % early == 0;
    return record / length > (record - Horizon::lateBlocks) / length;
  }
};

/// The records that horizons score, found without a division for each: one of every interval, drawn
/// at random, so that no hour of the day and no day of the week is seen more than others. It holds
/// while intervals are what they are at its first record: they change at multiples of the first
/// block's length.
struct HorizonTurns {
  uint64_t next[Horizon::count], interval[Horizon::count], turn[Horizon::count];
  /// `WidePlace::worth` of the records that are scored.
  float worth[Horizon::count];

  /// - `record`: the first that will be asked for.
  HorizonTurns(const WidePlace &place, uint64_t record) {
    if (record < Horizon::firstBlock) record = Horizon::firstBlock;
    for (int h = 0; h < Horizon::count; h++) {
      interval[h] = place.interval(h, record);
      turn[h] = record / interval[h];
      worth[h] = place.worth(interval[h]);
      draw(h);
    }
  }

  /// Whether a record is scored; records are asked for in order, and may be left out.
  MILLRACE_MEMBER bool isNow(int horizon, uint64_t record) {
    while (next[horizon] < record) {
      turn[horizon]++;
      draw(horizon);
    }
    return next[horizon] == record;
  }

 private:
  MILLRACE_MEMBER void draw(int horizon) {
    // Knuth's multiplicative hash, twice: once would step from hour to hour.
    const uint64_t golden = 0x9E3779B97F4A7C15;
    const uint64_t hash = (turn[horizon] * Horizon::count + horizon + 1) * golden;
    const uint64_t random = (hash ^ hash >> 32) * golden >> 32;
    next[horizon] = turn[horizon] * interval[horizon] + (random * interval[horizon] >> 32);
  }
};

#endif
