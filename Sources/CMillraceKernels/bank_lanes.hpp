#ifndef MILLRACE_BANK_LANES_HPP
#define MILLRACE_BANK_LANES_HPP

#include <cstddef>
#include <cstdint>

/// Everything here is inlined into the entry points, so that it is compiled for the processor that
/// `target_clones` picks, and is written in one expression per step, so that learning and
/// predicting round alike.
#define MILLRACE_INLINE __attribute__((always_inline)) static inline
#define MILLRACE_MEMBER __attribute__((always_inline)) inline
// No vector crosses a call.
#pragma clang diagnostic ignored "-Wpsabi"

/// N numbers that are worked on at once.
template <typename T, int N>
using Vector __attribute__((vector_size(N * sizeof(T)))) = T;

/// The experts that are worked on at once: one register of AVX-512, two of AVX2, four of SSE.
typedef Vector<float, 16> Lanes;
/// Half of them, and a quarter.
typedef Vector<float, 8> Eight;
typedef Vector<float, 4> Four;
typedef Vector<float, 2> Two;

template <int N>
MILLRACE_INLINE Vector<float, N> blend(Vector<int32_t, N> mask, Vector<float, N> yes,
                                       Vector<float, N> no) {
  return mask ? yes : no;
}

template <int N>
MILLRACE_INLINE Vector<float, N> clamped(Vector<float, N> x, float low, float high) {
  // In this order each comparison is the processor's own maximum or minimum; NaN stays.
  const Vector<float, N> lows = Vector<float, N>{} + low, highs = Vector<float, N>{} + high;
  x = blend<N>(lows > x, lows, x);
  return blend<N>(highs < x, highs, x);
}

/// A count as it was read, whatever that was.
MILLRACE_INLINE uint64_t atLeast(uint64_t least, float count) {
  return count > least && count < 1e18f ? static_cast<uint64_t>(count) : least;
}

/// A record counts at most like so many.
static const float weightLimit = 100;

MILLRACE_INLINE float limitedWeight(float weight) {
  return weight < weightLimit ? weight : weightLimit;
}

/// eˣ for −80 ≤ x ≤ 80: 2ⁿ·eᶠ, f = x − n·ln 2, eᶠ by Taylor's polynomial of degree 6, two terms at a
/// time; 2e-7 relative.
template <int N>
MILLRACE_INLINE Vector<float, N> exponential(Vector<float, N> x) {
  typedef Vector<float, N> F;
  typedef Vector<int32_t, N> I;
  // Adding 1.5·2²³ rounds to an integer and leaves it in the low bits.
  F shifted = x * 1.44269504f + 12582912.0f;
  F n = shifted - 12582912.0f;
  F f = x - n * 0.693359375f;
  f = f - n * -2.12194440e-4f;
  const F square = f * f;
  F p = square * (1.0f / 720) + (f * (1.0f / 120) + 1.0f / 24);
  p = p * square + (f * (1.0f / 6) + 0.5f);
  p = p * square + (f + 1.0f);
  return (F)((I)p + ((I)shifted << 23));
}

/// log x for normal positive x: e·ln 2 + log m with √½ ≤ m < √2, by the polynomial of Cephes'
/// logf (Moshier), two terms at a time; 1e-7.
template <int N>
MILLRACE_INLINE Vector<float, N> logarithm(Vector<float, N> x) {
  typedef Vector<float, N> F;
  typedef Vector<int32_t, N> I;
  I exponent = ((I)x - 0x3f3504f3) >> 23;
  F f = (F)((I)x - (exponent << 23)) - 1.0f;
  F e = __builtin_convertvector(exponent, F);
  const F square = f * f;
  F p = square * 7.0376836292e-2f + (f * -1.1514610310e-1f + 1.1676998740e-1f);
  p = p * square + (f * -1.2420140846e-1f + 1.4249322787e-1f);
  p = p * square + (f * -1.6668057665e-1f + 2.0000714765e-1f);
  p = p * square + (f * -2.4999993993e-1f + 3.3333331174e-1f);
  F tail = p * f * square + e * -2.12194440e-4f;
  tail = tail - square * 0.5f;
  return e * 0.693359375f + (f + tail);
}

