#include <cmath>

#include "regression_parts.hpp"

namespace {

/// The first lane of each group drifts fastest, as `step` wants it.
const float drifts[16] = {1e-1f, 1e-2f, 1e-3f, 3e-4f, 1e-4f, 1e-5f, 1e-6f, 0,
                          0,     0,     1e-5f, 1e-3f, 1e-6f, 1e-5f, 1e-4f, 1e-3f};
const float constantDrifts[16] = {1e-1f, 1e-2f, 1e-3f, 3e-4f, 1e-4f, 1e-5f, 1e-6f, 0,
                                  0,     0,     1e-5f, 1e-3f, 1e-2f, 1e-1f, 1,     1};
const float robust[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0};
const float variances[16] = {1, 1, 1, 1, 1, 1, 1, 1, 100, 1, 1, 1, 1, 1, 1, 1};
const float laggedDrifts[8] = {1e-2f, 1e-3f, 1e-4f, 1e-5f, 1e-6f, 0, 0, 1e-5f};
const float laggedRobust[8] = {0, 0, 0, 0, 0, 0, 1, 1};
const float wideDrifts[4] = {1e-3f, 1e-5f, 0, 0}, wideRobust[4] = {0, 0, 0, 1};
const float wideVariances[4] = {1, 1, 1, 1};
/// One expects little of products and waves: where these are nothing, it learns as fast as without.
const Four productFactors = {1, 1, 1e-3f, 1};
const float lastDrifts[8] = {1e-4f, 1e-5f, 1e-6f, 0, 1e-4f, 1e-5f, 1e-6f, 0};
const float lastRobust[8] = {0, 0, 0, 0, 1, 1, 1, 1};
const float lastVariances[8] = {.05f, .05f, .05f, .05f, .05f, .05f, .05f, .05f};
const float constantFactor = 100;
/// How many records per column filters without covariances remember, the last four of them robust.
const float recordsPerColumn[16] = {1e9f, 400, 150, 100, 64, 45, 32, 22,
                                    16,   11,  8,   4,   1e9f, 100, 25, 6};
/// A step of a block of 64 records is stable where so many are remembered.
const float leastMemory = 128;
/// There the lagged ones follow what the filters leave.
const float followingDrifts[8] = {1e-3f, 1e-4f, 1e-5f, 0, 1e-4f, 1e-5f, 1e-6f, 0};
const float followingConstantDrifts[8] = {1e-3f, 1e-4f, 1e-5f, 0, 1, 1e-1f, 1e-2f, 0};
const float followingRobust[8] = {0, 0, 0, 0, 0, 0, 0, 1};
const float rates[MILLRACE_REGRESSION_CHEAP] = {2e-3f, .015f, .12f, 1, 0, 0, 0, 0};
const float memories[MILLRACE_REGRESSION_CHEAP] = {1, 1, 1, 1, .95f, .8f, .5f, 0};

const float lastShare = 1e-4f;
/// The variance is that of all ferns together.
const float fernVariance = 3, fernForgetting = 1e-5f;

/// `products` is the first input that is a product or a wave; the lags follow the last.
void startWide(const WideFilters &filters, size_t products) {
  start(filters, wideDrifts, wideDrifts, wideRobust, wideVariances, constantFactor);
  for (size_t i = products; i + 1 + MILLRACE_REGRESSION_LAGS < filters.d; i++)
    filters.covariance()[WideFilters::triangle(i) + i] *= productFactors;
}

}  // namespace

