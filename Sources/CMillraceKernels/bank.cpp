#include "bank.h"

#include <cstring>

#include "bank_head.hpp"
#include "bank_rates.hpp"
#include "clones.h"

namespace {

const float drifts[16] = {20, 2, .3f, .03f, .002f, 5e-5f, 0,    2,
                          .2f, .01f, 1e-4f, .2f, .05f, .01f, .001f, .0001f};
const float constantDrifts[16] = {20, 2, .3f, .03f, .002f, 5e-5f, 0,    2,
                                  .2f, .01f, 1e-4f, 20, 20, 20, 10, 1};
const float noises[16] = {0, 0, 0, 0, 0, 0, 0, .05f, .05f, .05f, .05f, 0, 0, 0, 0, 0};
const float rates[16] = {.001f, .002f, .004f, .008f, .015f, .03f, .06f, .12f,
                         .25f,  .5f,   .7f,   1,     0,     0,    0,    0};
const float memories[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, .5f, .8f, .9f, .95f};

struct Bank {
  Filters<16> filters;
  Rates rates;
  Head head;

  explicit Bank(const millrace_bank &bank)
      : filters{bank.columns, reinterpret_cast<Lanes *>(bank.filters)},
        rates{bank.columns, reinterpret_cast<Lanes *>(bank.rates)},
        head{reinterpret_cast<Lanes *>(bank.head)} {}
};

struct BankForecast {
  Forecast<16> filters;
  Sigmoids<16> rates;
  HeadForecast head;
};

/// Inputs beyond this would overflow what is squared of them; a `StandardScaler` stays far below.
const float inputLimit = 100;
/// A record counts at most like so many.
const float weightLimit = 100;

template <bool commit>
MILLRACE_INLINE void forecast(const Bank &bank, const float *z, Lanes *u, BankForecast &result) {
  result.filters = forecast<16, commit>(bank.filters, z, u);
  result.rates = forecast(bank.rates, z);
  result.head.expert[0] = result.filters.label;
  result.head.expert[1] = result.rates;
  result.head.expert[2] = {Lanes{} + .5f, Lanes{} + .5f};
  forecast<commit>(bank.head, result.head);
}

MILLRACE_INLINE void copyRow(const float *row, size_t columns, float *z) {
  for (size_t j = 0; j < columns; j++)
    z[j] = row[j] > inputLimit ? inputLimit : row[j] < -inputLimit ? -inputLimit : row[j];
}

}  // namespace

size_t millrace_bank_filters_size(size_t columns) { return 16 * Filters<16>::rowCount(columns); }
size_t millrace_bank_rates_size(size_t columns) { return 16 * Rates::rowCount(columns); }
size_t millrace_bank_head_size(void) { return 16 * MILLRACE_HEAD_ROWS; }

void millrace_bank_start(const millrace_bank *state) {
  const Bank bank(*state);
  memset(state->filters, 0, millrace_bank_filters_size(state->columns) * sizeof(float));
  memset(state->rates, 0, millrace_bank_rates_size(state->columns) * sizeof(float));
  memset(state->head, 0, millrace_bank_head_size() * sizeof(float));

  Lanes *row = bank.filters.row;
  for (int lane = 0; lane < 16; lane++) {
    row[MILLRACE_FILTERS_DRIFT][lane] = drifts[lane];
    row[MILLRACE_FILTERS_CONSTANT_DRIFT][lane] = constantDrifts[lane];
    row[MILLRACE_FILTERS_NOISE][lane] = noises[lane];
    bank.rates.row[MILLRACE_RATES_RATE][lane] = rates[lane];
    bank.rates.row[MILLRACE_RATES_MEMORY][lane] = memories[lane];
    bank.rates.row[MILLRACE_RATES_AVERAGE][lane] = .5f;
  }
  row[MILLRACE_FILTERS_RETENTION] = Lanes{} + 1.0f;
  for (size_t i = 0; i < state->columns; i++)
    bank.filters.covariance()[i * (i + 1) / 2 + i] = Lanes{} + 3.0f;

  Lanes *head = bank.head.row;
  for (int v = 0; v < 2; v++) {
    head[MILLRACE_HEAD_PRIOR + v] = Lanes{} + 1.0f / 32;
    for (int k = 0; k < Head::mixtures; k++)
      head[MILLRACE_HEAD_MIXTURE + k * Head::vectors + v] = Lanes{} + 1.0f / 32;
  }
  for (int k = 0; k < Head::mixtures; k++)
    for (int m = 0; m < Head::mixers; m++)
      head[MILLRACE_HEAD_MIXER + m * Head::vectors + 2][8 + k] = .25f;
  bank.head.top() = Vector<float, 4>{} + 1.0f / Head::mixtures;
  bank.head.last() = Vector<float, 8>{} + 1.0f / Head::candidates;
  const Filters<4> last = bank.head.lastFilters();
  last.row[MILLRACE_FILTERS_DRIFT] = last.row[MILLRACE_FILTERS_CONSTANT_DRIFT] = Vector<float, 4>{0, 1e-6f, 1e-5f, 1e-4f};
  last.row[MILLRACE_FILTERS_RETENTION] = Vector<float, 4>{} + 1.0f;
  for (int i = 0; i < Head::lastInputs; i++) {
    last.covariance()[i * (i + 1) / 2 + i] = Vector<float, 4>{} + .05f;
    if (i < Head::mixtures) last.mean()[i] = Vector<float, 4>{} + .25f;
  }
}

MILLRACE_CLONES
void millrace_bank_predict(const millrace_bank *state, const float *rows, size_t count,
                           size_t stride, double *probabilities) {
  const Bank bank(*state);
  Lanes u[state->columns];
  float z[state->columns];
  BankForecast result;
  for (size_t i = 0; i < count; i++) {
    copyRow(rows + i * stride, state->columns, z);
    forecast<false>(bank, z, u, result);
    probabilities[i] = result.head.probability;
  }
}

MILLRACE_CLONES
void millrace_bank_learn(const millrace_bank *state, const float *rows, size_t count, size_t stride,
                         const double *labels, const float *weights, double *probabilities) {
  const Bank bank(*state);
  Lanes u[state->columns];
  float z[state->columns];
  BankForecast result;
  for (size_t i = 0; i < count; i++) {
    copyRow(rows + i * stride, state->columns, z);
    forecast<true>(bank, z, u, result);
    probabilities[i] = result.head.probability;
    const bool label = labels[i] > .5;
    if (weights[i] > 0) {
      const float weight = weights[i] < weightLimit ? weights[i] : weightLimit;
      learn<16>(bank.filters, result.filters, u, label, weight);
      learn(bank.rates, result.rates, z, label, weight);
      learn(bank.head, result.head, label, weight);
    } else {
      settle<16>(bank.filters);
      settle<4>(bank.head.lastFilters());
    }
  }
}
