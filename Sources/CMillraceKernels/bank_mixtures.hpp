#ifndef MILLRACE_BANK_MIXTURES_HPP
#define MILLRACE_BANK_MIXTURES_HPP

#include "bank.h"
#include "bank_lanes.hpp"

/// What the experts say of a record.
struct Experts {
  /// Filters, and cheap experts.
  Sigmoids<16> narrow[2];
  /// The wide group, and further experts; none of them says anything while `isAwake` is false.
  Sigmoids<8> wide;
  bool isAwake;
};

/// No expert is surer than this.
static const float leastProbability = 1e-4f;

template <int N>
MILLRACE_INLINE Vector<float, N> clampedProbability(Vector<float, N> p) {
  return clamped<N>(p, leastProbability, 1.0f - leastProbability);
}

template <int N>
MILLRACE_INLINE Sigmoids<N> clampedProbabilities(Sigmoids<N> p) {
  return {clampedProbability<N>(p.yes), clampedProbability<N>(p.no)};
}

/// A number for every expert: two rows of 16 and one of 8.
struct ExpertRows {
  Lanes *narrow;

  Eight &wide() const { return *reinterpret_cast<Eight *>(narrow + 2); }

  /// Σ of these times x, spread over eight lanes.
  __attribute__((always_inline)) static Eight dot(const ExpertRows &rows, const Lanes *x,
                                                  Eight wide, bool isAwake) {
    Eight total = folded(rows.narrow[0] * x[0] + rows.narrow[1] * x[1]);
    if (isAwake) total += rows.wide() * wide;
    return total;
  }
};

/// Likelihoods to the power of the record's weight, up to a common factor.
template <int N>
MILLRACE_INLINE Vector<float, N> likelihood(Vector<float, N> p, float mixture, float weight) {
  if (weight == 1) return p;
  return exponential<N>(clamped<N>(weight * logarithm<N>(p / mixture), -80, 80));
}

/// m ← (1 − share)·m·ℓ/Σmℓ + share/n.
template <int N>
MILLRACE_INLINE void fixedShare(Vector<float, N> &weights, Vector<float, N> likelihood,
                                float share) {
  weights *= likelihood;
  weights = weights * ((1.0f - share) / sum(weights)) + share / N;
}

struct MixturesForecast {
  /// The probability of the second class from each mixture, and from the mixture of mixtures.
  Four mixture;
  float top;
};

/// Four mixtures of the experts with different shares, and a mixture of the four (fixed share:
/// Herbster & Warmuth 1998). Weights need no logarithm.
struct Mixtures {
  static constexpr int count = 4;

  Lanes *row;

  ExpertRows weights(int mixture) const { return {row + MILLRACE_MIXTURES_WEIGHTS + 3 * mixture}; }
  /// 1/n for the n experts that are awake, 0 for the others.
  ExpertRows prior() const { return {row + MILLRACE_MIXTURES_PRIOR}; }
  /// What the wide group had in a mixture when it fell asleep.
  Four &asleep(int mixture) const {
    return reinterpret_cast<Four *>(row + MILLRACE_MIXTURES_ASLEEP)[mixture];
  }
  Four &top() const {
    return *reinterpret_cast<Four *>(row + MILLRACE_MIXTURES_TOP);
  }

  /// Every expert alike: of the third row the wide group's and the further ones, where there are
  /// such.
  void start(bool isWide, bool hasFurther) const {
    setPrior(isWide, hasFurther);
    for (int k = 0; k < count; k++) {
      weights(k).narrow[0] = weights(k).narrow[1] = prior().narrow[0];
      weights(k).wide() = prior().wide();
    }
    top() = Four{} + 1.0f / count;
  }

  /// The wide group's weight: now, or what it had when it fell asleep.
  float wideWeight(bool isAwake) const {
    float weight = 0;
    for (int k = 0; k < count; k++)
      weight += top()[k] * sum(isAwake ? firstHalf(weights(k).wide()) : asleep(k));
    return weight;
  }