size_t millrace_regression_filters_size(size_t columns, bool isBlockwise) {
  return 16 * KalmanFilters<16>::rowCount(columns, isBlockwise);
}
size_t millrace_regression_lagged_width(size_t columns, bool isBlockwise) {
  return (isBlockwise ? MILLRACE_REGRESSION_MEANS + 1 : columns) + MILLRACE_REGRESSION_LAGS;
}
size_t millrace_regression_wide_width(const millrace_bank_basis *basis) {
  return basis->columns > 0 ? millrace_bank_basis_width(basis) + MILLRACE_REGRESSION_LAGS : 0;
}
size_t millrace_regression_lagged_size(size_t columns, bool isBlockwise) {
  const size_t width = millrace_regression_lagged_width(columns, isBlockwise);
  return 8 * KalmanFilters<8>::rowCount(width, false);
}
size_t millrace_regression_wide_size(const millrace_bank_basis *basis) {
  return 4 * KalmanFilters<4>::rowCount(millrace_regression_wide_width(basis), false);
}
size_t millrace_regression_ferns_size(const millrace_ferns *ferns) {
  return ferns->count > 0 ? millrace_ferns_size(ferns) + 4 : 0;
}
size_t millrace_regression_rates_size(size_t columns) {
  return 8 * (Rates<8>::rowCount(columns) + 2);
}
size_t millrace_regression_head_size(void) { return 16 * MILLRACE_REGRESSION_HEAD_ROWS; }
size_t millrace_regression_horizons_size(void) {
  return 16 * MILLRACE_REGRESSION_HORIZON_ROWS * Horizon::count;
}
size_t millrace_regression_snapshots_size(size_t columns, bool isBlockwise,
                                          const millrace_bank_basis *basis) {
  const size_t lagged = millrace_regression_lagged_width(columns, isBlockwise);
  const size_t wide = millrace_regression_wide_width(basis);
  return Horizon::count * RegressionSnapshot::size(columns, lagged, wide, basis->ferns.count);
}

void millrace_regression_start(const millrace_regression *bank) {
  const RegressionParts parts(*bank);
  if (bank->isBlockwise) {
    for (int lane = 0; lane < 16; lane++) {
      parts.filters.filters.row[MILLRACE_FILTERS_DRIFT][lane] =
          1 / fmaxf(recordsPerColumn[lane] * float(bank->columns), leastMemory);
      parts.filters.filters.row[MILLRACE_FILTERS_NOISE][lane] = lane >= 12;
    }
    start(parts.lagged.filters, followingDrifts, followingConstantDrifts, followingRobust,
          variances, constantFactor);
  } else {
    start(parts.filters.filters, drifts, constantDrifts, robust, variances, constantFactor);
    start(parts.lagged.filters, laggedDrifts, laggedDrifts, laggedRobust, variances,
          constantFactor);
  }
  start(parts.head.filters().filters, lastDrifts, lastDrifts, lastRobust, lastVariances, 1);
  parts.head.filters().errors().start(1);
  const bool isWide = bank->wide;
  if (isWide) startWide(parts.wide.filters, 3 * (bank->columns - 1));
  const int wideExperts = isWide ? 4 + parts.ferns.start(fernForgetting, fernVariance) : 0;
  parts.place.start(isWide, wideVariances);
  for (int lane = 0; lane < MILLRACE_REGRESSION_CHEAP; lane++) {
    parts.rates.row[MILLRACE_RATES_RATE][lane] = rates[lane];
    parts.rates.row[MILLRACE_RATES_MEMORY][lane] = memories[lane];
  }
  parts.head.mixtures().start(wideExperts, 0, usualShares);
  parts.head.lastShare() = lastShare;
  const ExpertRows<2> squared = parts.head.squared(), prior = parts.head.mixtures().prior();
  for (int v = 0; v < 2; v++) squared.narrow[v] = prior.narrow[v];
  squared.wide() = prior.wide();
  parts.head.state()[RegressionHead::choice] = .5f;
  parts.head.state()[RegressionHead::choice + 1] = .5f;
  parts.head.setLast({1.0f / LastWeights::count, Eight{} + 1.0f / LastWeights::count});
  for (int h = 0; h < Horizon::count; h++)
    parts.horizon(h).mixtures().start(wideExperts, 0, horizonShares);
}
