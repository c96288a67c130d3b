#ifndef MILLRACE_ROWS_H
#define MILLRACE_ROWS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// out[i] ← weights[columns] + Σⱼ rows[i·stride + j]·weights[j] for i < count, j < columns.
/// The order of the sum depends on `columns` only: a row has the same result, bit for bit, in
/// every batch (a BLAS gemv does not promise that).
void millrace_row_scores(const float *rows, size_t count, size_t columns, size_t stride,
                         const float *weights, float *out);

/// The same, bit for bit, from raw rows of `columns` numbers, by the factors of
/// `millrace_scaler_factors`: each number is read once and nothing is written but the scores.
void millrace_raw_row_scores(const float *rows, size_t count, size_t columns,
                             const float *factors, float limit, const float *weights, float *out);

/// out[j] ← out[j] + Σᵢ coefficients[i]·rows[i·stride + j], added in the order of the rows: rows
/// split over several calls give the same result, bit for bit.
void millrace_add_rows(const float *rows, size_t count, size_t columns, size_t stride,
                       const float *coefficients, float *out);

/// Fills the columns behind the first `columns` of each row with products of two of these: the k-th
/// is that of columns factors[2k] and factors[2k + 1].
void millrace_multiply_columns(float *rows, size_t count, size_t columns, const uint32_t *factors,
                               size_t products);

/// The same of doubles.
void millrace_multiply_wide_columns(double *rows, size_t count, size_t columns,
                                    const uint32_t *factors, size_t products);

#ifdef __cplusplus
}
#endif
#endif
