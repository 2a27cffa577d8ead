// A picture at rising blur, and the differences between neighbouring levels.
#pragma once

#include <cstddef>
#include <vector>

#include "local_reduce.hpp"

namespace egide::local {

// Values 0..1, row after row. Memory is kept when a plane shrinks: fresh pages cost more than the
// filters that fill them.
struct Plane {
  int width = 0;
  int height = 0;
  std::vector<float> values;

  void resize(int new_width, int new_height);
  const float* row(int y) const { return values.data() + offset(y); }
  float* row(int y) { return values.data() + offset(y); }

 private:
  std::size_t offset(int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width);
  }
};

constexpr int kScales = 3;           // levels in which the blur doubles
constexpr float kLeastSigma = 1.6F;  // blur of the first level, in its pixels

struct Octave {
  std::vector<Plane> levels = std::vector<Plane>(kScales + 3);
  std::vector<Plane> differences = std::vector<Plane>(kScales + 2);  // level k + 1 less level k
};

// Blur of a level of any octave, in pixels of the octave.
float sigma_of(float level);

// Fills octaves, each of half the size of the one before, and returns how many there are.
int build_octaves(const Grey& grey, std::vector<Octave>& octaves);

}  // namespace egide::local
