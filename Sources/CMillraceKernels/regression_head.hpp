#ifndef MILLRACE_REGRESSION_HEAD_HPP
#define MILLRACE_REGRESSION_HEAD_HPP

#include <cstring>

#include "bank_horizon.hpp"
#include "regression_experts.hpp"

/// The weights of the last layer's candidates: the mixture of mixtures, and eight filters.
struct LastWeights {
  static constexpr int count = 9;

  float mixture;
  Eight filters;
};

/// Mixes the experts, and corrects the mixture's error in a last layer. The state is rows of 16
/// floats.
struct RegressionHead {
  static constexpr int lastInputs = 8;
  /// Lanes of the row of state: the interval's; the squares and the weight of the mixture's
  /// errors; its last two errors; of the last layer and of mixing by squared error the shares,
  /// the regrets and the squares of these.
  static constexpr int mixtureErrors = Interval::size, lastErrors = mixtureErrors + 2,
                       choice = lastErrors + 2, choiceRegrets = choice + 2,
                       choiceSquares = choiceRegrets + 2;

  Lanes *row;

  Mixtures<2> mixtures() const { return {row}; }
  LastWeights last() const {
    const float *state = reinterpret_cast<const float *>(row + MILLRACE_REGRESSION_HEAD_LAST);
    LastWeights result = {state[0], {}};
    memcpy(&result.filters, state + 1, sizeof result.filters);
    return result;
  }
  void setLast(const LastWeights &last) const {
    float *state = reinterpret_cast<float *>(row + MILLRACE_REGRESSION_HEAD_LAST);
    state[0] = last.mixture;
    memcpy(state + 1, &last.filters, sizeof last.filters);
  }
  /// How much the last layer's candidates share.
  float &lastShare() const {
    return reinterpret_cast<float *>(row + MILLRACE_REGRESSION_HEAD_LAST)[LastWeights::count];
  }
  float *state() const { return reinterpret_cast<float *>(row + MILLRACE_REGRESSION_HEAD_STATE); }
  Interval interval() const { return {state()}; }
  float mixtureDeviation() const {
    return __builtin_sqrtf(state()[mixtureErrors] / state()[mixtureErrors + 1]);
  }
  /// Of mixing by squared error: the experts' weights, their regrets and the squares of these.
  ExpertRows<2> squared() const { return {row + MILLRACE_REGRESSION_HEAD_SQUARED}; }
  ExpertRows<2> regrets() const { return {squared().narrow + 3}; }
  ExpertRows<2> regretSquares() const { return {regrets().narrow + 3}; }
  /// The wide group falls asleep or wakes: asleep, it has no weight by squared error.
  void setAwake(bool isAwake) const {
    mixtures().setAwake(isAwake);
    if (isAwake) return;
    const ExpertRows<2> own = squared();
    const float others = sum(folded(own.narrow[0] + own.narrow[1]));
    for (int v = 0; v < 2; v++)
      own.narrow[v] = others > 1e-6f ? own.narrow[v] / others : Lanes{} + 1.0f / 32;
    own.wide() = Eight{};
  }
  KalmanFilters<8> filters() const {
    return {{lastInputs, reinterpret_cast<Eight *>(row + MILLRACE_REGRESSION_HEAD_FILTERS)}, false};
  }
};

/// Regrets fade slowly: one outlier must not decide.
static const float regretMemory = .9998f, regretLimit = 1e3f, leastRegretSquares = 1e-6f;
/// What the last layer learns to correct, in deviations of the mixture's error, and what mixing by
/// squared error sees of an error, in deviations of the target.
static const float correctedLimit = 5, errorLimit = 20;
/// How much of the two ways to mix is shared whatever they earn: one finds what is near a median,
/// the other a mean.
static const float choiceShare = .7f;

MILLRACE_INLINE float clamped(float x, float limit) {
  return x < -limit ? -limit : x > limit ? limit : x;
}

struct RegressionHeadForecast {
  NumbersForecast mixtures;
  /// What the errors of the last layer are in units of.
  float deviation;
  Projection<8> projection;
  Number<8> filters;
  Eight direction[RegressionHead::lastInputs];
  /// Of the last layer, and of the experts mixed by squared error.
  float choice[2];
  float mean;
};

