#include "local_reduce.hpp"

#include <algorithm>
#include <cmath>

#include "clones.hpp"

namespace egide::local::hot {

EGIDE_CLONES void add_weighted(const std::uint8_t* in, std::ptrdiff_t stride, std::size_t n,
                               float weight, float* __restrict sum) {
  if (stride == 1) {
    for (std::size_t x = 0; x < n; ++x) sum[x] += weight * static_cast<float>(in[x]);
  } else {
    for (std::size_t x = 0; x < n; ++x, in += stride) sum[x] += weight * static_cast<float>(*in);
  }
}

// Sample x of `out` is the sum of the samples of `in` from at[x] on, times the `taps` weights that
// lie n apart from weights[x] on.
EGIDE_CLONES void resample(const float* in, const std::int32_t* at, const float* weights,
                           std::size_t taps, std::size_t n, float* __restrict sums,
                           std::uint8_t* __restrict out) {
  for (std::size_t x = 0; x < n; ++x) sums[x] = 0.5F;
  for (std::size_t k = 0; k < taps; ++k) {
    const float* weight = weights + k * n;
    for (std::size_t x = 0; x < n; ++x) sums[x] += weight[x] * in[at[x] + static_cast<int>(k)];
  }
  for (std::size_t x = 0; x < n; ++x) {
    out[x] = static_cast<std::uint8_t>(std::min(std::max(sums[x], 0.0F), 255.0F));
  }
}

}  // namespace egide::local::hot

namespace egide::local {

namespace {

constexpr double kLongerSide = 640;
constexpr double kMostEnlarged = 2;
constexpr int kLeastSide = 16;

// What each of the `wanted` samples of a reduced line is made of: weight k of sample x, which
// weights[k * wanted + x] is, times sample at[x] + k of the line. The weights of a sample add up to
// 1; those past the end of the line are 0.
struct Resampling {
  std::size_t taps;
  std::vector<std::int32_t> at;
  std::vector<float> weights;

  Resampling(std::size_t n, std::size_t wanted) : at(wanted) {
    const double step = static_cast<double>(n) / static_cast<double>(wanted);
    taps = step > 1 ? static_cast<std::size_t>(std::ceil(step)) + 1 : 2;
    weights.resize(taps * wanted);
    for (std::size_t x = 0; x < wanted; ++x) {
      const double from = static_cast<double>(x) * step;
      if (step > 1) {
        add_mean(x, from, std::min(from + step, static_cast<double>(n)));
      } else {
        add_between(x, std::clamp(from + 0.5 * step - 0.5, 0.0, static_cast<double>(n - 1)));
      }
    }
  }

 private:
  void set(std::size_t x, std::size_t k, double weight) {
    weights[k * at.size() + x] = static_cast<float>(weight);
  }

  void add_mean(std::size_t x, double from, double to) {
    const double first = std::floor(from + 1e-9);  // a hair's breadth is rounding
    at[x] = static_cast<std::int32_t>(first);
    for (std::size_t k = 0; k < taps; ++k) {
      const double left = first + static_cast<double>(k);
      const double shared = std::min(to, left + 1) - std::max(from, left);
      set(x, k, std::max(0.0, shared) / (to - from));
    }
  }

  void add_between(std::size_t x, double place) {
    at[x] = static_cast<std::int32_t>(place);
    set(x, 0, 1 - (place - std::floor(place)));
    set(x, 1, place - std::floor(place));
  }
};

}  // namespace

Size reduced_size(std::size_t width, std::size_t height, bool enlarge) {
  const auto longer = static_cast<double>(std::max(width, height));
  const double scale = std::min(enlarge ? kMostEnlarged : 1.0, kLongerSide / longer);
  const auto side = [=](std::size_t n) {
    return std::max(kLeastSide, static_cast<int>(std::lround(static_cast<double>(n) * scale)));
  };
  return {side(width), side(height)};
}

Grey reduce(const Pixels& plane, bool enlarge) {
  const Size size = reduced_size(plane.cols, plane.rows, enlarge);
  const auto cols = static_cast<std::size_t>(size.width);
  const auto rows = static_cast<std::size_t>(size.height);
  Grey out{size.width, size.height, std::vector<std::uint8_t>(rows * cols)};
  const Resampling across(plane.cols, cols), down(plane.rows, rows);
  std::vector<float> line(plane.cols + across.taps), sums(cols);
  for (std::size_t y = 0; y < rows; ++y) {
    std::fill(line.begin(), line.end(), 0.0F);
    for (std::size_t k = 0; k < down.taps; ++k) {
      const float weight = down.weights[k * rows + y];
      if (weight == 0) continue;
      hot::add_weighted(plane.row(static_cast<std::size_t>(down.at[y]) + k), plane.col_stride,
                        plane.cols, weight, line.data());
    }
    hot::resample(line.data(), across.at.data(), across.weights.data(), across.taps, cols,
                  sums.data(), out.pixels.data() + y * cols);
  }
  return out;
}

}  // namespace egide::local
