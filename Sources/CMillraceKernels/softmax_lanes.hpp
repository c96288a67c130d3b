#ifndef MILLRACE_SOFTMAX_LANES_HPP
#define MILLRACE_SOFTMAX_LANES_HPP

#include "bank_lanes.hpp"

/// No probability is below this share of the uniform one.
static const float floorShare = 2e-4f;
static const float marginLimit = 300;

template <typename F>
MILLRACE_INLINE F floored(F p, float uniform) {
  return (1.0f - floorShare) * p + floorShare * uniform;
}

/// eˣ of what is at most 0.
template <int N>
MILLRACE_INLINE Vector<float, N> decayed(Vector<float, N> x) {
  return exponential<N>(blend<N>(x > -80, x, Vector<float, N>{} - 80.0f));
}

template <int N>
MILLRACE_INLINE Vector<float, N> greater(Vector<float, N> a, Vector<float, N> b) {
  return blend<N>(a > b, a, b);
}

/// So many times four lanes, filled up to whole registers.
MILLRACE_INLINE size_t wholeRegisters(size_t count) { return (count + 3) / 4 * 4; }

/// Turns each class's four margins, which are at most `greatest`, into probabilities over the
/// classes: four classes at a time. `values` has room for `wholeRegisters`.
MILLRACE_INLINE void softmax(Four *values, size_t count, Four greatest) {
  const size_t whole = wholeRegisters(count);
  for (size_t k = count; k < whole; k++) values[k] = greatest - 80.0f;
  Lanes *rows = reinterpret_cast<Lanes *>(values), total = {};
  for (size_t v = 0; v < whole / 4; v++)
    total += rows[v] = decayed<16>(rows[v] - repeated(greatest));
  const Eight half = folded(total);
  const Lanes scale = repeated(1.0f / (firstHalf(half) + secondHalf(half)));
  for (size_t v = 0; v < whole / 4; v++) rows[v] *= scale;
}

#endif
