// A descriptor as 128 bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "local_describe.hpp"

namespace egide::local {

constexpr int kCodeBits = 128;
constexpr int kWordBits = 20;  // the leading bits, which change least between copies

struct Code {
  std::uint64_t lanes[2];  // bit k is bit k % 64 of lane k / 64
};

inline int distance(const Code& a, const Code& b) {
  return __builtin_popcountll(a.lanes[0] ^ b.lanes[0]) +
         __builtin_popcountll(a.lanes[1] ^ b.lanes[1]);
}

// How sure the bits of a word are: the distance from the threshold in units of what copies change.
struct Margins {
  float of[kWordBits];
};

struct Codes {
  std::vector<Code> codes;
  std::vector<Margins> margins;
};

// The codes of the descriptors, and those that the mirrored picture's would have.
void encode(const std::vector<Descriptor>& descriptors, Codes& plain, Codes& mirrored);

}  // namespace egide::local
