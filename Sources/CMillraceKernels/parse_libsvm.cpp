#include <charconv>

#include "clones.h"
#include "parse_decoder.hpp"
#include "parse_eight.hpp"
#include "parse_fields.hpp"

namespace millrace {

constexpr std::string_view spaces = " \t";

/// Takes the next word off the front of `text`; empty at its end.
static std::string_view next_word(std::string_view &text) {
  size_t start = std::min(text.find_first_not_of(spaces), text.size());
  size_t end = std::min(text.find_first_of(spaces, start), text.size());
  std::string_view word = text.substr(start, end - start);
  text.remove_prefix(end);
  return word;
}

/// Visits the label and then the entries of a record: visit(index, value), the label's index being
/// empty. What a visit returns as false ends it. `qid:` and what stands behind `#` is left out.
template <class Visit>
static bool read_entries(const millrace_decoder &decoder, const uint8_t *bytes, size_t length,
                         millrace_fault &fault, Visit visit) {
  if (!is_utf8(bytes, length)) return decoder.refuse(fault, millrace_fault_utf8);
  std::string_view rest{(const char *)bytes, length};
  rest = rest.substr(0, rest.find('#'));
  if (!visit({}, next_word(rest))) return false;
  for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
    size_t colon = word.find(':');
    if (colon == word.npos || colon == 0) {
      return decoder.refuse(fault, millrace_fault_entry, absent, word);
    }
    std::string_view index = word.substr(0, colon);
    if (index != "qid" && !visit(index, word.substr(colon + 1))) return false;
  }
  return true;
}

static bool put(const millrace_decoder &decoder, size_t field, std::string_view text, Row &row,
                millrace_fault &fault) {
  const uint8_t *start = (const uint8_t *)text.data();
  return decoder.put(field, start, start + text.size(), row, fault);
}

size_t decode_libsvm(millrace_decoder &decoder, const Records &records, size_t from, Rows &rows,
                     millrace_fault &fault) {
  for (size_t i = from; i < records.count; i++) {
    Row row = decoder.next_row(rows);
    for (size_t j = 0; j < decoder.columns; j++) row.set(j, 0);
    auto visit = [&](std::string_view index, std::string_view value) {
      if (index.empty()) return put(decoder, decoder.label_field, value, row, fault);
      size_t field = decoder.names.find(index);
      return field == absent || field == decoder.label_field ||
             put(decoder, field, value, row, fault);
    };
    size_t length = records.ends[i] - records.starts[i];
    if (!read_entries(decoder, records.bytes + records.starts[i], length, fault, visit) ||
        !decoder.take(row, i, rows, fault)) {
      fault.record = i;
      return i + 1;
    }
  }
  return records.count;
}

bool visit_libsvm(millrace_decoder &decoder, const uint8_t *record, size_t length,
                  millrace_fault &fault, const Visitor &visitor) {
  auto visit = [&](std::string_view index, std::string_view value) {
    visitor(index, value, false);
    return true;
  };
  return read_entries(decoder, record, length, fault, visit);
}

/// Reads entry i, the fields 2i + 1 and 2i + 2, when it is a short index and a plain number.
MILLRACE_INLINE bool read_entry(const uint8_t *bytes, const uint32_t *starts, size_t i,
                                uint32_t &index, float &value) {
  const uint8_t *text = bytes + starts[2 * i + 1], *number = bytes + starts[2 * i + 2];
  size_t length = (size_t)(number - 1 - text);
  if (length - 1 >= 8 || number[-1] != ':') return false;
  uint64_t digits = eight_values(text) << (64 - 8 * length);
  double exact;
  size_t number_length = (size_t)(bytes + starts[2 * i + 3] - 1 - number);
  if (!all_digits(digits) || !common_number<false, false>(number, number_length, exact)) {
    return false;
  }
  index = (uint32_t)eight_digits(digits);
  value = (float)exact;
  return true;
}

/// Reads the `count` ≤ 8 entries from i on, when all are short; writes eight.
MILLRACE_INLINE bool read_eight(const uint8_t *bytes, const uint32_t *starts, size_t i,
                                size_t count, uint32_t *indices, float *values) {
  starts += 2 * i + 1;
  Places eight;
  Doubles numbers;
  unsigned read = 0;
  for (int k = 0; k < 8; k++) read |= (unsigned)(bytes[starts[2 * k + 1] - 1] == ':') << k;
  read &= eight_indices(eight_texts<2>(bytes, starts, starts + 1), eight);
  read &= eight_decimals<false>(eight_texts<2>(bytes, starts + 1, starts + 2), numbers);
  Floats rounded = __builtin_convertvector(numbers, Floats);
  memcpy(indices, &eight, sizeof eight);
  memcpy(values, &rounded, sizeof rounded);
  unsigned wanted = (1u << count) - 1;
  return (read & wanted) == wanted;
}

