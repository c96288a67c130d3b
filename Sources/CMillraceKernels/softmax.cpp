#include "softmax.h"

#include <cstring>

#include "bank_horizon.hpp"
#include "clones.h"
#include "softmax_head.hpp"

namespace {

MILLRACE_INLINE void readRow(SoftmaxExperts &experts, const millrace_bank_basis &basis,
                             const float *row) {
  readInputs(row, experts.d, experts.z);
  if (!experts.isAwake) return;
  if (experts.ferns.saysAny()) order(basis.ferns, experts.z, experts.d - 1, experts.fernRoom);
  expand(basis, experts.z, experts.wide.inputs);
  if (experts.ferns.saysAny()) findCells(basis.ferns, experts.fernRoom);
}

/// The mean over the horizons: nobody says how long no label will come.
MILLRACE_INLINE void writeFrozen(const SoftmaxHead &head, const SoftmaxExperts &experts,
                                 float *probabilities) {
  float total = 0;
  for (size_t k = 0; k < experts.count; k++) {
    const ClassForecast &said = experts.said[k];
    const Experts<1> own = given(said.expert, said.further);
    probabilities[k] = 0;
    for (int h = 0; h < Horizon::count; h++) probabilities[k] += forecast(head.horizon(h), own).top;
    total += probabilities[k];
  }
  for (size_t k = 0; k < experts.count; k++) probabilities[k] /= total;
}

/// Scores the horizons' snapshots on the record that `experts` hold.
MILLRACE_INLINE void learnHorizons(const SoftmaxHead &head, const SoftmaxExperts &experts,
                                   HorizonTurns &turns, uint64_t record, size_t label,
                                   float weight, Four wideSpread) {
  for (int h = 0; h < Horizon::count; h++) {
    if (!turns.isNow(h, record)) continue;
    const Experts<1> own = snapshotGiven(experts, h, label, wideSpread);
    learn(head.horizon(h), forecast(head.horizon(h), own), own, true, weight, turns.worth[h]);
  }
}

/// Between two records, `record` of which are learnt. By value: what is referred to is not kept in
/// registers.
void finishBlock(SoftmaxExperts experts, WidePlace place, uint64_t record, size_t context) {
  hold(experts.filters, record);
  if (experts.isAwake) hold(experts.wideFilters, record);
  for (int h = 0; h < Horizon::count; h++) {
    if (!place.startsBlock(h, record)) continue;
    Four total = {};
    for (size_t k = 0; k < experts.count; k++) total += counted(experts, k, context);
    for (size_t k = 0; k < experts.count; k++) {
      const ClassRows rows = experts.rows(k);
      Lanes *snapshot = rows.snapshot(h);
      *reinterpret_cast<Four *>(snapshot) = counted(experts, k, context) / total;
      memcpy(snapshot + 1, rows.weights(), experts.d * sizeof(Lanes));
      if (!experts.isAwake) continue;
      memcpy(snapshot + 1 + experts.d, rows.wideMean(), experts.wideFilters.d * sizeof(Four));
      const SoftmaxFerns &ferns = experts.ferns;
      if (ferns.saysAny())
        memcpy(ferns.snapshot(k, h), ferns.weights(k), ferns.cellCount() * sizeof(float));
    }
  }
}

/// Lets the wide group fall asleep or wake, when `record` records are learnt. Returns whether it is
/// awake.
bool changePlace(const millrace_softmax_bank &bank, SoftmaxHead head, WidePlace place,
                 uint64_t record) {
  if (!bank.wide || !place.changes(head.mixtures(), record, bank.basis.mustStay))
    return place.isAwake();
  const bool isAwake = !place.isAwake();
  place.setAwake(isAwake);
  head.mixtures().setAwake(isAwake);
  for (int h = 0; h < Horizon::count; h++) head.horizon(h).setAwake(isAwake);
  return isAwake;
}

}  // namespace

MILLRACE_CLONES
void millrace_softmax_predict(const millrace_softmax_bank *bank, float *room, const float *rows,
                              size_t count, size_t stride, bool isFrozen, float *probabilities) {
  SoftmaxExperts experts(*bank, room);
  const SoftmaxHead head = {reinterpret_cast<Lanes *>(bank->head)};
  const WidePlace place = head.place(experts.wideFilters.d);
  experts.isAwake = place.isAwake();
  const size_t context = bank->lastClass % MILLRACE_SOFTMAX_CONTEXTS;
  for (size_t i = 0; i < count; i++) {
    float *own = probabilities + i * bank->classCount;
    readRow(experts, bank->basis, rows + i * stride);
    if (isFrozen) {
      forecast<false, true>(experts, context, place.spread());
      writeFrozen(head, experts, own);
    } else {
      forecast<false>(experts, context);
      forecast(head, experts, own);
    }
  }
}

MILLRACE_CLONES
void millrace_softmax_learn(const millrace_softmax_bank *bank, float *room, const float *rows,
                            size_t count, size_t stride, const int32_t *labels,
                            const float *weights, float *probabilities) {
  SoftmaxExperts experts(*bank, room);
  const SoftmaxHead head = {reinterpret_cast<Lanes *>(bank->head)};
  const WidePlace place = head.place(experts.wideFilters.d);
  experts.isAwake = place.isAwake();
  size_t context = bank->lastClass % MILLRACE_SOFTMAX_CONTEXTS;
  HorizonTurns turns(place, bank->rowCount);
  for (size_t i = 0; i < count; i++) {
    const uint64_t record = bank->rowCount + i;
    if (record % Horizon::firstBlock == 0) turns = HorizonTurns(place, record);
    float *own = probabilities + i * bank->classCount;
    readRow(experts, bank->basis, rows + i * stride);
    forecast<true>(experts, context);
    const float weight = limitedWeight(weights[i]);
    const size_t label = labels[i];
    // The experts learn before the head answers: the next record need not wait for the head.
    if (weight > 0) {
      learnNarrow(experts, label, context, weight);
      if (experts.isAwake) {
        learnWide(experts, label, weight, place.spread());
        if (experts.ferns.saysAny()) learnFerns(experts, label, weight);
      }
      context = label % MILLRACE_SOFTMAX_CONTEXTS;
    } else {
      settle<8>(experts.filters);
      if (experts.isAwake) settle<4>(experts.wideFilters);
    }
    forecast(head, experts, own);
    if (weight > 0) {
      learn(head, experts, label, own[label], weight);
      learnHorizons(head, experts, turns, record, label, weight, place.spread());
    }
    const uint64_t learnt = record + 1;
    experts.isAwake = changePlace(*bank, head, place, learnt);
    // Every block's start is a multiple of the first block's length.
    if (learnt % 16 == 0) finishBlock(experts, place, learnt, context);
  }
}
