#ifndef MILLRACE_PARSE_RECORDS_H
#define MILLRACE_PARSE_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Records, as bytes, to rows of a matrix. A decoder holds what each field of a record is for; it
/// belongs to one thread. No allocation per record.
///
/// The bytes may be those of a mapped file that another process writes to meanwhile: rows may come
/// out wrong then, but nothing is read or written that does not belong to them.
typedef struct millrace_decoder millrace_decoder;

/// How a record is written.
typedef enum {
  millrace_syntax_separated,
  millrace_syntax_json,
  millrace_syntax_libsvm,
} millrace_syntax;

/// What a field is for.
typedef enum {
  millrace_role_none,
  /// A number in column `slot`.
  millrace_role_number,
  /// A level: 1 in column `slot + index`, 0 in the other ones of `width`.
  millrace_role_level,
  /// The same with a hash of the text for the index.
  millrace_role_hash,
  /// An entry of a sparse row: a hash of the text; `slot` is which source it belongs to.
  millrace_role_word,
  /// The same for each of the text's words, in lower case.
  millrace_role_words,
  /// The label, a number.
  millrace_role_target,
  /// The label, one of the field's levels.
  millrace_role_class,
  /// The weight of the record.
  millrace_role_weight,
} millrace_role;

/// Why a record is no row.
typedef enum {
  millrace_fault_none,
  /// `count` fields instead of the number that was added.
  millrace_fault_field_count,
  /// The text of a number column is none.
  millrace_fault_number,
  /// The label is not a finite number.
  millrace_fault_target,
  /// The label is none of the classes.
  millrace_fault_class,
  /// There is no label.
  millrace_fault_no_label,
  /// The weight is not a finite number ≥ 0.
  millrace_fault_weight,
  /// An object or array where one value is needed.
  millrace_fault_nested,
  millrace_fault_utf8,
  millrace_fault_quote,
  millrace_fault_json,
  /// JSON that is no object, or does not look like one.
  millrace_fault_object,
  /// A LibSVM entry is not `index:value`.
  millrace_fault_entry,
} millrace_fault_kind;

/// The record that is no row, and the evidence; `text` is valid until the decoder's next call.
typedef struct {
  millrace_fault_kind kind;
  size_t record;
  size_t field;
  size_t count;
  const uint8_t *text;
  size_t length;
} millrace_fault;

/// A decoder without fields. Separated records have their fields in the order they are added.
millrace_decoder *millrace_decoder_create(millrace_syntax syntax, uint8_t delimiter,
                                          size_t columns, int label_required);
void millrace_decoder_destroy(millrace_decoder *decoder);

/// Adds a field and returns its index.
size_t millrace_decoder_add_field(millrace_decoder *decoder, const char *name, millrace_role role,
                                  size_t slot, size_t width);
/// Adds a level (or class) to a field.
void millrace_decoder_add_level(millrace_decoder *decoder, size_t field, const char *level);
/// Names the fields whose texts are kept.
void millrace_decoder_keep_key(millrace_decoder *decoder, size_t field);
void millrace_decoder_keep_timestamp(millrace_decoder *decoder, size_t field);

/// Decodes records from `from` on up to the first that is no row: `fault` says why. Returns the
/// index behind the last record dealt with.
///
/// Record i is bytes[starts[i], ends[i]). Rows are appended behind the *row_count there are; all
/// outputs have room for `count` rows:
/// - features: `columns` numbers a row; wide_features: the same as doubles, with `wide`;
/// - labels: the target or the class's index; NaN for none;
/// - weights: 1 when no field says otherwise;
/// - record_indices: the record of each row;
/// - kept_ends: where the row's key and then its timestamp end among the kept texts, two a row;
///   only when a field is kept.
size_t millrace_decode(millrace_decoder *decoder, const uint8_t *bytes, size_t length,
                       const size_t *starts, const size_t *ends, size_t count, size_t from,
                       int wide, size_t *row_count, float *features, double *wide_features,
                       double *labels, float *weights, size_t *record_indices, size_t *kept_ends,
                       millrace_fault *fault);

/// Room for so many entries is enough for these LibSVM records.
size_t millrace_count_entries(const uint8_t *bytes, const size_t *starts, const size_t *ends,
                              size_t count);

/// Decodes LibSVM records to compressed rows, as `millrace_decode` does to full ones: the entries
/// of row i are those from row_starts[i] to row_starts[i + 1], of which row_starts[*row_count] is
/// given. Of an index the bits of `mask` are kept. There is room for `capacity` entries.
size_t millrace_decode_sparse(millrace_decoder *decoder, const uint8_t *bytes, size_t length,
                              const size_t *starts, const size_t *ends, size_t count, size_t from,
                              uint32_t mask, size_t capacity, size_t *row_count,
                              size_t *row_starts, uint32_t *indices, float *values, double *labels,
                              float *weights, size_t *record_indices, millrace_fault *fault);

/// The entries of sparse rows, as they lie in a decoder until its next call.
typedef struct {
  /// Row i has the entries from starts[i] to starts[i + 1].
  const size_t *starts;
  const uint32_t *indices;
  const float *values;
} millrace_entries;

/// Makes sparse rows of the rows that were decoded: an entry for each number that is not 0 or
/// missing, those of words, and the products of the entries of each pair of sources.
///
/// - names: of the number columns; centers: what is taken from each; sources: which source it is.
/// - pairs: two sources each.
/// - mask: the bits of a hash that are kept.
millrace_entries millrace_decoder_gather(millrace_decoder *decoder, const float *features,
                                         size_t rows, const char *const *names,
                                         const float *centers, const size_t *sources,
                                         const size_t *pairs, size_t pair_count, uint32_t mask);

/// Which feature a number column is, before `mask`.
uint32_t millrace_number_index(const char *name);

/// What a field's text says.
typedef enum {
  millrace_text_missing,
  millrace_text_number,
  millrace_text_other,
  /// An object or an array.
  millrace_text_nested,
} millrace_text_kind;

/// Told of one field: its name (empty where fields have none), and its text as a level.
typedef void (*millrace_field_visitor)(void *context, const char *name, size_t name_length,
                                       const char *text, size_t length, millrace_text_kind kind);

/// Visits the fields of one record of the decoder's syntax, whatever they are for. `fault` says
/// why the record cannot be read, and is `millrace_fault_none` otherwise.
void millrace_visit_fields(millrace_decoder *decoder, const uint8_t *record, size_t length,
                           millrace_field_visitor visitor, void *context, millrace_fault *fault);

/// The texts kept with the rows since *row_count was 0.
const char *millrace_decoder_kept(const millrace_decoder *decoder);

#ifdef __cplusplus
}
#endif
#endif
