// PDQ, the perceptual hash of https://github.com/facebook/ThreatExchange/tree/main/pdq
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace egide {

// Eight-bit samples in memory: rows and pixels may lie any number of bytes apart.
struct Pixels {
  const std::uint8_t* data;
  std::size_t rows;
  std::size_t cols;
  std::ptrdiff_t row_stride;
  std::ptrdiff_t col_stride;

  const std::uint8_t* row(std::size_t r) const {
    return data + static_cast<std::ptrdiff_t>(r) * row_stride;
  }
};

constexpr std::array<const char*, 8> kOrientations = {
    "none", "rotate90", "rotate180", "rotate270", "mirror", "flip", "transpose", "transverse"};

struct Pdq {
  std::uint8_t hashes[8][32] = {};  // in the order of kOrientations
  int quality = 0;                  // 0..100
};

// The hash of a luma plane, bit for bit that of the reference.
Pdq pdq_of_luma(const Pixels& plane);

// The hash of a colour picture (red, green, blue next to each other), likewise.
Pdq pdq_of_rgb(const Pixels& image);

// The hash that the reference would give a picture of full_rows by full_cols, estimated from a
// smaller decode of it.
Pdq pdq_of_reduced(const Pixels& plane, std::size_t full_rows, std::size_t full_cols);

}  // namespace egide
