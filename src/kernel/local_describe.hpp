// What a picture looks like around a point, as 128 numbers: gradients by direction in 4 x 4 cells
// of a patch that is turned and scaled with the point (Lowe 2004), as their square roots
// (Arandjelović and Zisserman, "Three things everyone should know to improve object retrieval",
// 2012).
#pragma once

#include <array>

#include "local_detect.hpp"

namespace egide::local {

constexpr int kDimensions = 128;

using Descriptor = std::array<float, kDimensions>;  // of unit length

// The direction that most gradients around the place have: radians, from right towards down.
// False where none stands out.
bool main_direction(const Plane& level, const Place& place, float& angle);

Descriptor describe(const Plane& level, const Place& place, float angle);

// Number k of the mirrored picture's descriptor is number mirrored_dimension(k) of the picture's:
// the axis of the point stays, its left becomes its right.
constexpr int mirrored_dimension(int k) {
  const int row = k / 32, column = k / 8 % 4, direction = k % 8;
  return ((3 - row) * 4 + column) * 8 + (8 - direction) % 8;
}

}  // namespace egide::local
