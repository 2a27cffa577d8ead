// The size at which local features are looked for.
#pragma once

#include <cstdint>
#include <vector>

#include "pdq.hpp"

namespace egide::local {

// A luma plane of bytes, row after row.
struct Grey {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;
};

struct Size {
  int width;
  int height;
};

// The size that a plane of this size is reduced to: its longer side 640, where `enlarge` says so
// enlarged at most twice, and no side under 16, so that very long planes change their proportions.
Size reduced_size(std::size_t width, std::size_t height, bool enlarge);

// Means over areas; bilinear where the plane is enlarged. The plane has at least one pixel.
Grey reduce(const Pixels& plane, bool enlarge);

}  // namespace egide::local
