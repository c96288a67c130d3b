#include "bank.h"

#include <algorithm>
#include <cstring>

#include "bank_inputs.hpp"
#include "bank_parts.hpp"
#include "clones.h"

namespace {

/// Room for one record: its inputs, and u = Cz of each group.
struct Workspace {
  float *z;
  Eight *u;
  WideRoom wide;
  FernRoom ferns;
};

/// What the experts say of a record before it is turned into probabilities.
struct Margins {
  Projection<8> filters;
  Eight rates;
};

/// What ferns say of a record.
struct FernForecast {
  FernSums sums;
  Two kappa;
  Sigmoids<2> label;
};

struct GroupForecasts {
  Forecast<8> filters;
  Sigmoids<8> rates;
  Forecast<4> wide;
  FernForecast ferns;
};

/// What filters and cheap experts say, in one row.
MILLRACE_INLINE Sigmoids<16> narrowExperts(Sigmoids<8> filters, Sigmoids<8> rates) {
  return clampedProbabilities<16>({joined(filters.yes, rates.yes), joined(filters.no, rates.no)});
}

/// What the wide group says, in a row of eight experts, the rest of which say nothing.
MILLRACE_INLINE Sigmoids<8> wideExperts(Sigmoids<4> filters, Sigmoids<2> ferns) {
  const Two nothing = Two{} + .5f;
  return clampedProbabilities<8>({joined(filters.yes, joined(ferns.yes, nothing)),
                                  joined(filters.no, joined(ferns.no, nothing))});
}

/// What ferns say of a record. `filters`: the logits of the wide group's.
MILLRACE_INLINE Sigmoids<2> fernLabels(const Ferns &ferns, Two margin, Two kappa, Four filters) {
  if (ferns.basis.count == 0) return {Two{} + .5f, Two{} + .5f};
  return sigmoids<2>(kappa * (margin + Two{0, filters[MILLRACE_FERN_FILTER]}));
}

/// The wide group where no label comes.
///
/// - `mean`, `margin`: of its filters and its ferns.
/// - `kappa`: of its ferns.
MILLRACE_INLINE Sigmoids<8> frozenWide(const BankParts &parts, Four spread, const Four *mean,
                                       Two margin, Two kappa, const Workspace &space) {
  const WideFilters &filters = parts.experts.wide;
  const Four logit = shrinkage<4>(spread * space.wide.squaredLength(filters.d)) *
                     space.wide.dot(mean, filters.d);
  return wideExperts(withNoise<4>(filters, sigmoids<4>(logit)),
                     fernLabels(parts.ferns, margin, kappa, logit));
}

MILLRACE_INLINE void readRow(const BankParts &parts, bool isAwake, const float *row,
                             const Workspace &space) {
  readInputs(row, parts.bank.columns, space.z);
  if (!isAwake) return;
  order(parts.ferns.basis, space.z, parts.bank.columns - 1, space.ferns);
  expand(parts.bank.basis, space.z, space.wide.inputs);
  findCells(parts.ferns.basis, space.ferns);
}

template <bool commit>
MILLRACE_INLINE void project(const BankParts &parts, bool isAwake, const Workspace &space,
                             Margins &margins, GroupForecasts &groups) {
  withInputs(parts.bank.columns, [&](auto inputs) __attribute__((always_inline)) {
    const ExpertParts own = parts.experts.with(inputs.count);
    margins.filters = project<8, commit, inputs.known>(own.filters, space.z, space.u);
    margins.rates = dot<8>(own.rates.weights(), space.z, inputs.count);
  });
  if (isAwake) {
    groups.ferns.sums = project(parts.ferns, space.ferns.cells);
    groups.ferns.kappa = shrinkage<2>(groups.ferns.sums.variance);
    groups.wide = forecast<4, commit>(parts.experts.wide, space.wide.inputs, space.wide.u);
  }
}

/// - `means`: what the running means say.
MILLRACE_INLINE void answer(const BankParts &bank, const Eight &means, bool isAwake,
                            const Margins &margins, GroupForecasts &groups, Experts<1> &experts) {
  const ExpertParts &parts = bank.experts;
  const Eight kappa = shrinkage<8>(margins.filters.variance);
  const Sigmoids<16> said = sigmoids<16>(joined(kappa * margins.filters.margin, margins.rates));
  const Sigmoids<8> filters = {firstHalf(said.yes), firstHalf(said.no)};
  groups.filters = {margins.filters.variance, kappa, filters, withNoise<8>(parts.filters, filters)};
  groups.rates = withMeans(parts.rates, means, {secondHalf(said.yes), secondHalf(said.no)});
  experts.narrow[0] = narrowExperts(groups.filters.label, groups.rates);
  experts.isAwake = isAwake;
  if (!isAwake) return;
  FernForecast &ferns = groups.ferns;
  ferns.label = fernLabels(bank.ferns, ferns.sums.margin, ferns.kappa, groups.wide.logit);
  experts.wide = wideExperts(groups.wide.label, ferns.label);
}

/// The mean over the horizons: nobody says how long no label will come.
MILLRACE_INLINE float frozenProbability(const BankParts &parts,
                                        const FrozenCalibrations &calibrations,
                                        const Experts<1> &experts) {
  FrozenCalibrations::F mixtures;
  for (int h = 0; h < Horizon::count; h++)
    mixtures[h] = forecast(parts.horizon(h).mixtures(), experts).top;
  const FrozenCalibrations::F each = calibrations.probabilities(mixtures);
  float total = 0;
  for (int h = 0; h < Horizon::count; h++) total += each[h];
  return clampedProbability<1>(Vector<float, 1>{} + total / Horizon::count)[0];
}

void takeSnapshots(const BankParts &parts, uint64_t record) {
  for (int h = 0; h < Horizon::count; h++) {
    if (!parts.place.startsBlock(h, record)) continue;
    const ExpertParts &experts = parts.experts;
    const Snapshot snapshot = parts.snapshot(h);
    memcpy(snapshot.filters, experts.filters.mean(), experts.filters.d * sizeof(Eight));
    memcpy(snapshot.rates, experts.rates.weights(), experts.rates.d * sizeof(Eight));
    writeLongRunMeans(experts.rates, *snapshot.averages);
    if (!parts.place.isAwake()) continue;
    memcpy(snapshot.wide, experts.wide.mean(), experts.wide.d * sizeof(Four));
    writeWeights(parts.ferns, snapshot.ferns);
  }
}

/// Between two blocks or batches, when `record` records are learnt.
void finishBlock(const BankParts &parts, uint64_t record) {
  // Every block's start is a multiple of the first block's length.
  if (record % 16 != 0) return;
  if (parts.bank.wide && parts.place.changes(parts.head.mixtures(), record,
                                             parts.bank.basis.mustStay)) {
    const bool isAwake = !parts.place.isAwake();
    parts.place.setAwake(isAwake);
    parts.head.mixtures().setAwake(isAwake);
    for (int h = 0; h < Horizon::count; h++) parts.horizon(h).mixtures().setAwake(isAwake);
  }
  hold(parts.experts.filters, record);
  if (parts.place.isAwake()) hold(parts.experts.wide, record);
  hold(parts.head.filters(), record);
  takeSnapshots(parts, record);
}

}  // namespace

