#ifndef MILLRACE_BANK_HEAD_HPP
#define MILLRACE_BANK_HEAD_HPP

#include "bank_filters.hpp"

/// What mixes the experts of a bank, and what combines the mixtures.
///
/// Experts fill vectors of 16 lanes; in the last one, lanes 8 to 11 hold the four mixtures
/// themselves, as inputs of the last layer. The state is rows of 16 floats.
struct Head {
  enum {
    vectors = 3,
    mixtures = 4,
    mixers = 3,
    lastInputs = mixtures + 1,
    /// The mixture of mixtures, the mixers, four filters.
    candidates = 1 + mixers + 4,
  };
  Lanes *row;

  Vector<float, 4> &top() const { return *reinterpret_cast<Vector<float, 4> *>(row + MILLRACE_HEAD_SMALL); }
  Vector<float, 8> &last() const { return reinterpret_cast<Vector<float, 8> *>(row + MILLRACE_HEAD_SMALL)[1]; }
  Filters<4> lastFilters() const {
    return {lastInputs, reinterpret_cast<Vector<float, 4> *>(row + MILLRACE_HEAD_FILTERS)};
  }
};

/// Shares that a mixture gives back to all experts at each record (Herbster & Warmuth 1998).
static const Vector<float, 4> shares = {3e-5f, 1e-3f, 1e-2f, 6e-2f};
static const float topShare = 5e-5f, lastShare = 1e-4f;
/// Steps of the logistic mixing (Mattern 2013; PAQ).
static const float mixerRates[Head::mixers] = {5e-4f, 2e-3f, 8e-3f};
/// No expert is surer than this.
static const float leastProbability = 1e-4f;

struct HeadForecast {
  Sigmoids<16> expert[Head::vectors];
  Lanes logit[Head::vectors];
  Vector<float, 4> mixture;
  Vector<float, 8> candidate;
  Forecast<4> filters;
  Vector<float, 4> directions[Head::lastInputs];
  float linear, probability;
};

template <int N>
MILLRACE_INLINE Vector<float, N> clampedProbability(Vector<float, N> p) {
  return clamped<N>(p, leastProbability, 1.0f - leastProbability);
}

MILLRACE_INLINE Lanes dot(const Lanes *weights, const Lanes *x) {
  Lanes total = weights[0] * x[0];
  for (int v = 1; v < Head::vectors; v++) total += weights[v] * x[v];
  return total;
}

/// Mixes `result.expert`.
template <bool commit>
MILLRACE_INLINE void forecast(const Head &head, HeadForecast &result) {
  typedef Vector<float, 4> F4;
  const int own = Head::vectors - 1;
  Lanes p[Head::vectors];
  for (int v = 0; v < Head::vectors; v++) {
    result.expert[v] = {clampedProbability<16>(result.expert[v].yes),
                        clampedProbability<16>(result.expert[v].no)};
    p[v] = result.expert[v].yes;
  }
  const Lanes *weights = head.row + MILLRACE_HEAD_MIXTURE;
  const F4 mixture = sums(dot(weights, p), dot(weights + Head::vectors, p),
                          dot(weights + 2 * Head::vectors, p), dot(weights + 3 * Head::vectors, p));
  result.mixture = mixture;
  result.linear = sum(head.top() * mixture);

  for (int v = 0; v < Head::vectors; v++)
    result.logit[v] = logarithm<16>(result.expert[v].yes / result.expert[v].no);
  const F4 logits = logarithm<4>(mixture / (1.0f - mixture));
  result.logit[own] = __builtin_shufflevector(
      result.logit[own],
      __builtin_shufflevector(logits, F4{}, 0, 1, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4), 0, 1,
      2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 20, 20, 20);

  weights = head.row + MILLRACE_HEAD_MIXER;
  const F4 margins =
      sums(dot(weights, result.logit), dot(weights + Head::vectors, result.logit),
           dot(weights + 2 * Head::vectors, result.logit), Lanes{});
  const F4 mixed = sigmoids<4>(margins).yes;
  const float inputs[Head::lastInputs] = {logits[0], logits[1], logits[2], logits[3], 1};
  result.filters = forecast<4, commit>(head.lastFilters(), inputs, result.directions);
  Vector<float, 8> candidate =
      __builtin_shufflevector(mixed, result.filters.label.yes, 3, 0, 1, 2, 4, 5, 6, 7);
  candidate[0] = result.linear;
  result.candidate = clampedProbability<8>(candidate);
  result.probability = sum(head.last() * result.candidate);
}

/// Likelihoods to the power of the record's weight, up to a common factor.
template <int N>
MILLRACE_INLINE Vector<float, N> likelihood(Vector<float, N> p, float mixture, float weight) {
  if (weight == 1) return p;
  return exponential<N>(clamped<N>(weight * logarithm<N>(p / mixture), -80, 80));
}

MILLRACE_INLINE void learn(const Head &head, const HeadForecast &forecast, bool label,
                           float weight) {
  typedef Vector<float, 4> F4;
  const F4 mixture = label ? forecast.mixture : 1.0f - forecast.mixture;
  Lanes total[Head::mixtures];
  Lanes p[Head::vectors];
  for (int v = 0; v < Head::vectors; v++)
    p[v] = label ? forecast.expert[v].yes : forecast.expert[v].no;
  for (int k = 0; k < Head::mixtures; k++) {
    Lanes *weights = head.row + MILLRACE_HEAD_MIXTURE + k * Head::vectors;
    total[k] = Lanes{};
    for (int v = 0; v < Head::vectors; v++) {
      weights[v] *= likelihood<16>(p[v], mixture[k], weight);
      total[k] += weights[v];
    }
  }
  const F4 kept = (1.0f - shares) / sums(total[0], total[1], total[2], total[3]);
  for (int k = 0; k < Head::mixtures; k++) {
    Lanes *weights = head.row + MILLRACE_HEAD_MIXTURE + k * Head::vectors;
    for (int v = 0; v < Head::vectors; v++)
      weights[v] = weights[v] * kept[k] + shares[k] * head.row[MILLRACE_HEAD_PRIOR + v];
  }
  const float linear = label ? forecast.linear : 1.0f - forecast.linear;
  head.top() *= likelihood<4>(mixture, linear, weight);
  head.top() = head.top() * ((1.0f - topShare) / sum(head.top())) + topShare / Head::mixtures;

  for (int k = 0; k < Head::mixers; k++) {
    Lanes *weights = head.row + MILLRACE_HEAD_MIXER + k * Head::vectors;
    const float error = (label ? 1.0f : 0.0f) - forecast.candidate[1 + k];
    const float step = mixerRates[k] * weight * error;
    for (int v = 0; v < Head::vectors; v++) weights[v] += step * forecast.logit[v];
  }
  learn<4>(head.lastFilters(), forecast.filters, forecast.directions, label, weight);

  const Vector<float, 8> candidate = label ? forecast.candidate : 1.0f - forecast.candidate;
  const float probability = label ? forecast.probability : 1.0f - forecast.probability;
  head.last() *= likelihood<8>(candidate, probability, weight);
  head.last() =
      head.last() * ((1.0f - lastShare) / sum(head.last())) + lastShare / Head::candidates;
}

#endif
