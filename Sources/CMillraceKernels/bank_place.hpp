#ifndef MILLRACE_BANK_PLACE_HPP
#define MILLRACE_BANK_PLACE_HPP

#include "bank_mixtures.hpp"

/// Whether the wide group earns its place.
///
/// It falls asleep when its weight in the mixtures has been negligible for some thousand records,
/// and is woken for one block in many to prove itself; it may go on while its weight doubles from
/// block to block. Once it has failed it is asked half as often, until it earns its place. Decided
/// by record number.
struct WidePlace {
  static const uint64_t blockRows = 64;
  static constexpr float negligible = .05f;
  /// The least and the most blocks from one trial to the next.
  static constexpr float soon = 32, late = 64;

  float *row;
  /// The group's inputs; 0 for none.
  size_t width;
  /// How many times the group costs what 90 inputs do; at least 1. Dear groups must be quicker to
  /// prove themselves, and are asked less often.
  float cost;

  /// `row` is 16 floats of state.
  WidePlace(Lanes *row, size_t width)
      : row(reinterpret_cast<float *>(row)), width(width) {
    const float relative = static_cast<float>(width) / 90;
    cost = relative > 1 ? relative * relative : 1;
  }

  /// Never where there is no such group, whatever was read.
  bool isAwake() const { return width > 0 && state(1) > 0; }

  /// - `variance`: of each weight, before anything is learnt.
  void start(bool isWide, float variance) const {
    spread() = Four{} + variance;
    record() = .5f / cost;
    state(1) = isWide;
    pause() = soon;
  }

  /// Whether the group should fall asleep or wake now that so many records are learnt. `mustStay`
  /// keeps it awake.
  template <int rows>
  bool changes(const Mixtures<rows> &mixtures, uint64_t rowCount, bool mustStay) const {
    if (rowCount % blockRows != 0) return false;
    const uint64_t probation = static_cast<uint64_t>(pause() * cost);
    bool next = mustStay || rowCount / blockRows % probation == 0;
    const float weight = mixtures.wideWeight(isAwake());
    if (isAwake()) {
      record() += (weight - record()) * (weight > record() ? .25f : 1.0f / 16);
      const bool isWorth = record() >= negligible;
      next |= isWorth || weight > 2 * lastWeight();
      if (isWorth) pause() = soon;
      else if (!next && pause() < late) pause() *= 2;
    }
    lastWeight() = weight;
    return next != isAwake();
  }

  void setAwake(bool isAwake) const { state(1) = isAwake; }

  /// The running mean of s/|z|² of each filter: what stands for s where no label comes, when the
  /// covariance is too wide to be asked for each record.
  Four &spread() const { return reinterpret_cast<Four *>(row)[1]; }

 private:
  /// The running mean of the group's weight, its weight a block ago, and the blocks from one trial
  /// to the next.
  float &record() const { return state(0); }
  float &lastWeight() const { return state(2); }
  float &pause() const { return state(3); }
  float &state(int index) const { return row[index]; }
};

#endif
