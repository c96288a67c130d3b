#ifndef MILLRACE_SCALER_HPP
#define MILLRACE_SCALER_HPP

#include <cmath>

#include "bank_lanes.hpp"

/// What standardises some columns: means in two parts, as a `float` alone would lose the digits of
/// a column that varies little beside its size, and 1/deviation; 0 for a column that has not
/// varied, from whose mean a number may be infinitely far.
template <int N>
struct Factors {
  Vector<float, N> mean, rest, inverse;
};

/// z = (x − mean)/deviation, cut at ±limit; 0 where x is not finite.
template <int N>
MILLRACE_INLINE Vector<float, N> standardized(Vector<float, N> x, Factors<N> factors, float limit) {
#pragma clang fp contract(off)
  const Vector<float, N> z = ((x - factors.mean) - factors.rest) * factors.inverse;
  return blend<N>(__builtin_elementwise_abs(x) < INFINITY, clamped<N>(z, -limit, limit),
                  Vector<float, N>{});
}

#endif
