#include "format.h"

#include <charconv>
#include <cmath>
#include <cstring>

size_t millrace_format_double(double value, char *out) {
  if (!std::isfinite(value)) {
    std::memcpy(out, "null", 4);
    return 4;
  }
  return static_cast<size_t>(std::to_chars(out, out + 24, value).ptr - out);
}
