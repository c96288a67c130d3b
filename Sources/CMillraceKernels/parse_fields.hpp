#ifndef MILLRACE_PARSE_FIELDS_HPP
#define MILLRACE_PARSE_FIELDS_HPP

#include "parse_number.hpp"
#include "parse_simd.h"

namespace millrace {

/// How many fields can be looked at behind the last one.
constexpr size_t beyond = 16;

/// The room that `find_fields` needs.
constexpr size_t starts_room(size_t capacity) { return capacity + 1 + 64 + beyond; }

/// What a look at all bytes of a record says.
struct Separated {
  size_t fields;
  bool quotes;
  bool ascii;
};

/// Finds the fields of a record, 64 bytes at once. Field i is bytes[starts[i], starts[i + 1] − 1):
/// the delimiter is one of the three bytes, which may be the same.
///
/// `starts` has `starts_room(capacity)`; what comes behind the first `capacity` fields is counted.
MILLRACE_INLINE Separated find_fields(const uint8_t *bytes, size_t length, uint8_t delimiter,
                                      uint8_t second, uint8_t third, uint32_t *starts,
                                      size_t capacity) {
  size_t found = 0;
  uint64_t quotes = 0, high = 0;
  starts[0] = 0;
  for (size_t i = 0; i < length; i += 64) {
    millrace_bytes64 block = load64(bytes + i);
    uint64_t within = length - i < 64 ? (uint64_t{1} << (length - i)) - 1 : ~uint64_t{0};
    quotes |= equal64(block, '"') & within;
    high |= high64(block) & within;
    uint64_t delimiters =
        (equal64(block, delimiter) | equal64(block, second) | equal64(block, third)) & within;
    uint32_t *next = starts + 1 + (found < capacity ? found : capacity);
    found += (size_t)__builtin_popcountll(delimiters);
    // Eight at a time, more than there are: one branch that is easy to predict.
    do {
      for (int k = 0; k < 8; k++) {
        *next++ = (uint32_t)i + (delimiters ? (uint32_t)__builtin_ctzll(delimiters) : 64) + 1;
        delimiters &= delimiters - 1;
      }
    } while (delimiters);
  }
  // Behind the last field there are empty ones, so that the next ones of any can be looked at.
  uint32_t *end = starts + 1 + (found < capacity ? found : capacity);
  for (size_t k = 0; k < beyond; k++) end[k] = (uint32_t)length + 1;
  return {found + 1, quotes != 0, high == 0};
}

MILLRACE_INLINE Separated find_fields(const uint8_t *bytes, size_t length, uint8_t delimiter,
                                      uint32_t *starts, size_t capacity) {
  return find_fields(bytes, length, delimiter, delimiter, delimiter, starts, capacity);
}

}  // namespace millrace

#endif
