// Whether two pictures show the same thing: points that agree on one affine map.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "local_record.hpp"

namespace egide::local {

// One face of a looked-up picture: as it is, or mirrored.
class Face {
 public:
  static constexpr int kGrid = 32;  // cells a side, for looking points up by their place

  Face() = default;
  Face(std::vector<Spot> spots, Codes codes, float width, float height);

  const std::vector<Spot>& spots() const { return spots_; }
  const std::vector<Code>& codes() const { return codes_.codes; }
  const std::vector<Margins>& margins() const { return codes_.margins; }
  float width() const { return width_; }
  float height() const { return height_; }
  static int cell(float at);

  // The points of cells (left..right, row), in the order of cells.
  const std::uint16_t* begin(int left, int row) const {
    return points_.data() + starts_[at(left, row)];
  }
  const std::uint16_t* end(int right, int row) const {
    return points_.data() + starts_[at(right, row) + 1];
  }

 private:
  static std::size_t at(int column, int row) {
    return static_cast<std::size_t>(row * kGrid + column);
  }

  std::vector<Spot> spots_;
  Codes codes_;
  float width_ = kUnits, height_ = kUnits;
  std::vector<std::uint16_t> starts_, points_;
};

// A pair of points that may show the same place.
struct Seed {
  std::uint16_t query;
  std::uint16_t banked;
  std::uint16_t distance;  // 0 to 86, for 43 bits of the codes
};

using Corner = std::array<float, 2>;

struct Verdict {
  float score = 0;
  int inliers = 0;
  std::array<float, 6> model{};  // query = [0 1; 2 3] banked + [4 5]
  // Convex hulls of the inliers, in units of places.
  std::vector<Corner> query_hull, banked_hull;
  // Of 8 x 8 cells of the banked picture those that have points which the query should show, and
  // those of them that have inliers: a shared frame or caption fills few.
  int cells_visible = 0;
  int cells_matched = 0;
};

// The best map that the seeds suggest, grown over all points of both pictures. Every seed names
// points that exist. The score is 0 where there is none; see distinct_score() for what it counts.
Verdict verify(const Face& query, const Record& banked, const std::vector<Seed>& seeds);

}  // namespace egide::local
