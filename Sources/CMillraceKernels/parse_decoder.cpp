#include "parse_decoder.hpp"

#include <simdjson.h>

#include <algorithm>

#include "parse_json.hpp"

namespace millrace {

uint64_t hash_text(std::string_view text) {  // FNV-1a with a last mix, 64 bits
  uint64_t hash = 0xcbf29ce484222325;
  for (unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3;
  return (hash ^ hash >> 32) * 0x9e3779b97f4a7c15 >> 16;
}

void Dictionary::add(std::string_view text) {
  texts.emplace_back(text);
  if (2 * texts.size() > table.size()) {
    table.assign(std::max<size_t>(16, 4 * texts.size()), 0);
    for (size_t i = 0; i < texts.size(); i++) place(i);
  } else {
    place(texts.size() - 1);
  }
}

void Dictionary::place(size_t index) {
  size_t slot = hash_text(texts[index]) % table.size();
  while (table[slot]) slot = (slot + 1) % table.size();
  table[slot] = (uint32_t)index + 1;
}

size_t Dictionary::find(std::string_view text) const {
  if (table.empty()) return absent;
  for (size_t slot = hash_text(text) % table.size(); table[slot]; slot = (slot + 1) % table.size()) {
    if (texts[table[slot] - 1] == text) return table[slot] - 1;
  }
  return absent;
}

bool is_utf8(const uint8_t *text, size_t length) {
  return simdjson::validate_utf8((const char *)text, length);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view level_text(std::string_view text) {
  text = trimmed(text);
  size_t point = text.find('.');
  if (point == std::string_view::npos || text.find_first_not_of('0', point + 1) != text.npos) {
    return text;
  }
  std::string_view whole = text.substr(0, point);
  size_t sign = !whole.empty() && whole[0] == '-';
  bool digits = whole.size() > sign && whole.find_first_not_of("0123456789", sign) == whole.npos;
  return digits ? whole : text;
}

/// Whether `text` is `word`, which is in lower case, in any case.
static bool equals(std::string_view text, std::string_view word) {
  return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a | 32 : a) == b; });
}

bool is_missing(std::string_view text) {
  text = trimmed(text);
  if (text.size() > 4) return false;
  return text.empty() || text == "?" || equals(text, "na") || equals(text, "nan") ||
         equals(text, "null") || equals(text, "none");
}

bool read_number(std::string_view text, double &value) {
  text = trimmed(text);
  value = missing;
  if (is_missing(text)) return true;
  bool plus = text.size() > 1 && text[0] == '+' && text[1] != '-';
  if (any_number((const uint8_t *)text.data() + plus, text.size() - plus, value)) return true;
  bool yes = equals(text, "true");
  value = yes;
  return yes || equals(text, "false");
}

void WordHashes::cut(size_t rows) {
  ends.resize(std::min(ends.size(), rows));
  size_t end = ends.empty() ? 0 : ends.back();
  hashes.resize(end);
  sources.resize(end);
}

void add_words(std::string_view text, uint64_t name, size_t source, WordHashes &words) {
  size_t start = 0;
  std::string word;
  for (size_t i = 0; i <= text.size(); i++) {
    unsigned char byte = i < text.size() ? (unsigned char)text[i] : ' ';
    bool letter = byte >= 0x80 || (byte >= '0' && byte <= '9') || ((byte | 32) >= 'a' && (byte | 32) <= 'z');
    if (letter) continue;
    if (i > start) {
      word.assign(text.substr(start, i - start));
      for (char &c : word) c = c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
      words.add(combined(name, hash_text(word)), source);
    }
    start = i + 1;
  }
}

/// Sets all columns of a field that is spread over several.
static void fill(const Field &field, Row &row, double value) {
  for (size_t i = 0; i < field.width; i++) row.set(field.slot + i, value);
}

}  // namespace millrace

using namespace millrace;

bool millrace_decoder::refuse(millrace_fault &fault, millrace_fault_kind kind, size_t field,
                              std::string_view text) const {
  fault.kind = kind;
  fault.field = field;
  fault.text = (const uint8_t *)text.data();
  fault.length = text.size();
  return false;
}

