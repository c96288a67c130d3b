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
