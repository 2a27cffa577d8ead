#include "local_describe.hpp"

#include <algorithm>
#include <cmath>

#include "clones.hpp"

namespace egide::local::hot {

constexpr float kPi = 3.14159265F;
constexpr int kSide = 16;        // gradients of a described patch, a side
constexpr int kWindowSide = 10;  // and of the one that the direction is taken from

// Bilinear samples at (xs, ys); places outside count as the nearest one inside.
EGIDE_CLONES void sample(const float* plane, int width, int height, const float* xs,
                         const float* ys, int n, float* __restrict out) {
  const float right = static_cast<float>(width) - 1.001F;
  const float bottom = static_cast<float>(height) - 1.001F;
  for (int k = 0; k < n; ++k) {
    const float x = std::min(std::max(xs[k], 0.0F), right);
    const float y = std::min(std::max(ys[k], 0.0F), bottom);
    const int i = static_cast<int>(x), j = static_cast<int>(y);
    const float a = x - static_cast<float>(i), b = y - static_cast<float>(j);
    const float* at = plane + j * width + i;
    out[k] =
        (1 - b) * ((1 - a) * at[0] + a * at[1]) + b * ((1 - a) * at[width] + a * at[width + 1]);
  }
}

// Of a patch of side + 2 values a side.
EGIDE_CLONES void gradients(const float* patch, int side, float* __restrict across,
                            float* __restrict down, float* __restrict length) {
  const int padded = side + 2;
  for (int j = 0; j < side; ++j) {
    const float* row = patch + (j + 1) * padded + 1;
    for (int i = 0; i < side; ++i) {
      const float x = row[i + 1] - row[i - 1], y = row[i + padded] - row[i - padded];
      across[j * side + i] = x;
      down[j * side + i] = y;
      length[j * side + i] = std::sqrt(x * x + y * y);
    }
  }
}

// Directions in turns, 0..1; the arc tangent by a polynomial that is good to 0.0002 radians.
EGIDE_CLONES void directions(const float* across, const float* down, int area,
                             float* __restrict turns) {
  for (int n = 0; n < area; ++n) {
    const float x = std::fabs(across[n]), y = std::fabs(down[n]);
    const float q = std::min(x, y) / (std::max(x, y) + 1e-20F), s = q * q;
    const float high = -0.11643287F + s * (0.05265332F - s * 0.01172120F);
    float t = q * (0.99997726F + s * (-0.33262347F + s * (0.19354346F + s * high)));
    t = y > x ? 0.5F * kPi - t : t;
    t = across[n] < 0 ? kPi - t : t;
    t = down[n] < 0 ? 2 * kPi - t : t;
    turns[n] = t * (1 / (2 * kPi));
  }
}

// Adds the gradients up by cell and direction; weights[c][i] is what row or column i counts in the
// cells of row or column c.
EGIDE_CLONES void pool(const float* across, const float* down, const float* length,
                       const float (*weights)[kSide], float* __restrict out) {
  constexpr float kDiagonal = 0.70710678F, kGain = 1 / (1 - kDiagonal);
  constexpr float kCosines[8] = {1, kDiagonal, 0, -kDiagonal, -1, -kDiagonal, 0, kDiagonal};
  constexpr float kSines[8] = {0, kDiagonal, 1, kDiagonal, 0, -kDiagonal, -1, -kDiagonal};
  for (int k = 0; k < 8; ++k) {
    float rows[4][kSide] = {};
    for (int j = 0; j < kSide; ++j) {
      float share[kSide];  // of a gradient in direction k: none from the next direction on
      for (int i = 0; i < kSide; ++i) {
        const int n = j * kSide + i;
        const float along = across[n] * kCosines[k] + down[n] * kSines[k];
        share[i] = std::max(0.0F, (along - kDiagonal * length[n]) * kGain);
      }
      for (int c = 0; c < 4; ++c) {
        const float weight = weights[c][j];
        if (weight == 0) continue;
        for (int i = 0; i < kSide; ++i) rows[c][i] += weight * share[i];
      }
    }
    for (int c = 0; c < 4; ++c) {
      for (int e = 0; e < 4; ++e) {
        float sum = 0;
        for (int i = 0; i < kSide; ++i) sum += rows[c][i] * weights[e][i];
        out[(c * 4 + e) * 8 + k] = sum;
      }
    }
  }
}

// Caps what one gradient can say, and takes the square roots of the shares.
EGIDE_CLONES void normalise(float* numbers) {
  float norm = 1e-12F;
  for (int k = 0; k < kDimensions; ++k) norm += numbers[k] * numbers[k];
  const float cap = 0.2F * std::sqrt(norm);
  float sum = 1e-12F;
  for (int k = 0; k < kDimensions; ++k) {
    numbers[k] = std::min(numbers[k], cap);
    sum += numbers[k];
  }
  for (int k = 0; k < kDimensions; ++k) numbers[k] = std::sqrt(numbers[k] / sum);
}

}  // namespace egide::local::hot

