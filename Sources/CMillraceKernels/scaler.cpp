#include "scaler.h"

#include <cmath>
#include <cstdint>
#include <cstring>

#include "clones.h"

/// No vector crosses a call; the two entry points share every expression and so agree bit for bit.
#pragma clang diagnostic ignored "-Wpsabi"
#pragma clang fp contract(off)
#define INLINE __attribute__((always_inline)) static inline

/// Columns that are worked on at once.
enum { width = 8 };
typedef float Floats __attribute__((vector_size(width * sizeof(float))));
typedef double Doubles __attribute__((vector_size(width * sizeof(double))));
typedef int64_t Longs __attribute__((vector_size(width * sizeof(int64_t))));

/// The statistics of some columns.
typedef struct {
  Doubles counts, means, m2;
} Statistics;

/// 1/√x for normal positive x, to 1e-10: Newton's steps from a guess by the exponent's bits (Lomont
/// 2003). It has no square root and no division, which take as long as ten products.
INLINE Doubles inverse_root(Doubles x) {
  Doubles y = (Doubles)(0x5fe6eb50c7b537a9 - ((Longs)x >> 1)), half = 0.5 * x;
  for (int step = 0; step < 3; step++) y = y * (1.5 - half * y * y);
  return y;
}

/// 1/deviation; 0 for a column that has not varied: its spread is rounding noise beside its size.
INLINE Doubles inverse_deviations(Statistics columns, Doubles inverse_counts) {
  Longs varies = (columns.m2 > 1e-14 * columns.counts * columns.means * columns.means) &
                 (columns.m2 > 0);
  return varies ? inverse_root(columns.m2 * inverse_counts) : (Doubles){};
}

INLINE Longs are_present(Floats x) {
  return __builtin_convertvector(__builtin_elementwise_abs(x) < INFINITY, Longs);
}

/// z = (x − mean)/deviation.
INLINE Floats scaled(Floats x, Doubles means, Doubles inverses, double limit) {
  Doubles z = (__builtin_convertvector(x, Doubles) - means) * inverses;
  z = z > limit ? limit + (Doubles){} : z < -limit ? -limit + (Doubles){} : z;
  return __builtin_convertvector(are_present(x) ? z : (Doubles){}, Floats);
}

/// The first `count` ≤ 8 numbers of an array, and zeros.
INLINE Floats load_floats(const float *x, size_t count) {
  Floats result = {};
  memcpy(&result, x, (count < width ? count : width) * sizeof *x);
  return result;
}

INLINE Doubles load_doubles(const double *x, size_t count) {
  Doubles result = {};
  memcpy(&result, x, count * sizeof *x);
  return result;
}

INLINE Statistics load_statistics(const double *counts, const double *means, const double *m2,
                                  size_t count) {
  return (Statistics){load_doubles(counts, count), load_doubles(means, count),
                      load_doubles(m2, count)};
}

/// Rows of `count` ≤ 8 columns.
INLINE void take(const float *rows, size_t row_count, size_t columns, float limit, double *counts,
                 double *means, double *m2, double *missing, float *out, size_t stride,
                 size_t count) {
  Statistics now = load_statistics(counts, means, m2, count);
  for (size_t j = count; j < width; j++) now.counts[j] = now.counts[0];
  // Columns without missing values share their count, and with it the divisions.
  int together = __builtin_reduce_and(now.counts == now.counts[0]) != 0;
  Doubles inverses = 1 / now.counts;
  for (size_t i = 0; i < row_count; i++) {
    Floats x = load_floats(rows + i * columns, count);
    Longs present = are_present(x);
    Floats z = scaled(x, now.means, inverse_deviations(now, inverses), limit);
    memcpy(out + i * stride, &z, count * sizeof *out);

    together = together && __builtin_reduce_and(present) != 0;
    Doubles delta = __builtin_convertvector(x, Doubles) - now.means;
    if (together) {
      now.counts += 1;
      inverses = 1 / now.counts[0] + (Doubles){};
      now.means += delta * inverses;
      now.m2 += delta * (__builtin_convertvector(x, Doubles) - now.means);
    } else {
      delta = present ? delta : (Doubles){};
      now.counts += present ? 1 + (Doubles){} : (Doubles){};
      inverses = 1 / now.counts;
      now.means += present ? delta * inverses : (Doubles){};
      now.m2 += present ? delta * (__builtin_convertvector(x, Doubles) - now.means) : (Doubles){};
      for (size_t j = 0; j < count; j++) missing[j] += present[j] ? 0 : 1;
    }
  }
  memcpy(counts, &now.counts, count * sizeof *counts);
  memcpy(means, &now.means, count * sizeof *means);
  memcpy(m2, &now.m2, count * sizeof *m2);
}

MILLRACE_CLONES
void millrace_scale_and_update(const float *__restrict rows, size_t row_count, size_t columns,
                               float limit, double *__restrict counts, double *__restrict means,
                               double *__restrict m2, double *__restrict missing, float *__restrict out,
                               size_t stride) {
  size_t j = 0;
  for (; j + width <= columns; j += width) {
    take(rows + j, row_count, columns, limit, counts + j, means + j, m2 + j, missing + j, out + j,
         stride, width);
  }
  if (j < columns) {
    take(rows + j, row_count, columns, limit, counts + j, means + j, m2 + j, missing + j, out + j,
         stride, columns - j);
  }
  for (size_t i = 0; i < row_count; i++) out[i * stride + columns] = 1;
}

INLINE void scale(const float *rows, size_t row_count, size_t columns, float limit,
                  Statistics now, float *out, size_t stride, size_t count) {
  Doubles inverses = inverse_deviations(now, 1 / now.counts);
  for (size_t i = 0; i < row_count; i++) {
    Floats z = scaled(load_floats(rows + i * columns, count), now.means, inverses, limit);
    memcpy(out + i * stride, &z, count * sizeof *out);
  }
}

MILLRACE_CLONES
void millrace_scale(const float *__restrict rows, size_t row_count, size_t columns, float limit,
                    const double *__restrict counts, const double *__restrict means,
                    const double *__restrict m2, float *__restrict out, size_t stride) {
  size_t j = 0;
  for (; j + width <= columns; j += width) {
    scale(rows + j, row_count, columns, limit,
          load_statistics(counts + j, means + j, m2 + j, width), out + j, stride, width);
  }
  if (j < columns) {
    scale(rows + j, row_count, columns, limit,
          load_statistics(counts + j, means + j, m2 + j, columns - j), out + j, stride,
          columns - j);
  }
  for (size_t i = 0; i < row_count; i++) out[i * stride + columns] = 1;
}