bool millrace_decoder::put(size_t index, const uint8_t *start, const uint8_t *end, Row &row,
                           millrace_fault &fault) const {
  std::string_view text{(const char *)start, (size_t)(end - start)};
  const Field &field = fields[index];
  if (index == key) row.key = text;
  if (index == timestamp) row.timestamp = text;
  double value;
  switch (field.role) {
    case millrace_role_none:
      break;
    case millrace_role_number:
      if (!read_number(text, value)) return refuse(fault, millrace_fault_number, index, text);
      row.set(field.slot, value);
      break;
    case millrace_role_level:
    case millrace_role_hash: {
      bool known = !is_missing(text);
      fill(field, row, known ? 0 : missing);
      if (!known) break;
      std::string_view level = level_text(text);
      size_t place = field.role == millrace_role_level ? field.levels.find(level)
                                                       : hash_text(level) % field.width;
      if (place != absent) row.set(field.slot + place, 1);
      break;
    }
    case millrace_role_word:
      if (!is_missing(text)) words.add(combined(field.hash, hash_text(level_text(text))), field.slot);
      break;
    case millrace_role_words:
      if (!is_missing(text)) add_words(text, field.hash, field.slot, words);
      break;
    case millrace_role_target:
      if (read_number(text, value) && !std::isinf(value)) {
        row.label = value;
      } else if (label_required) {
        return refuse(fault, millrace_fault_target, index, text);
      }
      break;
    case millrace_role_class: {
      std::string_view level = level_text(text);
      size_t place = field.levels.find(level);
      if (place != absent) {
        row.label = (double)place;
      } else if (label_required && !is_missing(text)) {
        return refuse(fault, millrace_fault_class, index, level);
      }
      break;
    }
    case millrace_role_weight:
      if (!read_number(text, value) || value < 0 || std::isinf(value)) {
        return refuse(fault, millrace_fault_weight, index, text);
      }
      row.weight = value;
      break;
  }
  return true;
}

Row millrace_decoder::next_row(const Rows &rows) const {
  if (has_words) words.cut(rows.count);
  size_t offset = rows.count * columns;
  return {rows.features + offset, rows.wide_features ? rows.wide_features + offset : nullptr,
          missing, weight_field == absent ? 1 : missing, {}, {}};
}

bool millrace_decoder::take(const Row &row, size_t index, Rows &rows,
                            millrace_fault &fault) {
  if (label_required && std::isnan(row.label)) {
    return refuse(fault, millrace_fault_no_label, label_field);
  }
  if (std::isnan(row.weight)) return refuse(fault, millrace_fault_weight, weight_field);
  rows.labels[rows.count] = row.label;
  rows.weights[rows.count] = (float)row.weight;
  rows.record_indices[rows.count] = index;
  if (rows.kept_ends) {
    rows.kept_ends[2 * rows.count] = kept.append(row.key).size();
    rows.kept_ends[2 * rows.count + 1] = kept.append(row.timestamp).size();
  }
  if (has_words) words.ends.push_back(words.hashes.size());
  rows.count++;
  return true;
}

const uint8_t *millrace_decoder::readable(const Records &records, size_t index) {
  size_t start = records.starts[index], end = records.ends[index];
  const uint8_t *bytes = records.bytes + start;
  bool inside = start >= padding && end + padding <= records.length;
  return inside ? bytes : copy(bytes, end - start);
}

const uint8_t *millrace_decoder::copy(const uint8_t *bytes, size_t length) {
  padded.assign(padding, '\0');
  padded.append((const char *)bytes, length);
  padded.append(padding, '\0');
  return (const uint8_t *)padded.data() + padding;
}

void millrace_decoder::find_runs() {
  if (runs.size() == fields.size()) return;
  runs.assign(fields.size(), 1);
  for (size_t i = fields.size(); i-- > 1;) {
    bool together = number_columns[i - 1] >= 0 && number_columns[i] == number_columns[i - 1] + 1;
    if (together) runs[i - 1] = (uint8_t)std::min(runs[i] + 1, 8);
  }
}

millrace_decoder *millrace_decoder_create(millrace_syntax syntax, uint8_t delimiter,
                                          size_t columns, int label_required) {
  millrace_decoder *decoder = new millrace_decoder;
  decoder->syntax = syntax;
  decoder->delimiter = delimiter;
  decoder->columns = columns;
  decoder->label_required = label_required;
  decoder->json = std::make_unique<JSONReader>();
  return decoder;
}

void millrace_decoder_destroy(millrace_decoder *decoder) { delete decoder; }

size_t millrace_decoder_add_field(millrace_decoder *decoder, const char *name, millrace_role role,
                                  size_t slot, size_t width) {
  decoder->fields.push_back({name, role, slot, width, hash_text(name), {}});
  decoder->has_words |= role == millrace_role_word || role == millrace_role_words;
  decoder->names.add(name);
  decoder->number_columns.push_back(role == millrace_role_number ? (int32_t)slot : -1);
  size_t index = decoder->fields.size() - 1;
  if (role == millrace_role_weight) decoder->weight_field = index;
  if (role == millrace_role_target || role == millrace_role_class) decoder->label_field = index;
  return index;
}

void millrace_decoder_add_level(millrace_decoder *decoder, size_t field, const char *level) {
  decoder->fields[field].levels.add(level);
}

void millrace_decoder_keep_key(millrace_decoder *decoder, size_t field) {
  decoder->key = field;
  decoder->number_columns[field] = -1;
}

void millrace_decoder_keep_timestamp(millrace_decoder *decoder, size_t field) {
  decoder->timestamp = field;
  decoder->number_columns[field] = -1;
}

