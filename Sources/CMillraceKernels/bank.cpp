#include "bank.h"

#include <cstring>

#include "bank_basis.hpp"
#include "bank_head.hpp"
#include "bank_place.hpp"
#include "bank_rates.hpp"
#include "clones.h"

namespace {

const float drifts[16] = {20, 2, .3f, .03f, .002f, 5e-5f, 0,    2,
                          .2f, .01f, 1e-4f, .2f, .05f, .01f, .001f, .0001f};
const float constantDrifts[16] = {20, 2, .3f, .03f, .002f, 5e-5f, 0,    2,
                                  .2f, .01f, 1e-4f, 20, 20, 20, 10, 1};
const float noises[16] = {0, 0, 0, 0, 0, 0, 0, .05f, .05f, .05f, .05f, 0, 0, 0, 0, 0};
const float wideDrifts[8] = {2, .3f, .03f, .002f, 5e-5f, 0, .01f, .01f};
const float wideConstantDrifts[8] = {2, .3f, .03f, .002f, 5e-5f, 0, .01f, 20};
const float wideNoises[8] = {0, 0, 0, 0, 0, 0, .05f, 0};
const float rates[16] = {.001f, .002f, .004f, .008f, .015f, .03f, .06f, .12f,
                         .25f,  .5f,   .7f,   1,     0,     0,    0,    0};
const float memories[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, .5f, .8f, .9f, .95f};

template <int N>
void start(const Filters<N> &filters, const float *drifts, const float *constantDrifts,
           const float *noises, float variance) {
  for (int lane = 0; lane < N; lane++) {
    filters.row[MILLRACE_FILTERS_DRIFT][lane] = drifts[lane];
    filters.row[MILLRACE_FILTERS_CONSTANT_DRIFT][lane] = constantDrifts[lane];
    filters.row[MILLRACE_FILTERS_NOISE][lane] = noises[lane];
    filters.row[MILLRACE_FILTERS_SCALE][lane] = 1;
    for (size_t i = 0; i < filters.d; i++) filters.covariance()[i * (i + 1) / 2 + i][lane] = variance;
  }
}

struct Bank {
  Filters<16> filters;
  Rates rates;
  Head head;
  Filters<8> wide;
  WidePlace place;

  explicit Bank(const millrace_bank &bank)
      : filters{bank.columns, reinterpret_cast<Lanes *>(bank.filters)},
        rates{bank.columns, reinterpret_cast<Lanes *>(bank.rates)},
        head{reinterpret_cast<Lanes *>(bank.head)},
        wide{bank.wide ? millrace_bank_basis_width(&bank.basis) : 0,
             reinterpret_cast<Vector<float, 8> *>(bank.wide)},
        place{head, wide.d} {}
};

/// What is said of a record, and what learning needs of it. Inputs and directions lie outside.
struct BankForecast {
  Forecast<16> filters;
  Sigmoids<16> rates;
  Forecast<8> wide;
  HeadForecast head;
};

/// Inputs beyond this would overflow what is squared of them; a `StandardScaler` stays far below.
const float inputLimit = 100;
/// A record counts at most like so many.
const float weightLimit = 100;

/// Room for one record: its inputs, and u of each group.
struct Workspace {
  float *z, *wideInputs;
  Lanes *u;
  Vector<float, 8> *wideU;
};

template <bool commit>
MILLRACE_INLINE void forecast(const Bank &bank, const millrace_bank_basis &basis, bool awake,
                              const float *row, const Workspace &space, BankForecast &result) {
  for (size_t j = 0; j < bank.filters.d; j++)
    space.z[j] = row[j] > inputLimit ? inputLimit : row[j] < -inputLimit ? -inputLimit : row[j];
  result.filters = forecast<16, commit>(bank.filters, space.z, space.u);
  result.rates = forecast(bank.rates, space.z);
  result.head.expert[0] = result.filters.label;
  result.head.expert[1] = result.rates;
  result.head.expert[2] = {Lanes{} + .5f, Lanes{} + .5f};
  if (awake) {
    expand(basis, space.z, space.wideInputs);
    result.wide = forecast<8, commit>(bank.wide, space.wideInputs, space.wideU);
    result.head.expert[2] = {widened(result.wide.label.yes), widened(result.wide.label.no)};
  }
  forecast<commit>(bank.head, result.head);
}

}  // namespace