namespace egide::local {

namespace {

using hot::kPi;
using hot::kSide;
using hot::kWindowSide;

constexpr float kStep = 0.75F;  // between the values of a patch, in sigmas

template <int Side>
struct Patch {
  static constexpr int kPadded = Side + 2, kPaddedArea = kPadded * kPadded;
  float across[Side * Side], down[Side * Side], length[Side * Side];  // the gradients

  // Values around the place, turned by `angle`.
  Patch(const Plane& level, const Place& place, float angle) {
    const float step = kStep * place.sigma;
    float xs[kPaddedArea], ys[kPaddedArea], values[kPaddedArea];
    const float c = std::cos(angle) * step, s = std::sin(angle) * step;
    for (int k = 0; k < kPaddedArea; ++k) {
      const float i = static_cast<float>(k % kPadded) - (kPadded - 1) / 2.0F;
      const float j = static_cast<float>(k / kPadded) - (kPadded - 1) / 2.0F;
      xs[k] = place.x + c * i - s * j;
      ys[k] = place.y + s * i + c * j;
    }
    hot::sample(level.values.data(), level.width, level.height, xs, ys, kPaddedArea, values);
    hot::gradients(values, Side, across, down, length);
  }
};

// Linear between the middles of cells, under a Gaussian window.
struct Cells {
  float weights[4][kSide];

  Cells() {
    for (int c = 0; c < 4; ++c) {
      for (int i = 0; i < kSide; ++i) {
        const float at = (static_cast<float>(i) + 0.5F) / kSide;  // 0..1
        const float apart = std::fabs(at * 4 - 0.5F - static_cast<float>(c));
        const float window = std::exp(-(at - 0.5F) * (at - 0.5F) / (2 * 0.5F * 0.5F));
        weights[c][i] = std::max(0.0F, 1 - apart) * window;
      }
    }
  }
};

// A Gaussian of 1.5 sigmas.
struct Window {
  static constexpr int kArea = kWindowSide * kWindowSide;
  float weights[kArea];

  Window() {
    constexpr float kMiddle = (kWindowSide - 1) / 2.0F;
    for (int n = 0; n < kArea; ++n) {
      const float x = (static_cast<float>(n % kWindowSide) - kMiddle) * kStep;
      const float y = (static_cast<float>(n / kWindowSide) - kMiddle) * kStep;
      weights[n] = std::exp(-(x * x + y * y) / (2 * 1.5F * 1.5F));
    }
  }
};

constexpr int kBins = 36;

class Histogram {
 public:
  void add(float turn, float weight) {
    const float at = turn * kBins;
    const int whole = static_cast<int>(at), bin = whole % kBins;
    const float rest = at - static_cast<float>(whole);
    bins_[bin] += (1 - rest) * weight;
    bins_[(bin + 1) % kBins] += rest * weight;
  }

  void smooth() {
    float last = bins_[kBins - 1];
    const float first = bins_[0];
    for (int b = 0; b < kBins; ++b) {
      const float now = bins_[b], next = b + 1 < kBins ? bins_[b + 1] : first;
      bins_[b] = 0.25F * last + 0.5F * now + 0.25F * next;
      last = now;
    }
  }

  // The highest peak, between bins, in bins; false in a flat histogram.
  bool peak(float& at) const {
    float highest = 0;
    for (int b = 0; b < kBins; ++b) {
      const float left = bins_[(b + kBins - 1) % kBins], right = bins_[(b + 1) % kBins];
      const float here = bins_[b];
      if (here <= left || here < right || here <= highest) continue;
      highest = here;
      at = static_cast<float>(b) +
           0.5F * (left - right) / std::min(-1e-12F, left - 2 * here + right);
    }
    return highest > 0;
  }

 private:
  float bins_[kBins] = {};
};

}  // namespace

bool main_direction(const Plane& level, const Place& place, float& angle) {
  static const Window window;
  const Patch<kWindowSide> patch(level, place, 0);
  float turns[Window::kArea];
  hot::directions(patch.across, patch.down, Window::kArea, turns);
  Histogram histogram;
  for (int n = 0; n < Window::kArea; ++n) {
    histogram.add(turns[n], patch.length[n] * window.weights[n]);
  }
  for (int pass = 0; pass < 3; ++pass) histogram.smooth();
  float bin = 0;
  if (!histogram.peak(bin)) return false;
  angle = bin * (2 * kPi / kBins);
  return true;
}

Descriptor describe(const Plane& level, const Place& place, float angle) {
  static const Cells cells;
  const Patch<kSide> patch(level, place, angle);
  Descriptor descriptor;
  hot::pool(patch.across, patch.down, patch.length, cells.weights, descriptor.data());
  hot::normalise(descriptor.data());
  return descriptor;
}

}  // namespace egide::local
