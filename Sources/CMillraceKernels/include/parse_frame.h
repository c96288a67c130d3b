#ifndef MILLRACE_PARSE_FRAME_H
#define MILLRACE_PARSE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Where the search for the end of a record that is not complete yet stands.
typedef struct {
  /// Bytes of the record that need not be looked at again.
  size_t scanned;
  /// Whether those bytes end inside a quoted field.
  uint8_t quoted;
} millrace_frame_state;

/// Finds lines in bytes[from, length): the start of each and its end without `\n` or `\r\n`.
/// Blank lines are skipped. With `at_end` the last line needs no `\n`.
///
/// Writes at most `capacity` lines and returns how many; *consumed ← where the first line that was
/// not returned starts. `state` is zero at first and belongs to the bytes from there on.
size_t millrace_frame_lines(const uint8_t *bytes, size_t from, size_t length, int at_end,
                            millrace_frame_state *state, size_t *starts, size_t *ends,
                            size_t capacity, size_t *consumed);

/// The same for CSV records (RFC 4180): a `\n` inside a quoted field does not end a record. A quote
/// opens a field only at the field's start, as in Python's csv module. One that is not closed
/// within `limit` bytes of the record's start, or by the end, is taken for an ordinary character,
/// so that a stray quote costs one record and not the rest of the file.
size_t millrace_frame_csv(const uint8_t *bytes, size_t from, size_t length, int at_end,
                          uint8_t delimiter, size_t limit, millrace_frame_state *state,
                          size_t *starts, size_t *ends, size_t capacity, size_t *consumed);

#ifdef __cplusplus
}
#endif
#endif