/// σ(x) and σ(−x), both to full relative precision; x is cut at ±30.
template <int N>
struct Sigmoids {
  Vector<float, N> yes, no;
};

template <int N>
MILLRACE_INLINE Sigmoids<N> sigmoids(Vector<float, N> x) {
  typedef Vector<float, N> F;
  x = clamped<N>(x, -30, 30);
  F t = exponential<N>(blend<N>(x < 0, x, -x));
  F large = 1.0f / (1.0f + t);
  F small = t * large;
  return {blend<N>(x < 0, small, large), blend<N>(x < 0, large, small)};
}

MILLRACE_INLINE Eight joined(Four a, Four b) {
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
}
MILLRACE_INLINE Lanes joined(Eight a, Eight b) {
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
MILLRACE_INLINE Four joined(Two a, Two b) { return __builtin_shufflevector(a, b, 0, 1, 2, 3); }

MILLRACE_INLINE Eight firstHalf(Lanes x) {
  return __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7);
}
MILLRACE_INLINE Eight secondHalf(Lanes x) {
  return __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
}
MILLRACE_INLINE Four firstHalf(Eight x) { return __builtin_shufflevector(x, x, 0, 1, 2, 3); }
MILLRACE_INLINE Four secondHalf(Eight x) { return __builtin_shufflevector(x, x, 4, 5, 6, 7); }
MILLRACE_INLINE Two firstHalf(Four x) { return __builtin_shufflevector(x, x, 0, 1); }
MILLRACE_INLINE Two secondHalf(Four x) { return __builtin_shufflevector(x, x, 2, 3); }

/// Four numbers, each in four lanes.
MILLRACE_INLINE Lanes spreadOut(const float *z) {
  const Four four = {z[0], z[1], z[2], z[3]};
  return __builtin_shufflevector(four, four, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
}

/// Four lanes, four times.
MILLRACE_INLINE Lanes repeated(Four x) {
  return __builtin_shufflevector(x, x, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3);
}

/// The first and the last eight lanes together.
MILLRACE_INLINE Eight folded(Lanes x) { return firstHalf(x) + secondHalf(x); }

/// Σⱼ zⱼxⱼ, in four sums that do not wait for each other.
template <int N>
MILLRACE_INLINE Vector<float, N> dot(const Vector<float, N> *x, const float *z, size_t count) {
  Vector<float, N> total[4] = {};
  size_t j = 0;
  for (; j + 4 <= count; j += 4)
    for (int k = 0; k < 4; k++) total[k] += x[j + k] * z[j + k];
  for (; j < count; j++) total[0] += x[j] * z[j];
  return (total[0] + total[1]) + (total[2] + total[3]);
}

/// The sums of four vectors' lanes, in a fixed order.
MILLRACE_INLINE Four sums(Eight a, Eight b, Eight c, Eight d) {
  const Eight ab = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11) +
                   __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
  const Eight cd = __builtin_shufflevector(c, d, 0, 1, 2, 3, 8, 9, 10, 11) +
                   __builtin_shufflevector(c, d, 4, 5, 6, 7, 12, 13, 14, 15);
  const Eight pairs = __builtin_shufflevector(ab, cd, 0, 1, 4, 5, 8, 9, 12, 13) +
                      __builtin_shufflevector(ab, cd, 2, 3, 6, 7, 10, 11, 14, 15);
  return __builtin_shufflevector(pairs, pairs, 0, 2, 4, 6) +
         __builtin_shufflevector(pairs, pairs, 1, 3, 5, 7);
}

MILLRACE_INLINE float sum(Four x) {
  auto pair = __builtin_shufflevector(x, x, 0, 1) + __builtin_shufflevector(x, x, 2, 3);
  return pair[0] + pair[1];
}

MILLRACE_INLINE float sum(Eight x) { return sum(firstHalf(x) + secondHalf(x)); }

#endif
