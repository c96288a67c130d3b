#ifndef MILLRACE_SOLVERS_H
#define MILLRACE_SOLVERS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// out[i] ← Σⱼ rows[i·stride + j]·weights[j], summed in double; a row has the same result, bit for
/// bit, in every batch.
void millrace_row_margins(const float *rows, size_t count, size_t columns, size_t stride,
                          const double *weights, double *out);

/// high + low ← high + low + Σᵢ weights[i]·rᵢ·(rowᵢ, 1) with
/// rᵢ = targets[i] − (rowᵢ, 1)·coefficients, all in double-double arithmetic (Dekker 1971; about 31
/// digits), so that what is left of the residuals after a fit is known to full precision.
///
/// coefficients, high, low: `columns + 1` doubles each, the constant's last.
void millrace_residual_moments(const double *rows, size_t count, size_t columns, size_t stride,
                               const double *targets, const float *weights,
                               const double *coefficients, double *high, double *low);

#ifdef __cplusplus
}
#endif
#endif
