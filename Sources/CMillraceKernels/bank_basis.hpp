#ifndef MILLRACE_BANK_BASIS_HPP
#define MILLRACE_BANK_BASIS_HPP

#include "bank.h"
#include "bank_lanes.hpp"

/// √2·cos(2πt), by the nearest turn and an even polynomial; 1e-6 absolute.
MILLRACE_INLINE Lanes cosineWave(Lanes t) {
  // Adding 1.5·2²³ rounds to an integer.
  const Lanes turns = (t + 12582912.0f) - 12582912.0f;
  const Lanes x = t - turns;
  const Lanes y = x * x;
  Lanes p = y * -29.799043f + 83.142311f;
  p = p * y - 120.59228f;
  p = p * y + 91.822988f;
  p = p * y - 27.915134f;
  return p * y + 1.4142125f;
}

/// Functions of the standardised columns z, scaled to a spread of about 1: z itself, two kinks of
/// each column, the products of pairs, random Fourier features (Rahimi & Recht 2007), the constant.
MILLRACE_INLINE void expand(const millrace_bank_basis &basis, const float *z, float *out) {
  const size_t d = basis.columns - 1;
  float *kinks = out + d;
  for (size_t j = 0; j < d; j++) {
    out[j] = z[j];
    const float size = z[j] < 0 ? -z[j] : z[j];
    kinks[j] = z[j] > 0 ? 1.5f * z[j] : 0;
    kinks[d + j] = size > 1 ? 3 * (size - 1) : 0;
  }
  out = kinks + 2 * d;
  if (basis.pairs) {
    for (size_t i = 1; i < d; i++) {
      for (size_t j = 0; j < i; j++) {
        const float product = z[i] * z[j];
        out[j] = product > 10 ? 10 : product < -10 ? -10 : product;
      }
      out += i;
    }
  }
  const Lanes *wave = reinterpret_cast<const Lanes *>(basis.waves);
  for (size_t v = 0; v < basis.waveCount / 16; v++) {
    Lanes turn = *wave++;
    for (size_t j = 0; j < d; j++) turn += *wave++ * z[j];
    const Lanes value = cosineWave(turn);
    __builtin_memcpy(out, &value, sizeof value);
    out += 16;
  }
  *out = 1;
}

#endif
