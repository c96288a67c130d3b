#include "filter.h"

#include "clones.h"

MILLRACE_CLONES
double millrace_filter_spread(const double *restrict covariance, const float *restrict z, size_t d,
                              double *restrict u) {
  for (size_t j = 0; j < d; j++) u[j] = 0;
  for (size_t i = 0; i < d; i++) {
    const double *row = covariance + i * d;
    double zi = z[i];
    for (size_t j = 0; j < d; j++) u[j] += zi * row[j];
  }
  double sum = 0;
  for (size_t j = 0; j < d; j++) sum += u[j] * z[j];
  return sum > 0 ? sum : 0;
}

MILLRACE_CLONES
void millrace_filter_update(double *restrict covariance, const double *restrict u, size_t d,
                            double h, double keep, double q) {
  for (size_t i = 0; i < d; i++) {
    double *row = covariance + i * d;
    double hu = h * u[i];
    for (size_t j = 0; j < d; j++) row[j] = keep * (row[j] - hu * u[j]);
    row[i] += q;
  }
}
