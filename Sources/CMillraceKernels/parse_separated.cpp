#include <algorithm>

#include "clones.h"
#include "parse_decoder.hpp"
#include "parse_eight.hpp"
#include "parse_fields.hpp"

namespace millrace {

/// What became of a record; one with quotes is left to the general reader.
enum class Outcome { row, refused, not_utf8, field_count, quoted };

/// Puts field `index`, the text in front of `end`, into the row.
template <bool exact>
MILLRACE_INLINE bool put(const millrace_decoder &decoder, const int32_t *columns, size_t index,
                         const uint8_t *text, const uint8_t *end, Row &row,
                         millrace_fault &fault) {
  int32_t column = columns[index];
  double value;
  if (column >= 0 && common_number<false, exact>(text, (size_t)(end - text), value)) {
    row.features[column] = (float)value;
    if (exact) row.wide_features[column] = value;
    return true;
  }
  return decoder.put(index, text, end, row, fault);
}

/// Reads a record without quotes.
template <bool exact>
MILLRACE_INLINE Outcome read_plain(const millrace_decoder &decoder, const int32_t *columns,
                                   const uint8_t *runs, size_t count, uint32_t *starts, const uint8_t *bytes,
                                   size_t length, Row &row, millrace_fault &fault) {
  Separated separated = find_fields(bytes, length, decoder.delimiter, starts, count);
  if (separated.quotes) return Outcome::quoted;
  if (!separated.ascii && !is_utf8(bytes, length)) return Outcome::not_utf8;
  fault.count = separated.fields;
  if (separated.fields != count) return Outcome::field_count;
  for (size_t index = 0; index < count;) {
    size_t lanes = runs[index];
    uint8_t others = 1;
    if (lanes > 1) {
      size_t column = (size_t)columns[index];
      EightTexts texts = eight_texts<1>(bytes, starts + index, starts + index + 1);
      others = put_eight<false, exact>(texts, lanes, row.features + column,
                                       row.wide_features + (exact ? column : 0));
    }
    for (; others; others &= others - 1) {
      size_t i = index + (size_t)__builtin_ctz(others);
      const uint8_t *text = bytes + starts[i], *end = bytes + starts[i + 1] - 1;
      if (!put<exact>(decoder, columns, i, text, end, row, fault)) {
        return Outcome::refused;
      }
    }
    index += lanes;
  }
  return Outcome::row;
}

MILLRACE_CLONES
static Outcome read_plain_floats(const millrace_decoder &decoder, const int32_t *columns,
                                 const uint8_t *runs, size_t count, uint32_t *starts, const uint8_t *bytes,
                                 size_t length, Row &row, millrace_fault &fault) {
  return read_plain<false>(decoder, columns, runs, count, starts, bytes, length, row, fault);
}

MILLRACE_CLONES
static Outcome read_plain_doubles(const millrace_decoder &decoder, const int32_t *columns,
                                  const uint8_t *runs, size_t count, uint32_t *starts, const uint8_t *bytes,
                                  size_t length, Row &row, millrace_fault &fault) {
  return read_plain<true>(decoder, columns, runs, count, starts, bytes, length, row, fault);
}

/// One field of a record with quotes, from `next` on, which moves behind its delimiter or to null
/// at the record's end. Doubled quotes are one; what follows the closing quote is kept as it is, as
/// Python's csv module does.
static bool next_field(const uint8_t *&next, const uint8_t *end, uint8_t delimiter,
                       std::string &buffer, std::string_view &text) {
  const uint8_t *start = next;
  if (next < end && *next == '"') {
    buffer.clear();
    for (start = ++next;;) {
      const uint8_t *quote = (const uint8_t *)memchr(next, '"', (size_t)(end - next));
      if (!quote) return false;
      buffer.append((const char *)next, (size_t)(quote - next));
      next = quote + 1;
      if (next == end || *next != '"') break;
      buffer += '"';
      next++;
    }
  }
  const uint8_t *rest = next;
  const uint8_t *stop = (const uint8_t *)memchr(next, delimiter, (size_t)(end - next));
  next = stop ? stop + 1 : nullptr;
  stop = stop ? stop : end;
  if (start == rest) {
    text = {(const char *)start, (size_t)(stop - start)};
  } else if (buffer.size() == (size_t)(rest - 1 - start) && rest == stop) {
    text = {(const char *)start, buffer.size()};
  } else {
    buffer.append((const char *)rest, (size_t)(stop - rest));
    text = buffer;
  }
  return true;
}

/// Reads a record with quotes.
static bool read_quoted(millrace_decoder &decoder, const uint8_t *bytes, size_t length, Row &row,
                        millrace_fault &fault) {
  if (!is_utf8(bytes, length)) return decoder.refuse(fault, millrace_fault_utf8);
  const int32_t *columns = decoder.number_columns.data();
  size_t index = 0, count = decoder.fields.size();
  bool fits = true;
  const uint8_t *next = bytes, *end = bytes + length;
  for (std::string_view text; next; index++) {
    if (!next_field(next, end, decoder.delimiter, decoder.unescaped, text)) {
      return decoder.refuse(fault, millrace_fault_quote, std::min(index, count - 1));
    }
    const uint8_t *start = (const uint8_t *)text.data(), *stop = start + text.size();
    if (!fits || index >= count) continue;
    fits = row.wide_features ? put<true>(decoder, columns, index, start, stop, row, fault)
                             : put<false>(decoder, columns, index, start, stop, row, fault);
  }
  fault.count = index;
  return index == count ? fits : decoder.refuse(fault, millrace_fault_field_count);
}

bool visit_separated(millrace_decoder &decoder, const uint8_t *record, size_t length,
                     millrace_fault &fault, const Visitor &visitor) {
  if (!is_utf8(record, length)) return decoder.refuse(fault, millrace_fault_utf8);
  const uint8_t *next = record, *end = record + length;
  for (std::string_view text; next;) {
    if (!next_field(next, end, decoder.delimiter, decoder.unescaped, text)) {
      return decoder.refuse(fault, millrace_fault_quote);
    }
    visitor({}, text, false);
  }
  return true;
}

size_t decode_separated(millrace_decoder &decoder, const Records &records, size_t from,
                        Rows &rows, millrace_fault &fault) {
  auto read_plain = rows.wide_features ? read_plain_doubles : read_plain_floats;
  size_t count = decoder.fields.size();
  decoder.starts.resize(starts_room(count));
  uint32_t *starts = decoder.starts.data();
  const int32_t *columns = decoder.number_columns.data();
  decoder.find_runs();
  const uint8_t *runs = decoder.runs.data();
  for (size_t i = from; i < records.count; i++) {
    Row row = decoder.next_row(rows);
    const uint8_t *bytes = decoder.readable(records, i);
    size_t length = records.ends[i] - records.starts[i];
    Outcome outcome =
        length > UINT32_MAX
            ? Outcome::quoted
            : read_plain(decoder, columns, runs, count, starts, bytes, length, row, fault);
    bool fits = outcome == Outcome::row;
    if (outcome == Outcome::quoted) fits = read_quoted(decoder, bytes, length, row, fault);
    if (outcome == Outcome::not_utf8) decoder.refuse(fault, millrace_fault_utf8);
    if (outcome == Outcome::field_count) decoder.refuse(fault, millrace_fault_field_count);
    if (!fits || !decoder.take(row, i, rows, fault)) {
      fault.record = i;
      return i + 1;
    }
  }
  return records.count;
}

}  // namespace millrace
