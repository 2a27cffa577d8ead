#include "trim.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

namespace egide {

namespace {

constexpr std::size_t kRipple = 12;   // lines that JPEG may ripple beside an edge: a block and half
constexpr double kSmallestStep = 10;  // mean difference, in shades, between border and picture
constexpr double kEdgeShare = 0.4;    // of that difference, where the picture is taken to begin
constexpr double kStrayShare = 0.01;  // of a border line's pixels may have any shade

// The lines of a plane that run along one of its sides, counted from that side inwards.
struct Side {
  const std::uint8_t* first;
  std::ptrdiff_t inwards, along;
  std::size_t lines, length;

  const std::uint8_t* line(std::size_t k) const {
    return first + static_cast<std::ptrdiff_t>(k) * inwards;
  }
};

int median_shade(const Side& side) {
  std::array<std::size_t, 256> counts{};
  const std::uint8_t* at = side.line(0);
  for (std::size_t i = 0; i < side.length; ++i, at += side.along) ++counts[*at];
  std::size_t below = 0;
  int shade = 0;
  while ((below += counts[static_cast<std::size_t>(shade)]) * 2 < side.length) ++shade;
  return shade;
}

struct Spread {
  double mean;    // of the differences from the border's shade
  double strays;  // the share of pixels further from it than the tolerance
};

Spread spread_of(const Side& side, std::size_t k, int shade, int tolerance) {
  std::size_t sum = 0, strays = 0;
  const std::uint8_t* at = side.line(k);
  for (std::size_t i = 0; i < side.length; ++i, at += side.along) {
    const int difference = std::abs(*at - shade);
    sum += static_cast<std::size_t>(difference);
    strays += difference > tolerance ? 1 : 0;
  }
  const auto length = static_cast<double>(side.length);
  return {static_cast<double>(sum) / length, static_cast<double>(strays) / length};
}

// How many lines of one side are border: first those of one shade, then those that compression
// rippled, up to a step. Without a step it is no border but a smooth part of the picture.
std::size_t border_of(const Side& side, int tolerance) {
  const int shade = median_shade(side);
  std::size_t clean = 0;
  while (clean < side.lines && spread_of(side, clean, shade, tolerance).strays <= kStrayShare) {
    ++clean;
  }
  if (clean == side.lines) return 0;
  const std::size_t end = std::min(clean + kRipple, side.lines);
  std::array<double, kRipple> differences{};
  double step = 0;
  for (std::size_t k = clean; k < end; ++k) {
    differences[k - clean] = spread_of(side, k, shade, tolerance).mean;
    step = std::max(step, differences[k - clean]);
  }
  if (step < kSmallestStep) return 0;
  std::size_t edge = clean;
  while (differences[edge - clean] < kEdgeShare * step) ++edge;
  return edge;
}

}  // namespace

Trimmed trim(const Pixels& plane, int tolerance) {
  Trimmed box{0, plane.rows, 0, plane.cols};
  // A second round finds what a border of another shade across the corner hid from the first.
  for (int round = 0; round < 2; ++round) {
    const auto at = [&](std::size_t r, std::size_t c) {
      return plane.row(r) + static_cast<std::ptrdiff_t>(c) * plane.col_stride;
    };
    const auto down = plane.row_stride, across = plane.col_stride;
    const std::size_t height = box.bottom - box.top, width = box.right - box.left;
    const std::size_t above = border_of({at(box.top, box.left), down, across, height, width}, tolerance);
    const std::size_t below =
        border_of({at(box.bottom - 1, box.left), -down, across, height, width}, tolerance);
    if (above + below < height) box.top += above, box.bottom -= below;
    const std::size_t rows = box.bottom - box.top;
    const std::size_t before = border_of({at(box.top, box.left), across, down, width, rows}, tolerance);
    const std::size_t after =
        border_of({at(box.top, box.right - 1), -across, down, width, rows}, tolerance);
    if (before + after < width) box.left += before, box.right -= after;
  }
  return box;
}

}  // namespace egide
