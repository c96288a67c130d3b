#include "scaler.h"

#include <cfloat>
#include <cstdint>
#include <cstring>

#include "clones.h"
#include "scaler.hpp"

// All entry points share every expression and so agree bit for bit.
#pragma clang fp contract(off)

namespace {

/// Columns that are worked on at once.
enum { width = 8 };
typedef Vector<float, width> Floats;
typedef Vector<double, width> Doubles;
typedef Vector<int64_t, width> Longs;

/// The statistics of some columns.
struct Statistics {
  Doubles counts, means, m2;
};

/// 1/√x for normal positive x, to 1e-10: Newton's steps from a guess by the exponent's bits (Lomont
/// 2003). It has no square root and no division, which take as long as ten products.
MILLRACE_INLINE Doubles inverseRoot(Doubles x) {
  Doubles y = (Doubles)(0x5fe6eb50c7b537a9 - ((Longs)x >> 1)), half = 0.5 * x;
  for (int step = 0; step < 3; step++) y = y * (1.5 - half * y * y);
  return y;
}

/// 1/deviation; 0 for a column that has not varied: its spread is rounding noise beside its size.
MILLRACE_INLINE Doubles inverseDeviations(Statistics columns, Doubles inverseCounts) {
  Longs varies = (columns.m2 > 1e-14 * columns.counts * columns.means * columns.means) &
                 (columns.m2 > 0);
  return varies ? inverseRoot(columns.m2 * inverseCounts) : (Doubles){};
}

MILLRACE_INLINE Longs arePresent(Floats x) {
  return __builtin_convertvector(__builtin_elementwise_abs(x) < INFINITY, Longs);
}

MILLRACE_INLINE Factors<width> factors(Statistics columns, Doubles inverseCounts) {
  const Doubles inverse = inverseDeviations(columns, inverseCounts);
  const Doubles means = inverse > 0 ? columns.means : Doubles{};
  const Floats mean = __builtin_convertvector(means, Floats);
  const Doubles rest = means - __builtin_convertvector(mean, Doubles);
  return {mean, __builtin_convertvector(rest, Floats),
          __builtin_convertvector(inverse < FLT_MAX ? inverse : Doubles{} + FLT_MAX, Floats)};
}

/// The first `count` ≤ 8 numbers of an array, and zeros.
template <int count, typename T>
MILLRACE_INLINE Vector<T, width> load(const T *x) {
  Vector<T, width> result = {};
  memcpy(&result, x, count * sizeof *x);
  return result;
}

/// Calls `body<count>(j)` for the columns from j on, `count` ≤ 8 of them.
template <typename Body>
MILLRACE_INLINE void forColumns(size_t columns, Body body) {
  size_t j = 0;
  for (; j + width <= columns; j += width) body.template operator()<width>(j);
  switch (columns - j) {
    case 1: return body.template operator()<1>(j);
    case 2: return body.template operator()<2>(j);
    case 3: return body.template operator()<3>(j);
    case 4: return body.template operator()<4>(j);
    case 5: return body.template operator()<5>(j);
    case 6: return body.template operator()<6>(j);
    case 7: return body.template operator()<7>(j);
  }
}

/// Standardises and takes in `count` ≤ 8 columns.
template <int count>
MILLRACE_INLINE void take(const float *rows, size_t rowCount, size_t columns, float limit,
                          double *counts, double *means, double *m2, double *missing, float *out,
                          size_t stride) {
  Statistics now = {load<count>(counts), load<count>(means), load<count>(m2)};
  for (int j = count; j < width; j++) now.counts[j] = now.counts[0];
  // Columns without missing values share their count, and with it the divisions.
  int together = __builtin_reduce_and(now.counts == now.counts[0]) != 0;
  Doubles inverses = 1 / now.counts;
  for (size_t i = 0; i < rowCount; i++) {
    const Floats x = load<count>(rows + i * columns);
    Longs present = arePresent(x);
    const Floats z = standardized<width>(x, factors(now, inverses), limit);
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
      for (int j = 0; j < count; j++) missing[j] += present[j] ? 0 : 1;
    }
  }
  memcpy(counts, &now.counts, count * sizeof *counts);
  memcpy(means, &now.means, count * sizeof *means);
  memcpy(m2, &now.m2, count * sizeof *m2);
}

}  // namespace

MILLRACE_CLONES
void millrace_scale_and_update(const float *__restrict rows, size_t rowCount, size_t columns,
                               float limit, double *__restrict counts, double *__restrict means,
                               double *__restrict m2, double *__restrict missing,
                               float *__restrict out, size_t stride) {
  forColumns(columns, [=]<int count>(size_t j) __attribute__((always_inline)) {
    take<count>(rows + j, rowCount, columns, limit, counts + j, means + j, m2 + j, missing + j,
                out + j, stride);
  });
  for (size_t i = 0; i < rowCount; i++) out[i * stride + columns] = 1;
}

MILLRACE_CLONES
void millrace_scale(const float *__restrict rows, size_t rowCount, size_t columns,
                    const float *__restrict factors, float limit, float *__restrict out,
                    size_t stride) {
  forColumns(columns, [=]<int count>(size_t j) __attribute__((always_inline)) {
    const float *mean = factors + j;
    const Factors<width> own = {load<count>(mean), load<count>(mean + columns),
                                load<count>(mean + 2 * columns)};
    for (size_t i = 0; i < rowCount; i++) {
      const Floats z = standardized<width>(load<count>(rows + i * columns + j), own, limit);
      memcpy(out + i * stride + j, &z, count * sizeof *out);
    }
  });
  for (size_t i = 0; i < rowCount; i++) out[i * stride + columns] = 1;
}

MILLRACE_CLONES
void millrace_scaler_factors(const double *__restrict counts, const double *__restrict means,
                             const double *__restrict m2, size_t columns, float *__restrict out) {
  forColumns(columns, [=]<int count>(size_t j) __attribute__((always_inline)) {
    const Statistics now = {load<count>(counts + j), load<count>(means + j), load<count>(m2 + j)};
    const Factors<width> own = factors(now, 1 / now.counts);
    memcpy(out + j, &own.mean, count * sizeof *out);
    memcpy(out + columns + j, &own.rest, count * sizeof *out);
    memcpy(out + 2 * columns + j, &own.inverse, count * sizeof *out);
  });
}
