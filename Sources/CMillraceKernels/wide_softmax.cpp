#include "wide_softmax.h"

#include <cstring>

#include "clones.h"
#include "softmax_lanes.hpp"
#include "wide_lanes.hpp"

namespace {

/// Of the last layer, which weighs the experts' logarithms beside the mixture's.
const int mixerCount = 3;
/// Rows whose margins are worked on at once.
const size_t tileRows = 4;

/// From here on one record in so many is scored by frozen experts.
const uint64_t scoredFrom = 1024, scoredEvery = 3;

struct Head {
  Lanes *row;

  Lanes &mixture(int k) const { return row[MILLRACE_WIDE_SOFTMAX_MIXTURES + k]; }
  Four &top() const { return *(Four *)(row + MILLRACE_WIDE_SOFTMAX_TOP); }
  /// The curvature that the classes have in common.
  float &curvature() const { return ((float *)(row + MILLRACE_WIDE_SOFTMAX_TOP))[4]; }
  Sharpness &sharpness() const { return ((Sharpness *)(row + MILLRACE_WIDE_SOFTMAX_TOP))[3]; }
  WideShares &shares() const { return ((WideShares *)(row + MILLRACE_WIDE_SOFTMAX_TOP))[1]; }
  Lanes &mixer(int m) const { return row[MILLRACE_WIDE_SOFTMAX_COMBINED + m]; }
  /// The mixers' weights of the mixture's logarithm, in the last three lanes.
  Four &mixtureWeights() const { return ((Four *)(row + MILLRACE_WIDE_SOFTMAX_LAST))[0]; }
  Four &last() const { return ((Four *)(row + MILLRACE_WIDE_SOFTMAX_LAST))[1]; }
  LastSteps &steps() const { return ((LastSteps *)(row + MILLRACE_WIDE_SOFTMAX_LAST))[2]; }
};

struct ClassRows {
  Lanes *row;

  Lanes &counts() const { return row[MILLRACE_WIDE_SOFTMAX_COUNTS]; }
  float &curvature() const { return ((float *)(row + MILLRACE_WIDE_SOFTMAX_CURVATURE))[0]; }
  Lanes *weights() const { return row + MILLRACE_WIDE_SOFTMAX_WEIGHTS; }
};

/// What is said of one class.
struct ClassForecast {
  /// The models' probability if no label were wrong, the experts', and its logarithm less the mean
  /// over the classes.
  Lanes plain, expert, log;
  Four mixture;
  /// The mixture of mixtures and the mixers.
  Four candidate;
  float topLog;
};

struct Bank {
  size_t columns, count;
  float *classes;
  Head head;
  ClassForecast *said;
  /// Of a few rows, those of a row beside each other.
  Lanes *margins;
  /// What a frozen bank says.
  float *probabilities;

  Bank(const millrace_wide_softmax &bank, float *room)
      : columns(bank.columns),
        count(bank.classCount),
        classes(bank.classes),
        head{(Lanes *)bank.head},
        said((ClassForecast *)room),
        margins((Lanes *)(said + count)),
        probabilities((float *)(margins + tileRows * count)) {}

