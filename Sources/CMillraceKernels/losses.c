#include "losses.h"

#include <stdint.h>
#include <string.h>

#include "clones.h"

MILLRACE_CLONES
void millrace_log_loss(const double *restrict p, size_t count, double *restrict out) {
  const uint64_t sqrt_half = 0x3fe6a09e667f3bcd;
  for (size_t i = 0; i < count; i++) {
    double x = p[i] >= 0x1p-52 ? p[i] : 0x1p-52;
    x = x <= 1 - 0x1p-52 ? x : 1 - 0x1p-52;
    // x = 2^-k · m with m from √½ to √2; the exponent becomes a number through its low bits.
    uint64_t bits, k, magic;
    memcpy(&bits, &x, 8);
    k = (sqrt_half - bits + 0x000fffffffffffff) >> 52;
    bits += k << 52;
    magic = k | 0x4330000000000000;
    double m, exponent;
    memcpy(&m, &bits, 8);
    memcpy(&exponent, &magic, 8);
    exponent -= 0x1p52;
    // ln m = 2 atanh s, s = (m − 1)/(m + 1), |s| ≤ 0.172: a series in s².
    double f = m - 1;
    double s = f / (2 + f);
    double z = s * s;
    double series = 1. / 21;
    series = series * z + 1. / 19;
    series = series * z + 1. / 17;
    series = series * z + 1. / 15;
    series = series * z + 1. / 13;
    series = series * z + 1. / 11;
    series = series * z + 1. / 9;
    series = series * z + 1. / 7;
    series = series * z + 1. / 5;
    series = series * z + 1. / 3;
    // ln m = f − s·(f − 2z·series): f is exact, the rest is small.
    double logarithm = f - s * (f - 2 * z * series);
    const double ln2_high = 0x1.62e42fefa3800p-1, ln2_low = 0x1.ef35793c76730p-45;
    out[i] = exponent * ln2_high - (logarithm - exponent * ln2_low);
  }
}
