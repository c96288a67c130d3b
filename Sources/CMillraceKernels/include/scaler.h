#ifndef MILLRACE_SCALER_H
#define MILLRACE_SCALER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// For each row in order: standardises it by the statistics so far, then takes it into them.
///
/// Per column j: z ← clamp((x − mean)/√(m2/n), ±limit), 0 where x is not finite or the column has
/// not varied; then Welford's update of count, mean and m2. `out[i·stride + columns]` ← 1.
///
/// counts, means, m2: `columns` doubles each; missing: `columns` doubles, the values not finite.
void millrace_scale_and_update(const float *rows, size_t row_count, size_t columns, float limit,
                               double *counts, double *means, double *m2, double *missing,
                               float *out, size_t stride);

/// What standardises as the statistics stand: `columns` means, as many rests that a `float` of the
/// mean leaves, as many inverse deviations (0 for a column that has not varied).
void millrace_scaler_factors(const double *counts, const double *means, const double *m2,
                             size_t columns, float *out);

/// The same as `millrace_scale_and_update` by factors, without the update.
void millrace_scale(const float *rows, size_t row_count, size_t columns, const float *factors,
                    float limit, float *out, size_t stride);

#ifdef __cplusplus
}
#endif
#endif
