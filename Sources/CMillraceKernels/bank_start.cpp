#include <cstring>

#include "bank_parts.hpp"
#include "softmax_head.hpp"

namespace {

/// The fastest first.
const float drifts[8] = {.1f, .005f, .005f, .001f, 4e-4f, 1e-4f, 3e-6f, 0};
const float constantDrifts[8] = {20, 20, .005f, .001f, 4e-4f, 1e-4f, 3e-6f, 0};
const float noises[8] = {0, 0, 0, .05f, 0, 0, 0, 0};
const float softmaxDrifts[8] = {.2f, .1f, .01f, .005f, 1e-3f, 1e-4f, 0, 0};
const float softmaxConstantDrifts[8] = {.2f, 20, .01f, 20, 1e-3f, 1e-4f, 0, 0};
const float softmaxNoises[8] = {.05f, 0, 0, 0, 0, 0, 0, 0};
const float wideDrifts[4] = {.1f, .003f, 0, .001f}, wideNoises[4] = {0, 0, 0, .05f};
const float rates[8] = {.001f, .004f, .016f, .064f};
/// A factor of 10^(2/5) apart.
const float softmaxDescentRates[8] = {.0016f, .004f, .01f, .025f, .063f, .16f, .4f, 1};
const float tableMemories[3] = {.9f, .99f, .995f};
const LastSteps lastSteps = {1e-4f, {5e-4f, 2e-3f, 8e-3f}};
const LastSteps softmaxLastSteps = {5e-4f, {3e-4f, 2e-3f, 8e-3f}};
const float lastDrifts[4] = {0, 1e-6f, 1e-5f, 1e-4f}, noNoise[4] = {};
const float calibrationDrift = 1e-6f;
const float memories[8] = {1, 1, 1, 1, .98f, .9998f, .9f, .95f};

/// The variance of the experts' weights, and of the last layers'. What drifts slowly never forgets
/// what it expected: some lanes expect small weights, and lose less before they know them; where
/// classes are far apart weights are large, which others expect.
const float variances[8] = {3, 3, 3, 3, .5f, 30, 3, .5f};
const float softmaxVariances[8] = {3, 3, 3, 3, 3, 100, 8, .6f};
const float wideVariances[4] = {10, 10, 20, 10};
const float lastVariances[4] = {.05f, .05f, .05f, .05f};
/// The variance is that of all ferns together.
const float fernVariance = 8, fernForgetting = 1e-5f;

}  // namespace

size_t millrace_bank_filters_size(size_t columns) { return 8 * Filters<8>::rowCount(columns); }
size_t millrace_bank_rates_size(size_t columns) { return 8 * Rates<8>::rowCount(columns); }
size_t millrace_bank_head_size(void) { return 16 * MILLRACE_HEAD_ROWS; }
size_t millrace_bank_wide_size(const millrace_bank_basis *basis) {
  return 4 * WideFilters::rowCount(millrace_bank_basis_width(basis));
}
size_t millrace_bank_basis_width(const millrace_bank_basis *basis) {
  const size_t d = basis->columns - 1;
  return d + 2 * d + (basis->pairs ? d * (d - 1) / 2 : 0) + basis->waveCount + 1;
}

size_t millrace_bank_horizons_size(void) {
  return 16 * MILLRACE_HORIZON_ROWS * MILLRACE_BANK_HORIZONS;
}
size_t millrace_ferns_size(const millrace_ferns *ferns) {
  return ferns->count > 0 ? 4 * (1 + ferns->count * Ferns::cellsPerFern) : 0;
}
size_t millrace_bank_snapshot_size(size_t columns, size_t wideColumns, size_t fernCount) {
  return Snapshot::size(columns, wideColumns, fernCount);
}

size_t millrace_filters_direction_row(size_t group, size_t inputs, size_t means) {
  const size_t width = group == 4 ? WideFilters::padded(inputs) : inputs;
  return MILLRACE_FILTERS_MEAN + means * width;
}
size_t millrace_filters_covariance_row(size_t group, size_t inputs, size_t means, size_t i) {
  return millrace_filters_direction_row(group, inputs, means + 1) +
         (group == 4 ? WideFilters::triangle(i) : Filters<1>::triangle(i));
}

