#ifndef MILLRACE_WIDE_LANES_HPP
#define MILLRACE_WIDE_LANES_HPP

#include "bank_mixtures.hpp"

/// How much of the weights is shared at each record: by the experts of each mixture, by the
/// mixtures, by frozen experts; the records from one snapshot of these to the next, and with two
/// classes from one that they are scored on to the next.
struct WideShares {
  float experts[4], top, frozen, length, interval;
};

static const WideShares wideShares = {{3e-5f, 1e-3f, 1e-2f, 6e-2f}, 5e-5f, 3e-3f, 1024, 7};

/// The lanes of models that take Newton's steps, and of those that descend the gradient.
static const Lanes newtonLanes = {1, 1, 1, 1, 1, 1, 1, 1, 1};
static const Lanes descentLanes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1};

/// How sure the experts of now should be when they are weighed like frozen ones: p ∝ mᵝ of their
/// mixture m, β by Newton's steps.
struct Sharpness {
  /// β, and the log-loss's curvature in it.
  float factor, curvature;

  __attribute__((always_inline)) void learn(float gradient, float ownCurvature, float weight) {
    curvature = 0.998f * curvature + weight * (ownCurvature > 0 ? ownCurvature : 0);
    const float next = factor + weight * gradient / (curvature + 20);
    factor = next < 0.25f ? 0.25f : next > 4 ? 4 : next;
  }
};

MILLRACE_INLINE float total(Lanes x) { return sum(folded(x)); }

/// `fixedShare` over all lanes.
MILLRACE_INLINE void shareLanes(Lanes &weights, Lanes likelihood, float share) {
  weights *= likelihood;
  weights = weights * ((1 - share) / total(weights)) + share / 16;
}

/// The step of each model in its direction, or less: no further than the block's own records gain by
/// it, which is ascent/Σδ², of the gradient along the direction and of what the step changes. Only
/// with a curvature that does not know such records yet, as when a column wakes that was 0, would a
/// model go further, and might never come back.
MILLRACE_INLINE Lanes boundedStep(Lanes step, const millrace_newton_step &newton,
                                  const float *gradients, size_t columns) {
  const Lanes *direction = (const Lanes *)newton.directions, *gradient = (const Lanes *)gradients;
  const Lanes *product = (const Lanes *)newton.products;
  Lanes ascent = {}, squares = {};
  for (size_t j = 0; j < columns; j++) ascent += direction[j] * gradient[j];
  for (size_t i = 0; i < newton.count; i++) squares += product[i] * product[i];
  const Lanes longest = blend<16>(ascent > 0, ascent / squares, Lanes{});
  return blend<16>(step * squares <= ascent, step, longest);
}

MILLRACE_INLINE float squaredLength(const float *row, size_t columns) {
#pragma clang fp reassociate(on)
  float total = 0;
  for (size_t j = 0; j < columns; j++) total += row[j] * row[j];
  return total;
}

/// out[r·outStride] ← Σwz of R rows for every lane, each row as if it were alone.
template <int R>
MILLRACE_INLINE void writeDots(const float *weights, const float *rows, size_t stride,
                             size_t columns, Lanes *out, size_t outStride) {
  Lanes even[R] = {}, odd[R] = {};
  size_t j = 0;
  for (; j + 2 <= columns; j += 2)
    for (int r = 0; r < R; r++) {
      even[r] += ((const Lanes *)weights)[j] * rows[r * stride + j];
      odd[r] += ((const Lanes *)weights)[j + 1] * rows[r * stride + j + 1];
    }
  for (int r = 0; r < R; r++) {
    if (j < columns) even[r] += ((const Lanes *)weights)[j] * rows[r * stride + j];
    out[r * outStride] = even[r] + odd[r];
  }
}

#endif
