#include "rows.h"

#include "clones.h"

MILLRACE_CLONES
void millrace_row_dots(const float *rows, size_t count, size_t columns, size_t stride,
                       const float *weights, float *out) {
#pragma clang fp reassociate(on) contract(fast)
  for (size_t i = 0; i < count; i++) {
    const float *row = rows + i * stride;
    float sum = 0;
    for (size_t j = 0; j < columns; j++) sum += row[j] * weights[j];
    out[i] = sum;
  }
}

MILLRACE_CLONES
void millrace_add_rows(const float *rows, size_t count, size_t columns, size_t stride,
                       const float *restrict coefficients, float *restrict out) {
  size_t i = 0;
  // Four rows a pass: `out` is read and written a quarter as often.
  for (; i + 4 <= count; i += 4) {
    const float *a = rows + i * stride, *b = a + stride, *c = b + stride, *d = c + stride;
    float ca = coefficients[i], cb = coefficients[i + 1];
    float cc = coefficients[i + 2], cd = coefficients[i + 3];
    for (size_t j = 0; j < columns; j++) {
      float sum = out[j];
      sum += ca * a[j];
      sum += cb * b[j];
      sum += cc * c[j];
      sum += cd * d[j];
      out[j] = sum;
    }
  }
  for (; i < count; i++) {
    const float *row = rows + i * stride;
    float coefficient = coefficients[i];
    for (size_t j = 0; j < columns; j++) {
      float sum = out[j];
      sum += coefficient * row[j];
      out[j] = sum;
    }
  }
}
