#ifndef MILLRACE_FILTER_H
#define MILLRACE_FILTER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// u ← Cz for a symmetric d × d matrix; returns max(zᵀu, 0).
double millrace_filter_spread(const double *covariance, const float *z, size_t d, double *u);

/// C ← keep·(C − h·uuᵀ) + q·I.
void millrace_filter_update(double *covariance, const double *u, size_t d, double h, double keep,
                            double q);

#ifdef __cplusplus
}
#endif
#endif
