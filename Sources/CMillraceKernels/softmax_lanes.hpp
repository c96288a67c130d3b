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

#endif
