#include "local_detect.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "clones.hpp"

namespace egide::local::hot {

using Nine = std::array<const float*, 9>;  // three rows of the level below, the middle and above

// Marks the columns of the middle row that are extreme among their 26 neighbours.
EGIDE_CLONES void mark_extremes(const Nine& rows, int width, float least,
                                std::uint8_t* __restrict marks) {
  constexpr int kBlock = 64;
  const float *a = rows[0], *b = rows[1], *c = rows[2], *d = rows[3], *middle = rows[4];
  const float *e = rows[5], *f = rows[6], *g = rows[7], *h = rows[8];
  for (int first = 0; first < width - 2; first += kBlock) {
    const int n = std::min(kBlock, width - 2 - first);
    float high[kBlock + 2], low[kBlock + 2];  // of each column, without the middle row
    int found[kBlock];
    for (int x = 0; x < n + 2; ++x) {
      const int at = first + x;
      const float above = std::max(std::max(a[at], b[at]), std::max(c[at], d[at]));
      const float below = std::min(std::min(a[at], b[at]), std::min(c[at], d[at]));
      high[x] = std::max(std::max(above, e[at]), std::max(f[at], std::max(g[at], h[at])));
      low[x] = std::min(std::min(below, e[at]), std::min(f[at], std::min(g[at], h[at])));
    }
    for (int x = 0; x < n; ++x) {
      const float value = middle[first + x + 1];
      const float left = middle[first + x], right = middle[first + x + 2];
      const float top =
          std::max(std::max(high[x], high[x + 1]), std::max(high[x + 2], std::max(left, right)));
      const float bottom =
          std::min(std::min(low[x], low[x + 1]), std::min(low[x + 2], std::min(left, right)));
      found[x] = (static_cast<int>(value > least) & static_cast<int>(value > top)) |
                 (static_cast<int>(value < -least) & static_cast<int>(value < bottom));
    }
    for (int x = 0; x < n; ++x) marks[first + x + 1] = static_cast<std::uint8_t>(found[x]);
  }
}

}  // namespace egide::local::hot

namespace egide::local {

namespace {

constexpr float kLeastContrast = 0.004F;
constexpr float kMostEdge = 12;  // ratio of the two principal curvatures
constexpr int kMargin = 4;       // pixels at the sides of an octave where nothing is looked for
constexpr int kCells = 6;        // a side, over which places are spread
// Shares of the places that are finer than twice the least sigma, and than four times.
constexpr float kFineShare = 0.55F;
constexpr float kMiddleShare = 0.28F;

// The differences around one pixel, as the quadratic that touches them.
struct Quadratic {
  float value, x, y, s;  // at the pixel, and its slopes across, down and in scale
  float xx, yy, ss, xy, xs, ys;

  Quadratic(const Plane* below, int column, int row) {
    const auto at = [=](int ds, int dy, int dx) {
      return below[ds + 1].row(row + dy)[column + dx];
    };
    value = at(0, 0, 0);
    x = 0.5F * (at(0, 0, 1) - at(0, 0, -1));
    y = 0.5F * (at(0, 1, 0) - at(0, -1, 0));
    s = 0.5F * (at(1, 0, 0) - at(-1, 0, 0));
    xx = at(0, 0, 1) + at(0, 0, -1) - 2 * value;
    yy = at(0, 1, 0) + at(0, -1, 0) - 2 * value;
    ss = at(1, 0, 0) + at(-1, 0, 0) - 2 * value;
    xy = 0.25F * (at(0, 1, 1) - at(0, 1, -1) - at(0, -1, 1) + at(0, -1, -1));
    xs = 0.25F * (at(1, 0, 1) - at(1, 0, -1) - at(-1, 0, 1) + at(-1, 0, -1));
    ys = 0.25F * (at(1, 1, 0) - at(1, -1, 0) - at(-1, 1, 0) + at(-1, -1, 0));
  }

  // Where its extreme lies, from the pixel; false where there is none.
  bool extreme(float& dx, float& dy, float& ds) const {
    const float a = yy * ss - ys * ys, b = xy * ss - ys * xs, c = xy * ys - yy * xs;
    const float determinant = xx * a - xy * b + xs * c;
    if (std::fabs(determinant) < 1e-12F) return false;
    dx = -(x * a - xy * (y * ss - ys * s) + xs * (y * ys - yy * s)) / determinant;
    dy = -(xx * (y * ss - s * ys) - x * b + xs * (xy * s - y * xs)) / determinant;
    ds = -(xx * (yy * s - ys * y) - xy * (xy * s - y * xs) + x * c) / determinant;
    return true;
  }

