#ifndef MILLRACE_PARSE_NUMBER_HPP
#define MILLRACE_PARSE_NUMBER_HPP

#include <fast_float/fast_float.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#define MILLRACE_INLINE __attribute__((always_inline)) static inline

/// Decimal numbers to `double`, eight digits at a time (SWAR: SIMD within an integer register).
///
/// The common forms, `-123` and `-0.123456`, are read without a branch per digit; whatever else
/// there is goes to fast_float. Both give the double next to what is written (Clinger 1990: the
/// digits and the power of ten are exact, so one division rounds once).
namespace millrace {

constexpr uint64_t repeated(uint8_t byte) { return byte * 0x0101010101010101u; }

/// 10⁰ … 10²², all exact.
constexpr double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

MILLRACE_INLINE uint64_t load8(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof word);
  return word;
}

/// Eight characters as the distance from '0': digits become 0 to 9, the first in the low byte.
MILLRACE_INLINE uint64_t eight_values(const uint8_t *text) { return load8(text) ^ repeated('0'); }

constexpr uint8_t point = '.' ^ '0';

/// Whether every byte is a digit's value.
MILLRACE_INLINE bool all_digits(uint64_t values) {
  return (((values + repeated(0x80 - 10)) | values) & repeated(0x80)) == 0;
}

/// The number whose digits are the bytes of `values`, the most significant in the low byte.
MILLRACE_INLINE uint64_t eight_digits(uint64_t values) {
  values = values * (1 + (10u << 8)) >> 8 & 0x00ff00ff00ff00ffu;
  values = values * (1 + (100u << 16)) >> 16 & 0x0000ffff0000ffffu;
  return values * (1 + (uint64_t{10000} << 32)) >> 32;
}

/// 1 in the byte of the first point, 0 when there is none.
MILLRACE_INLINE uint64_t find_point(uint64_t values) {
  uint64_t different = values ^ repeated(point);
  uint64_t zero = (different - repeated(1)) & ~different & repeated(0x80);
  return (zero & -zero) >> 7;
}

/// Takes out the point found at `at` and closes the gap: what is in front moves up by one byte.
MILLRACE_INLINE uint64_t without_point(uint64_t values, uint64_t at) {
  uint64_t front = values & (at - 1);
  return values - at * point + front * 255;
}

/// How many bytes lie above `at`.
MILLRACE_INLINE unsigned bytes_above(uint64_t at) { return (unsigned)__builtin_clzll(at) >> 3; }

/// What JSON refuses in a number without sign: `05`, `.5`, `5.`.
MILLRACE_INLINE bool is_json_decimal(const uint8_t *text, size_t length) {
  bool leading_zero = text[0] == '0' && length > 1 && text[1] != '.';
  return !leading_zero && text[0] != '.' && text[length - 1] != '.';
}

/// An unsigned decimal of 1 to 16 characters, without exponent; 16 bytes are readable.
template <bool json>
MILLRACE_INLINE bool plain_decimal(const uint8_t *text, size_t length, double &value) {
  uint64_t digits;
  unsigned fraction = 0;
  bool valid;
  uint64_t low = eight_values(text);
  if (length <= 8) {
    low <<= 64 - 8 * length;  // the last character in the top byte, zeros in front
    uint64_t at = find_point(low);
    if (at) {
      fraction = bytes_above(at);
      low = without_point(low, at);
    }
    valid = all_digits(low);
    digits = eight_digits(low);
  } else {
    unsigned shift = 128 - 8 * (unsigned)length;
    uint64_t high = eight_values(text + 8) << shift | low >> 1 >> (63 - shift);
    low <<= shift;
    if (uint64_t at = find_point(low)) {
      fraction = 8 + bytes_above(at);
      low = without_point(low, at);
    } else if (uint64_t at = find_point(high)) {
      fraction = bytes_above(at);
      high = without_point(high, at) + (low >> 56);
      low <<= 8;
    }
    valid = all_digits(low) && all_digits(high);
    digits = eight_digits(low) * 100000000 + eight_digits(high);
  }
  // At most 15 digits beside a point, and 16 alone: below 2⁵³ wherever there is a division.
  value = (double)digits / powers_of_ten[fraction];
  return valid && (json ? is_json_decimal(text, length) : length > 1 || text[0] != '.');
}

/// An unsigned decimal of up to 20 digits without exponent, as programs write doubles: 17 or more
/// characters. Gives a double that rounds to the right float, and with `exact` the right double.
template <bool json, bool exact>
static bool long_decimal(const uint8_t *text, size_t length, double &value) {
  const uint8_t *end = text + length, *next = text;
  uint64_t digits = 0;
  while (next < end && (uint8_t)(*next - '0') < 10) digits = digits * 10 + (*next++ - '0');
  size_t whole = (size_t)(next - text), fraction = 0;
  if (next < end && *next == '.') {
    const uint8_t *first = ++next;
    for (; next + 8 <= end && all_digits(eight_values(next)); next += 8) {
      digits = digits * 100000000 + eight_digits(eight_values(next));
    }
    while (next < end && (uint8_t)(*next - '0') < 10) digits = digits * 10 + (*next++ - '0');
    fraction = (size_t)(next - first);
  }
  // 19 digits fit 64 bits, and a zero in front of the point is none.
  bool fits = whole + fraction <= 19 || (text[0] == '0' && whole == 1 && fraction <= 19);
  if (next != end || !fits || (json && !is_json_decimal(text, length))) return false;
  value = (double)digits / powers_of_ten[fraction];
  if (digits <= uint64_t{1} << 53) return true;
  // Two roundings: at most two units in the last place off, which matters to a float only next to
  // the middle between two floats.
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  int64_t from_middle = (int64_t)(bits & 0x1fffffff) - 0x10000000;
  return !exact && (from_middle > 4 || from_middle < -4);
}

/// Any number fast_float knows, infinities and exponents included, that fills the whole text.
static inline bool any_number(const uint8_t *text, size_t length, double &value) {
  const char *first = (const char *)text, *last = first + length;
  fast_float::from_chars_result result = fast_float::from_chars(first, last, value);
  return result.ptr == last &&
         (result.ec == std::errc() || result.ec == std::errc::result_out_of_range);
}

/// A signed decimal in one of the common forms; anything else is refused, whether a number or not.
/// 17 bytes are readable.
template <bool json, bool exact>
MILLRACE_INLINE bool common_number(const uint8_t *text, size_t length, double &value) {
  size_t negative = text[0] == '-';
  text += negative;
  length -= negative;
  // One comparison for an empty text too.
  bool found = length - 1 < 16 ? plain_decimal<json>(text, length, value)
                               : length && long_decimal<json, exact>(text, length, value);
  value = negative ? -value : value;
  return found;
}

}  // namespace millrace

#endif