  static size_t classSize(size_t columns) {
    return 16 * (MILLRACE_WIDE_SOFTMAX_WEIGHTS + columns);
  }
  ClassRows rows(size_t k) const { return {(Lanes *)(classes + k * classSize(columns))}; }
};

template <int R>
MILLRACE_INLINE void writeMargins(const Bank &bank, const float *rows, size_t stride) {
  for (size_t k = 0; k < bank.count; k++)
    writeDots<R>((const float *)bank.rows(k).weights(), rows, stride, bank.columns,
               bank.margins + k, bank.count);
}

/// Margins of up to `tileRows` rows.
MILLRACE_INLINE void writeMargins(const Bank &bank, const float *rows, size_t count,
                                  size_t stride) {
  if (count == tileRows) return writeMargins<tileRows>(bank, rows, stride);
  for (size_t i = 0; i < count; i++) {
    Bank one = bank;
    one.margins += i * bank.count;
    writeMargins<1>(one, rows + i * stride, stride);
  }
}

/// What the experts say of every class, from a row's margins: p = (1 − ε)softmax(wz) + ε/K where a
/// share ε of the labels is simply wrong; frequencies by their counts.
MILLRACE_INLINE void forecastExperts(const Bank &bank, Lanes *margins) {
  const float uniform = 1.0f / bank.count;
  const auto isLinear = newtonLanes + descentLanes > 0;
  Lanes greatest = Lanes{} - marginLimit, whole = {};
  for (size_t k = 0; k < bank.count; k++) {
    margins[k] = clamped<16>(margins[k], -marginLimit, marginLimit);
    greatest = blend<16>(margins[k] > greatest, margins[k], greatest);
  }
  for (size_t k = 0; k < bank.count; k++) {
    ClassForecast &said = bank.said[k];
    said.plain = blend<16>(isLinear, decayed<16>(margins[k] - greatest),
                           bank.rows(k).counts() + uniform);
    whole += said.plain;
  }
  const Lanes noise = bank.head.row[MILLRACE_WIDE_SOFTMAX_NOISE];
  for (size_t k = 0; k < bank.count; k++) {
    ClassForecast &said = bank.said[k];
    said.plain /= whole;
    said.expert = floored((1 - noise) * said.plain + noise * uniform, uniform);
  }
}

MILLRACE_INLINE void divide(float *probabilities, size_t count) {
  float whole = 0;
  for (size_t k = 0; k < count; k++) whole += probabilities[k];
  for (size_t k = 0; k < count; k++) probabilities[k] /= whole;
}

/// What mixtures and mixers make of the experts.
MILLRACE_INLINE void forecast(const Bank &bank, Lanes *margins, float *probabilities) {
  forecastExperts(bank, margins);
  const Head &head = bank.head;
  const float uniform = 1.0f / bank.count;
  Lanes logs = {};
  float topLogs = 0;
  for (size_t k = 0; k < bank.count; k++) {
    ClassForecast &said = bank.said[k];
    Eight mixed[4];
    for (int m = 0; m < 4; m++) mixed[m] = folded(head.mixture(m) * said.expert);
    said.mixture = sums(mixed[0], mixed[1], mixed[2], mixed[3]);
    said.candidate[0] = sum(head.top() * said.mixture);
    logs += said.log = logarithm<16>(said.expert);
    topLogs += said.topLog = logarithm<4>(Four{} + said.candidate[0])[0];
  }
  Four greatest = Four{} - 1e30f, whole = {};
  for (size_t k = 0; k < bank.count; k++) {
    ClassForecast &said = bank.said[k];
    said.log -= logs * uniform;
    said.topLog -= topLogs * uniform;
    const float top = said.candidate[0];
    Eight weighed[mixerCount];
    for (int m = 0; m < mixerCount; m++) weighed[m] = folded(head.mixer(m) * said.log);
    said.candidate = sums(Eight{}, weighed[0], weighed[1], weighed[2]) +
                     head.mixtureWeights() * said.topLog;
    greatest = blend<4>(said.candidate > greatest, said.candidate, greatest);
    said.candidate[0] = top;
  }
  for (size_t k = 0; k < bank.count; k++) {
    Four &candidate = bank.said[k].candidate;
    const float top = candidate[0];
    candidate[0] = 0;
    candidate = decayed<4>(candidate - greatest);
    whole += candidate;
    candidate[0] = top;
  }
  whole[0] = 1;
  for (size_t k = 0; k < bank.count; k++) {
    Four &candidate = bank.said[k].candidate;
    candidate = floored(candidate / whole, uniform);
    probabilities[k] = sum(head.last() * candidate);
  }
  divide(probabilities, bank.count);
}

/// The logarithms of what experts say whose weights were earned by frozen ones.
MILLRACE_INLINE void mixFrozen(const Bank &bank) {
  for (size_t k = 0; k < bank.count; k++) {
    ClassForecast &said = bank.said[k];
    const float mixed = total(bank.head.row[MILLRACE_WIDE_SOFTMAX_FROZEN] * said.expert);
    said.topLog = logarithm<4>(Four{} + mixed)[0];
  }
}

/// p ∝ mᵝ of `mixFrozen`.
MILLRACE_INLINE void sharpen(const Bank &bank, float *probabilities) {
  float greatest = -1e30f;
  for (size_t k = 0; k < bank.count; k++) {
    const float log = bank.said[k].topLog;
    greatest = log > greatest ? log : greatest;
  }
  const float sharpness = bank.head.sharpness().factor;
  for (size_t k = 0; k < bank.count; k++)
    probabilities[k] = decayed<4>(Four{} + sharpness * (bank.said[k].topLog - greatest))[0];
  divide(probabilities, bank.count);
}

MILLRACE_INLINE void learnHead(const Bank &bank, size_t label, const float *probabilities,
                               float weight) {
  const Head &head = bank.head;
  const ClassForecast &own = bank.said[label];
  const float top = sum(head.top() * own.mixture);
  const Lanes given = likelihood<16>(own.expert, top, weight);
  const Four mixture = likelihood<4>(own.mixture, top, weight);
  for (int k = 0; k < 4; k++) shareLanes(head.mixture(k), given, head.shares().experts[k]);
  fixedShare<4>(head.top(), mixture, head.shares().top);
  Lanes gradients[mixerCount] = {};
  Four mixtureGradient = {};
  for (size_t k = 0; k < bank.count; k++) {
    const ClassForecast &said = bank.said[k];
    const Four error = (k == label ? 1.0f : 0.0f) - said.candidate;
    for (int m = 0; m < mixerCount; m++) gradients[m] += error[m + 1] * said.log;
    mixtureGradient += error * said.topLog;
  }
  const float scale = weight < 1 ? weight : 1;
  for (int m = 0; m < mixerCount; m++) {
    head.mixer(m) += scale * head.steps().rates[m] * gradients[m];
    head.mixtureWeights()[m + 1] += scale * head.steps().rates[m] * mixtureGradient[m + 1];
  }
  fixedShare<4>(head.last(), likelihood<4>(own.candidate, probabilities[label], weight),
                head.steps().share);
}

/// The curvature that a record has, and what its label pulls each class by.
MILLRACE_INLINE void keep(const Bank &bank, const float *row, size_t label,
                          const float *probabilities, float weight, Lanes *pulls, float *root) {
  float squares = 0;
  for (size_t k = 0; k < bank.count; k++) squares += probabilities[k] * probabilities[k];
  const float others = bank.count > 1 ? 1.0f / (bank.count - 1) : 0;
  const float spread = squares < 1 ? (1 - squares) * others * weight : 0;
  bank.head.curvature() += spread;
  *root = __builtin_sqrtf(spread);

  const ClassForecast &own = bank.said[label];
  // Beyond this length a step of descent by one record would overshoot.
  const Lanes rate = bank.head.row[MILLRACE_WIDE_SOFTMAX_RATE] * (weight / bank.columns);
  const float limit = 4 / squaredLength(row, bank.columns);
  const Lanes descent = blend<16>(rate < limit, rate, Lanes{} + limit);
  const Lanes right = (1 - bank.head.row[MILLRACE_WIDE_SOFTMAX_NOISE]) * own.plain / own.expert;
  const Lanes pull = right * blend<16>(newtonLanes > 0, Lanes{} + weight, descent);
  for (size_t k = 0; k < bank.count; k++) {
    const float target = k == label ? 1 : 0;
    pulls[k] = pull * (target - bank.said[k].plain);
    const ClassRows rows = bank.rows(k);
    rows.curvature() +=
        weight * probabilities[k] * (1 - probabilities[k]) * (bank.count * others);
    rows.counts() =
        bank.head.row[MILLRACE_WIDE_SOFTMAX_KEPT] * rows.counts() + target * weight;
  }
}

MILLRACE_INLINE void learnSharpness(const Bank &bank, size_t label, float weight) {
  mixFrozen(bank);
  sharpen(bank, bank.probabilities);
  float mean = 0, square = 0;
  for (size_t k = 0; k < bank.count; k++) {
    const float log = bank.said[k].topLog;
    mean += bank.probabilities[k] * log;
    square += bank.probabilities[k] * log * log;
  }
  bank.head.sharpness().learn(bank.said[label].topLog - mean, square - mean * mean, weight);
}

/// What the last snapshot says of a label earns the weights without labels.
MILLRACE_INLINE void learnFrozen(Bank bank, float *snapshot, const float *row, size_t label,
                                 float weight) {
  bank.classes = snapshot;
  writeMargins<1>(bank, row, 0);
  forecastExperts(bank, bank.margins);
  Lanes &weights = bank.head.row[MILLRACE_WIDE_SOFTMAX_FROZEN];
  const Lanes own = bank.said[label].expert;
  shareLanes(weights, likelihood<16>(own, total(weights * own), weight), bank.head.shares().frozen);
}

/// w ← w + Σᵢ (each Newton lane's step)·pullᵢ·directionᵢ + Σᵢ pullᵢ·zᵢ for the others, over R
/// records from `first` on.
template <int R>
MILLRACE_INLINE void moveClass(const ClassRows &rows, const millrace_wide_softmax &bank,
                               size_t first, const Lanes *pulls, const float *directions,
                               Lanes step) {
  Lanes newton[R], descent[R];
  for (int r = 0; r < R; r++) {
    const Lanes pull = pulls[(first + r) * bank.classCount];
    newton[r] = step * newtonLanes * pull;
    descent[r] = descentLanes * pull;
  }
  directions += first * bank.columns;
  const float *own = bank.rows + first * bank.columns;
  for (size_t j = 0; j < bank.columns; j++) {
    Lanes weights = rows.weights()[j];
    for (int r = 0; r < R; r++)
      weights += newton[r] * directions[r * bank.columns + j] +
                 descent[r] * own[r * bank.columns + j];
    rows.weights()[j] = weights;
  }
}

MILLRACE_INLINE void step(const millrace_wide_softmax &bank, const float *directions, float mass,
                          float memory, float ridge) {
  const Bank own(bank, nullptr);
  const Lanes records = Lanes{} + (float)bank.rowCount;
  const Lanes remembered = own.head.row[MILLRACE_WIDE_SOFTMAX_MEMORY];
  const Lanes step = mass / blend<16>(newtonLanes > 0,
                                      blend<16>(remembered < records, remembered, records),
                                      Lanes{} + 1);
  const float kept = 1 - bank.pending / memory;
  for (size_t k = 0; k < own.count; k++) {
    const ClassRows rows = own.rows(k);
    // A class that has seen less than the others moves further.
    const float openness =
        (own.head.curvature() + ridge) / (rows.curvature() + ridge);
    const Lanes *pulls = (const Lanes *)bank.pulls + k;
    size_t i = 0;
    for (; i + tileRows <= bank.pending; i += tileRows)
      moveClass<tileRows>(rows, bank, i, pulls, directions, step * openness);
    for (; i < bank.pending; i++)
      moveClass<1>(rows, bank, i, pulls, directions, step * openness);
    rows.curvature() *= kept;
  }
  own.head.curvature() *= kept;
}

}  // namespace

