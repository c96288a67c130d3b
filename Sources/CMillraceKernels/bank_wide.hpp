#ifndef MILLRACE_BANK_WIDE_HPP
#define MILLRACE_BANK_WIDE_HPP

#include <cstring>

#include "bank_basis.hpp"
#include "bank_filters.hpp"

/// The filters over the wider basis, and the room that a record's inputs and u take.
typedef Filters<4> WideFilters;

struct WideRoom {
  /// As many as `WideFilters::padded` says; 0 beyond the inputs.
  float *inputs;
  Four *u;

  /// |z|² of the first `width` inputs.
  MILLRACE_MEMBER float squaredLength(size_t width) const {
    Lanes total = {};
    size_t j = 0;
    for (; j + 16 <= width; j += 16) {
      Lanes z;
      memcpy(&z, inputs + j, sizeof z);
      total += z * z;
    }
    float rest = 0;
    for (; j < width; j++) rest += inputs[j] * inputs[j];
    return sum(folded(total)) + rest;
  }

  /// Takes a record's s = zᵀCz into the running mean of s/|z|².
  MILLRACE_MEMBER void learnSpread(Four &spread, Four variance, size_t width) const {
    spread += (variance * (1 / squaredLength(width)) - spread) * (1.0f / 64);
  }

  /// Σⱼ zⱼxⱼ, four columns at a time.
  MILLRACE_MEMBER Four dot(const Four *x, size_t width) const {
    Lanes total[2] = {};
    for (size_t j = 0, v = 0; j < width; j += 4, v ^= 1)
      total[v] += *reinterpret_cast<const Lanes *>(x + j) * spreadOut(inputs + j);
    const Eight half = folded(total[0] + total[1]);
    return firstHalf(half) + secondHalf(half);
  }
};

#endif
