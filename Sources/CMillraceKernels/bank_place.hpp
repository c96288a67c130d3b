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
  /// Records from one snapshot of a horizon to the next.
  float lengths[MILLRACE_BANK_HORIZONS];
  float unusedLengths[2];
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
    const float leastPause = 32, mostPause = 64;
    *state = {.5f / cost, float(isWide), 0, leastPause, Four{} + variance,
              .05f, leastPause, mostPause, 0, {1024, 4096}, {}};
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

  /// Whether a horizon's block starts at a record: at powers of 2 until the horizon's length is
  /// reached.
  bool startsBlock(int horizon, uint64_t record) const {
    const uint64_t length = atLeast(Horizon::lateBlocks, state->lengths[horizon]);
    if (record < length) return record >= Horizon::firstBlock && (record & (record - 1)) == 0;
    return record % Horizon::lateBlocks == 0 &&
           record / length > (record - Horizon::lateBlocks) / length;
  }

 private:
  /// A number as it was read, whatever that was.
  static uint64_t atLeast(uint64_t least, float number) {
    return number > least && number < 1e18f ? static_cast<uint64_t>(number) : least;
  }
};

#endif
