#include "exponentials.h"

#include <stdint.h>
#include <string.h>

#include "clones.h"

/// exp(x) for |x| ≤ 30: 2ⁿ·exp(r) with n = round(x/ln 2) and the Taylor polynomial of degree 9 in
/// r, whose remainder is below (ln 2/2)¹⁰/10! = 7e-12.
__attribute__((always_inline)) static inline double exp_clamped(float x) {
#pragma clang fp contract(on)
  const double round = 0x1.8p52;  // adding it leaves the nearest integer in the lowest bits
  double clamped = x > 30 ? 30 : x < -30 ? -30 : x;
  double shifted = clamped * 0x1.71547652b82fep0 + round;
  double n = shifted - round;
  double r = clamped - n * 0x1.62e42fefa39efp-1;
  double sum = 1.0 / 362880;
  sum = sum * r + 1.0 / 40320;
  sum = sum * r + 1.0 / 5040;
  sum = sum * r + 1.0 / 720;
  sum = sum * r + 1.0 / 120;
  sum = sum * r + 1.0 / 24;
  sum = sum * r + 1.0 / 6;
  sum = sum * r + 0.5;
  sum = sum * r + 1;
  sum = sum * r + 1;
  uint64_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 1023) << 52;
  double power;
  memcpy(&power, &bits, sizeof power);
  return sum * power;
}

MILLRACE_CLONES
void millrace_exp(const float *restrict x, size_t count, double *restrict out) {
  for (size_t i = 0; i < count; i++) out[i] = exp_clamped(x[i]);
}

MILLRACE_CLONES
void millrace_sigmoid(const float *restrict x, size_t count, double *restrict out) {
  for (size_t i = 0; i < count; i++) out[i] = 1 / (1 + exp_clamped(-x[i]));
}

MILLRACE_CLONES
void millrace_softmax(const float *restrict x, size_t classes, size_t count, size_t stride,
                      double *restrict out) {
  enum { lanes = 64 };  // columns of x a pass: its sums stay in registers and the nearest cache
  for (size_t start = 0; start < count; start += lanes) {
    size_t width = count - start < lanes ? count - start : lanes;
    const float *in = x + start;
    double *result = out + start;
    float largest[lanes];
    double sums[lanes] = {0};
    memcpy(largest, in, width * sizeof(float));
    for (size_t k = 1; k < classes; k++)
      for (size_t i = 0; i < width; i++) {
        float value = in[k * stride + i];
        largest[i] = value > largest[i] ? value : largest[i];
      }
    for (size_t k = 0; k < classes; k++)
      for (size_t i = 0; i < width; i++) {
        double e = exp_clamped(in[k * stride + i] - largest[i]);
        result[k * stride + i] = e;
        sums[i] += e;
      }
    for (size_t i = 0; i < width; i++) sums[i] = 1 / sums[i];
    for (size_t k = 0; k < classes; k++)
      for (size_t i = 0; i < width; i++) result[k * stride + i] *= sums[i];
  }
}
