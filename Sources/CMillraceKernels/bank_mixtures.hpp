#ifndef MILLRACE_BANK_MIXTURES_HPP
#define MILLRACE_BANK_MIXTURES_HPP

#include "bank.h"
#include "bank_lanes.hpp"

/// What the experts say of a record: so many rows of 16, and one of 8.
template <int rows>
struct Experts {
  /// Filters, and cheap experts.
  Sigmoids<16> narrow[rows];
  /// The wide group, and further experts; none of them says anything while `isAwake` is false.
  Sigmoids<8> wide;
  bool isAwake;
};

static constexpr int mixtureCount = MILLRACE_MIXTURES;

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

/// A number for every expert: rows of 16, and one whose first eight lanes are used.
template <int rows>
struct ExpertRows {
  Lanes *narrow;

  Eight &wide() const { return *reinterpret_cast<Eight *>(narrow + rows); }

  /// Σ of these times x, spread over eight lanes.
  MILLRACE_MEMBER Eight dot(const Lanes *x, Eight wide, bool isAwake) const {
    Lanes narrowTotal = narrow[0] * x[0];
    for (int v = 1; v < rows; v++) narrowTotal += narrow[v] * x[v];
    Eight total = folded(narrowTotal);
    if (isAwake) total += this->wide() * wide;
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

/// How much of the weights is shared at each record: by the experts of each mixture, and by the
/// mixtures.
struct Shares {
  Four experts;
  float top, unused[3];
};

static const Shares usualShares = {{3e-5f, 1e-3f, 1e-2f, 6e-2f}, 5e-5f, {}};
/// For horizons, whose experts are of some time ago: what is better stays better for longer.
static const Shares horizonShares = {{1e-4f, 1e-3f, 3e-3f, 1e-2f}, 1e-4f, {}};

/// How a last layer learns: how much its candidates share, and the steps of the logistic mixing
/// (Mattern 2013; PAQ).
struct LastSteps {
  float share, rates[3];
};

struct MixturesForecast {
  /// The probability of the second class from each mixture, and from the mixture of mixtures.
  Four mixture;
  float top;
};

/// Four mixtures of the experts with different shares, and a mixture of the four (fixed share:
/// Herbster & Warmuth 1998). Weights need no logarithm. The state is rows of 16 floats: for each
/// of the four its experts' weights and what the wide group had when it fell asleep; 1/n for the n
/// experts awake, and which are the wide group; the four's own weights, and in lanes 8 to 12 the
/// shares.
template <int rows>
struct Mixtures {
  Lanes *row;

  ExpertRows<rows> weights(int mixture) const {
    return {row + MILLRACE_EXPERTS_ROWS(rows) * mixture};
  }
  /// 1/n for the n experts that are awake, 0 for the others.
  ExpertRows<rows> prior() const { return weights(mixtureCount); }
  /// What the wide group had in a mixture when it fell asleep.
  Eight &asleep(int mixture) const { return (&weights(mixture).wide())[1]; }
  /// 1 for the experts of the wide group.
  Eight &group() const { return (&prior().wide())[1]; }
  Four &top() const { return *reinterpret_cast<Four *>(row + MILLRACE_MIXTURES_ROWS(rows) - 1); }
  /// How much the experts of each of the four share, and the four.
  Shares &shares() const { return reinterpret_cast<Shares *>(&top())[1]; }

  /// Every expert alike. Of the last row, the first `wide` are the wide group, which is awake where
  /// there are any, and the last `further` are always awake.
  void start(int wide, int further, const Shares &shares) const {
    for (int lane = 0; lane < 8; lane++) {
      group()[lane] = lane < wide;
      prior().wide()[lane] = lane >= 8 - further;
    }
    setPrior(true);
    for (int k = 0; k < mixtureCount; k++) {
      for (int v = 0; v < rows; v++) weights(k).narrow[v] = prior().narrow[v];
      weights(k).wide() = prior().wide();
    }
    top() = Four{} + 1.0f / mixtureCount;
    this->shares() = shares;
  }

  /// The wide group's weight: now, or what it had when it fell asleep.
  float wideWeight(bool isAwake) const {
    float weight = 0;
    for (int k = 0; k < mixtureCount; k++)
      weight += top()[k] * sum(isAwake ? group() * weights(k).wide() : asleep(k));
    return weight;
  }

  /// The wide group falls asleep or wakes. Asleep, experts keep their weights as specialists do
  /// (Freund et al. 1997): the others share what is left.
  void setAwake(bool isAwake) const {
    for (int k = 0; k < mixtureCount; k++) {
      const ExpertRows<rows> own = weights(k);
      if (!isAwake) asleep(k) = group() * own.wide();
      const float others = 1.0f - sum(asleep(k)), factor = isAwake ? others : 1.0f / others;
      for (int v = 0; v < rows; v++) own.narrow[v] *= factor;
      own.wide() = isAwake ? factor * own.wide() + asleep(k)
                           : factor * (1.0f - group()) * own.wide();
    }
    setPrior(isAwake);
  }

 private:
  /// Keeps which of the further experts are awake.
  void setPrior(bool isAwake) const {
    const auto isIn = ((prior().wide() > 0) & (group() == 0)) | ((group() > 0) & -isAwake);
    const Eight last = blend<8>(isIn, Eight{} + 1.0f, Eight{});
    const float each = 1.0f / (16 * rows + sum(last));
    for (int v = 0; v < rows; v++) prior().narrow[v] = Lanes{} + each;
    prior().wide() = each * last;
  }
};

/// What the mixtures make of a number for every expert.
template <int rows>
MILLRACE_INLINE Four mixed(const Mixtures<rows> &mixtures, const Lanes *narrow, Eight wide,
                           bool isAwake) {
  Eight total[mixtureCount];
  for (int k = 0; k < mixtureCount; k++)
    total[k] = mixtures.weights(k).dot(narrow, wide, isAwake);
  return sums(total[0], total[1], total[2], total[3]);
}

template <int rows>
MILLRACE_INLINE MixturesForecast forecast(const Mixtures<rows> &mixtures,
                                          const Experts<rows> &experts) {
  Lanes p[rows];
  for (int v = 0; v < rows; v++) p[v] = experts.narrow[v].yes;
  MixturesForecast result;
  result.mixture = mixed(mixtures, p, experts.wide.yes, experts.isAwake);
  result.top = sum(mixtures.top() * result.mixture);
  return result;
}

/// Multiplies each expert's weights by its likelihood, then lets all of them share: `worth` of what
/// they usually do.
///
/// Returns the mixtures' likelihoods, if the experts' are those of one record.
template <int rows>
MILLRACE_INLINE Four reweigh(const Mixtures<rows> &mixtures, const Lanes *likelihood, Eight wide,
                             bool isAwake, float worth) {
  const Four shares = worth * mixtures.shares().experts;
  Lanes narrow[mixtureCount][rows], prior[rows];
  Eight total[mixtureCount];
  for (int v = 0; v < rows; v++) prior[v] = mixtures.prior().narrow[v];
  for (int k = 0; k < mixtureCount; k++) {
    const ExpertRows<rows> weights = mixtures.weights(k);
    for (int v = 0; v < rows; v++) narrow[k][v] = weights.narrow[v] * likelihood[v];
    Lanes narrowTotal = narrow[k][0];
    for (int v = 1; v < rows; v++) narrowTotal += narrow[k][v];
    total[k] = folded(narrowTotal);
    if (isAwake) {
      weights.wide() *= wide;
      total[k] += weights.wide();
    }
  }
  const Four totals = sums(total[0], total[1], total[2], total[3]);
  const Four kept = (1.0f - shares) / totals;
  for (int k = 0; k < mixtureCount; k++) {
    const ExpertRows<rows> weights = mixtures.weights(k);
    for (int v = 0; v < rows; v++)
      weights.narrow[v] = narrow[k][v] * kept[k] + shares[k] * prior[v];
    if (isAwake)
      weights.wide() = weights.wide() * kept[k] + shares[k] * mixtures.prior().wide();
  }
  return totals;
}

/// - `worth`: how much of a record this is; a weight says how many of them.
template <int rows>
MILLRACE_INLINE void learn(const Mixtures<rows> &mixtures, const MixturesForecast &forecast,
                           const Experts<rows> &experts, bool label, float weight,
                           float worth = 1) {
  weight *= worth;
  const float top = label ? forecast.top : 1.0f - forecast.top;
  Lanes narrow[rows];
  for (int v = 0; v < rows; v++)
    narrow[v] = likelihood<16>(label ? experts.narrow[v].yes : experts.narrow[v].no, top, weight);
  const Eight wide =
      experts.isAwake ? likelihood<8>(label ? experts.wide.yes : experts.wide.no, top, weight)
                      : Eight{};
  reweigh(mixtures, narrow, wide, experts.isAwake, worth);
  const Four mixture = label ? forecast.mixture : 1.0f - forecast.mixture;
  fixedShare<4>(mixtures.top(), likelihood<4>(mixture, top, weight),
                worth * mixtures.shares().top);
}

#endif
