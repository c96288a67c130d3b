#include "rows.h"

#include <cstring>

#include "clones.h"
#include "scaler.hpp"

namespace {

template <int N>
MILLRACE_INLINE Vector<float, N> load(const float *x) {
  Vector<float, N> result;
  memcpy(&result, x, sizeof result);
  return result;
}

/// Rows as they are.
struct PlainRows {
  const float *rows;
  size_t stride;

  template <int N>
  __attribute__((always_inline)) Vector<float, N> at(size_t row, size_t column) const {
    return load<N>(rows + row * stride + column);
  }
};

/// Rows that are standardised while they are read.
struct RawRows {
  const float *rows;
  size_t stride;
  const float *factors;
  float limit;

  template <int N>
  __attribute__((always_inline)) Vector<float, N> at(size_t row, size_t column) const {
    const float *mean = factors + column;
    const Factors<N> own = {load<N>(mean), load<N>(mean + stride), load<N>(mean + 2 * stride)};
    return standardized<N>(load<N>(rows + row * stride + column), own, limit);
  }
};

/// How many numbers ahead of those in work rows are fetched: 4 KB, a page. A processor's own guesses
/// end at pages, and cost a third of the time where rows come from memory.
constexpr size_t fetchAhead = 1024;

/// The scores of `count` ≤ 4 rows. The order of a row's sum depends on `columns` only.
template <int count, typename Rows>
MILLRACE_INLINE void scores(const Rows &rows, size_t first, size_t columns, const float *weights,
                            float *out) {
  Lanes wide[count] = {};
  size_t j = 0;
  for (; j + 16 <= columns; j += 16)
    for (int r = 0; r < count; r++) {
      __builtin_prefetch(rows.rows + (first + r) * rows.stride + j + fetchAhead);
      wide[r] += rows.template at<16>(first + r, j) * load<16>(weights + j);
    }
  Eight sum[4] = {};
  for (int r = 0; r < count; r++) sum[r] = folded(wide[r]);
  if (j + 8 <= columns) {
    for (int r = 0; r < count; r++)
      sum[r] += rows.template at<8>(first + r, j) * load<8>(weights + j);
    j += 8;
  }
  Vector<float, 4> total = sums(sum[0], sum[1], sum[2], sum[3]);
  for (; j < columns; j++)
    for (int r = 0; r < count; r++)
      total[r] += rows.template at<1>(first + r, j)[0] * weights[j];
  total += weights[columns];
  memcpy(out, &total, count * sizeof *out);
}

template <typename Rows>
MILLRACE_INLINE void scores(const Rows &rows, size_t count, size_t columns, const float *weights,
                            float *out) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) scores<4>(rows, i, columns, weights, out + i);
  for (; i < count; i++) scores<1>(rows, i, columns, weights, out + i);
}

template <typename T>
MILLRACE_INLINE void multiply(T *rows, size_t count, size_t columns, const uint32_t *factors,
                              size_t products) {
  for (size_t i = 0; i < count; i++) {
    T *row = rows + i * (columns + products);
    for (size_t k = 0; k < products; k++)
      row[columns + k] = row[factors[2 * k]] * row[factors[2 * k + 1]];
  }
}

}  // namespace

void millrace_multiply_columns(float *rows, size_t count, size_t columns, const uint32_t *factors,
                               size_t products) {
  multiply(rows, count, columns, factors, products);
}

void millrace_multiply_wide_columns(double *rows, size_t count, size_t columns,
                                    const uint32_t *factors, size_t products) {
  multiply(rows, count, columns, factors, products);
}

MILLRACE_CLONES
void millrace_row_scores(const float *rows, size_t count, size_t columns, size_t stride,
                         const float *weights, float *out) {
  scores(PlainRows{rows, stride}, count, columns, weights, out);
}

MILLRACE_CLONES
void millrace_raw_row_scores(const float *rows, size_t count, size_t columns, const float *factors,
                             float limit, const float *weights, float *out) {
  scores(RawRows{rows, columns, factors, limit}, count, columns, weights, out);
}

MILLRACE_CLONES
void millrace_add_rows(const float *rows, size_t count, size_t columns, size_t stride,
                       const float *__restrict coefficients, float *__restrict out) {
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
