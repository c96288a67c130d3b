#include "parse_json.hpp"

#include "clones.h"
#include "parse_eight.hpp"

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
    size_t field = decoder.names.find(name);
    int32_t column = field == absent ? -1 : decoder.number_columns[field];
    Gap gap{this->text.size(), between.size(), {}, {}, field, column, 1};
    this->text += between;
    for (size_t i = 0; i < 2; i++) first_bytes(between, 8 * i, gap.words[i], gap.masks[i]);
    if (gap.field != absent) uses[gap.field]++;
    gaps.push_back(gap);
    if (stop == end) {
      complete = std::all_of(uses.begin(), uses.end(), [](int count) { return count > 0; });
      for (size_t i = gaps.size(); i-- > 1;) {
        bool together = gaps[i - 1].column >= 0 && gaps[i].column == gaps[i - 1].column + 1;
        if (together) gaps[i - 1].run = std::min(gaps[i].run + 1, 8u);
      }
      return;
    }
    next = stop + 1;
  }
  gaps.clear();
}

bool put_scalar(const millrace_decoder &decoder, size_t field, const uint8_t *value,
                const uint8_t *end, Row &row, millrace_fault &fault) {
  std::string_view text;
  if (!json_scalar({(const char *)value, (size_t)(end - value)}, text)) return false;
  const uint8_t *start = (const uint8_t *)text.data();
  return field == absent || decoder.put(field, start, start + text.size(), row, fault);
}

/// Whether the gap stands at `text`; 16 bytes are readable.
MILLRACE_INLINE bool stands_at(const uint8_t *text, const Gap &gap, const char *texts) {
  uint64_t different = ((load8(text) ^ gap.words[0]) & gap.masks[0]) |
                       ((load8(text + 8) ^ gap.words[1]) & gap.masks[1]);
  return !different &&
         (gap.length <= 16 || !memcmp(text + 16, texts + gap.start + 16, gap.length - 16));
}

/// Reads a record that has the layout of one before: commas end its values. False when it has not,
/// or does not fit: the general reader then finds out what it is.
template <bool exact>
MILLRACE_INLINE bool read_alike(const millrace_decoder &decoder, const Gap *gaps, size_t count,
                                   const char *texts, uint32_t *starts, const uint8_t *bytes,
                                   size_t length, Row &row, millrace_fault &fault) {
  Separated separated = find_fields(bytes, length, ',', starts, count);
  if (separated.fields != count || !(separated.ascii || is_utf8(bytes, length))) return false;
  while (length && is_space((char)bytes[length - 1])) length--;
  if (!length || bytes[--length] != '}') return false;
  for (size_t i = 0; i < beyond; i++) starts[count + i] = (uint32_t)length + 1;
  for (size_t i = 0; i < count;) {
    const Gap &first = gaps[i];
    size_t lanes = first.run;
    uint32_t values[8] = {};
    for (size_t k = 0; k < lanes; k++) {
      const Gap &gap = gaps[i + k];
      values[k] = starts[i + k] + (uint32_t)gap.length;
      if (values[k] >= starts[i + k + 1] || !stands_at(bytes + starts[i + k], gap, texts)) {
        return false;
      }
    }
    uint8_t others = 1;
    if (lanes > 1) {
      EightTexts eight = eight_texts<1>(bytes, values, starts + i + 1);
      others = put_eight<true, exact>(eight, lanes, row.features + first.column,
                                      row.wide_features + (exact ? first.column : 0));
    }
    for (; others; others &= others - 1) {
      size_t k = (size_t)__builtin_ctz(others);
      const Gap &gap = gaps[i + k];
      const uint8_t *value = bytes + values[k], *end = bytes + starts[i + k + 1] - 1;
      double number;
      if (gap.column >= 0 && common_number<true, exact>(value, (size_t)(end - value), number)) {
        row.features[gap.column] = (float)number;
        if (exact) row.wide_features[gap.column] = number;
      } else if (!put_scalar(decoder, gap.field, value, end, row, fault)) {
        return false;
      }
    }
    i += lanes;
  }
  return true;
}

MILLRACE_CLONES
static bool read_alike_floats(const millrace_decoder &decoder, const Gap *gaps, size_t count,
                              const char *texts, uint32_t *starts, const uint8_t *bytes,
                              size_t length, Row &row, millrace_fault &fault) {
  return read_alike<false>(decoder, gaps, count, texts, starts, bytes, length, row, fault);
}

MILLRACE_CLONES
static bool read_alike_doubles(const millrace_decoder &decoder, const Gap *gaps, size_t count,
                               const char *texts, uint32_t *starts, const uint8_t *bytes,
                               size_t length, Row &row, millrace_fault &fault) {
  return read_alike<true>(decoder, gaps, count, texts, starts, bytes, length, row, fault);
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
  if (error_code error = document.get_object().get(object)) {
    return error == INCORRECT_TYPE ? decoder.refuse(fault, millrace_fault_object) : invalid(error);
  }
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
  for (size_t i = from; i < records.count; i++) {
    Row row = decoder.next_row(rows);
    const uint8_t *bytes = decoder.readable(records, i);
    size_t length = records.ends[i] - records.starts[i], count = layout.gaps.size();
    bool fits = false;
    if (count && length <= UINT32_MAX) {
      decoder.starts.resize(starts_room(count));
      for (size_t j = 0; !layout.complete && j < decoder.columns; j++) row.set(j, missing);
      fits = read_alike(decoder, layout.gaps.data(), count, layout.text.data(),
                        decoder.starts.data(), bytes, length, row, fault);
    }
    if (!fits) {
      row = decoder.next_row(rows);
      fault = {};
      // Of its own: simdjson trusts that what it looks at again has not changed.
      bytes = decoder.copy(records.bytes + records.starts[i], length);
      fits = read_any(decoder, bytes, length, row, fault);
    }
    if (!fits || !decoder.take(row, i, rows, fault)) {
      fault.record = i;
      return i + 1;
    }
  }
  return records.count;
}

}  // namespace millrace
