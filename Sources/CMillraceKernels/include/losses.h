#ifndef MILLRACE_LOSSES_H
#define MILLRACE_LOSSES_H

#include <stddef.h>

/// out[i] ← −ln p[i], with p clipped to [2⁻⁵², 1 − 2⁻⁵²] and NaN taken for 2⁻⁵²; to 1 ulp or so.
void millrace_log_loss(const double *p, size_t count, double *out);

#endif
