#ifndef MILLRACE_PARSE_EIGHT_HPP
#define MILLRACE_PARSE_EIGHT_HPP

#include "parse_number.hpp"

// Everything here is inlined: how a vector would be passed does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

namespace millrace {

/// Eight numbers at a time: `plain_decimal` in eight lanes, for numbers of at most eight digits and
/// a point. A lane that holds anything else is left to the scalar readers.
using Words = uint64_t __attribute__((ext_vector_type(8)));
using Integers = int32_t __attribute__((ext_vector_type(8)));
using Doubles = double __attribute__((ext_vector_type(8)));
using Places = uint32_t __attribute__((ext_vector_type(8)));
using Halves = uint16_t __attribute__((ext_vector_type(32)));
using Floats = float __attribute__((ext_vector_type(8)));
using Lanes = bool __attribute__((ext_vector_type(8)));

/// Eight texts: the last eight bytes, the first byte and the length of each.
struct EightTexts {
  Words tails, heads, lengths;
};

/// The texts bytes[starts[s·k], ends[s·k] − 1) for k < 8; eight bytes in front of each are
/// readable.
template <int s>
MILLRACE_INLINE EightTexts eight_texts(const uint8_t *bytes, const uint32_t *starts,
                                       const uint32_t *ends) {
  Places start = {starts[0],     starts[s],     starts[2 * s], starts[3 * s],
                  starts[4 * s], starts[5 * s], starts[6 * s], starts[7 * s]};
  Places end = {ends[0],     ends[s],     ends[2 * s], ends[3 * s],
                ends[4 * s], ends[5 * s], ends[6 * s], ends[7 * s]};
  auto head = [&](int k) { return bytes[starts[s * k]]; };
  auto tail = [&](int k) { return load8(bytes + ends[s * k] - 9); };
  return {{tail(0), tail(1), tail(2), tail(3), tail(4), tail(5), tail(6), tail(7)},
          {head(0), head(1), head(2), head(3), head(4), head(5), head(6), head(7)},
          __builtin_convertvector(end - start - 1, Words)};
}

MILLRACE_INLINE Words multiplied_halves(Words words, uint16_t factor) {
  Halves halves;
  memcpy(&halves, &words, sizeof halves);
  halves *= factor;
  memcpy(&words, &halves, sizeof words);
  return words;
}

/// `eight_digits` in each lane.
MILLRACE_INLINE Words eight_digits(Words values) {
  values = (multiplied_halves(values, 10) + (values >> 8)) & 0x00ff00ff00ff00ffu;
  values = (multiplied_halves(values, 100) + (values >> 16)) & 0x0000ffff0000ffffu;
  return (values & 0xffffffffu) * 10000 + (values >> 32);
}

MILLRACE_INLINE uint8_t lane_bits(Lanes lanes) {
  uint8_t bits;
  memcpy(&bits, &lanes, 1);
  return bits;
}

/// Not 0 in a lane where a byte is no digit's value.
MILLRACE_INLINE Words not_digits(Words values) {
  return ((values + repeated(0x80 - 10)) | values) & repeated(0x80);
}

/// Reads eight whole numbers of at most eight digits, without sign; bit k of the result says
/// whether lane k is one.
MILLRACE_INLINE uint8_t eight_indices(const EightTexts &texts, Places &indices) {
  Words shift = (64 - 8 * texts.lengths) & 63;
  Words values = (texts.tails ^ repeated('0')) >> shift << shift;
  Words refused = (Words)(texts.lengths - 1 >= 8) | not_digits(values);
  indices = __builtin_convertvector(eight_digits(values), Places);
  return lane_bits(__builtin_convertvector(refused == 0, Lanes));
}

/// Reads eight numbers; bit k of the result says whether lane k is one of those this can read.
template <bool json>
MILLRACE_INLINE uint8_t eight_decimals(const EightTexts &texts, Doubles &numbers) {
  Words negative = (Words)(texts.heads == '-');
  Words length = texts.lengths + negative;  // the mask is −1
  Words shift = (64 - 8 * length) & 63;
  Words values = (texts.tails ^ repeated('0')) >> shift << shift;
  Words different = values ^ repeated(point);
  Words zero = (different - repeated(1)) & ~different & repeated(0x80);
  Words at = (zero & -zero) >> 7;
  Words front = values & (at - 1);
  Words has_point = (Words)(at != 0);
  Words digits = values - ((at << 5) - (at << 1)) + (((front << 8) - front) & has_point);
  Words first = (Words){1, 1, 1, 1, 1, 1, 1, 1} << shift;
  // A point in front is rare, and alone it is no number.
  Words refused = (Words)(length - 1 >= 8) | (Words)(at == first) |
                  not_digits(digits);
  if (json) {
    Words leading_zero = (Words)((values >> shift & 0xff) == 0) & (Words)(length > 1) &
                         (Words)(at != first << 8);
    refused |= leading_zero | (Words)(at == uint64_t{1} << 56);
  }
  // A point in byte p has 7 − p digits behind it; none is like a point behind the last one.
  constexpr Doubles powers = {1e0, 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
  Words place = 8 - (__builtin_elementwise_popcount(at - 1) >> 3);
  numbers = __builtin_convertvector(__builtin_convertvector(eight_digits(digits), Integers), Doubles);
  numbers /= __builtin_shufflevector(powers, place & 7);
  Words bits;
  memcpy(&bits, &numbers, sizeof bits);
  bits |= negative << 63;
  memcpy(&numbers, &bits, sizeof bits);
  return lane_bits(__builtin_convertvector(refused == 0, Lanes));
}

/// Reads eight texts into the columns from `column` on, of which there are `count` ≤ 8: the texts
/// beyond are ignored. Bit k of the result says whether text k must be read otherwise.
template <bool json, bool exact>
MILLRACE_INLINE uint8_t put_eight(const EightTexts &texts, size_t count, float *features,
                                  double *wide_features) {
  Doubles numbers;
  uint8_t read = eight_decimals<json>(texts, numbers);
  Floats rounded = __builtin_convertvector(numbers, Floats);
  if (count == 8) {
    memcpy(features, &rounded, sizeof rounded);
    if (exact) memcpy(wide_features, &numbers, sizeof numbers);
  } else {
    for (size_t k = 0; k < count; k++) {
      features[k] = rounded[k];
      if (exact) wide_features[k] = numbers[k];
    }
  }
  return (uint8_t)(~read & ((1u << count) - 1));
}

}  // namespace millrace

#endif
