#include "local_scales.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "clones.hpp"

#define EGIDE_INLINE inline __attribute__((always_inline))

namespace egide::local::hot {

constexpr int kMostRadius = 8;

// The radius is known when compiling, so that the loop over the taps is unrolled.
template <int Radius>
EGIDE_INLINE void filter_row_of(const float* in, float* __restrict out, int n, const float* taps) {
  for (int x = 0; x < n; ++x) {
    float sum = in[x] * taps[0];
#pragma GCC unroll 16
    for (int k = 1; k <= Radius; ++k) sum += taps[k] * (in[x - k] + in[x + k]);
    out[x] = sum;
  }
}

template <int Radius>
EGIDE_INLINE void filter_column_of(const float* const* rows, const float* before,
                                   float* __restrict out, float* __restrict difference, int n,
                                   const float* taps) {
  const float* at[2 * Radius + 1];
  for (int k = -Radius; k <= Radius; ++k) at[k + Radius] = rows[k];
#pragma GCC ivdep
  for (int x = 0; x < n; ++x) {
    float sum = at[Radius][x] * taps[0];
#pragma GCC unroll 16
    for (int k = 1; k <= Radius; ++k) sum += taps[k] * (at[Radius - k][x] + at[Radius + k][x]);
    out[x] = sum;
    difference[x] = sum - before[x];
  }
}

// Reads `radius` values before and after the n of `in`.
EGIDE_CLONES void filter_row(const float* in, float* __restrict out, int n, const float* taps,
                             int radius) {
  switch (radius) {
    case 2:
      return filter_row_of<2>(in, out, n, taps);
    case 3:
      return filter_row_of<3>(in, out, n, taps);
    case 4:
      return filter_row_of<4>(in, out, n, taps);
    case 5:
      return filter_row_of<5>(in, out, n, taps);
    case 6:
      return filter_row_of<6>(in, out, n, taps);
    case 7:
      return filter_row_of<7>(in, out, n, taps);
    default:
      return filter_row_of<kMostRadius>(in, out, n, taps);
  }
}

// rows[-radius] to rows[radius] are the rows around the one that is made, `before` is what it was
// before any filter.
EGIDE_CLONES void filter_column(const float* const* rows, const float* before,
                                float* __restrict out, float* __restrict difference, int n,
                                const float* taps, int radius) {
  switch (radius) {
    case 2:
      return filter_column_of<2>(rows, before, out, difference, n, taps);
    case 3:
      return filter_column_of<3>(rows, before, out, difference, n, taps);
    case 4:
      return filter_column_of<4>(rows, before, out, difference, n, taps);
    case 5:
      return filter_column_of<5>(rows, before, out, difference, n, taps);
    case 6:
      return filter_column_of<6>(rows, before, out, difference, n, taps);
    case 7:
      return filter_column_of<7>(rows, before, out, difference, n, taps);
    default:
      return filter_column_of<kMostRadius>(rows, before, out, difference, n, taps);
  }
}

EGIDE_CLONES void scale_bytes(const std::uint8_t* in, std::size_t n, float* __restrict out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<float>(in[i]) * (1 / 255.0F);
}

}  // namespace egide::local::hot

namespace egide::local {

namespace {

using hot::kMostRadius;

constexpr float kSigmaOfPlane = 0.5F;  // blur that a reduced picture has already
constexpr int kLeastOctave = 20;       // shorter side of the smallest octave but the first

// Beyond its ends a line goes on as its own mirror image.
int folded(int i, int n) {
  while (i < 0 || i >= n) i = i < 0 ? -i - 1 : 2 * n - 1 - i;
  return i;
}

class Gaussian {
 public:
  explicit Gaussian(float sigma)
      : radius_(std::clamp(static_cast<int>(std::ceil(2.7F * sigma)), 2, kMostRadius)) {
    float sum = 0;
    for (int k = 0; k <= radius_; ++k) {
      taps_[k] = std::exp(-0.5F * static_cast<float>(k * k) / (sigma * sigma));
      sum += k == 0 ? taps_[k] : 2 * taps_[k];
    }
    for (float& tap : taps_) tap /= sum;
  }

