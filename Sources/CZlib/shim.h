#pragma once

#include <zlib.h>

/// A macro in zlib.h (it passes the version and the size), which Swift cannot import: this opens an
/// inflate stream that accepts gzip and zlib headers.
static inline int millrace_inflate_init(z_stream *stream) {
  return inflateInit2(stream, 15 + 32);
}
