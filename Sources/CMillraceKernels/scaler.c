#include "scaler.h"

#include <math.h>

#include "clones.h"

/// z = (x − mean)/deviation, shared by both entry points so that they agree bit for bit.
__attribute__((always_inline)) static inline float scaled(float x, double count, double mean,
                                                          double m2, float limit) {
#pragma clang fp contract(off)
  double delta = (double)x - mean;
  // A column whose spread is rounding noise beside its size is constant.
  int varies = m2 > 1e-14 * count * mean * mean && m2 > 0;
  double z = delta / sqrt(varies ? m2 / count : 1);
  z = z > limit ? limit : z < -limit ? -limit : z;
  return varies && fabsf(x) < INFINITY ? (float)z : 0.0f;
}

MILLRACE_CLONES
void millrace_scale_and_update(const float *restrict rows, size_t row_count, size_t columns,
                               float limit, double *restrict counts, double *restrict means,
                               double *restrict m2, double *restrict missing, float *restrict out,
                               size_t stride) {
#pragma clang fp contract(off)
  for (size_t i = 0; i < row_count; i++) {
    const float *row = rows + i * columns;
    float *z = out + i * stride;
    for (size_t j = 0; j < columns; j++) {
      float x = row[j];
      z[j] = scaled(x, counts[j], means[j], m2[j], limit);
      int present = fabsf(x) < INFINITY;  // false for NaN too
      double n = counts[j] + 1;
      double delta = present ? (double)x - means[j] : 0;
      double mean = means[j] + delta / n;
      m2[j] += present ? delta * ((double)x - mean) : 0;
      means[j] = mean;
      counts[j] = present ? n : counts[j];
      missing[j] += present ? 0 : 1;
    }
    z[columns] = 1;
  }
}

MILLRACE_CLONES
void millrace_scale(const float *restrict rows, size_t row_count, size_t columns, float limit,
                    const double *restrict counts, const double *restrict means,
                    const double *restrict m2, float *restrict out, size_t stride) {
  for (size_t i = 0; i < row_count; i++) {
    const float *row = rows + i * columns;
    float *z = out + i * stride;
    for (size_t j = 0; j < columns; j++) z[j] = scaled(row[j], counts[j], means[j], m2[j], limit);
    z[columns] = 1;
  }
}