size_t millrace_wide_softmax_class_size(size_t columns) { return Bank::classSize(columns); }

size_t millrace_wide_softmax_room_size(size_t classCount) {
  return classCount * (sizeof(ClassForecast) / sizeof(float) + 16 * tileRows + 1);
}

void millrace_wide_softmax_start(const millrace_wide_softmax *bank) {
  const Head head = {(Lanes *)bank->head};
  memset(bank->head, 0, MILLRACE_WIDE_SOFTMAX_HEAD_ROWS * sizeof(Lanes));
  const Lanes inColumns = {1e9f, 100, 32, 16, 8, 4, 400, 32, 8};
  head.row[MILLRACE_WIDE_SOFTMAX_MEMORY] = inColumns * (float)bank->columns;
  head.row[MILLRACE_WIDE_SOFTMAX_RATE] =
      Lanes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0.1f, 0.3f, 1, 3, 0, 0, 0};
  head.row[MILLRACE_WIDE_SOFTMAX_KEPT] =
      Lanes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.8f, 0.98f, 1};
  head.row[MILLRACE_WIDE_SOFTMAX_NOISE] = Lanes{0, 0, 0, 0, 0, 0, 1, 1, 1} * 0.1f;
  for (int k = 0; k < 4; k++) head.mixture(k) = Lanes{} + 1.0f / 16;
  head.row[MILLRACE_WIDE_SOFTMAX_FROZEN] = Lanes{} + 1.0f / 16;
  head.top() = head.last() = Four{} + 0.25f;
  head.mixtureWeights() = Four{0, 1, 1, 1};
  head.sharpness().factor = 1;
  head.shares() = wideShares;
  head.steps() = {5e-4f, {3e-4f, 2e-3f, 8e-3f}};
}

