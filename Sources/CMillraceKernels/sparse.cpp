#include "sparse.h"

#include <vector>

#include "clones.h"
#include "sparse_filters.hpp"

namespace {

/// logit(1e-4): no lane is surer than this.
const float logitLimit = 9.21024f;
/// How fast the noise of a regression is forgotten.
const float noiseMemory = 0.999f;

enum { noiseRow = 3, logitRow = 3, countRow = 4, topRow = 5 };

/// The fixed shares of the mixtures, and the steps of the weights on the lanes' logits.
struct Steps {
  float laneShare, topShare, rates[2];
};

struct Head {
  float *rows;

  const Steps &steps() const {
    return *reinterpret_cast<const Steps *>(rows + 8 * MILLRACE_SPARSE_STEPS);
  }

  __attribute__((always_inline)) Eight operator[](int row) const { return load(rows + 8 * row); }

  /// Σ of the lanes' weights times x.
  __attribute__((always_inline)) float mean(Eight x) const {
    return sum((*this)[MILLRACE_SPARSE_MIXTURE] * x);
  }

  /// m ← (1 − share)·mℓ/Σmℓ + share/n over the lanes that a mask says, ℓ to the power of a weight.
  __attribute__((always_inline)) void mix(int row, Eight likelihood, float mean, float weight,
                                          float share, Eight even) const {
    if (weight != 1) {
      Eight ratio = clamped<8>(likelihood / mean, 1e-30f, 1e30f);
      likelihood = exponential<8>(clamped<8>(weight * logarithm<8>(ratio), -60, 60));
    }
    Eight m = (*this)[row] * likelihood;
    store(m * ((1 - share) / sum(m)) + share * even, rows + 8 * row);
  }
};

const Eight evenLanes = lanesOnly(Eight{} + 1.0f / int(MILLRACE_SPARSE_LANES));
const Eight evenTops = {1.0f / 3, 1.0f / 3, 1.0f / 3};

/// A record's weight turned into that of a step: it moves the margin no further than to where that
/// many records would.
MILLRACE_INLINE Eight stepWeight(Eight curvature, float weight) {
  return weight * (1 + curvature) / (1 + weight * curvature);
}

/// κ = 1/√(1 + πs/8) (MacKay 1992, "The evidence framework applied to classification networks").
MILLRACE_INLINE Eight moderation(Eight variance) {
  Eight x = 1 + variance * 0.392699082f, root;
  for (int lane = 0; lane < 8; lane++) root[lane] = std::sqrt(x[lane]);
  return 1 / root;
}

struct Binary {
  Eight kappa, logits;
  Sigmoids<8> lanes;
  /// The mixture of the lanes, and their logits combined at two rates.
  float parts[3];
  float probability;

  MILLRACE_INLINE Binary of(Margin margin, Head head) {
    Binary now;
    now.kappa = moderation(margin.variance);
    now.logits = lanesOnly(clamped<8>(now.kappa * margin.mean, -logitLimit, logitLimit));
    now.lanes = sigmoids<8>(now.logits);
    now.parts[0] = head.mean(now.lanes.yes);
    Vector<float, 2> combined;
    for (int r = 0; r < 2; r++) combined[r] = sum(head[logitRow + r] * now.logits);
    combined = sigmoids<2>(clamped<2>(combined, -logitLimit, logitLimit)).yes;
    for (int r = 0; r < 2; r++) now.parts[1 + r] = combined[r];
    Eight top = head[topRow];
    now.probability = top[0] * now.parts[0] + top[1] * now.parts[1] + top[2] * now.parts[2];
    return now;
  }

  /// The step of each lane, after which the mixtures know the label.
  __attribute__((always_inline)) Step learn(Margin margin, Head head, bool label,
                                            float weight) const {
    float y = label;
    Eight own = label ? lanes.yes : lanes.no;
    Eight h = kappa * kappa * lanes.yes * lanes.no;
    Eight step = stepWeight(h * margin.variance, weight);
    Step result = {lanesOnly(step * kappa * (y - lanes.yes)), head.mean(weight * h)};

    head.mix(MILLRACE_SPARSE_MIXTURE, own, label ? parts[0] : 1 - parts[0], weight,
             head.steps().laneShare, evenLanes);
    Eight tops = {};
    for (int part = 0; part < 3; part++) tops[part] = label ? parts[part] : 1 - parts[part];
    head.mix(topRow, tops, label ? probability : 1 - probability, weight,
             head.steps().topShare, evenTops);
    for (int r = 0; r < 2; r++) {
      float rate = head.steps().rates[r] * (weight < 1 ? weight : 1) * (y - parts[1 + r]);
      store(head[logitRow + r] + rate * logits, head.rows + 8 * (logitRow + r));
    }
    return result;
  }
};

struct Regression {
  float mean;

