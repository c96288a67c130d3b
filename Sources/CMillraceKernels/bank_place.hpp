#ifndef MILLRACE_BANK_PLACE_HPP
#define MILLRACE_BANK_PLACE_HPP

#include "bank_head.hpp"

/// Whether the wide group earns its place.
///
/// It falls asleep when its weight in the mixtures has been negligible for some thousand records,
/// and is woken for one block in many to prove itself; it may go on while its weight doubles from
/// block to block. Asleep, its experts keep their weights as specialists do (Freund et al. 1997):
/// the others share what is left. Decided by record number.
struct WidePlace {
  static const uint64_t blockRows = 64;
  static constexpr float negligible = .05f;

  Head head;
  /// How many times the group costs what 64 inputs do; at least 1. Dear groups must be quicker to
  /// prove themselves, and are asked less often.
  float cost;

  WidePlace(const Head &head, size_t width) : head(head) {
    const float relative = static_cast<float>(width) / 64;
    cost = relative > 1 ? relative * relative : 1;
  }

  /// The running mean of the group's weight, whether it is awake, its weight a block ago.
  float &record() const { return state(0); }
  float &awake() const { return state(1); }
  float &lastWeight() const { return state(2); }
  float &state(int index) const {
    return reinterpret_cast<float *>(head.row + MILLRACE_HEAD_WIDE)[index];
  }

  void start(bool isWide) const {
    record() = .5f / cost;
    setAwake(isWide);
  }

  /// To be called when so many records were learnt; `mustStay` keeps the group awake.
  void review(uint64_t rowCount, bool mustStay) const {
    if (rowCount % blockRows != 0) return;
    const uint64_t probation = static_cast<uint64_t>(32 * cost);
    bool next = mustStay || rowCount / blockRows % probation == 0;
    const float weight = groupWeight(awake() ? MILLRACE_HEAD_MIXTURE + 2 : MILLRACE_HEAD_ASLEEP,
                                     awake() ? Head::vectors : 1);
    if (awake()) {
      record() += (weight - record()) * (weight > record() ? .25f : 1.0f / 16);
      next |= record() >= negligible || weight > 2 * lastWeight();
    }
    lastWeight() = weight;
    if (next == (awake() > 0)) return;
    for (int k = 0; k < Head::mixtures; k++) {
      Lanes *mixture = head.row + MILLRACE_HEAD_MIXTURE + k * Head::vectors;
      Lanes &asleep = head.row[MILLRACE_HEAD_ASLEEP + k];
      if (!next) asleep = mixture[Head::vectors - 1];
      const float others = 1.0f - sum(front(asleep));
      for (int v = 0; v + 1 < Head::vectors; v++) mixture[v] *= next ? others : 1.0f / others;
      mixture[Head::vectors - 1] = next ? asleep : Lanes{};
    }
    setAwake(next);
  }

 private:
  /// The weight of all mixtures together in lanes 0 to 7 of rows that are `stride` apart.
  float groupWeight(int firstRow, int stride) const {
    float weight = 0;
    for (int k = 0; k < Head::mixtures; k++)
      weight += head.top()[k] * sum(front(head.row[firstRow + k * stride]));
    return weight;
  }

  /// Those who are awake share the prior.
  void setAwake(bool isAwake) const {
    awake() = isAwake;
    const Lanes each = Lanes{} + (isAwake ? 1.0f / 40 : 1.0f / 32);
    for (int v = 0; v + 1 < Head::vectors; v++) head.row[MILLRACE_HEAD_PRIOR + v] = each;
    const Lanes none = {};
    head.row[MILLRACE_HEAD_PRIOR + 2] =
        isAwake ? __builtin_shufflevector(each, none, 0, 1, 2, 3, 4, 5, 6, 7, 16, 16, 16, 16, 16,
                                          16, 16, 16)
                : none;
  }
};

#endif
