#include "solvers.h"

#include <math.h>

#include "clones.h"

MILLRACE_CLONES
void millrace_row_margins(const float *rows, size_t count, size_t columns, size_t stride,
                          const double *weights, double *out) {
#pragma clang fp reassociate(on) contract(fast)
  for (size_t i = 0; i < count; i++) {
    const float *row = rows + i * stride;
    double sum = 0;
    for (size_t j = 0; j < columns; j++) sum += row[j] * weights[j];
    out[i] = sum;
  }
}

// Every operation below counts on its own rounding.
#pragma STDC FP_CONTRACT OFF

/// high + low, |low| at most half a unit in the last place of high.
typedef struct {
  double high, low;
} pair;

/// a + b exactly.
__attribute__((always_inline)) static inline pair sum_of(double a, double b) {
  double sum = a + b, part = sum - a;
  return (pair){sum, (a - (sum - part)) + (b - part)};
}

/// a·b exactly.
__attribute__((always_inline)) static inline pair product_of(double a, double b) {
  double product = a * b;
  return (pair){product, fma(a, b, -product)};
}

__attribute__((always_inline)) static inline pair add(pair a, pair b) {
  pair sum = sum_of(a.high, b.high);
  return sum_of(sum.high, sum.low + (a.low + b.low));
}

__attribute__((always_inline)) static inline pair scale(pair a, double b) {
  pair product = product_of(a.high, b);
  return sum_of(product.high, product.low + a.low * b);
}

MILLRACE_CLONES
void millrace_residual_moments(const double *restrict rows, size_t count, size_t columns,
                               size_t stride, const double *restrict targets,
                               const float *restrict weights, const double *restrict coefficients,
                               double *restrict high, double *restrict low) {
  for (size_t i = 0; i < count; i++) {
    const double *row = rows + i * stride;
    pair residual = sum_of(targets[i], -coefficients[columns]);
    for (size_t j = 0; j < columns; j++) {
      residual = add(residual, product_of(row[j], -coefficients[j]));
    }
    pair weighted = scale(residual, weights[i]);
    for (size_t j = 0; j < columns; j++) {
      pair sum = add((pair){high[j], low[j]}, scale(weighted, row[j]));
      high[j] = sum.high;
      low[j] = sum.low;
    }
    pair sum = add((pair){high[columns], low[columns]}, weighted);
    high[columns] = sum.high;
    low[columns] = sum.low;
  }
}
