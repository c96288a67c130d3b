#ifndef MILLRACE_FORMAT_H
#define MILLRACE_FORMAT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Writes the shortest decimal that reads back as `value` (at most 24 bytes, no terminator) and
/// returns its length. JSON has no NaN or infinity: those become `null`.
size_t millrace_format_double(double value, char *out);

#ifdef __cplusplus
}
#endif
#endif
