#include "local_code.hpp"

#include <array>
#include <cmath>

#include "clones.hpp"
#include "local_projection.hpp"

namespace egide::local::hot {

constexpr int kHalf = kDimensions / 2;
constexpr int kBlock = 32;  // bits whose sums stay in registers

// sums[0] and sums[1] take what the halves of a descriptor add to each of the bits.
EGIDE_CLONES void project(const float (*halves)[kHalf], const float (*table)[kHalf][kCodeBits],
                          float (*__restrict sums)[kCodeBits]) {
  for (int half = 0; half < 2; ++half) {
    for (int first = 0; first < kCodeBits; first += kBlock) {
      float sum[kBlock] = {};
      for (int k = 0; k < kHalf; ++k) {
        const float number = halves[half][k];
        const float* row = table[half][k] + first;
        for (int b = 0; b < kBlock; ++b) sum[b] += number * row[b];
      }
      for (int b = 0; b < kBlock; ++b) sums[half][first + b] = sum[b];
    }
  }
}

}  // namespace egide::local::hot

namespace egide::local {

namespace {

using hot::kHalf;

// Mirroring exchanges the numbers of a descriptor in pairs. A descriptor is taken as the sums and
// the differences of its pairs: the mirrored one has the same sums and the opposite differences,
// and needs no projection of its own.
struct Table {
  std::array<int, kHalf> one, other;
  float values[2][kHalf][kCodeBits];

  Table() {
    std::size_t pair = 0;
    for (int k = 0; k < kDimensions; ++k) {
      const int mirrored = mirrored_dimension(k);
      if (mirrored < k) continue;
      one[pair] = k;
      other[pair] = mirrored;
      for (int b = 0; b < kCodeBits; ++b) {
        const float scale = projection::kScales[b] / 2;
        const int first = projection::kDirections[b][k];
        const int second = projection::kDirections[b][mirrored];
        values[0][pair][b] = static_cast<float>(first + second) * scale;
        values[1][pair][b] = static_cast<float>(first - second) * scale;
      }
      ++pair;
    }
  }
};

void append(const float* values, Codes& out) {
  Code code{};
  for (int b = 0; b < kCodeBits; ++b) {
    code.lanes[b / 64] |= static_cast<std::uint64_t>(values[b] > projection::kMedians[b])
                          << (b % 64);
  }
  Margins margins;
  for (int b = 0; b < kWordBits; ++b) {
    margins.of[b] = std::fabs(values[b] - projection::kMedians[b]) * projection::kSureness[b];
  }
  out.codes.push_back(code);
  out.margins.push_back(margins);
}

}  // namespace

void encode(const std::vector<Descriptor>& descriptors, Codes& plain, Codes& mirrored) {
  static const Table table;
  for (const Descriptor& descriptor : descriptors) {
    float halves[2][kHalf], sums[2][kCodeBits], values[kCodeBits];
    for (std::size_t k = 0; k < kHalf; ++k) {
      const float one = descriptor[static_cast<std::size_t>(table.one[k])];
      const float other = descriptor[static_cast<std::size_t>(table.other[k])];
      halves[0][k] = one + other;
      halves[1][k] = one - other;
    }
    hot::project(halves, table.values, sums);
    for (int b = 0; b < kCodeBits; ++b) values[b] = sums[0][b] + sums[1][b];
    append(values, plain);
    for (int b = 0; b < kCodeBits; ++b) values[b] = sums[0][b] - sums[1][b];
    append(values, mirrored);
  }
}

}  // namespace egide::local
