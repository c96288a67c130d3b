#include "bank.h"

#include <cstring>

#include "bank_parts.hpp"
#include "clones.h"

namespace {

/// Inputs beyond this would overflow what is squared of them; a `StandardScaler` stays far below.
const float inputLimit = 100;
/// A record counts at most like so many.
const float weightLimit = 100;

/// Room for one record: its inputs, and u = Cz of each group.
struct Workspace {
  float *z;
  Lanes *u;
  WideRoom wide;
};

struct GroupForecasts {
  Forecast<16> filters;
  Forecast<4> wide;
};

/// What the wide group says, in a row of eight experts, the rest of which say nothing.
MILLRACE_INLINE Sigmoids<8> wideExperts(Sigmoids<4> label) {
  const Sigmoids<4> own = clampedProbabilities<4>(label);
  return {joined(own.yes, Four{} + .5f), joined(own.no, Four{} + .5f)};
}

/// The wide group where no label comes.
MILLRACE_INLINE Sigmoids<8> frozenWide(const BankParts &parts, const Four *mean,
                                       const WideRoom &room) {
  const WideFilters &filters = parts.experts.wide;
  const Four kappa = shrinkage<4>(parts.place.spread() * room.squaredLength(filters.d));
  return wideExperts(withNoise<4>(filters, sigmoids<4>(kappa * room.dot(mean, filters.d))));
}

MILLRACE_INLINE void readRow(const BankParts &parts, bool isAwake, const float *row,
                             const Workspace &space) {
  for (size_t j = 0; j < parts.bank.columns; j++)
    space.z[j] = row[j] > inputLimit ? inputLimit : row[j] < -inputLimit ? -inputLimit : row[j];
  if (isAwake) expand(parts.bank.basis, space.z, space.wide.inputs);
}

template <bool commit, bool isFrozen = false>
MILLRACE_INLINE void forecast(const BankParts &parts, bool isAwake, const Workspace &space,
                              GroupForecasts &groups, Experts &experts) {
  const Rates &rates = parts.experts.rates;
  const WideFilters &wide = parts.experts.wide;
  groups.filters = forecast<16, commit>(parts.experts.filters, space.z, space.u);
  experts.narrow[0] = clampedProbabilities<16>(groups.filters.label);
  experts.narrow[1] = clampedProbabilities<16>(
      forecast(rates, rates.weights(), rates.row[MILLRACE_RATES_AVERAGE], space.z));
  experts.isAwake = isAwake;
  if (!isAwake) return;
  if constexpr (isFrozen) {
    experts.wide = frozenWide(parts, wide.mean(), space.wide);
  } else {
    groups.wide = forecast<4, commit>(wide, space.wide.inputs, space.wide.u);
    experts.wide = wideExperts(groups.wide.label);
  }
}

/// The mean over the horizons: nobody says how long no label will come.
MILLRACE_INLINE float frozenProbability(const BankParts &parts, const Experts &experts) {
  float total = 0;
  for (int h = 0; h < Horizon::count; h++)
    total += forecast<false>(parts.horizon(h), experts).calibration.label.yes[0];
  const Vector<float, 1> mean = Vector<float, 1>{} + total / Horizon::count;
  return clampedProbability<1>(mean)[0];
}

/// What the experts would say with the weights of a snapshot, and the variances of now.
MILLRACE_INLINE void forecast(const Snapshot &snapshot, const BankParts &parts, bool isAwake,
                              const Workspace &space, const GroupForecasts &now, Experts &experts) {
  const Filters<16> &own = parts.experts.filters;
  const Sigmoids<16> filters =
      sigmoids<16>(now.filters.kappa * dot<16>(snapshot.filters, space.z, own.d));
  experts.narrow[0] = clampedProbabilities<16>(withNoise<16>(own, filters));
  experts.narrow[1] = clampedProbabilities<16>(
      forecast(parts.experts.rates, snapshot.rates, *snapshot.averages, space.z));
  experts.isAwake = isAwake;
  if (isAwake) experts.wide = frozenWide(parts, snapshot.wide, space.wide);
}

/// Scores the horizons' snapshots on the record that `space` holds.
MILLRACE_INLINE void learnHorizons(const BankParts &parts, uint64_t record, bool isAwake,
                                   const Workspace &space, const GroupForecasts &now, bool label,
                                   float weight) {
  for (int h = 0; h < Horizon::count; h++) {
    if (!Horizon::scores(h, record)) continue;
    Experts experts;
    forecast(parts.snapshot(h), parts, isAwake, space, now, experts);
    learn(parts.horizon(h), forecast<true>(parts.horizon(h), experts), experts, label, weight);
  }
}

void takeSnapshots(const BankParts &parts, uint64_t record) {
  // Every block's start is a multiple of the first block's length.
  if (record % 16 != 0) return;
  for (int h = 0; h < Horizon::count; h++) {
    if (!Horizon::startsBlock(h, record)) continue;
    const ExpertParts &experts = parts.experts;
    const Snapshot snapshot = parts.snapshot(h);
    memcpy(snapshot.filters, experts.filters.mean(), experts.filters.d * sizeof(Lanes));
    memcpy(snapshot.rates, experts.rates.weights(), experts.rates.d * sizeof(Lanes));
    *snapshot.averages = experts.rates.row[MILLRACE_RATES_AVERAGE];
    if (parts.place.isAwake())
      memcpy(snapshot.wide, experts.wide.mean(), experts.wide.d * sizeof(Four));
  }
}

/// Between two records, `record` of which are learnt.
void finishRecord(const BankParts &parts, uint64_t record) {
  if (parts.bank.wide && parts.place.changes(record, parts.bank.basis.mustStay)) {
    const bool isAwake = !parts.place.isAwake();
    parts.place.setAwake(isAwake);
    parts.head.mixtures().setAwake(isAwake);
    for (int h = 0; h < Horizon::count; h++) parts.horizon(h).mixtures().setAwake(isAwake);
  }
  takeSnapshots(parts, record);
}

}  // namespace