/// `last` is the target before.
template <bool commit>
MILLRACE_INLINE void forecast(const RegressionHead &head, const Numbers &experts, float last,
                              RegressionHeadForecast &result) {
  result.mixtures = forecast(head.mixtures(), experts);
  const float top = result.mixtures.top;
  result.deviation = head.mixtureDeviation();
  const Vector<float, 4> apart = result.mixtures.mixture - top;
  const float *errors = head.state() + RegressionHead::lastErrors;
  Eight inputs = {apart[0], apart[1], apart[2], apart[3], errors[0], errors[1], last - top, 0};
  inputs = clamped<8>(inputs * (1 / result.deviation), -10, 10);
  inputs[7] = 1;
  float z[RegressionHead::lastInputs];
  for (int j = 0; j < RegressionHead::lastInputs; j++) z[j] = inputs[j];
  result.projection =
      project<8, commit, RegressionHead::lastInputs>(head.filters(), z, result.direction);
  result.filters = number<8>(head.filters(), result.projection);
  const LastWeights weights = head.last();
  result.choice[0] = weights.mixture * top +
                     sum(weights.filters * (top + result.deviation * result.filters.mean));
  result.choice[1] = Numbers::mean(experts, head.squared());
  const float *shares = head.state() + RegressionHead::choice;
  result.mean = shares[0] * result.choice[0] + shares[1] * result.choice[1];
}

/// Takes in how much less an expert's error would have cost, and returns its new weight up to a
/// common factor.
template <int N>
MILLRACE_INLINE Vector<float, N> learnRegret(Vector<float, N> &regret, Vector<float, N> &squares,
                                             Vector<float, N> less) {
  less = clamped<N>(less, -regretLimit, regretLimit);
  regret = regret * regretMemory + less;
  squares = squares * regretMemory + less * less;
  return blend<N>(regret > 0, regret, Vector<float, N>{}) / (squares + leastRegretSquares);
}

/// Mixes by squared error: a density that forgives large errors finds medians where means are asked
/// for. ML-Poly with the gradient's trick (Gaillard, Stoltz & van Erven 2014): an expert weighs as
/// much as its regret, if positive, in units of the squares of its steps, so that no rate has to be
/// guessed and one outlier decides little. `scale` is the unit of squared errors.
MILLRACE_INLINE void learnSquares(const RegressionHead &head,
                                  const RegressionHeadForecast &forecast, const Numbers &experts,
                                  float y, float weight, float scale) {
  const ExpertRows<2> own = head.squared(), regrets = head.regrets(), squares = head.regretSquares();
  const float mean = forecast.choice[1], root = __builtin_sqrtf(scale);
  const float slope = 2 * weight * root * clamped(root * (mean - y), errorLimit);
  Lanes narrow[2];
  for (int v = 0; v < 2; v++)
    narrow[v] = learnRegret<16>(regrets.narrow[v], squares.narrow[v],
                                slope * (mean - experts.narrow[v].mean));
  const Eight wide =
      experts.isAwake
          ? learnRegret<8>(regrets.wide(), squares.wide(),
                           head.mixtures().group() * (slope * (mean - experts.wide.mean)))
          : Eight{};
  const float total = sum(folded(narrow[0] + narrow[1]) + wide);
  // While all regrets are negative, the mixture is better than any expert.
  if (total > 0) {
    for (int v = 0; v < 2; v++) own.narrow[v] = narrow[v] * (1 / total);
    own.wide() = wide * (1 / total);
  }

  const float ownSlope = 2 * weight * root * clamped(root * (forecast.mean - y), errorLimit);
  float *state = head.state();
  float chosen[2];
  for (int k = 0; k < 2; k++) {
    Vector<float, 1> regret = {state[RegressionHead::choiceRegrets + k]};
    Vector<float, 1> square = {state[RegressionHead::choiceSquares + k]};
    const Vector<float, 1> less = {ownSlope * (forecast.mean - forecast.choice[k])};
    chosen[k] = learnRegret<1>(regret, square, less)[0];
    state[RegressionHead::choiceRegrets + k] = regret[0];
    state[RegressionHead::choiceSquares + k] = square[0];
  }
  const float both = chosen[0] + chosen[1];
  if (both > 0)
    for (int k = 0; k < 2; k++)
      state[RegressionHead::choice + k] =
          choiceShare / 2 + (1 - choiceShare) * chosen[k] / both;
}