  /// The wide group falls asleep or wakes. Asleep, experts keep their weights as specialists do
  /// (Freund et al. 1997): the others share what is left.
  void setAwake(bool isAwake) const {
    for (int k = 0; k < count; k++) {
      const ExpertRows own = weights(k);
      if (!isAwake) asleep(k) = firstHalf(own.wide());
      const float others = 1.0f - sum(asleep(k)), factor = isAwake ? others : 1.0f / others;
      for (int v = 0; v < 2; v++) own.narrow[v] *= factor;
      own.wide() = joined(isAwake ? asleep(k) : Four{}, factor * secondHalf(own.wide()));
    }
    setPrior(isAwake, prior().wide()[4] > 0);
  }

 private:
  void setPrior(bool isWide, bool hasFurther) const {
    const Four each = Four{} + 1.0f / (32 + 4 * isWide + 4 * hasFurther);
    prior().narrow[0] = prior().narrow[1] = Lanes{} + each[0];
    prior().wide() = joined(isWide ? each : Four{}, hasFurther ? each : Four{});
  }
};

MILLRACE_INLINE MixturesForecast forecast(const Mixtures &mixtures, const Experts &experts) {
  const Lanes p[2] = {experts.narrow[0].yes, experts.narrow[1].yes};
  Eight total[Mixtures::count];
  for (int k = 0; k < Mixtures::count; k++)
    total[k] = ExpertRows::dot(mixtures.weights(k), p, experts.wide.yes, experts.isAwake);
  MixturesForecast result;
  result.mixture = sums(total[0], total[1], total[2], total[3]);
  result.top = sum(mixtures.top() * result.mixture);
  return result;
}

/// Multiplies each expert's weights by its likelihood, then lets all of them share.
///
/// Returns the mixtures' likelihoods.
MILLRACE_INLINE Four reweigh(const Mixtures &mixtures, const Lanes likelihood[2],
                                         Eight wide, bool isAwake, Four shares) {
  Eight total[Mixtures::count];
  for (int k = 0; k < Mixtures::count; k++) {
    const ExpertRows weights = mixtures.weights(k);
    for (int v = 0; v < 2; v++) weights.narrow[v] *= likelihood[v];
    total[k] = folded(weights.narrow[0] + weights.narrow[1]);
    if (isAwake) {
      weights.wide() *= wide;
      total[k] += weights.wide();
    }
  }
  const Four totals = sums(total[0], total[1], total[2], total[3]);
  const Four kept = (1.0f - shares) / totals;
  for (int k = 0; k < Mixtures::count; k++) {
    const ExpertRows weights = mixtures.weights(k), prior = mixtures.prior();
    for (int v = 0; v < 2; v++)
      weights.narrow[v] = weights.narrow[v] * kept[k] + shares[k] * prior.narrow[v];
    if (isAwake) weights.wide() = weights.wide() * kept[k] + shares[k] * prior.wide();
  }
  return totals;
}

MILLRACE_INLINE void learn(const Mixtures &mixtures, const MixturesForecast &forecast,
                           const Experts &experts, bool label, float weight,
                           Four shares, float topShare) {
  const float top = label ? forecast.top : 1.0f - forecast.top;
  Lanes narrow[2];
  for (int v = 0; v < 2; v++)
    narrow[v] = likelihood<16>(label ? experts.narrow[v].yes : experts.narrow[v].no, top, weight);
  const Eight wide =
      experts.isAwake ? likelihood<8>(label ? experts.wide.yes : experts.wide.no, top, weight)
                      : Eight{};
  reweigh(mixtures, narrow, wide, experts.isAwake, shares);
  const Four mixture = label ? forecast.mixture : 1.0f - forecast.mixture;
  fixedShare<4>(mixtures.top(), likelihood<4>(mixture, top, weight), topShare);
}

#endif