size_t millrace_decode(millrace_decoder *decoder, const uint8_t *bytes, size_t length,
                       const size_t *starts, const size_t *ends, size_t count, size_t from,
                       int wide, size_t *row_count, float *features, double *wide_features,
                       double *labels, float *weights, size_t *record_indices, size_t *kept_ends,
                       millrace_fault *fault) {
  *fault = {};
  if (*row_count == 0) decoder->kept.clear();
  bool keeps = decoder->key != absent || decoder->timestamp != absent;
  Records records{bytes, length, starts, ends, count};
  Rows rows{features, wide ? wide_features : nullptr, labels,    weights, record_indices,
            keeps ? kept_ends : nullptr,              *row_count};
  size_t next = 0;
  switch (decoder->syntax) {
    case millrace_syntax_separated:
      next = decode_separated(*decoder, records, from, rows, *fault);
      break;
    case millrace_syntax_json:
      next = decode_json(*decoder, records, from, rows, *fault);
      break;
    case millrace_syntax_libsvm:
      next = decode_libsvm(*decoder, records, from, rows, *fault);
      break;
  }
  *row_count = rows.count;
  return next;
}

size_t millrace_decode_sparse(millrace_decoder *decoder, const uint8_t *bytes, size_t length,
                              const size_t *starts, const size_t *ends, size_t count, size_t from,
                              uint32_t mask, size_t capacity, size_t *row_count,
                              size_t *row_starts, uint32_t *indices, float *values, double *labels,
                              float *weights, size_t *record_indices, millrace_fault *fault) {
  *fault = {};
  Records records{bytes, length, starts, ends, count};
  Rows rows{nullptr, nullptr, labels, weights, record_indices, nullptr, *row_count};
  SparseRows sparse{row_starts, indices, values, capacity, rows};
  size_t next = decode_libsvm(*decoder, records, from, mask, sparse, *fault);
  *row_count = sparse.rows.count;
  return next;
}

void millrace_visit_fields(millrace_decoder *decoder, const uint8_t *record, size_t length,
                           millrace_field_visitor visitor, void *context, millrace_fault *fault) {
  *fault = {};
  auto visit = [&](std::string_view name, std::string_view text, bool nested) {
    double value;
    std::string_view level = level_text(text);
    millrace_text_kind kind = nested                     ? millrace_text_nested
                              : is_missing(text)         ? millrace_text_missing
                              : read_number(text, value) ? millrace_text_number
                                                         : millrace_text_other;
    visitor(context, name.data(), name.size(), level.data(), level.size(), kind);
  };
  const uint8_t *bytes = decoder->copy(record, length);
  switch (decoder->syntax) {
    case millrace_syntax_separated:
      visit_separated(*decoder, bytes, length, *fault, visit);
      break;
    case millrace_syntax_json:
      visit_json(*decoder, bytes, length, *fault, visit);
      break;
    case millrace_syntax_libsvm:
      visit_libsvm(*decoder, bytes, length, *fault, visit);
      break;
  }
}

uint32_t millrace_number_index(const char *name) {
  return (uint32_t)combined(hash_text(name), 0);
}

millrace_entries millrace_decoder_gather(millrace_decoder *decoder, const float *features,
                                         size_t rows, const char *const *names,
                                         const float *centers, const size_t *sources,
                                         const size_t *pairs, size_t pair_count, uint32_t mask) {
  WordHashes &words = decoder->words;
  if (decoder->has_words) words.cut(rows);
  std::vector<uint32_t> columns(decoder->columns);
  for (size_t j = 0; j < columns.size(); j++) columns[j] = millrace_number_index(names[j]) & mask;
  std::vector<size_t> &starts = decoder->entry_starts;
  std::vector<uint32_t> &indices = decoder->entry_indices, &owners = decoder->entry_sources;
  std::vector<float> &values = decoder->entry_values;
  starts.assign(1, 0);
  indices.clear();
  values.clear();
  size_t word = 0;
  for (size_t i = 0; i < rows; i++) {
    owners.clear();
    auto add = [&](uint32_t index, float value, size_t source) {
      indices.push_back(index);
      values.push_back(value);
      owners.push_back((uint32_t)source);
    };
    for (size_t j = 0; j < columns.size(); j++) {
      float x = features[i * columns.size() + j] - centers[j];
      if (!std::isnan(x) && x != 0) add(columns[j], x, sources[j]);
    }
    for (size_t end = decoder->has_words ? words.ends[i] : 0; word < end; word++) {
      add((uint32_t)words.hashes[word] & mask, 1, words.sources[word]);
    }
    size_t first = starts.back(), count = owners.size();
    for (size_t pair = 0; pair < pair_count; pair++) {
      for (size_t a = 0; a < count; a++) {
        for (size_t b = 0; owners[a] == pairs[2 * pair] && b < count; b++) {
          if (owners[b] != pairs[2 * pair + 1]) continue;
          uint32_t index = (uint32_t)combined(indices[first + a], indices[first + b]) & mask;
          add(index, values[first + a] * values[first + b], absent);
        }
      }
    }
    starts.push_back(indices.size());
  }
  return {starts.data(), indices.data(), values.data()};
}

const char *millrace_decoder_kept(const millrace_decoder *decoder) { return decoder->kept.data(); }