MILLRACE_CLONES
void millrace_bank_predict(const millrace_bank *bank, const float *rows, size_t count,
                           size_t stride, bool isFrozen, double *probabilities) {
  const BankParts parts(*bank);
  const bool isAwake = parts.place.isAwake();
  float z[bank->columns];
  Eight u[bank->columns];
  // A length of 0 is not allowed.
  const size_t width = WideFilters::padded(parts.experts.wide.d) + 4;
  alignas(64) float wideInputs[width];
  alignas(64) Four wideU[width];
  memset(wideInputs, 0, sizeof wideInputs);
  int32_t cells[parts.ferns.basis.count + 1];
  float ordered[bank->columns + 15];
  const Workspace space = {z, u, {wideInputs, wideU}, {ordered, cells}};
  Margins margins;
  GroupForecasts groups;
  Experts<1> experts;
  HeadForecast head;
  FrozenCalibrations calibrations;
  Eight means = parts.experts.rates.row[MILLRACE_RATES_AVERAGE];
  if (isFrozen) {
    for (int h = 0; h < Horizon::count; h++) calibrations.set(h, parts.horizon(h).calibration());
    writeLongRunMeans(parts.experts.rates, means);
  }
  for (size_t i = 0; i < count; i++) {
    readRow(parts, isAwake, rows + i * stride, space);
    if (isFrozen) {
      project<false>(parts, false, space, margins, groups);
      answer(parts, means, false, margins, groups, experts);
      experts.isAwake = isAwake;
      if (isAwake) {
        const FernSums ferns = project(parts.ferns, cells);
        experts.wide = frozenWide(parts, parts.place.spread(), parts.experts.wide.mean(),
                                  ferns.margin, shrinkage<2>(ferns.variance), space);
      }
      probabilities[i] = frozenProbability(parts, calibrations, experts);
    } else {
      project<false>(parts, isAwake, space, margins, groups);
      answer(parts, means, isAwake, margins, groups, experts);
      mix(parts.head, experts, head);
      project<false>(parts.head, isAwake, head);
      answer(parts.head, head);
      probabilities[i] = head.probability;
    }
  }
}

