#ifndef MILLRACE_BANK_HEAD_HPP
#define MILLRACE_BANK_HEAD_HPP

#include "bank_filters.hpp"
#include "bank_mixtures.hpp"

/// Few inputs: a column at a time.
typedef Filters<4, 1> LastFilters;

/// Mixes the experts of a bank, and combines experts and mixtures in a last layer. The state is
/// rows of 16 floats.
struct Head {
  static constexpr int mixers = 3;
  static constexpr int lastInputs = mixtureCount + 1;
  /// The mixture of mixtures, the mixers, four filters.
  static constexpr int candidates = 1 + mixers + 4;

  Lanes *row;

  Mixtures<1> mixtures() const { return {row + MILLRACE_HEAD_MIXTURES}; }
  /// The weights of the experts' logits in one mixer, and of the mixtures' in lanes 0 to 3.
  ExpertRows<1> mixer(int index) const { return {row + MILLRACE_HEAD_MIXERS + 2 * index}; }
  Eight &mixtureWeights(int mixer) const {
    return (&this->mixer(mixer).wide())[1];
  }
  Vector<float, candidates> &last() const {
    return *reinterpret_cast<Vector<float, candidates> *>(row + MILLRACE_HEAD_LAST);
  }
  LastSteps &steps() const { return *reinterpret_cast<LastSteps *>(&last() + 1); }
  /// Filters over the mixtures' logits.
  LastFilters filters() const {
    return {lastInputs, reinterpret_cast<Four *>(row + MILLRACE_HEAD_FILTERS)};
  }
};

struct HeadForecast {
  MixturesForecast mixtures;
  /// Logits of experts and, in lanes 0 to 3, of mixtures.
  Lanes narrow;
  Eight wide, mixture;
  /// The mixers' margins, and what the filters make of theirs.
  Four mixed;
  Projection<4> projection;
  Forecast<4> filters;
  Four direction[Head::lastInputs];
  Eight candidate;
  float probability;
};

template <int N>
MILLRACE_INLINE Vector<float, N> logit(Sigmoids<N> p) {
  return logarithm<N>(p.yes / p.no);
}

/// The mixtures, and all logits.
MILLRACE_INLINE void mix(const Head &head, const Experts<1> &experts, HeadForecast &result) {
  result.mixtures = forecast(head.mixtures(), experts);
  result.narrow = logit(experts.narrow[0]);
  if (experts.isAwake) result.wide = logit(experts.wide);
  const Four mixture = result.mixtures.mixture;
  const Four own = logit<4>({mixture, 1.0f - mixture});
  result.mixture = __builtin_shufflevector(own, Four{}, 0, 1, 2, 3, 4, 4, 4, 4);
}

/// The margins of mixers and filters.
template <bool commit>
MILLRACE_INLINE void project(const Head &head, bool isAwake, HeadForecast &result) {
  const Eight own = result.mixture;

  Eight margin[Head::mixers];
  for (int k = 0; k < Head::mixers; k++)
    margin[k] = head.mixer(k).dot(&result.narrow, result.wide, isAwake) +
                head.mixtureWeights(k) * result.mixture;
  result.mixed = sums(margin[0], margin[1], margin[2], Eight{});
  const float inputs[Head::lastInputs] = {own[0], own[1], own[2], own[3], 1};
  result.projection =
      project<4, commit, Head::lastInputs>(head.filters(), inputs, result.direction);
}

/// The candidates' probabilities and their mean.
MILLRACE_INLINE void answer(const Head &head, HeadForecast &result) {
  const Four kappa = shrinkage<4>(result.projection.variance);
  const Sigmoids<8> said = sigmoids<8>(joined(result.mixed, kappa * result.projection.margin));
  const Sigmoids<4> filters = {secondHalf(said.yes), secondHalf(said.no)};
  result.filters = {result.projection.variance, kappa, filters, filters};
  Eight candidate = __builtin_shufflevector(said.yes, said.yes, 3, 0, 1, 2, 4, 5, 6, 7);
  candidate[0] = result.mixtures.top;
  result.candidate = clampedProbability<8>(candidate);
  result.probability = sum(head.last() * result.candidate);
}

MILLRACE_INLINE void learn(const Head &head, const HeadForecast &forecast,
                           const Experts<1> &experts, bool label, float weight) {
  learn(head.mixtures(), forecast.mixtures, experts, label, weight);
  for (int k = 0; k < Head::mixers; k++) {
    const float error = (label ? 1.0f : 0.0f) - forecast.candidate[1 + k];
    const float step = head.steps().rates[k] * weight * error;
    head.mixer(k).narrow[0] += step * forecast.narrow;
    if (experts.isAwake) head.mixer(k).wide() += step * forecast.wide;
    head.mixtureWeights(k) += step * forecast.mixture;
  }
  learn<4>(head.filters(), forecast.filters, forecast.direction, label, weight);
  const Eight candidate = label ? forecast.candidate : 1.0f - forecast.candidate;
  const float probability = label ? forecast.probability : 1.0f - forecast.probability;
  fixedShare<8>(head.last(), likelihood<8>(candidate, probability, weight), head.steps().share);
}

#endif