  // `difference` is out - in.
  void blur(const Plane& in, Plane& out, Plane& difference, Plane& scratch) const {
    const int width = in.width, height = in.height;
    scratch.resize(width, height);
    out.resize(width, height);
    difference.resize(width, height);
    std::vector<float> line;
    std::vector<const float*> rows;
    for (int y = -radius_; y < height + radius_; ++y) {
      rows.push_back(scratch.row(folded(y, height)));
    }
    for (int y = 0, ready = 0; y < height; ++y) {
      // Filtered across just before it is needed, a row is still in the cache.
      for (; ready < std::min(height, y + radius_ + 1); ++ready) {
        filter_row(in.row(ready), width, scratch.row(ready), line);
      }
      hot::filter_column(rows.data() + radius_ + y, in.row(y), out.row(y), difference.row(y), width,
                         taps_, radius_);
    }
  }

 private:
  void filter_row(const float* in, int n, float* out, std::vector<float>& line) const {
    line.resize(static_cast<std::size_t>(n + 2 * radius_));
    float* middle = line.data() + radius_;
    std::copy_n(in, n, middle);
    for (int k = 0; k < radius_; ++k) {
      middle[-1 - k] = in[folded(-1 - k, n)];
      middle[n + k] = in[folded(n + k, n)];
    }
    hot::filter_row(middle, out, n, taps_, radius_);
  }

  int radius_;
  float taps_[kMostRadius + 1] = {};
};

// The blur that turns one level into the next is the same in every octave.
const Gaussian& gaussian_before(int level) {
  static const std::vector<Gaussian> all = [] {
    std::vector<Gaussian> made;
    float before = kSigmaOfPlane;
    for (int k = 0; k < kScales + 3; ++k) {
      const float sigma = sigma_of(static_cast<float>(k));
      made.emplace_back(std::sqrt(sigma * sigma - before * before));
      before = sigma;
    }
    return made;
  }();
  return all[static_cast<std::size_t>(level)];
}

void halve(const Plane& in, Plane& out) {
  out.resize(in.width / 2, in.height / 2);
  for (int y = 0; y < out.height; ++y) {
    const float* from = in.row(2 * y);
    float* to = out.row(y);
    for (int x = 0; x < out.width; ++x) to[x] = from[2 * x];
  }
}

}  // namespace

void Plane::resize(int new_width, int new_height) {
  width = new_width;
  height = new_height;
  const auto area = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  if (values.size() < area) values.resize(area);
}

float sigma_of(float level) { return kLeastSigma * std::exp2(level / kScales); }

int build_octaves(const Grey& grey, std::vector<Octave>& octaves) {
  static thread_local Plane base, scratch;
  base.resize(grey.width, grey.height);
  hot::scale_bytes(grey.pixels.data(), grey.pixels.size(), base.values.data());
  for (std::size_t count = 0;; ++count) {
    if (octaves.size() == count) octaves.emplace_back();
    Octave& octave = octaves[count];
    if (count == 0) {
      // The difference to the picture itself is of no use and is written over.
      gaussian_before(0).blur(base, octave.levels[0], octave.differences[0], scratch);
    } else {
      halve(octaves[count - 1].levels[kScales], octave.levels[0]);
    }
    for (int k = 1; k < kScales + 3; ++k) {
      const auto level = static_cast<std::size_t>(k);
      gaussian_before(k).blur(octave.levels[level - 1], octave.levels[level],
                              octave.differences[level - 1], scratch);
    }
    if (std::min(octave.levels[0].width, octave.levels[0].height) / 2 < kLeastOctave) {
      return static_cast<int>(count) + 1;
    }
  }
}

}  // namespace egide::local