  bool is_edge() const {
    const float trace = xx + yy, determinant = xx * yy - xy * xy;
    return determinant <= 0 ||
           trace * trace * kMostEdge >= (kMostEdge + 1) * (kMostEdge + 1) * determinant;
  }
};

// Moves a place to the extreme itself; false where it is none after all.
bool refine(const Octave& octave, int level, int x, int y, Place& place) {
  const Plane* below = octave.differences.data() + level - 1;
  for (int step = 0; step < 4; ++step) {
    const Quadratic here(below, x, y);
    float dx, dy, ds;
    if (!here.extreme(dx, dy, ds)) return false;
    if (std::fabs(dx) < 0.6F && std::fabs(dy) < 0.6F && std::fabs(ds) < 0.7F) {
      place.response = std::fabs(here.value + 0.5F * (here.x * dx + here.y * dy + here.s * ds));
      if (here.is_edge() || place.response < kLeastContrast) return false;
      const float exact = static_cast<float>(level) + ds;
      place.x = static_cast<float>(x) + dx;
      place.y = static_cast<float>(y) + dy;
      place.sigma = sigma_of(exact);
      place.level = std::clamp(static_cast<int>(std::lround(exact)), 0, kScales + 2);
      return true;
    }
    // Another level would need another set of planes: only the place may move.
    const int next_x = x + static_cast<int>(dx > 0.6F) - static_cast<int>(dx < -0.6F);
    const int next_y = y + static_cast<int>(dy > 0.6F) - static_cast<int>(dy < -0.6F);
    if ((next_x == x && next_y == y) || next_x < 1 || next_y < 1 || next_x >= below->width - 1 ||
        next_y >= below->height - 1) {
      return false;
    }
    x = next_x;
    y = next_y;
  }
  return false;
}

template <class Visit>
void each_mark(const std::vector<std::uint8_t>& marks, Visit visit) {
  const std::size_t end = marks.size() - kMargin;
  for (std::size_t x = kMargin; x < end; ++x) {
    std::uint64_t eight = 1;
    if (x + 8 <= marks.size()) std::memcpy(&eight, marks.data() + x, 8);
    if (eight == 0) {
      x += 7;
    } else if (marks[x] != 0) {
      visit(static_cast<int>(x));
    }
  }
}

// 0 for the finest places, 2 for the coarsest.
std::size_t band_of(const Place& place) {
  constexpr float kEdge = 2 * kLeastSigma * 1.26F;  // the finest level that is looked at is 1.26
  const float sigma = place.sigma * place.unit();
  return sigma < kEdge ? 0 : sigma < 2 * kEdge ? 1 : 2;
}

// How many places each band gives. What a coarse one cannot fill goes to the finer ones, and what
// the finest cannot fill goes back.
std::array<int, 3> rooms(const std::array<int, 3>& found, int most) {
  std::array<int, 3> room = {static_cast<int>(static_cast<float>(most) * kFineShare),
                             static_cast<int>(static_cast<float>(most) * kMiddleShare), 0};
  room[2] = most - room[0] - room[1];
  int spare = 0;
  for (std::size_t band = 3; band-- > 0;) {
    const int wanted = room[band] + spare;
    room[band] = std::min(wanted, found[band]);
    spare = wanted - room[band];
  }
  for (std::size_t band = 1; band < 3; ++band) {
    const int more = std::min(spare, found[band] - room[band]);
    room[band] += more;
    spare -= more;
  }
  return room;
}

}  // namespace

std::vector<Place> find_places(const std::vector<Octave>& octaves, int count) {
  std::vector<Place> places;
  std::vector<std::uint8_t> marks;
  for (int o = 0; o < count; ++o) {
    const Octave& octave = octaves[static_cast<std::size_t>(o)];
    const int width = octave.levels[0].width, height = octave.levels[0].height;
    marks.assign(static_cast<std::size_t>(width), 0);
    for (int level = 1; level <= kScales; ++level) {
      const Plane* below = octave.differences.data() + level - 1;
      for (int y = kMargin; y < height - kMargin; ++y) {
        hot::Nine rows;
        for (int r = 0; r < 9; ++r) {
          rows[static_cast<std::size_t>(r)] = below[r / 3].row(y - 1 + r % 3);
        }
        hot::mark_extremes(rows, width, 0.7F * kLeastContrast, marks.data());
        each_mark(marks, [&](int x) {
          Place place{o, level, 0, 0, 0, 0};
          if (refine(octave, level, x, y, place)) places.push_back(place);
        });
      }
    }
  }
  return places;
}

std::vector<Place> spread(std::vector<Place> places, int width, int height, int most) {
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
    if (a.response != b.response) return a.response > b.response;
    if (a.octave != b.octave) return a.octave < b.octave;
    return a.y != b.y ? a.y < b.y : a.x < b.x;
  });
  // In each band the strongest of every cell come first, then the second of every cell, and so on.
  using Turn = std::pair<int, std::size_t>;
  std::array<std::vector<Turn>, 3> bands;
  int turns[3][kCells * kCells] = {};
  for (std::size_t n = 0; n < places.size(); ++n) {
    const Place& place = places[n];
    const auto cell = [&](float at, int side) {
      const float share = at * place.unit() / static_cast<float>(side);
      return std::clamp(static_cast<int>(share * kCells), 0, kCells - 1);
    };
    const std::size_t band = band_of(place);
    int& turn = turns[band][cell(place.y, height) * kCells + cell(place.x, width)];
    bands[band].emplace_back(turn++, n);
  }
  std::array<int, 3> found{};
  for (std::size_t b = 0; b < 3; ++b) {
    std::sort(bands[b].begin(), bands[b].end());
    found[b] = static_cast<int>(bands[b].size());
  }
  // The bands are interleaved as their shares are.
  const std::array<int, 3> room = rooms(found, most);
  std::vector<std::pair<float, std::size_t>> order;
  for (std::size_t b = 0; b < 3; ++b) {
    for (int k = 0; k < room[b]; ++k) {
      const float turn = (static_cast<float>(k) + 0.5F) / static_cast<float>(room[b]);
      order.emplace_back(turn, bands[b][static_cast<std::size_t>(k)].second);
    }
  }
  std::sort(order.begin(), order.end());
  std::vector<Place> chosen;
  for (const auto& turn : order) chosen.push_back(places[turn.second]);
  return chosen;
}

}  // namespace egide::local