MILLRACE_CLONES
void millrace_bank_expand(const millrace_bank_basis *basis, const float *rows, size_t count,
                          size_t stride, float *out, size_t outStride) {
  for (size_t i = 0; i < count; i++) expand(*basis, rows + i * stride, out + i * outStride);
}

MILLRACE_CLONES
void millrace_bank_score(const float *rows, size_t count, size_t columns, size_t stride,
                         const float *residuals, float *scores, float *squares) {
  for (size_t i = 0; i < count; i++) {
    const float *row = rows + i * stride, residual = residuals[i];
    for (size_t j = 0; j < columns; j++) {
      const float own = residual * row[j];
      scores[j] += own;
      squares[j] += own * own;
    }
  }
}

namespace {

/// A record that the experts have answered, and the head has yet to.
struct Pending {
  Workspace space;
  GroupForecasts groups;
  Experts<1> experts;
  bool label;
  float weight;
  /// `WidePlace::spread` when the experts had learnt the record.
  Four spread;
};

/// The step of an extended Kalman filter for a label.
MILLRACE_INLINE void learn(const Ferns &ferns, const FernForecast &forecast, const int32_t *cells,
                           bool label, float weight) {
  const Two h = weight * forecast.label.yes * forecast.label.no;
  const Two left = 1.0f / (1.0f + forecast.sums.variance * h);
  const Two error = label ? forecast.label.no : -forecast.label.yes;
  step(ferns, cells, weight * error * left, h * left);
}

MILLRACE_INLINE void learnExperts(const BankParts &parts, Pending &pending) {
  const ExpertParts &experts = parts.experts;
  const bool isAwake = pending.experts.isAwake;
  if (pending.weight > 0) {
    withInputs(parts.bank.columns, [&](auto inputs) __attribute__((always_inline)) {
      const ExpertParts own = experts.with(inputs.count);
      learn<8>(own.filters, pending.groups.filters, pending.space.u, pending.label, pending.weight);
      learn(own.rates, pending.groups.rates, pending.space.z, pending.label, pending.weight);
    });
    if (isAwake) {
      const WideRoom &room = pending.space.wide;
      learn<4>(experts.wide, pending.groups.wide, room.u, pending.label, pending.weight);
      room.learnSpread(parts.place.spread(), pending.groups.wide.variance, experts.wide.d);
      if (parts.ferns.basis.count > 0)
        learn(parts.ferns, pending.groups.ferns, pending.space.ferns.cells, pending.label,
              pending.weight);
    }
  } else {
    settle<8>(experts.filters);
    if (isAwake) settle<4>(experts.wide);
  }
  pending.spread = parts.place.spread();
}

/// What the experts would say with the weights of a snapshot, and the variances of now.
MILLRACE_INLINE Experts<1> forecast(const Snapshot &snapshot, const BankParts &bank,
                                    const Pending &pending) {
  const ExpertParts &parts = bank.experts;
  const Workspace &space = pending.space;
  const size_t d = parts.filters.d;
  const Sigmoids<16> said =
      sigmoids<16>(joined(pending.groups.filters.kappa * dot<8>(snapshot.filters, space.z, d),
                          dot<8>(snapshot.rates, space.z, d)));
  Experts<1> result;
  result.narrow[0] = narrowExperts(
      withNoise<8>(parts.filters, {firstHalf(said.yes), firstHalf(said.no)}),
      withMeans(parts.rates, *snapshot.averages, {secondHalf(said.yes), secondHalf(said.no)}));
  result.isAwake = pending.experts.isAwake;
  if (result.isAwake)
    result.wide = frozenWide(bank, pending.spread, snapshot.wide,
                             total(snapshot.ferns, space.ferns.cells, bank.ferns.basis.count),
                             pending.groups.ferns.kappa, space);
  return result;
}

MILLRACE_INLINE void learnHead(const BankParts &parts, const Pending &pending,
                               const HeadForecast &head, uint64_t record, HorizonTurns &turns) {
  if (!(pending.weight > 0)) return settle<4>(parts.head.filters());
  learn(parts.head, head, pending.experts, pending.label, pending.weight);
  for (int h = 0; h < Horizon::count; h++) {
    if (!turns.isNow(h, record)) continue;
    const Horizon horizon = parts.horizon(h);
    const Experts<1> experts = forecast(parts.snapshot(h), parts, pending);
    learn(horizon, forecast(horizon, experts), experts, pending.label, pending.weight,
          turns.worth[h]);
  }
}

}  // namespace

