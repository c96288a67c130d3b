#include "wide.h"

#include <cstring>

#include "clones.h"
#include "wide_lanes.hpp"

namespace {

/// logit(1e-4): no expert is surer.
const float logitLimit = 9.21024f;
/// Of the last layer, which weighs the experts' logits beside the mixture's.
const int mixerCount = 3;

struct Head {
  Lanes *row;

  explicit Head(const millrace_wide_bank &bank) : row((Lanes *)bank.head) {}

  Lanes &mixture(int k) const { return row[MILLRACE_WIDE_MIXTURES + k]; }
  Vector<float, 4> &top() const { return *(Vector<float, 4> *)(row + MILLRACE_WIDE_TOP); }
  Sharpness &sharpness() const { return ((Sharpness *)(row + MILLRACE_WIDE_TOP))[2]; }
  WideShares &shares() const { return ((WideShares *)(row + MILLRACE_WIDE_TOP))[1]; }
  Lanes &combined(int r) const { return row[MILLRACE_WIDE_COMBINED + r]; }
  float *mixtureWeights() const { return (float *)(row + MILLRACE_WIDE_LAST); }
  Vector<float, 4> &last() const { return ((Vector<float, 4> *)(row + MILLRACE_WIDE_LAST))[1]; }
  LastSteps &steps() const { return ((LastSteps *)(row + MILLRACE_WIDE_LAST))[2]; }
};

/// What the experts say. A linear one allows for labels that are simply wrong, a share ε of them:
/// p = ε + (1 − 2ε)σ(wz).
struct Experts16 {
  Sigmoids<16> label;
  Lanes logits;
  /// ∂p/∂(wz); 0 for running means.
  Lanes slope;
};

MILLRACE_INLINE Experts16 experts(const Head &head, Lanes margins) {
  const Lanes noise = head.row[MILLRACE_WIDE_NOISE], sure = 1 - 2 * noise;
  const Lanes average = head.row[MILLRACE_WIDE_AVERAGE];
  const auto isMean = newtonLanes + descentLanes == 0;
  const Sigmoids<16> linear = sigmoids<16>(margins);
  Experts16 result;
  result.label = clampedProbabilities<16>(
      {blend<16>(isMean, average, noise + sure * linear.yes),
       blend<16>(isMean, 1 - average, noise + sure * linear.no)});
  result.logits = logarithm<16>(result.label.yes / result.label.no);
  result.slope = blend<16>(isMean, Lanes{}, sure * linear.yes * linear.no);
  return result;
}

struct Forecast16 {
  Experts16 experts;
  Vector<float, 4> mixtures;
  /// The mixture of mixtures, and the last layer's combinations.
  Vector<float, 4> parts;
  float topLogit, probability;
};

MILLRACE_INLINE Forecast16 forecast(const Head &head, Lanes margins) {
  Forecast16 now;
  now.experts = experts(head, margins);
  for (int k = 0; k < 4; k++) now.mixtures[k] = total(head.mixture(k) * now.experts.label.yes);
  const float top = sum(head.top() * now.mixtures);
  Vector<float, 4> odds = {top / (1 - top), 1, 1, 1};
  now.topLogit = logarithm<4>(odds)[0];
  Vector<float, 4> combined = {};
  for (int r = 0; r < mixerCount; r++)
    combined[r + 1] =
        head.mixtureWeights()[r] * now.topLogit + total(head.combined(r) * now.experts.logits);
  now.parts = sigmoids<4>(clamped<4>(combined, -logitLimit, logitLimit)).yes;
  now.parts[0] = top;
  now.probability = sum(head.last() * now.parts);
  return now;
}

MILLRACE_INLINE void learn(const Head &head, const Forecast16 &now, bool label, float weight) {
  const Lanes own = label ? now.experts.label.yes : now.experts.label.no;
  const Vector<float, 4> mixtures = label ? now.mixtures : 1 - now.mixtures;
  for (int k = 0; k < 4; k++)
    shareLanes(head.mixture(k), likelihood<16>(own, mixtures[k], weight), head.shares().experts[k]);
  const float top = label ? now.parts[0] : 1 - now.parts[0];
  fixedShare<4>(head.top(), likelihood<4>(mixtures, top, weight), head.shares().top);

  const Vector<float, 4> parts = label ? now.parts : 1 - now.parts;
  const float probability = label ? now.probability : 1 - now.probability;
  for (int r = 0; r < mixerCount; r++) {
    const float step =
        head.steps().rates[r] * (weight < 1 ? weight : 1) * ((label ? 1.0f : 0.0f) - now.parts[r + 1]);
    head.combined(r) += step * now.experts.logits;
    head.mixtureWeights()[r] += step * now.topLogit;
  }
  fixedShare<4>(head.last(), likelihood<4>(parts, probability, weight), head.steps().share);

  Lanes &average = head.row[MILLRACE_WIDE_AVERAGE];
  const Lanes memory = head.row[MILLRACE_WIDE_MEMORY];
  const Lanes move = blend<16>(memory < 1, (1 - memory) * weight, Lanes{});
  average += blend<16>(move < 1, move, Lanes{} + 1) * ((label ? 1.0f : 0.0f) - average);
}

MILLRACE_INLINE Lanes margins(const float *weights, const float *row, size_t columns) {
  Lanes result;
  writeDots<1>(weights, row, 0, columns, &result, 1);
  return result;
}

MILLRACE_INLINE float frozen(const Head &head, const Experts16 &own) {
  return total(head.row[MILLRACE_WIDE_FROZEN] * own.label.yes);
}

/// The logit of `frozen`.
MILLRACE_INLINE float frozenLogit(const Head &head, const Experts16 &own) {
  const float p = frozen(head, own);
  return logarithm<4>(Vector<float, 4>{} + p / (1 - p))[0];
}

MILLRACE_INLINE float sigmoid(float x) { return sigmoids<4>(Vector<float, 4>{} + x).yes[0]; }

MILLRACE_INLINE double predict(const millrace_wide_bank &bank, const float *row, bool isFrozen) {
  const Head head(bank);
  const Lanes m = margins(bank.weights, row, bank.columns);
  if (!isFrozen) return forecast(head, m).probability;
  return sigmoid(head.sharpness().factor * frozenLogit(head, experts(head, m)));
}

/// What would be said with the weights of the last snapshot earns the weights without labels.
MILLRACE_INLINE void learnFrozen(const millrace_wide_bank &bank, const Head &head,
                                 const Experts16 &own, const float *row, bool label, float weight) {
  const float logit = frozenLogit(head, own), said = sigmoid(head.sharpness().factor * logit);
  head.sharpness().learn(((label ? 1.0f : 0.0f) - said) * logit,
                         said * (1 - said) * logit * logit, weight);
  const Experts16 past = experts(head, margins(bank.snapshot, row, bank.columns));
  const float mixed = frozen(head, past);
  shareLanes(head.row[MILLRACE_WIDE_FROZEN],
                 likelihood<16>(label ? past.label.yes : past.label.no,
                                label ? mixed : 1 - mixed, weight),
                 head.shares().frozen);
}

/// Whether a record is scored for where no label comes: all of the first ones, later some.
MILLRACE_INLINE bool scoresFrozen(const Head &head, uint64_t record) {
  return record < 4096 || record % atLeast(1, head.shares().interval) == 0;
}

/// Returns the prediction.
MILLRACE_INLINE double learn(const millrace_wide_bank &bank, const float *row, bool label,
                             float weight, float *scaled, uint64_t record) {
  const Head head(bank);
  const Forecast16 now = forecast(head, margins(bank.weights, row, bank.columns));
  weight = limitedWeight(weight);
  const Experts16 &own = now.experts;
  // Descent takes its own step, and beyond some length one of one record would overshoot.
  const Lanes rate = head.row[MILLRACE_WIDE_RATE] * (weight / bank.columns);
  const float limit = 4 / squaredLength(row, bank.columns);
  const Lanes length = blend<16>(newtonLanes > 0, Lanes{} + weight,
                                 blend<16>(rate < limit, rate, Lanes{} + limit));
  const Lanes residual =
      length * own.slope * (label ? 1 / own.label.yes : -1 / own.label.no);
  // Fisher's information, as the linear experts see it.
  const Lanes information = own.slope * own.slope / (own.label.yes * own.label.no);
  const Lanes mixture = head.mixture(1);
  const float linear = 1 - mixture[13] - mixture[14] - mixture[15];
  const float root = __builtin_sqrtf(weight * total(mixture * information) / linear);
  for (size_t j = 0; j < bank.columns; j++) ((Lanes *)bank.gradients)[j] += residual * row[j];
  for (size_t j = 0; j < bank.columns; j++) scaled[j] = root * row[j];
  if (weight > 0) {
    if (scoresFrozen(head, record)) learnFrozen(bank, head, own, row, label, weight);
    learn(head, now, label, weight);
  }
  return now.probability;
}

MILLRACE_INLINE void takeStep(const millrace_wide_bank &bank, const millrace_newton_step &newton,
                              const float *steps) {
  Lanes step;
  memcpy(&step, steps, sizeof step);
  step = boundedStep(step, newton, bank.gradients, bank.columns);
  for (size_t j = 0; j < bank.columns; j++) {
    Lanes &gradient = ((Lanes *)bank.gradients)[j];
    ((Lanes *)bank.weights)[j] += step * ((const Lanes *)newton.directions)[j] + descentLanes * gradient;
    gradient = Lanes{};
  }
}

}  // namespace