  MILLRACE_INLINE Regression of(Margin margin, Head head) {
    return {head.mean(clamped<8>(margin.mean, -1e6f, 1e6f))};
  }

  /// Kalman's step with a noise that each lane learns; mixed by the density of Student's t.
  MILLRACE_INLINE Step learn(Margin margin, Head head, float target, float weight) {
    Eight s = margin.variance, error = lanesOnly(target - clamped<8>(margin.mean, -1e6f, 1e6f));
    Eight squares = head[noiseRow], number = head[countRow];
    Eight variance = squares / number * (1 + s), root;
    for (int lane = 0; lane < 8; lane++) root[lane] = std::sqrt(variance[lane]);
    Eight t = 1 / (1 + error * error / (7 * variance));
    Eight density = lanesOnly(t * t * t * t / root);
    float typical = head.mean(density);
    head.mix(MILLRACE_SPARSE_MIXTURE, density + 1e-30f, typical + 1e-30f, weight,
             head.steps().laneShare, evenLanes);

    number = noiseMemory * number + weight;
    squares = noiseMemory * squares + weight * error * error / (1 + s);
    squares = blend<8>(squares < number * 1e-8f, number * 1e-8f, squares);
    store(squares, head.rows + 8 * noiseRow);
    store(number, head.rows + 8 * countRow);
    Eight gain = weight / (1 + weight * s);
    return {gain * error, head.mean(gain)};
  }
};

/// Softmax over the outputs, lane by lane.
struct Multiclass {
  /// Each output's probability by lane, and κ.
  static constexpr float floor = 2e-4f;

  MILLRACE_INLINE void forecast(const Margin *margins, size_t outputs, Head head, Eight *lanes,
                                Eight *kappas, double *probabilities) {
    Eight largest = Eight{} - 60, total = {};
    for (size_t k = 0; k < outputs; k++) {
      kappas[k] = moderation(margins[k].variance);
      lanes[k] = clamped<8>(kappas[k] * margins[k].mean, -30, 30);
      largest = blend<8>(lanes[k] > largest, lanes[k], largest);
    }
    for (size_t k = 0; k < outputs; k++) {
      lanes[k] = exponential<8>(lanes[k] - largest);
      total += lanes[k];
    }
    for (size_t k = 0; k < outputs; k++) {
      lanes[k] = lanesOnly(lanes[k] / total);
      float p = head.mean(lanes[k]);
      probabilities[k] = (1 - floor) * p + floor / (float)outputs;
    }
  }

  MILLRACE_INLINE void learn(const Margin *margins, size_t outputs, Head head, const Eight *lanes,
                             const Eight *kappas, size_t label, float weight, double probability,
                             Step *steps) {
    for (size_t k = 0; k < outputs; k++) {
      Eight p = lanes[k], h = kappas[k] * kappas[k] * p * (1 - p);
      Eight step = stepWeight(h * margins[k].variance, weight);
      steps[k] = {lanesOnly(step * kappas[k] * ((k == label ? 1.0f : 0.0f) - p)),
                  head.mean(weight * h)};
    }
    head.mix(MILLRACE_SPARSE_MIXTURE, lanes[label] + lanesOnly(Eight{} + floor),
             (float)probability, weight, head.steps().laneShare, evenLanes);
  }
};

/// A record counts at most like so many; one that is only predicted not at all.
template <bool commit>
MILLRACE_INLINE float weight(const float *weights, size_t row) {
  return commit ? limitedWeight(weights[row]) : 0;
}

/// Goes through rows of one output.
template <bool commit>
MILLRACE_INLINE void run(const millrace_sparse_bank &bank, const millrace_sparse_rows &rows,
                         const double *labels, const float *weights, float *room,
                         double *predictions) {
  Head head{bank.head};
  for (size_t row = 0; row < rows.count; row++) {
    Entries entries = Entries::of(bank, rows, row);
    Margin margin;
    Step step;
    entries.margins<commit>(1, &margin, room);
    float weight = ::weight<commit>(weights, row);
    if (bank.task == millrace_sparse_binary) {
      Binary now = Binary::of(margin, head);
      predictions[row] = now.probability;
      if (weight > 0) step = now.learn(margin, head, labels[row] == 1, weight);
    } else {
      predictions[row] = Regression::of(margin, head).mean;
      if (weight > 0) step = Regression::learn(margin, head, (float)labels[row], weight);
    }
    if (weight > 0) entries.learn(1, &step, room);
  }
}

/// The same for several outputs.
template <bool commit>
MILLRACE_INLINE void runSeveral(const millrace_sparse_bank &bank, const millrace_sparse_rows &rows,
                                const double *labels, const float *weights, float *room,
                                double *predictions) {
  Head head{bank.head};
  size_t outputs = bank.outputs;
  std::vector<Margin> margins(outputs);
  std::vector<Step> steps(outputs);
  std::vector<Eight> lanes(outputs), kappas(outputs);
  for (size_t row = 0; row < rows.count; row++) {
    Entries entries = Entries::of(bank, rows, row);
    entries.margins<commit>(outputs, margins.data(), room);
    double *own = predictions + row * outputs;
    Multiclass::forecast(margins.data(), outputs, head, lanes.data(), kappas.data(), own);
    float weight = ::weight<commit>(weights, row);
    if (weight > 0) {
      size_t label = (size_t)labels[row];
      Multiclass::learn(margins.data(), outputs, head, lanes.data(), kappas.data(), label, weight,
                        own[label], steps.data());
      entries.learn(outputs, steps.data(), room);
    }
  }
}

/// How many entries ahead a place is fetched.
const size_t ahead = 32;

/// Finds the places of columns; `place` says that of one that has none.
template <class Place>
MILLRACE_INLINE void findPlaces(const millrace_sparse_table &table, const uint32_t *columns,
                                size_t count, uint32_t *places, Place place) {
  for (size_t i = 0; i < count; i++) {
    uint32_t later = columns[i + ahead < count ? i + ahead : i] & table.mask;
    __builtin_prefetch(table.places + later);
    uint32_t column = columns[i] & table.mask, known = table.places[column];
    places[i] = known != 0 ? known : place(column);
    // Many rows will lie between this and its use: not for the nearest cache.
    __builtin_prefetch((const char *)table.kept + places[i] * table.size, 0, 2);
  }
  memset(places + count, 0, MILLRACE_SPARSE_PADDING * sizeof *places);
}

}  // namespace