MILLRACE_CLONES
void millrace_wide_softmax_predict(const millrace_wide_softmax *bank, float *room,
                                   const float *rows, size_t count, size_t stride, bool isFrozen,
                                   float *probabilities) {
  const Bank own(*bank, room);
  for (size_t start = 0; start < count; start += tileRows) {
    const size_t size = count - start < tileRows ? count - start : tileRows;
    writeMargins(own, rows + start * stride, size, stride);
    for (size_t i = 0; i < size; i++) {
      float *answer = probabilities + (start + i) * own.count;
      Lanes *margins = own.margins + i * own.count;
      if (!isFrozen) {
        forecast(own, margins, answer);
        continue;
      }
      forecastExperts(own, margins);
      mixFrozen(own);
      sharpen(own, answer);
    }
  }
}

MILLRACE_CLONES
void millrace_wide_softmax_learn(const millrace_wide_softmax *bank, float *room, const float *rows,
                                 size_t count, size_t stride, const int32_t *labels,
                                 const float *weights, float *probabilities) {
  const Bank own(*bank, room);
  for (size_t i = 0; i < count; i++) {
    const size_t tile = i % tileRows, place = bank->pending + i;
    const float *row = rows + i * stride;
    if (tile == 0)
      writeMargins(own, row, count - i < tileRows ? count - i : tileRows, stride);
    float *answer = probabilities + i * own.count;
    forecast(own, own.margins + tile * own.count, answer);
    const float weight = limitedWeight(weights[i]);
    Lanes *pulls = (Lanes *)bank->pulls + place * own.count;
    memcpy(bank->rows + place * own.columns, row, own.columns * sizeof(float));
    if (weight > 0) {
      learnHead(own, labels[i], answer, weight);
      keep(own, row, labels[i], answer, weight, pulls, bank->roots + place);
      learnSharpness(own, labels[i], weight);
      const uint64_t record = bank->rowCount + i;
      if (record < scoredFrom || record % scoredEvery == 0) {
        // The margins of the rows that are still to come stay as they are.
        Bank past = own;
        past.margins += tile * own.count;
        learnFrozen(past, bank->snapshot, row, labels[i], weight);
      }
    } else {
      memset(pulls, 0, own.count * sizeof(Lanes));
      bank->roots[place] = 0;
    }
  }
}

MILLRACE_CLONES
void millrace_wide_softmax_step(const millrace_wide_softmax *bank, const float *directions,
                                float mass, float memory, float ridge) {
  step(*bank, directions, mass, memory, ridge);
}
