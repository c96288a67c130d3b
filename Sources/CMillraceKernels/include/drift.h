#ifndef MILLRACE_DRIFT_H
#define MILLRACE_DRIFT_H

#include <stddef.h>
#include <stdint.h>

/// One diagonal of the lattice of two pooled samples, in place: with a = first, first − 1, …,
/// v[k] ← (a·v[k+1] + (total − a)·v[k]) / total for k < count.
void millrace_lattice_step(double *v, size_t count, double first, double total);

/// The place of each value among `sorted`: twice the number of smaller ones, plus one where the
/// value itself is there; `missing` for NaN.
///
/// `sorted` has `length` = 2^steps numbers: distinct and ascending, then NaN up to the end, at
/// least one. Value i is `values[i * stride]`.
void millrace_slots(const float *values, size_t count, size_t stride, const float *sorted,
                    size_t length, uint32_t missing, uint32_t *slots);

/// Puts `count` slots into a full ring of `capacity`, from place `next` on, and keeps `counters`
/// at how often each slot is in the ring.
void millrace_slide(uint32_t *ring, size_t capacity, size_t next, const uint32_t *slots,
                    size_t count, uint32_t *counters);

/// The largest of |R·m − C·n| over the ends of the steps of two distribution functions: C sums
/// `counters` (2k + 1, by slot), R is `cumulative` (k + 1, from 0 to n). Exact below 2^53.
/// `scratch` has room for 2k numbers.
double millrace_slot_distance(const uint32_t *counters, const double *cumulative, size_t k,
                              double n, double m, uint32_t *scratch);

#endif