MILLRACE_CLONES
void millrace_sparse_find(const millrace_sparse_table *table, const uint32_t *columns, size_t count,
                          uint32_t unseen, uint32_t *places) {
  findPlaces(*table, columns, count, places, [=](uint32_t) { return unseen; });
}

MILLRACE_CLONES
size_t millrace_sparse_place(const millrace_sparse_table *table, const uint32_t *columns,
                             size_t count, uint32_t next, uint32_t *places, uint32_t *added) {
  size_t number = 0;
  findPlaces(*table, columns, count, places, [&](uint32_t column) {
    added[number] = column;
    return table->places[column] = next + (uint32_t)number++;
  });
  return number;
}

size_t millrace_sparse_room(size_t entries, size_t outputs) {
  return (entries + 1) * outputs * MILLRACE_SPARSE_ROW + 2 * (entries + 8);
}

void millrace_sparse_start(millrace_sparse_task task, float *head) {
  memset(head, 0, MILLRACE_SPARSE_HEAD_ROWS * 8 * sizeof(float));
  // The last filter forgets: it never knows a weight better than this.
  const Eight prior = {300, 50, 10, 2, 30, 1, 1, 1};
  const Eight limit = {1e9f, 1e9f, 1e9f, 1e9f, 10};
  store(prior, head + 8 * MILLRACE_SPARSE_PRIOR);
  store(limit, head + 8 * MILLRACE_SPARSE_LIMIT);
  const Eight steps = {.001f, .0001f, .0005f, .002f};
  store(steps, head + 8 * MILLRACE_SPARSE_STEPS);
  store(evenLanes, head + 8 * MILLRACE_SPARSE_MIXTURE);
  if (task == millrace_sparse_regression) {
    store(Eight{} + 1, head + 8 * noiseRow);
    store(Eight{} + 1, head + 8 * countRow);
  } else {
    for (int r = 0; r < 2; r++) store(evenLanes, head + 8 * (logitRow + r));
    store(evenTops, head + 8 * topRow);
  }
}

MILLRACE_CLONES
void millrace_sparse_predict(const millrace_sparse_bank *bank, const millrace_sparse_rows *rows,
                             float *room, double *predictions) {
  if (bank->task == millrace_sparse_multiclass) {
    runSeveral<false>(*bank, *rows, nullptr, nullptr, room, predictions);
  } else {
    run<false>(*bank, *rows, nullptr, nullptr, room, predictions);
  }
}

MILLRACE_CLONES
void millrace_sparse_learn(const millrace_sparse_bank *bank, const millrace_sparse_rows *rows,
                           const double *labels, const float *weights, float *room,
                           double *predictions) {
  if (bank->task == millrace_sparse_multiclass) {
    runSeveral<true>(*bank, *rows, labels, weights, room, predictions);
  } else {
    run<true>(*bank, *rows, labels, weights, room, predictions);
  }
}
