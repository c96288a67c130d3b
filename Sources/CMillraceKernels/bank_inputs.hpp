#ifndef MILLRACE_BANK_INPUTS_HPP
#define MILLRACE_BANK_INPUTS_HPP

#include "bank_lanes.hpp"

/// Inputs beyond this would overflow what is squared of them; a `StandardScaler` stays far below.
static const float inputLimit = 100;

/// A row's inputs, within the limit.
MILLRACE_INLINE void readInputs(const float *row, size_t count, float *z) {
  size_t j = 0;
  for (; j + 8 <= count; j += 8) {
    Eight inputs;
    __builtin_memcpy(&inputs, row + j, sizeof inputs);
    inputs = clamped<8>(inputs, -inputLimit, inputLimit);
    __builtin_memcpy(z + j, &inputs, sizeof inputs);
  }
  for (; j < count; j++)
    z[j] = row[j] > inputLimit ? inputLimit : row[j] < -inputLimit ? -inputLimit : row[j];
}

/// A number of inputs; `known` where the compiler knows it, otherwise 0.
template <size_t known_>
struct Inputs {
  static constexpr size_t known = known_;
  size_t count;
};

/// Calls `body` with a number of inputs, of few with one that the compiler knows: loops over them
/// become straight code.
template <typename Body>
MILLRACE_INLINE void withInputs(size_t count, Body body) {
  switch (count) {
    case 2: return body(Inputs<2>{2});
    case 3: return body(Inputs<3>{3});
    case 4: return body(Inputs<4>{4});
    case 5: return body(Inputs<5>{5});
    case 6: return body(Inputs<6>{6});
    case 7: return body(Inputs<7>{7});
    case 8: return body(Inputs<8>{8});
    case 9: return body(Inputs<9>{9});
    case 10: return body(Inputs<10>{10});
    case 11: return body(Inputs<11>{11});
    case 12: return body(Inputs<12>{12});
    case 13: return body(Inputs<13>{13});
    default: return body(Inputs<0>{count});
  }
}

#endif
