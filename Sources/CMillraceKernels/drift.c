#include "drift.h"

#include <math.h>

#include "clones.h"

MILLRACE_CLONES
void millrace_lattice_step(double *v, size_t count, double first, double total) {
  double inverse = 1 / total;
  for (size_t k = 0; k < count; k++) {
    double a = first - (double)k;
    v[k] = (a * v[k + 1] + (total - a) * v[k]) * inverse;
  }
}

/// Values that go down the search together, so that their loads overlap.
#define LANES 128

MILLRACE_CLONES
void millrace_slots(const float *values, size_t count, size_t stride, const float *sorted,
                    size_t length, uint32_t missing, uint32_t *slots) {
  for (size_t start = 0; start < count; start += LANES) {
    float x[LANES];
    uint32_t below[LANES];
    size_t lanes = count - start < LANES ? count - start : LANES;
    for (size_t i = 0; i < LANES; i++) {
      x[i] = values[(start + (i < lanes ? i : 0)) * stride];
      below[i] = 0;
    }
    for (uint32_t step = (uint32_t)length / 2; step > 0; step /= 2)
      for (size_t i = 0; i < LANES; i++)
        below[i] += sorted[below[i] + step - 1] < x[i] ? step : 0;
    for (size_t i = 0; i < LANES; i++) {
      uint32_t slot = 2 * below[i] + (sorted[below[i]] == x[i] ? 1 : 0);
      below[i] = x[i] == x[i] ? slot : missing;
    }
    for (size_t i = 0; i < lanes; i++) slots[start + i] = below[i];
  }
}

void millrace_slide(uint32_t *ring, size_t capacity, size_t next, const uint32_t *slots,
                    size_t count, uint32_t *counters) {
  for (size_t i = 0; i < count; i++) {
    counters[ring[next]]--;
    counters[slots[i]]++;
    ring[next] = slots[i];
    next = next + 1 < capacity ? next + 1 : 0;
  }
}

MILLRACE_CLONES
static double largest_distance(const double *reference, const uint32_t *seen, size_t count,
                               double n, double m) {
  // Several maxima side by side, so that none waits for the one before.
  double largest[16] = {0};
  size_t whole = count / 16 * 16;
  for (size_t i = 0; i < whole; i += 16)
    for (size_t lane = 0; lane < 16; lane++) {
      double distance = fabs(reference[i + lane] * m - seen[i + lane] * n);
      largest[lane] = distance > largest[lane] ? distance : largest[lane];
    }
  for (size_t i = whole; i < count; i++) {
    double distance = fabs(reference[i] * m - seen[i] * n);
    largest[0] = distance > largest[0] ? distance : largest[0];
  }
  for (size_t lane = 1; lane < 16; lane++)
    largest[0] = largest[lane] > largest[0] ? largest[lane] : largest[0];
  return largest[0];
}

double millrace_slot_distance(const uint32_t *counters, const double *cumulative, size_t k,
                              double n, double m, uint32_t *scratch) {
  uint32_t *below = scratch, *through = scratch + k;
  uint32_t seen = 0;
  for (size_t i = 0; i < k; i++) {
    below[i] = seen + counters[2 * i];
    seen += counters[2 * i] + counters[2 * i + 1];
    through[i] = seen;
  }
  double left = largest_distance(cumulative, below, k, n, m);
  double right = largest_distance(cumulative + 1, through, k, n, m);
  return left > right ? left : right;
}