/// Reads the entries of a record that LibSVM itself could have written: one space between words,
/// short indices, plain numbers. Returns their number, or `absent` when it is another record or
/// there is no room for eight more.
MILLRACE_CLONES
static size_t read_tidy(const uint8_t *bytes, size_t length, uint32_t *starts, uint32_t mask,
                        uint32_t *indices, float *values, size_t room, size_t &label_length) {
  Separated separated = find_fields(bytes, length, ' ', ':', '\t', starts, length + 1);
  if (!separated.ascii || separated.fields % 2 == 0) return absent;
  label_length = starts[1] - 1;
  size_t count = separated.fields / 2;
  if (count + 8 > room) return absent;
  for (size_t i = 0; i < count; i += 8) {
    size_t lanes = count - i < 8 ? count - i : 8;
    if (read_eight(bytes, starts, i, lanes, indices + i, values + i)) continue;
    for (size_t k = i; k < i + lanes; k++) {
      if (!read_entry(bytes, starts, k, indices[k], values[k])) return absent;
    }
  }
  for (size_t i = 0; i < count; i++) indices[i] &= mask;
  return count;
}

/// Reads the entries of any record; a missing value is no entry.
static bool read_untidy(const millrace_decoder &decoder, const uint8_t *bytes, size_t length,
                        uint32_t mask, uint32_t *indices, float *values, size_t room,
                        size_t &count, Row &row, millrace_fault &fault) {
  count = 0;
  auto visit = [&](std::string_view text, std::string_view value_text) {
    if (text.empty()) return put(decoder, decoder.label_field, value_text, row, fault);
    uint64_t index;
    double value;
    std::from_chars_result result = std::from_chars(text.begin(), text.end(), index);
    if (result.ec != std::errc() || result.ptr != text.end() || !read_number(value_text, value) ||
        count == room) {
      std::string_view entry(text.data(), (size_t)(value_text.end() - text.data()));
      return decoder.refuse(fault, millrace_fault_entry, absent, entry);
    }
    indices[count] = (uint32_t)index & mask;
    values[count] = (float)value;
    count += !std::isnan(value);
    return true;
  };
  return read_entries(decoder, bytes, length, fault, visit);
}

size_t decode_libsvm(millrace_decoder &decoder, const Records &records, size_t from, uint32_t mask,
                     SparseRows &sparse, millrace_fault &fault) {
  for (size_t i = from; i < records.count; i++) {
    Rows &rows = sparse.rows;
    Row row = decoder.next_row(rows);
    const uint8_t *bytes = decoder.readable(records, i);
    std::string_view text = trimmed({(const char *)bytes, records.ends[i] - records.starts[i]});
    bytes = (const uint8_t *)text.data();
    size_t length = text.size();
    size_t start = sparse.row_starts[rows.count], count = absent, label_length;
    size_t room = sparse.capacity - start;
    uint32_t *indices = sparse.indices + start;
    float *values = sparse.values + start;
    if (length <= UINT32_MAX) {
      decoder.starts.resize(std::max(decoder.starts.size(), starts_room(length + 1)));
      count = read_tidy(bytes, length, decoder.starts.data(), mask, indices, values, room,
                        label_length);
    }
    bool fits = count == absent
                    ? read_untidy(decoder, bytes, length, mask, indices, values, room, count, row,
                                  fault)
                    : decoder.put(decoder.label_field, bytes, bytes + label_length, row, fault);
    if (!fits || !decoder.take(row, i, rows, fault)) {
      fault.record = i;
      return i + 1;
    }
    sparse.row_starts[rows.count] = start + count;
  }
  return records.count;
}

MILLRACE_INLINE size_t count_byte(const uint8_t *bytes, size_t length, uint8_t byte) {
  size_t count = 0, i = 0;
  for (; i + 64 <= length; i += 64) {
    count += (size_t)__builtin_popcountll(equal64(load64(bytes + i), byte));
  }
  for (; i < length; i++) count += bytes[i] == byte;
  return count;
}

}  // namespace millrace

MILLRACE_CLONES
size_t millrace_count_entries(const uint8_t *bytes, const size_t *starts, const size_t *ends,
                              size_t count) {
  size_t entries = 8;
  for (size_t i = 0; i < count; i++) {
    entries += millrace::count_byte(bytes + starts[i], ends[i] - starts[i], ':');
  }
  return entries;
}