MILLRACE_CLONES
void millrace_bank_learn(const millrace_bank *bank, const float *rows, size_t count, size_t stride,
                         const double *labels, const float *weights, double *probabilities) {
  const BankParts parts(*bank);
  float z[2][bank->columns];
  Eight u[bank->columns];
  // A length of 0 is not allowed.
  const size_t width = WideFilters::padded(parts.experts.wide.d) + 4;
  alignas(64) float wideInputs[2][width];
  alignas(64) Four wideU[width];
  memset(wideInputs, 0, sizeof wideInputs);
  Margins margins;
  HeadForecast head;
  int32_t cells[2][parts.ferns.basis.count + 1];
  float ordered[bank->columns + 15];
  Pending records[2];
  for (int k = 0; k < 2; k++)
    records[k].space = {z[k], u, {wideInputs[k], wideU}, {ordered, cells[k]}};
  size_t i = 0;
  while (i < count) {
    // The head answers one record behind the experts, and both step by step in turns: neither needs
    // the other, so that the processor works on one while it waits for the other. They are even
    // again where a block ends.
    const uint64_t first = bank->rowCount + i;
    const size_t end = std::min(count, i + Horizon::rowsToBlockEnd(first));
    const bool isAwake = parts.place.isAwake();
    HorizonTurns turns(parts.place, first);
    for (size_t start = i; i <= end; i++) {
      Pending &now = records[i % 2], &before = records[(i + 1) % 2];
      if (i > start) mix(parts.head, before.experts, head);
      if (i < end) {
        now.label = labels[i] > .5;
        now.weight = limitedWeight(weights[i]);
        readRow(parts, isAwake, rows + i * stride, now.space);
        project<true>(parts, isAwake, now.space, margins, now.groups);
      }
      if (i > start) project<true>(parts.head, isAwake, head);
      if (i < end)
        answer(parts, parts.experts.rates.row[MILLRACE_RATES_AVERAGE], isAwake, margins, now.groups,
               now.experts);
      if (i > start) {
        answer(parts.head, head);
        probabilities[i - 1] = head.probability;
      }
      if (i < end) learnExperts(parts, now);
      if (i > start) learnHead(parts, before, head, bank->rowCount + i - 1, turns);
    }
    i = end;
    finishBlock(parts, bank->rowCount + i);
  }
}