MILLRACE_INLINE void learn(const RegressionHead &head, const RegressionHeadForecast &forecast,
                           const Numbers &experts, float y, float weight, float scale) {
  learn(head.mixtures(), experts, forecast.mixtures.top, y, weight, 1, scale);
  // The last layer works in units of the mixture's error.
  const float error = y - forecast.mixtures.top;
  const float relative = error / forecast.deviation;
  const KalmanFilters<8> correctors = head.filters();
  const Eight own = density<8>(forecast.filters, correctors.isRobust(), relative, 1);
  const Number<1> mixture = {{}, Vector<float, 1>{} + 1.0f};
  const float plain = density<1>(mixture, Vector<int32_t, 1>{}, relative, 1)[0];
  LastWeights last = head.last();
  last.mixture *= likelihood<1>(Vector<float, 1>{} + plain, 1, weight)[0];
  last.filters *= likelihood<8>(own, 1, weight);
  const float share = head.lastShare();
  const float kept = (1 - share) / (last.mixture + sum(last.filters));
  const float shared = share / LastWeights::count;
  last.mixture = last.mixture * kept + shared;
  last.filters = last.filters * kept + shared;
  head.setLast(last);
  learn<8>(correctors, forecast.projection, forecast.filters, nullptr, forecast.direction,
           clamped(relative, correctedLimit), weight, 1e-10f);

  float *state = head.state();
  const float least = 1e-10f / scale;
  learnSquares(head, forecast, experts, y, weight, scale);
  head.interval().learn(y - forecast.mean, 1, least);
  float &weights = state[RegressionHead::mixtureErrors + 1];
  float &squares = state[RegressionHead::mixtureErrors];
  weights = weights * errorMemory + weight;
  squares = squares * errorMemory + error * error * weight;
  if (!(squares > weights * least)) squares = weights * least;
  state[RegressionHead::lastErrors + 1] = state[RegressionHead::lastErrors];
  state[RegressionHead::lastErrors] = error;
}

/// Weights for where labels come late: see `Horizon`.
struct RegressionHorizon {
  Lanes *row;

  Mixtures<2> mixtures() const { return {row}; }
  /// The squared errors of what the snapshot's experts said.
  ExpertRows<2> squares() const { return {row + MILLRACE_REGRESSION_HORIZON_SQUARES}; }
  Interval interval() const {
    return {reinterpret_cast<float *>(row + MILLRACE_REGRESSION_HORIZON_STATE)};
  }
};

/// Scores what the snapshot's experts said, whose variances are still to be filled in.
MILLRACE_INLINE void learn(const RegressionHorizon &horizon, Numbers &experts, float y,
                           float weight, float worth, float scale) {
  const ExpertRows<2> squares = horizon.squares();
  const Interval interval = horizon.interval();
  const float seen = interval.state[Interval::weight];
  for (int v = 0; v < 2; v++) experts.narrow[v].variance = squares.narrow[v] / seen;
  experts.wide.variance = squares.wide() / seen;
  const float top = forecast(horizon.mixtures(), experts).top;
  learn(horizon.mixtures(), experts, top, y, weight, worth, scale);
  const float kept = errorsKept(worth), least = 1e-10f / scale * (seen * kept + worth);
  for (int v = 0; v < 2; v++) {
    const Lanes error = y - experts.narrow[v].mean;
    const Lanes sum = squares.narrow[v] * kept + worth * error * error;
    squares.narrow[v] = blend<16>(sum > least, sum, Lanes{} + least);
  }
  if (experts.isAwake) {
    const Eight error = y - experts.wide.mean;
    const Eight sum = squares.wide() * kept + worth * error * error;
    squares.wide() = blend<8>(sum > least, sum, Eight{} + least);
  }
  interval.learn(y - top, worth, 1e-10f / scale);
}

#endif
