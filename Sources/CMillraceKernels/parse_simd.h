#ifndef MILLRACE_PARSE_SIMD_H
#define MILLRACE_PARSE_SIMD_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// Everything here is inlined: how a vector would be passed does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

/// 64 bytes at a time, in whatever registers the processor has.
typedef uint8_t millrace_bytes64 __attribute__((ext_vector_type(64)));
typedef bool millrace_bits64 __attribute__((ext_vector_type(64)));

__attribute__((always_inline)) static inline millrace_bytes64 load64(const uint8_t *bytes) {
  millrace_bytes64 block;
  memcpy(&block, bytes, sizeof block);
  return block;
}

/// Bit i says whether byte i of the block is `byte`.
__attribute__((always_inline)) static inline uint64_t equal64(millrace_bytes64 block,
                                                              uint8_t byte) {
  millrace_bits64 equal = __builtin_convertvector(block == byte, millrace_bits64);
  uint64_t bits;
  memcpy(&bits, &equal, sizeof bits);
  return bits;
}

/// Bit i says whether byte i of the block is no ASCII.
__attribute__((always_inline)) static inline uint64_t high64(millrace_bytes64 block) {
  millrace_bits64 high = __builtin_convertvector(block >= (uint8_t)0x80, millrace_bits64);
  uint64_t bits;
  memcpy(&bits, &high, sizeof bits);
  return bits;
}

#endif
