#ifndef MILLRACE_PARSE_JSON_HPP
#define MILLRACE_PARSE_JSON_HPP

#include <simdjson.h>

#include "parse_decoder.hpp"
#include "parse_fields.hpp"

namespace millrace {

/// What stands between two values of a record: a comma's rest, the key, the colon.
struct Gap {
  /// Where it lies in the layout's text.
  size_t start, length;
  /// Its first 16 bytes, with 0 and a mask of 0 behind its end.
  uint64_t words[2], masks[2];
  /// The field that the key names; `absent` for one that is not used.
  size_t field;
  /// Where the value is a plain number for a column, this column; −1 otherwise.
  int32_t column;
  /// How many values from this one on are numbers in columns side by side: 1 to 8.
  uint32_t run;
};

/// The keys and spaces of a record, which the next one most often repeats to the byte.
struct Layout {
  std::string text;
  std::vector<Gap> gaps;
  /// Whether each column is set by one of the fields.
  bool complete = false;

  /// Takes over the layout of a record that is valid JSON; empties itself where the record has
  /// commas in strings, escapes, or values in values.
  void learn(const millrace_decoder &decoder, const uint8_t *bytes, size_t length);
};

class JSONReader {
 public:
  simdjson::ondemand::parser parser;
  Layout layout;
};

/// One value that is neither object nor array.
/// text ← what it says, without quotes; false when it has escapes or is not valid.
bool json_scalar(std::string_view token, std::string_view &text);

/// Puts one value that is neither object nor array; false when it is not simple or does not fit.
/// Not static, because clang 21 forgets inline functions that are only reached through a static one
/// from a function with clones.
bool put_scalar(const millrace_decoder &decoder, size_t field, const uint8_t *value,
                const uint8_t *end, Row &row, millrace_fault &fault);

}  // namespace millrace

#endif
