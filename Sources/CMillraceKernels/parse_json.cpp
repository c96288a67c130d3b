#include "parse_json.hpp"

#include "clones.h"

namespace millrace {

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// JSON's grammar of numbers.
static bool is_json_number(std::string_view text) {
  const char *next = text.data(), *end = next + text.size();
  auto digits = [&] {
    const char *first = next;
    while (next < end && is_digit(*next)) next++;
    return next > first;
  };
  next += next < end && *next == '-';
  bool zero = next < end && *next == '0';
  if (zero ? !++next : !digits()) return false;
  if (next < end && *next == '.' && (next++, !digits())) return false;
  if (next < end && (*next | 32) == 'e') {
    next++;
    next += next < end && (*next == '-' || *next == '+');
    if (!digits()) return false;
  }
  return next == end;
}

bool json_scalar(std::string_view token, std::string_view &text) {
  while (!token.empty() && is_space(token.back())) token.remove_suffix(1);
  text = token;
  if (token.size() > 1 && token.front() == '"' && token.back() == '"') {
    text = token.substr(1, token.size() - 2);
    for (unsigned char c : text) {
      if (c < ' ' || c == '"' || c == '\\') return false;
    }
    return true;
  }
  // NaN and the infinities are no JSON, but what Python and JavaScript libraries write.
  return is_json_number(token) || token == "true" || token == "false" || token == "null" ||
         token == "NaN" || token == "Infinity" || token == "-Infinity";
}

/// The eight bytes of `text` from `from` on, as far as there are.
static void first_bytes(std::string_view text, size_t from, uint64_t &word, uint64_t &mask) {
  word = mask = 0;
  if (from >= text.size()) return;
  size_t count = std::min<size_t>(8, text.size() - from);
  memcpy(&word, text.data() + from, count);
  mask = ~uint64_t{0} >> (64 - 8 * count);
}

void Layout::learn(const millrace_decoder &decoder, const uint8_t *bytes, size_t length) {
  text.clear();
  gaps.clear();
  complete = false;
  std::vector<int> uses(decoder.fields.size());
  const char *next = (const char *)bytes, *end = next + length;
  while (next < end) {
    // From behind the last value's comma (the first time: from the opening brace) to the value.
    const char *start = next;
    const char *key = std::find(start, end, '"') + 1;
    const char *key_end = key < end ? std::find(key, end, '"') : end;
    const char *value = std::find(key_end, end, ':');
    if (value == end) break;
    do value++;
    while (value < end && is_space(*value));
    std::string_view name(key, (size_t)(key_end - key));
    const char *stop = std::find(value, end, ',');
    std::string_view token(value, (size_t)((stop < end ? stop : end - 1) - value)), text;
    if (name.find_first_of(",\\") != name.npos || !json_scalar(token, text)) break;
    std::string_view between(start, (size_t)(value - start));
    Gap gap{this->text.size(), between.size(), {}, {}, decoder.names.find(name)};
    this->text += between;
    for (size_t i = 0; i < 2; i++) first_bytes(between, 8 * i, gap.words[i], gap.masks[i]);
    if (gap.field != absent) uses[gap.field]++;
    gaps.push_back(gap);
    if (stop == end) {
      complete = std::all_of(uses.begin(), uses.end(), [](int count) { return count > 0; });
      return;
    }
    next = stop + 1;
  }
  gaps.clear();
}

/// Puts a value that is not a plain number, or not for a number column.
Outcome put_scalar(const millrace_decoder &decoder, size_t field, const uint8_t *value,
                          const uint8_t *end, Row &row, millrace_fault &fault) {
  std::string_view text;
  if (!json_scalar({(const char *)value, (size_t)(end - value)}, text)) return Outcome::other;
  if (field == absent) return Outcome::row;
  const uint8_t *start = (const uint8_t *)text.data();
  return decoder.put(field, start, start + text.size(), row, fault) ? Outcome::row
                                                                    : Outcome::refused;
}

/// Reads a record that has the layout of one before: commas end its values.
template <bool exact>
MILLRACE_INLINE Outcome read_alike(const millrace_decoder &decoder, const Gap *gaps, size_t count,
                                   const char *texts, const int32_t *columns, uint32_t *ends,
                                   const uint8_t *bytes, size_t length, Row &row,
                                   millrace_fault &fault) {
  Separated separated = find_delimiters(bytes, length, ',', ends, count);
  if (separated.delimiters + 1 != count) return Outcome::other;
  if (!separated.ascii && !is_utf8(bytes, length)) return Outcome::not_utf8;
  while (length && is_space((char)bytes[length - 1])) length--;
  if (!length || bytes[--length] != '}') return Outcome::other;
  ends[count - 1] = (uint32_t)length;
  const uint8_t *next = bytes;
  for (size_t i = 0; i < count; i++) {
    const Gap &gap = gaps[i];
    const uint8_t *end = bytes + ends[i], *value = next + gap.length;
    uint64_t different = ((load8(next) ^ gap.words[0]) & gap.masks[0]) |
                         ((load8(next + 8) ^ gap.words[1]) & gap.masks[1]);
    if (different || value > end) return Outcome::other;
    if (gap.length > 16 && memcmp(next + 16, texts + gap.start + 16, gap.length - 16)) {
      return Outcome::other;
    }
    double number;
    int32_t column = gap.field == absent ? -1 : columns[gap.field];
    if (column >= 0 && common_number<true, exact>(value, (size_t)(end - value), number)) {
      row.features[column] = (float)number;
      if (exact) row.wide_features[column] = number;
    } else {
      Outcome outcome = put_scalar(decoder, gap.field, value, end, row, fault);
      if (outcome != Outcome::row) return outcome;
    }
    next = end + 1;
  }
  return Outcome::row;
}

MILLRACE_CLONES
static Outcome read_alike_floats(const millrace_decoder &decoder, const Gap *gaps, size_t count,
                                 const char *texts, const int32_t *columns, uint32_t *ends,
                                 const uint8_t *bytes, size_t length, Row &row,
                                 millrace_fault &fault) {
  return read_alike<false>(decoder, gaps, count, texts, columns, ends, bytes, length, row, fault);
}

MILLRACE_CLONES
static Outcome read_alike_doubles(const millrace_decoder &decoder, const Gap *gaps, size_t count,
                                  const char *texts, const int32_t *columns, uint32_t *ends,
                                  const uint8_t *bytes, size_t length, Row &row,
                                  millrace_fault &fault) {
  return read_alike<true>(decoder, gaps, count, texts, columns, ends, bytes, length, row, fault);
}

/// Visits the members of an object; what a visit returns as false ends it.
///
/// visit(name, text, nested): a value's text without quotes and escapes.
template <class Visit>
static bool read_members(millrace_decoder &decoder, const uint8_t *bytes, size_t length,
                         millrace_fault &fault, Visit visit) {
  using namespace simdjson;
  if (!is_utf8(bytes, length)) return decoder.refuse(fault, millrace_fault_utf8);
  auto invalid = [&](error_code error) {
    return decoder.refuse(fault, millrace_fault_json, absent, error_message(error));
  };
  ondemand::document document;
  ondemand::object object;
  if (error_code error =
          decoder.json->parser.iterate(bytes, length, length + padding).get(document)) {
    return invalid(error);
  }
  if (error_code error = document.get_object().get(object)) return invalid(error);
  for (auto member : object) {
    std::string_view name, text;
    ondemand::value value;
    if (error_code error = member.unescaped_key().get(name)) return invalid(error);
    if (error_code error = member.value().get(value)) return invalid(error);
    std::string_view token = value.raw_json_token();
    bool nested = token[0] == '{' || token[0] == '[';
    if (token[0] == '"') {
      if (error_code error = value.get_string().get(text)) return invalid(error);
    } else if (!nested && !json_scalar(token, text)) {
      return decoder.refuse(fault, millrace_fault_json, decoder.names.find(name), text);
    }
    if (!visit(name, text, nested)) return false;
  }
  if (document.current_location().error() != OUT_OF_BOUNDS) return invalid(TRAILING_CONTENT);
  return true;
}

/// Reads any record. Where simdjson finds no fault, the layout is learnt for the next one.
static bool read_any(millrace_decoder &decoder, const uint8_t *bytes, size_t length, Row &row,
                     millrace_fault &fault) {
  for (size_t i = 0; i < decoder.columns; i++) row.set(i, missing);
  auto put = [&](std::string_view name, std::string_view text, bool nested) {
    size_t field = decoder.names.find(name);
    if (field == absent) return true;
    if (nested) {
      return decoder.fields[field].role == millrace_role_none ||
             decoder.refuse(fault, millrace_fault_nested, field);
    }
    const uint8_t *start = (const uint8_t *)text.data();
    return decoder.put(field, start, start + text.size(), row, fault);
  };
  if (!read_members(decoder, bytes, length, fault, put)) return false;
  decoder.json->layout.learn(decoder, bytes, length);
  return true;
}

bool visit_json(millrace_decoder &decoder, const uint8_t *record, size_t length,
                millrace_fault &fault, const Visitor &visitor) {
  auto visit = [&](std::string_view name, std::string_view text, bool nested) {
    visitor(name, text, nested);
    return true;
  };
  return read_members(decoder, record, length, fault, visit);
}

size_t decode_json(millrace_decoder &decoder, const Records &records, size_t from,
                   Rows &rows, millrace_fault &fault) {
  auto read_alike = rows.wide_features ? read_alike_doubles : read_alike_floats;
  const Layout &layout = decoder.json->layout;
  const int32_t *columns = decoder.number_columns.data();
  for (size_t i = from; i < records.count; i++) {
    Row row = decoder.next_row(rows);
    const uint8_t *bytes = decoder.readable(records, i);
    size_t length = records.ends[i] - records.starts[i], count = layout.gaps.size();
    Outcome outcome = Outcome::other;
    if (count && length <= UINT32_MAX) {
      decoder.ends.resize(count + 64);
      for (size_t j = 0; !layout.complete && j < decoder.columns; j++) row.set(j, missing);
      outcome = read_alike(decoder, layout.gaps.data(), count, layout.text.data(), columns,
                           decoder.ends.data(), bytes, length, row, fault);
    }
    bool fits = outcome == Outcome::row;
    if (outcome == Outcome::other) {
      row = decoder.next_row(rows);
      fits = read_any(decoder, bytes, length, row, fault);
    }
    if (outcome == Outcome::not_utf8) decoder.refuse(fault, millrace_fault_utf8);
    if (!fits || !decoder.take(row, i, rows, fault)) {
      fault.record = i;
      return i + 1;
    }
  }
  return records.count;
}

}  // namespace millrace
