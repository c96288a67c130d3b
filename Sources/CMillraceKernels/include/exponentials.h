#ifndef MILLRACE_EXPONENTIALS_H
#define MILLRACE_EXPONENTIALS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// out[i] ← exp(clamp(x[i], ±30)), to 1e-11 relative; each result depends on its x alone, bit for
/// bit.
void millrace_exp(const float *x, size_t count, double *out);

/// out[i] ← 1/(1 + exp(−clamp(x[i], ±30))), as exact: a probability that is never quite 0 or 1.
void millrace_sigmoid(const float *x, size_t count, double *out);

/// Softmax over k < `classes` for each i < count: out[k·stride + i] ← exp(x[k·stride + i] − max) /
/// Σ exp(…), where a class that lies more than 30 below the largest counts as 30 below.
void millrace_softmax(const float *x, size_t classes, size_t count, size_t stride, double *out);

#ifdef __cplusplus
}
#endif
#endif
