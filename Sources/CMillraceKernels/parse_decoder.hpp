#ifndef MILLRACE_PARSE_DECODER_HPP
#define MILLRACE_PARSE_DECODER_HPP

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parse_number.hpp"
#include "parse_records.h"

namespace millrace {

constexpr size_t absent = SIZE_MAX;
constexpr double missing = std::numeric_limits<double>::quiet_NaN();

/// Bytes that must be readable around a record: a block of 64 and a number read ahead behind it,
/// eight bytes in front of it.
constexpr size_t padding = 128;

/// Texts to the numbers 0, 1, 2 … in the order they were added.
class Dictionary {
 public:
  void add(std::string_view text);
  /// The number of `text`, or `absent`.
  size_t find(std::string_view text) const;

 private:
  void place(size_t index);

  std::vector<std::string> texts;
  std::vector<uint32_t> table;  // open addressing; 0 is empty, i + 1 stands for texts[i]
};

/// A hash of the text that never changes: it places hashed levels in columns of stored models.
uint64_t hash_text(std::string_view text);

/// What words say of the rows: hashes, and the source and row that each belongs to.
struct WordHashes {
  std::vector<uint64_t> hashes;
  std::vector<uint32_t> sources;
  /// Where each row ends.
  std::vector<size_t> ends;

  void add(uint64_t hash, size_t source) {
    hashes.push_back(hash);
    sources.push_back((uint32_t)source);
  }
  /// Forgets the rows from `rows` on, and what a row in the making has added.
  void cut(size_t rows);
};

/// A hash of a name and what stands there.
inline uint64_t combined(uint64_t a, uint64_t b) {
  uint64_t hash = (a * 0x9e3779b97f4a7c15 ^ b) * 0xbf58476d1ce4e5b9;
  return (hash ^ hash >> 29) * 0x94d049bb133111eb;
}

struct Field {
  std::string name;
  millrace_role role;
  size_t slot, width;
  /// Of the name.
  uint64_t hash;
  Dictionary levels;
};

/// What `millrace_decode` is given: record i is bytes[starts[i], ends[i]).
struct Records {
  const uint8_t *bytes;
  size_t length;
  const size_t *starts, *ends;
  size_t count;
};

/// Where rows go; `wide_features` and `kept_ends` may be null.
struct Rows {
  float *features;
  double *wide_features, *labels;
  float *weights;
  size_t *record_indices, *kept_ends;
  size_t count;
};

/// Where rows of few columns that are not 0 go: row i is [row_starts[i], row_starts[i + 1]).
struct SparseRows {
  size_t *row_starts;
  uint32_t *indices;
  float *values;
  /// Entries there is room for.
  size_t capacity;
  Rows rows;
};

/// A row in the making.
struct Row {
  float *features;
  double *wide_features;
  double label;
  double weight;
  std::string_view key, timestamp;

  void set(size_t column, double value) {
    features[column] = (float)value;
    if (wide_features) wide_features[column] = value;
  }
};

bool is_utf8(const uint8_t *text, size_t length);

/// The text without spaces and tabs around it.
std::string_view trimmed(std::string_view text);

/// A field's text as a level: trimmed, and `2.0` is `2`.
std::string_view level_text(std::string_view text);

/// Empty, `?`, or `NA`, `NaN`, `null`, `none` in any case.
bool is_missing(std::string_view text);

/// A number in any of its forms: spaces around it, a plus sign, an exponent, `inf`, `true`,
/// `false`; a missing one is NaN.
bool read_number(std::string_view text, double &value);

class JSONReader;

/// Adds the words of a text: letters of any alphabet and digits, ASCII in lower case.
void add_words(std::string_view text, uint64_t name, size_t source, WordHashes &words);

}  // namespace millrace

struct millrace_decoder {
  millrace_syntax syntax;
  uint8_t delimiter;
  size_t columns;
  bool label_required;
  std::vector<millrace::Field> fields;
  /// For a field that is a number and nothing else its column; -1 for the others.
  std::vector<int32_t> number_columns;
  /// How many fields from each on are numbers in columns side by side: 1 to 8.
  std::vector<uint8_t> runs;
  millrace::Dictionary names;
  size_t label_field = millrace::absent, weight_field = millrace::absent;
  size_t key = millrace::absent, timestamp = millrace::absent;
  /// Where the fields of a record start.
  std::vector<uint32_t> starts;
  /// A copy of a record that lies too close to the end of its buffer.
  std::string padded;
  /// The keys and timestamps of the rows, one after another.
  std::string kept;
  /// The words of the rows, and of the one in the making; the sparse rows that came of them.
  mutable millrace::WordHashes words;
  bool has_words = false;
  std::vector<size_t> entry_starts;
  std::vector<uint32_t> entry_indices, entry_sources;
  std::vector<float> entry_values;
  /// A field's text without its escapes.
  std::string unescaped;
  std::unique_ptr<millrace::JSONReader> json;

  /// Puts a field's text into the row. Returns false when it does not fit: the fault says why.
  bool put(size_t field, const uint8_t *text, const uint8_t *end, millrace::Row &row,
           millrace_fault &fault) const;

  /// Where row `rows.count` goes, without label and weight so far.
  millrace::Row next_row(const millrace::Rows &rows) const;

  /// Appends the row, read from record `index`, when it has all it needs.
  bool take(const millrace::Row &row, size_t index, millrace::Rows &rows, millrace_fault &fault);

  /// Record `index` with `padding` readable bytes on both sides: where it lies, or a copy.
  const uint8_t *readable(const millrace::Records &records, size_t index);

  /// A copy of a record with `padding` bytes on both sides.
  const uint8_t *copy(const uint8_t *bytes, size_t length);

  /// Fills `runs`.
  void find_runs();

  /// Fills the fault and returns false.
  bool refuse(millrace_fault &fault, millrace_fault_kind kind, size_t field = millrace::absent,
              std::string_view text = {}) const;
};

namespace millrace {

/// Decodes records from `from` on and returns the index behind the last one dealt with.
size_t decode_separated(millrace_decoder &decoder, const Records &records, size_t from,
                        Rows &rows, millrace_fault &fault);
size_t decode_json(millrace_decoder &decoder, const Records &records, size_t from,
                   Rows &rows, millrace_fault &fault);

size_t decode_libsvm(millrace_decoder &decoder, const Records &records, size_t from, Rows &rows,
                     millrace_fault &fault);
size_t decode_libsvm(millrace_decoder &decoder, const Records &records, size_t from, uint32_t mask,
                     SparseRows &rows, millrace_fault &fault);

/// Told of a field's name, where it has one, and its text; `nested` for an object or array.
using Visitor = std::function<void(std::string_view name, std::string_view text, bool nested)>;

/// Visits all fields of a record; false with a fault when it cannot be read.
bool visit_separated(millrace_decoder &decoder, const uint8_t *record, size_t length,
                     millrace_fault &fault, const Visitor &visitor);
bool visit_libsvm(millrace_decoder &decoder, const uint8_t *record, size_t length,
                  millrace_fault &fault, const Visitor &visitor);
bool visit_json(millrace_decoder &decoder, const uint8_t *record, size_t length,
                millrace_fault &fault, const Visitor &visitor);

}  // namespace millrace

#endif
