// Where the local features of a picture are: extremes of the differences of Gaussians (Lowe,
// "Distinctive Image Features from Scale-Invariant Keypoints", 2004), spread over the picture.
#pragma once

#include <vector>

#include "local_scales.hpp"

namespace egide::local {

struct Place {
  int octave;
  int level;       // the level of the octave that is nearest in blur
  float x, y;      // in pixels of the octave
  float sigma;     // likewise
  float response;  // how much the place stands out

  float unit() const { return static_cast<float>(1 << octave); }  // pixels of the first octave
};

// Every extreme of the octaves that stands out and is no edge.
std::vector<Place> find_places(const std::vector<Octave>& octaves, int count);

// At most `most` of the places, in an order whose every leading part is spread over the picture
// and over coarse and fine as well as it can be.
std::vector<Place> spread(std::vector<Place> places, int width, int height, int most);

}  // namespace egide::local
