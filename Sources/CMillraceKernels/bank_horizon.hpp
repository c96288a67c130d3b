#ifndef MILLRACE_BANK_HORIZON_HPP
#define MILLRACE_BANK_HORIZON_HPP

#include "bank_filters.hpp"
#include "bank_mixtures.hpp"

/// Weights for where labels come late: earned by what each expert would have said with the state it
/// had at the start of a block of records, scored over the block. What the mixture of mixtures then
/// says is calibrated by a filter over its logit. The state is rows of 16 floats.
struct Horizon {
  static constexpr int count = MILLRACE_BANK_HORIZONS;
  /// The first block's length, and what later blocks' are multiples of.
  static constexpr uint64_t firstBlock = 16, lateBlocks = 64;

  Lanes *row;

  Mixtures<1> mixtures() const { return {row}; }
  Filters<1> calibration() const {
    return {2, reinterpret_cast<Vector<float, 1> *>(row + MILLRACE_HORIZON_CALIBRATION)};
  }

  /// Records from this one to the next at which a block may start, or the wide group change.
  static size_t rowsToBlockEnd(uint64_t record) {
    const uint64_t rows = record < lateBlocks ? firstBlock : lateBlocks;
    return rows - record % rows;
  }
};

struct HorizonForecast {
  MixturesForecast mixtures;
  Forecast<1> calibration;
  Vector<float, 1> direction[2];
};

MILLRACE_INLINE HorizonForecast forecast(const Horizon &horizon, const Experts<1> &experts) {
  HorizonForecast result;
  result.mixtures = forecast(horizon.mixtures(), experts);
  const Vector<float, 1> p = Vector<float, 1>{} + result.mixtures.top;
  const float inputs[2] = {logarithm<1>(p / (1.0f - p))[0], 1};
  result.calibration = forecast<1, true>(horizon.calibration(), inputs, result.direction);
  return result;
}

/// The calibrations of all horizons side by side, where nothing is learnt any more: the step that
/// waits is in them.
struct FrozenCalibrations {
  typedef Vector<float, Horizon::count> F;

  /// The weights of the logit and of the constant, and their covariance.
  F weight, constant, variance, covariance, constantVariance;
  F noise;

  void set(int horizon, const Filters<1> &filters) {
    const auto *u = filters.direction(), *c = filters.covariance(), *mean = filters.mean();
    const float curvature = filters.row[MILLRACE_FILTERS_CURVATURE][0];
    const float scale = filters.row[MILLRACE_FILTERS_SCALE][0];
    const auto first = c[0] - curvature * u[0] * u[0], second = c[2] - curvature * u[1] * u[1];
    variance[horizon] = (first + waitingDrift(filters, 0, first))[0] * scale;
    covariance[horizon] = (c[1] - curvature * u[1] * u[0])[0] * scale;
    constantVariance[horizon] = (second + waitingDrift(filters, 1, second))[0] * scale;
    weight[horizon] = mean[0][0];
    constant[horizon] = mean[1][0];
    noise[horizon] = filters.row[MILLRACE_FILTERS_NOISE][0];
  }

  /// The probabilities of the second class from those of the mixtures.
  MILLRACE_MEMBER F probabilities(F mixtures) const {
    const F z = logarithm<Horizon::count>(mixtures / (1.0f - mixtures));
    const F spread = z * (z * variance + 2.0f * covariance) + constantVariance;
    const F kappa = shrinkage<Horizon::count>(blend<Horizon::count>(spread > 0, spread, F{}));
    const F plain = sigmoids<Horizon::count>(kappa * (z * weight + constant)).yes;
    return noise + (1.0f - 2.0f * noise) * plain;
  }
};

MILLRACE_INLINE void learn(const Horizon &horizon, const HorizonForecast &forecast,
                           const Experts<1> &experts, bool label, float weight, float worth) {
  learn(horizon.mixtures(), forecast.mixtures, experts, label, weight, worth);
  learn<1>(horizon.calibration(), forecast.calibration, forecast.direction, label, weight * worth);
}

#endif
