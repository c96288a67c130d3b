#ifndef MILLRACE_PARSE_FIELDS_HPP
#define MILLRACE_PARSE_FIELDS_HPP

#include "parse_number.hpp"
#include "parse_simd.h"

namespace millrace {

/// What became of a record: a row, a fault, or something for a more general reader.
enum class Outcome { row, refused, not_utf8, field_count, other };

/// What a look at all bytes of a record says.
struct Separated {
  size_t delimiters;
  bool quotes;
  bool ascii;
};

/// Finds the delimiters of a record, 64 bytes at once: ends[i] ← where the i-th lies, for the first
/// `capacity` of them. `ends` has room for 64 more, and so have `bytes`.
MILLRACE_INLINE Separated find_delimiters(const uint8_t *bytes, size_t length, uint8_t delimiter,
                                          uint32_t *ends, size_t capacity) {
  size_t found = 0;
  uint64_t quotes = 0, high = 0;
  for (size_t i = 0; i < length; i += 64) {
    millrace_bytes64 block = load64(bytes + i);
    uint64_t within = length - i < 64 ? (uint64_t{1} << (length - i)) - 1 : ~uint64_t{0};
    quotes |= equal64(block, '"') & within;
    high |= high64(block) & within;
    uint64_t delimiters = equal64(block, delimiter) & within;
    uint32_t *next = ends + (found < capacity ? found : capacity);
    found += (size_t)__builtin_popcountll(delimiters);
    // Eight at a time, more than there are: one branch that is easy to predict.
    do {
      for (int k = 0; k < 8; k++) {
        *next++ = (uint32_t)i + (delimiters ? (uint32_t)__builtin_ctzll(delimiters) : 64);
        delimiters &= delimiters - 1;
      }
    } while (delimiters);
  }
  return {found, quotes != 0, high == 0};
}

}  // namespace millrace

#endif