void millrace_bank_start(const millrace_bank *bank) {
  const size_t columns = bank->columns;
  memset(bank->filters, 0, millrace_bank_filters_size(columns) * sizeof(float));
  memset(bank->rates, 0, millrace_bank_rates_size(columns) * sizeof(float));
  memset(bank->head, 0, millrace_bank_head_size() * sizeof(float));
  memset(bank->horizons, 0, millrace_bank_horizons_size() * sizeof(float));
  const BankParts parts(*bank);
  memset(bank->snapshots, 0,
         Horizon::count *
             Snapshot::size(columns, parts.experts.wide.d, parts.ferns.basis.count) *
             sizeof(float));
  start(parts.experts.filters, drifts, constantDrifts, noises, variances, 1);
  for (int lane = 0; lane < 8; lane++) {
    parts.experts.rates.row[MILLRACE_RATES_RATE][lane] = rates[lane];
    parts.experts.rates.row[MILLRACE_RATES_MEMORY][lane] = memories[lane];
    parts.experts.rates.row[MILLRACE_RATES_AVERAGE][lane] = .5f;
    parts.experts.rates.row[MILLRACE_RATES_OTHER][lane] = .5f;
    parts.experts.rates.row[MILLRACE_RATES_COUNT][lane] = 1;
    parts.experts.rates.row[MILLRACE_RATES_OTHER_COUNT][lane] = 1;
  }
  const bool isWide = bank->wide;
  if (isWide) {
    memset(bank->wide, 0, millrace_bank_wide_size(&bank->basis) * sizeof(float));
    start(parts.experts.wide, wideDrifts, wideDrifts, wideNoises, wideVariances, 1);
  }
  const int wideExperts = isWide ? 4 + parts.ferns.start(fernForgetting, fernVariance) : 0;

  parts.place.start(isWide, wideVariances);
  parts.head.mixtures().start(wideExperts, 0, usualShares);
  parts.head.steps() = lastSteps;
  for (int k = 0; k < mixtureCount; k++)
    for (int m = 0; m < Head::mixers; m++)
      parts.head.mixtureWeights(m)[k] = 1.0f / mixtureCount;
  parts.head.last() = Vector<float, 8>{} + 1.0f / Head::candidates;
  start(parts.head.filters(), lastDrifts, lastDrifts, noNoise, lastVariances, 1);
  for (int k = 0; k < mixtureCount; k++)
    parts.head.filters().mean()[k] = Vector<float, 4>{} + 1.0f / mixtureCount;

  for (int h = 0; h < Horizon::count; h++) {
    parts.horizon(h).mixtures().start(wideExperts, 0, horizonShares);
    start(parts.horizon(h).calibration(), &calibrationDrift, &calibrationDrift, noNoise,
          lastVariances, 1);
    parts.horizon(h).calibration().mean()[0][0] = 1;
  }
}

size_t millrace_softmax_filters_size(size_t columns) {
  return 8 * Filters<8>::rowCount(columns, 0);
}
size_t millrace_softmax_class_size(size_t columns, size_t wideColumns) {
  return 16 * ClassRows::rowCount(columns, WideFilters::padded(wideColumns));
}
size_t millrace_softmax_wide_size(const millrace_bank_basis *basis) {
  return 4 * WideFilters::rowCount(millrace_bank_basis_width(basis), 0);
}
size_t millrace_softmax_wide_start(size_t columns, size_t wideColumns) {
  return millrace_softmax_class_size(columns, wideColumns) - 4 * WideFilters::padded(wideColumns);
}
size_t millrace_softmax_head_size(void) { return 16 * MILLRACE_SOFTMAX_HEAD_ROWS; }
size_t millrace_softmax_ferns_size(const millrace_ferns *ferns) {
  return ferns->count > 0 ? SoftmaxFerns::size(*ferns) : 0;
}
size_t millrace_softmax_fern_weights_size(const millrace_ferns *ferns) {
  return SoftmaxFerns::weightsSize(*ferns);
}
size_t millrace_softmax_room_size(size_t columns, size_t classCount, size_t wideColumns,
                                  size_t fernCount) {
  return SoftmaxExperts::roomSize(columns, classCount, wideColumns, fernCount);
}

void millrace_softmax_start(const millrace_softmax_bank *bank) {
  memset(bank->filters, 0, millrace_softmax_filters_size(bank->columns) * sizeof(float));
  memset(bank->head, 0, millrace_softmax_head_size() * sizeof(float));
  const Filters<8> filters = {bank->columns, reinterpret_cast<Eight *>(bank->filters), 0};
  start(filters, softmaxDrifts, softmaxConstantDrifts, softmaxNoises, softmaxVariances, 1);
  const bool isWide = bank->wide;
  const size_t width = isWide ? millrace_bank_basis_width(&bank->basis) : 0;
  if (isWide) {
    memset(bank->wide, 0, millrace_softmax_wide_size(&bank->basis) * sizeof(float));
    const WideFilters wide = {width, reinterpret_cast<Four *>(bank->wide), 0};
    start(wide, wideDrifts, wideDrifts, wideNoises, wideVariances, 1);
  }
  const SoftmaxHead head = {reinterpret_cast<Lanes *>(bank->head)};
  for (int lane = 0; lane < 8; lane++)
    head.row[MILLRACE_SOFTMAX_RATES][lane] = softmaxDescentRates[lane];
  for (int table = 0; table < MILLRACE_SOFTMAX_TABLES; table++)
    head.row[MILLRACE_SOFTMAX_MEMORIES][1 + table] = tableMemories[table];
  const SoftmaxFerns ferns = {bank->basis.ferns, bank->ferns, nullptr};
  const int wideExperts = isWide ? 4 + ferns.start(fernForgetting, fernVariance) : 0;
  head.place(width).start(isWide, wideVariances);
  head.mixtures().start(wideExperts, MILLRACE_SOFTMAX_TABLES, usualShares);
  head.steps() = softmaxLastSteps;
  for (int m = 0; m < Head::mixers; m++)
    for (int k = 0; k < mixtureCount; k++) head.mixer(m)[1][8 + k] = 1.0f / mixtureCount;
  head.last() = Four{} + 1.0f / 4;
  for (int h = 0; h < Horizon::count; h++)
    head.horizon(h).start(wideExperts, MILLRACE_SOFTMAX_TABLES, horizonShares);
}