size_t millrace_bank_filters_size(size_t columns) { return 16 * Filters<16>::rowCount(columns); }
size_t millrace_bank_rates_size(size_t columns) { return 16 * Rates::rowCount(columns); }
size_t millrace_bank_head_size(void) { return 16 * MILLRACE_HEAD_ROWS; }
size_t millrace_bank_wide_size(const millrace_bank_basis *basis) {
  return 8 * Filters<8>::rowCount(millrace_bank_basis_width(basis));
}
size_t millrace_bank_basis_width(const millrace_bank_basis *basis) {
  const size_t d = basis->columns - 1;
  return d + 2 * d + (basis->pairs ? d * (d - 1) / 2 : 0) + basis->waveCount + 1;
}

void millrace_bank_start(const millrace_bank *state) {
  const Bank bank(*state);
  memset(state->filters, 0, millrace_bank_filters_size(state->columns) * sizeof(float));
  memset(state->rates, 0, millrace_bank_rates_size(state->columns) * sizeof(float));
  if (state->wide) memset(state->wide, 0, millrace_bank_wide_size(&state->basis) * sizeof(float));
  memset(state->head, 0, millrace_bank_head_size() * sizeof(float));

  start(bank.filters, drifts, constantDrifts, noises, 3);
  for (int lane = 0; lane < 16; lane++) {
    bank.rates.row[MILLRACE_RATES_RATE][lane] = rates[lane];
    bank.rates.row[MILLRACE_RATES_MEMORY][lane] = memories[lane];
    bank.rates.row[MILLRACE_RATES_AVERAGE][lane] = .5f;
  }
  const bool isWide = bank.wide.d > 0;
  if (isWide) start(bank.wide, wideDrifts, wideConstantDrifts, wideNoises, 3);

  Lanes *head = bank.head.row;
  bank.place.start(isWide);
  for (int k = 0; k < Head::mixtures; k++)
    for (int v = 0; v < Head::vectors; v++)
      head[MILLRACE_HEAD_MIXTURE + k * Head::vectors + v] = head[MILLRACE_HEAD_PRIOR + v];
  for (int k = 0; k < Head::mixtures; k++)
    for (int m = 0; m < Head::mixers; m++)
      head[MILLRACE_HEAD_MIXER + m * Head::vectors + 2][8 + k] = .25f;
  bank.head.top() = Vector<float, 4>{} + 1.0f / Head::mixtures;
  bank.head.last() = Vector<float, 8>{} + 1.0f / Head::candidates;
  const Filters<4> last = bank.head.lastFilters();
  const float drifts[4] = {0, 1e-6f, 1e-5f, 1e-4f}, noises[4] = {};
  start(last, drifts, drifts, noises, .05f);
  for (int i = 0; i < Head::mixtures; i++) last.mean()[i] = Vector<float, 4>{} + .25f;
}

MILLRACE_CLONES
void millrace_bank_predict(const millrace_bank *state, const float *rows, size_t count,
                           size_t stride, double *probabilities) {
  const Bank bank(*state);
  Lanes u[state->columns];
  float z[state->columns];
  Vector<float, 8> wideU[bank.wide.d + 1];
  float wideInputs[bank.wide.d + 1];
  const Workspace space = {z, wideInputs, u, wideU};
  BankForecast result;
  const bool awake = bank.place.awake() > 0;
  for (size_t i = 0; i < count; i++) {
    forecast<false>(bank, state->basis, awake, rows + i * stride, space, result);
    probabilities[i] = result.head.probability;
  }
}

MILLRACE_CLONES
void millrace_bank_learn(const millrace_bank *state, const float *rows, size_t count, size_t stride,
                         const double *labels, const float *weights, double *probabilities) {
  const Bank bank(*state);
  Lanes u[state->columns];
  float z[state->columns];
  Vector<float, 8> wideU[bank.wide.d + 1];
  float wideInputs[bank.wide.d + 1];
  const Workspace space = {z, wideInputs, u, wideU};
  BankForecast result;
  for (size_t i = 0; i < count; i++) {
    const bool awake = bank.place.awake() > 0;
    forecast<true>(bank, state->basis, awake, rows + i * stride, space, result);
    probabilities[i] = result.head.probability;
    const bool label = labels[i] > .5;
    if (weights[i] > 0) {
      const float weight = weights[i] < weightLimit ? weights[i] : weightLimit;
      learn<16>(bank.filters, result.filters, u, label, weight);
      learn(bank.rates, result.rates, z, label, weight);
      if (awake) learn<8>(bank.wide, result.wide, wideU, label, weight);
      learn(bank.head, result.head, label, weight);
    } else {
      settle<16>(bank.filters);
      if (awake) settle<8>(bank.wide);
      settle<4>(bank.head.lastFilters());
    }
    if (bank.wide.d > 0) bank.place.review(state->rowCount + i + 1, state->basis.mustStay);
  }
}
