#ifndef MILLRACE_FILE_MAP_H
#define MILLRACE_FILE_MAP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A part of a file as memory. A page that the file has lost by the time it is touched (it was
/// truncated, or the disk fails) reads as zeros and marks the map as damaged, where the process
/// would end with SIGBUS otherwise. Any thread may use it.
///
/// Zeros also stand behind the end of a file that was truncated within a page, and nothing tells of
/// them: who has read the bytes looks at the file's size too.
typedef struct millrace_file_map millrace_file_map;

/// Maps bytes [offset, offset + length) of a file, which must be there. Null where the system
/// refuses, or when as many parts as is sensible are mapped already: then the file is to be read.
///
/// The first call installs a handler of SIGBUS, which passes on what it is not meant for.
millrace_file_map *millrace_map(int file, int64_t offset, size_t length);

/// The `length` bytes.
const uint8_t *millrace_mapped_bytes(const millrace_file_map *map);

/// Whether zeros stand for a page that was touched and is lost.
int millrace_map_is_damaged(const millrace_file_map *map);

/// Gives the memory back.
void millrace_unmap(millrace_file_map *map);

#ifdef __cplusplus
}
#endif
#endif
