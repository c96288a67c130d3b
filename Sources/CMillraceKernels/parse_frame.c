#include "parse_frame.h"

#include <string.h>

#include "clones.h"
#include "parse_simd.h"

typedef struct {
  const uint8_t *bytes;
  size_t *starts, *ends;
  size_t count;
} records;

/// Takes bytes[start, end) as a record, without the `\r` of a `\r\n`, unless it is blank.
__attribute__((always_inline)) static inline void take(records *out, size_t start, size_t end) {
  end -= end > start && out->bytes[end - 1] == '\r';
  out->starts[out->count] = start;
  out->ends[out->count] = end;
  out->count += end > start;
}

/// The first `\n` or `quote` at or after `i`; `length` when there is none.
__attribute__((always_inline)) static inline size_t find_end(const uint8_t *bytes, size_t i,
                                                             size_t length, uint8_t quote) {
  for (; i + 64 <= length; i += 64) {
    millrace_bytes64 block = load64(bytes + i);
    uint64_t found = equal64(block, '\n') | equal64(block, quote);
    if (found) return i + (size_t)__builtin_ctzll(found);
  }
  while (i < length && bytes[i] != '\n' && bytes[i] != quote) i++;
  return i;
}

/// Lines that end within whole blocks of 64 bytes; stops before a block that holds `quote`.
/// `*position` ← the first byte not looked at, `*start` ← the start of the line it belongs to.
__attribute__((always_inline)) static inline void take_plain_lines(records *out, size_t *position,
                                                                   size_t *start, size_t length,
                                                                   uint8_t quote,
                                                                   size_t capacity) {
  size_t i = *position, line = *start;
  for (; i + 64 <= length && out->count + 64 <= capacity; i += 64) {
    millrace_bytes64 block = load64(out->bytes + i);
    if (quote != '\n' && equal64(block, quote)) break;
    for (uint64_t ends = equal64(block, '\n'); ends; ends &= ends - 1) {
      size_t end = i + (size_t)__builtin_ctzll(ends);
      take(out, line, end);
      line = end + 1;
    }
  }
  *position = i;
  *start = line;
}

MILLRACE_CLONES
size_t millrace_frame_lines(const uint8_t *bytes, size_t from, size_t length, int at_end,
                            millrace_frame_state *state, size_t *starts, size_t *ends,
                            size_t capacity, size_t *consumed) {
  records out = {bytes, starts, ends, 0};
  size_t start = from, i = from + state->scanned;
  take_plain_lines(&out, &i, &start, length, '\n', capacity);
  while (out.count < capacity) {
    i = find_end(bytes, i, length, '\n');
    if (i == length && !(at_end && start < length)) break;
    take(&out, start, i);
    i += i < length;
    start = i;
  }
  *consumed = start;
  state->scanned = i - start;
  return out.count;
}

MILLRACE_CLONES
size_t millrace_frame_csv(const uint8_t *bytes, size_t from, size_t length, int at_end,
                          uint8_t delimiter, size_t limit, millrace_frame_state *state,
                          size_t *starts, size_t *ends, size_t capacity, size_t *consumed) {
  records out = {bytes, starts, ends, 0};
  size_t start = from, i = from + state->scanned;
  int quoted = state->quoted;
  while (out.count < capacity) {
    if (quoted) {
      size_t stop = length - start > limit ? start + limit : length;
      const uint8_t *quote = i < stop ? memchr(bytes + i, '"', stop - i) : NULL;
      i = quote ? (size_t)(quote - bytes) : stop;
      int doubled = i + 1 < length && bytes[i + 1] == '"';
      if (quote && (i + 1 < length || at_end)) {
        i += doubled ? 2 : 1;
        quoted = doubled;
      } else if (stop < length || at_end) {  // never closed: the record is its first line
        i = find_end(bytes, start, length, '\n');
        take(&out, start, i);
        i += i < length;
        start = i;
        quoted = 0;
        if (i == length) break;
      } else {
        break;
      }
    }
    if (quoted) continue;
    take_plain_lines(&out, &i, &start, length, '"', capacity);
    if (out.count == capacity) break;
    i = find_end(bytes, i, length, '"');
    if (i == length && !(at_end && start < length)) break;
    if (i < length && bytes[i] == '"') {
      quoted = i == start || bytes[i - 1] == delimiter;
      i++;
    } else {
      take(&out, start, i);
      i += i < length;
      start = i;
    }
  }
  *consumed = start;
  state->scanned = i - start;
  state->quoted = (uint8_t)quoted;
  return out.count;
}