MILLRACE_CLONES
void millrace_bank_predict(const millrace_bank *bank, const float *rows, size_t count,
                           size_t stride, bool isFrozen, double *probabilities) {
  const BankParts parts(*bank);
  const bool isAwake = parts.place.isAwake();
  float z[bank->columns];
  Lanes u[bank->columns];
  // A length of 0 is not allowed.
  const size_t width = WideFilters::padded(parts.experts.wide.d) + 4;
  alignas(64) float wideInputs[width];
  alignas(64) Four wideU[width];
  memset(wideInputs, 0, sizeof wideInputs);
  const Workspace space = {z, u, {wideInputs, wideU}};
  GroupForecasts groups;
  Experts experts;
  HeadForecast head;
  for (size_t i = 0; i < count; i++) {
    readRow(parts, isAwake, rows + i * stride, space);
    if (isFrozen) {
      forecast<false, true>(parts, isAwake, space, groups, experts);
      probabilities[i] = frozenProbability(parts, experts);
    } else {
      forecast<false>(parts, isAwake, space, groups, experts);
      forecast<false>(parts.head, experts, head);
      probabilities[i] = head.probability;
    }
  }
}

MILLRACE_CLONES
void millrace_bank_learn(const millrace_bank *bank, const float *rows, size_t count, size_t stride,
                         const double *labels, const float *weights, double *probabilities) {
  const BankParts parts(*bank);
  float z[bank->columns];
  Lanes u[bank->columns];
  // A length of 0 is not allowed.
  const size_t width = WideFilters::padded(parts.experts.wide.d) + 4;
  alignas(64) float wideInputs[width];
  alignas(64) Four wideU[width];
  memset(wideInputs, 0, sizeof wideInputs);
  const Workspace space = {z, u, {wideInputs, wideU}};
  GroupForecasts groups;
  Experts experts;
  HeadForecast head;
  for (size_t i = 0; i < count; i++) {
    const bool isAwake = parts.place.isAwake();
    readRow(parts, isAwake, rows + i * stride, space);
    forecast<true>(parts, isAwake, space, groups, experts);
    // The groups learn first, so that the processor may begin the next record's pass while it
    // still waits for the head.
    const bool label = labels[i] > .5;
    const float weight = weights[i] < weightLimit ? weights[i] : weightLimit;
    if (weight > 0) {
      learn<16>(parts.experts.filters, groups.filters, u, label, weight);
      learn(parts.experts.rates, experts.narrow[1], z, label, weight);
      if (isAwake) {
        learn<4>(parts.experts.wide, groups.wide, wideU, label, weight);
        space.wide.learnSpread(parts.place.spread(), groups.wide.variance, parts.experts.wide.d);
      }
    } else {
      settle<16>(parts.experts.filters);
      if (isAwake) settle<4>(parts.experts.wide);
    }
    forecast<true>(parts.head, experts, head);
    probabilities[i] = head.probability;
    if (weight > 0) {
      learn(parts.head, head, experts, label, weight);
      learnHorizons(parts, bank->rowCount + i, isAwake, space, groups, label, weight);
    } else {
      settle<4>(parts.head.filters());
    }
    finishRecord(parts, bank->rowCount + i + 1);
  }
}