void millrace_wide_start(const millrace_wide_bank *bank) {
  const Head head(*bank);
  memset(bank->head, 0, MILLRACE_WIDE_HEAD_ROWS * sizeof(Lanes));
  const float d = (float)bank->columns;
  const Lanes inColumns = {1e9f, 100, 32, 16, 8, 4, 400, 32, 8};
  const Lanes means = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.5f, 0.8f, 0.95f};
  head.row[MILLRACE_WIDE_MEMORY] = inColumns * d + means;
  head.row[MILLRACE_WIDE_RATE] = Lanes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0.2f, 0.6f, 2, 6};
  head.row[MILLRACE_WIDE_AVERAGE] = Lanes{} + 0.5f;
  head.row[MILLRACE_WIDE_NOISE] = Lanes{0, 0, 0, 0, 0, 0, 1, 1, 1} * 0.05f;
  for (int k = 0; k < 4; k++) head.mixture(k) = Lanes{} + 1.0f / 16;
  head.row[MILLRACE_WIDE_FROZEN] = Lanes{} + 1.0f / 16;
  head.top() = head.last() = Vector<float, 4>{} + 0.25f;
  head.sharpness().factor = 1;
  head.shares() = wideShares;
  head.steps() = {1e-4f, {3e-4f, 2e-3f, 8e-3f}};
  for (int r = 0; r < mixerCount; r++) head.mixtureWeights()[r] = 1;
}

MILLRACE_CLONES
void millrace_wide_predict(const millrace_wide_bank *bank, const float *rows, size_t count,
                           size_t stride, int frozen, double *predictions) {
  for (size_t i = 0; i < count; i++) predictions[i] = predict(*bank, rows + i * stride, frozen);
}

MILLRACE_CLONES
void millrace_wide_learn(const millrace_wide_bank *bank, const float *rows, size_t count,
                         size_t stride, const double *labels, const float *weights,
                         double *predictions) {
  for (size_t i = 0; i < count; i++) {
    float *scaled = bank->scaled + i * bank->columns;
    predictions[i] = learn(*bank, rows + i * stride, labels[i] == 1, weights[i], scaled,
                           bank->rowCount + i);
  }
}

MILLRACE_CLONES
void millrace_wide_step(const millrace_wide_bank *bank, const millrace_newton_step *newton,
                        const float *steps) {
  takeStep(*bank, *newton, steps);
}
