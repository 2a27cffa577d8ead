#include "pdq.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "clones.hpp"

// The loops that take the time are outside any unnamed namespace, because the compiler makes
// several versions of each. None may change the order of floating-point operations: bits of terms
// near the median depend on the last place of the reference's running sums.
namespace egide::hot {

constexpr std::size_t kLanes = 16;  // lines filtered side by side
using Lanes = float __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));
using Four = float __attribute__((vector_size(4 * sizeof(float))));

inline const Lanes* lanes_at(const float* first) { return reinterpret_cast<const Lanes*>(first); }

EGIDE_CLONES void luma_of_grey(const std::uint8_t* in, std::ptrdiff_t stride, std::size_t n,
                               float* out) {
  if (stride == 1) {
    for (std::size_t c = 0; c < n; ++c) out[c] = static_cast<float>(in[c]);
  } else {
    for (std::size_t c = 0; c < n; ++c, in += stride) out[c] = static_cast<float>(*in);
  }
}

EGIDE_CLONES void luma_of_rgb(const std::uint8_t* in, std::ptrdiff_t stride, std::size_t n,
                              float* out) {
  for (std::size_t c = 0; c < n; ++c, in += stride) {
    out[c] = static_cast<float>(in[0] * 0.299 + in[1] * 0.587 + in[2] * 0.114);
  }
}

// The running means of one row of bytes. Their sums are exact in any order, so no order is kept.
// `sums` has room for n + 1 numbers.
EGIDE_CLONES void means_of_bytes(const std::uint8_t* in, std::ptrdiff_t stride, std::size_t n,
                                 std::size_t ahead, std::size_t behind, std::uint32_t* sums,
                                 float* out) {
  sums[0] = 0;
  std::uint32_t sum = 0;
  for (std::size_t c = 0; c < n; ++c, in += stride) sums[c + 1] = sum += *in;
  const auto mean_at = [=](std::size_t c) {
    const std::size_t first = c > behind ? c - behind : 0, end = std::min(c + ahead + 1, n);
    return static_cast<float>(sums[end] - sums[first]) / static_cast<float>(end - first);
  };
  const std::size_t width = ahead + behind + 1, whole_end = n - ahead;
  for (std::size_t c = 0; c < behind; ++c) out[c] = mean_at(c);
  for (std::size_t c = behind; c < whole_end; ++c) {
    const auto whole = static_cast<std::int32_t>(sums[c + ahead + 1] - sums[c - behind]);
    out[c] = static_cast<float>(whole) / static_cast<float>(width);
  }
  for (std::size_t c = whole_end; c < n; ++c) out[c] = mean_at(c);
}

// Turns a matrix over, in tiles that stay in registers.
EGIDE_CLONES void transpose(const float* in, std::size_t rows, std::size_t cols,
                            std::size_t in_stride, float* out, std::size_t out_stride) {
  const std::size_t whole_rows = rows - rows % 4, whole_cols = cols - cols % 4;
  const auto turn_tile = [=](std::size_t r, std::size_t c) {
    Four in_rows[4], pairs[4], out_rows[4];
    for (std::size_t i = 0; i < 4; ++i) std::memcpy(&in_rows[i], in + (r + i) * in_stride + c, 16);
    pairs[0] = __builtin_shufflevector(in_rows[0], in_rows[1], 0, 4, 1, 5);
    pairs[1] = __builtin_shufflevector(in_rows[0], in_rows[1], 2, 6, 3, 7);
    pairs[2] = __builtin_shufflevector(in_rows[2], in_rows[3], 0, 4, 1, 5);
    pairs[3] = __builtin_shufflevector(in_rows[2], in_rows[3], 2, 6, 3, 7);
    out_rows[0] = __builtin_shufflevector(pairs[0], pairs[2], 0, 1, 4, 5);
    out_rows[1] = __builtin_shufflevector(pairs[0], pairs[2], 2, 3, 6, 7);
    out_rows[2] = __builtin_shufflevector(pairs[1], pairs[3], 0, 1, 4, 5);
    out_rows[3] = __builtin_shufflevector(pairs[1], pairs[3], 2, 3, 6, 7);
    for (std::size_t i = 0; i < 4; ++i) {
      std::memcpy(out + (c + i) * out_stride + r, &out_rows[i], 16);
    }
  };
  if (rows > cols) {
    for (std::size_t r = 0; r < whole_rows; r += 4) {
      for (std::size_t c = 0; c < whole_cols; c += 4) turn_tile(r, c);
    }
  } else {
    for (std::size_t c = 0; c < whole_cols; c += 4) {
      for (std::size_t r = 0; r < whole_rows; r += 4) turn_tile(r, c);
    }
  }
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = r < whole_rows ? whole_cols : 0; c < cols; ++c) {
      out[c * out_stride + r] = in[r * in_stride + c];
    }
  }
}

// Running means of kLanes lines at the positions wanted (ascending). Element c of line l is
// in[c * stride + l].
EGIDE_CLONES void means(const float* in, std::size_t stride, std::size_t n, std::size_t ahead,
                        std::size_t behind, const std::size_t* wanted, std::size_t n_wanted,
                        float* out, std::size_t out_stride) {
  Lanes sum = {};
  for (std::size_t c = 0; c < ahead; ++c) sum += *lanes_at(in + c * stride);
  std::size_t next = 0;
  for (std::size_t k = 0; k < n_wanted; ++k) {
    const std::size_t at = wanted[k];
    for (; next <= at; ++next) {
      if (next + ahead < n) sum += *lanes_at(in + (next + ahead) * stride);
      if (next > behind) sum -= *lanes_at(in + (next - behind - 1) * stride);
    }
    const std::size_t first = at > behind ? at - behind : 0;
    const auto count = static_cast<float>(std::min(at + ahead + 1, n) - first);
    *reinterpret_cast<Lanes*>(out + k * out_stride) = sum / count;
  }
}

// One step of the same down the columns of a picture. A row that does not exist is null.
EGIDE_CLONES void step(const float* entering, const float* leaving, float count, std::size_t n,
                       float* sum, float* mean) {
  if (entering != nullptr && leaving != nullptr) {
    for (std::size_t c = 0; c < n; ++c) {
      sum[c] = (sum[c] + entering[c]) - leaving[c];
      mean[c] = sum[c] / count;
    }
  } else if (entering != nullptr) {
    for (std::size_t c = 0; c < n; ++c) {
      sum[c] += entering[c];
      mean[c] = sum[c] / count;
    }
  } else {
    for (std::size_t c = 0; c < n; ++c) {
      sum[c] -= leaving[c];
      mean[c] = sum[c] / count;
    }
  }
}

EGIDE_CLONES void add(const float* in, std::size_t n, float* sum) {
  for (std::size_t c = 0; c < n; ++c) sum[c] += in[c];
}

EGIDE_CLONES void add_scaled(const float* in, std::size_t n, float weight, float* sum) {
  for (std::size_t c = 0; c < n; ++c) sum[c] += weight * in[c];
}

// Multiplies rows of 64 values by a matrix of 64 by kLanes, adding in ascending order.
EGIDE_CLONES void project(const float* in, std::size_t rows, const float* matrix, float* out) {
  for (std::size_t r = 0; r < rows; ++r, in += 64) {
    Lanes sum = {};
    for (std::size_t k = 0; k < 64; ++k) sum += in[k] * *lanes_at(matrix + k * kLanes);
    *reinterpret_cast<Lanes*>(out + r * kLanes) = sum;
  }
}

}  // namespace egide::hot

namespace egide {

namespace {

constexpr std::size_t kGrid = 64;         // side of the down-sampled picture
constexpr std::size_t kTerms = 16;        // side of the square of DCT terms that is kept
constexpr std::size_t kSmallestSide = 5;  // the reference hashes nothing smaller
using hot::kLanes;
static_assert(kTerms == kLanes, "a row of the spectrum is one vector");
using Grid = std::array<std::array<float, kGrid>, kGrid>;
using Spectrum = std::array<std::array<float, kTerms>, kTerms>;
using Positions = std::array<std::size_t, kGrid>;

// The reference's box filter: the mean over [at - behind, at + ahead], cut at the line's ends.
struct Box {
  std::size_t length, ahead, behind;

  explicit Box(std::size_t n) : length(n) {
    const std::size_t width = (n + 2 * kGrid - 1) / (2 * kGrid);
    ahead = width / 2;
    behind = width - ahead - 1;
  }
  std::size_t first(std::size_t at) const { return at > behind ? at - behind : 0; }
  std::size_t end(std::size_t at) const { return std::min(at + ahead + 1, length); }
};

Positions sample_positions(std::size_t n) {
  Positions at{};
  for (std::size_t i = 0; i < kGrid; ++i) {
    at[i] = static_cast<std::size_t>((static_cast<double>(i) + 0.5) * static_cast<double>(n) /
                                     static_cast<double>(kGrid));
  }
  return at;
}

// Rows an even number of cache lines apart would push each other out of the cache.
std::size_t row_stride(std::size_t cols) { return kLanes * ((cols / kLanes + 1) | 1U); }

// The first pass of the filter, along kLanes rows of a grey picture.
class GreyRows {
 public:
  explicit GreyRows(const Pixels& plane) : plane_(plane), box_(plane.cols), sums_(plane.cols + 1) {}

  void read(std::size_t r, float* out) const {
    hot::luma_of_grey(plane_.row(r), plane_.col_stride, plane_.cols, out);
  }

  void filter(std::size_t first, std::size_t rows, float* out) {
    for (std::size_t r = 0; r < rows; ++r, out += row_stride(plane_.cols)) {
      hot::means_of_bytes(plane_.row(first + r), plane_.col_stride, plane_.cols, box_.ahead,
                          box_.behind, sums_.data(), out);
    }
  }

 private:
  const Pixels plane_;
  const Box box_;
  std::vector<std::uint32_t> sums_;
};

// The same of a colour picture, where luma is no whole number and the order of additions matters.
class ColourRows {
 public:
  explicit ColourRows(const Pixels& image)
      : image_(image), box_(image.cols), wanted_(image.cols),
        luma_(kLanes * row_stride(image.cols)), turned_(kLanes * image.cols),
        means_(kLanes * image.cols) {
    std::iota(wanted_.begin(), wanted_.end(), std::size_t{0});
  }

  void read(std::size_t r, float* out) const {
    hot::luma_of_rgb(image_.row(r), image_.col_stride, image_.cols, out);
  }

  void filter(std::size_t first, std::size_t rows, float* out) {
    const std::size_t cols = image_.cols, stride = row_stride(cols);
    for (std::size_t r = 0; r < rows; ++r) read(first + r, luma_.data() + r * stride);
    hot::transpose(luma_.data(), kLanes, cols, stride, turned_.data(), kLanes);
    hot::means(turned_.data(), kLanes, cols, box_.ahead, box_.behind, wanted_.data(), cols,
               means_.data(), kLanes);
    hot::transpose(means_.data(), cols, kLanes, kLanes, out, stride);
  }

 private:
  const Pixels image_;
  const Box box_;
  std::vector<std::size_t> wanted_;
  std::vector<float> luma_, turned_, means_;
};

// The reference's two passes of box filters and its sampling, with the same operations on the same
// values in the same order, but only where a sample depends on them, and kLanes rows at a time.
template <class Rows>
Grid exact_grid(std::size_t rows, std::size_t cols, Rows& first_pass) {
  const Box down(rows), across(cols);
  const Positions wanted_rows = sample_positions(rows), wanted_cols = sample_positions(cols);
  const std::size_t stride = row_stride(cols);
  // The second pass, down the columns, needs as many rows of the first as its window is high.
  const std::size_t blocks = (down.ahead + down.behind) / kLanes + 3;
  std::vector<float> ring(blocks * kLanes * stride), sum(cols, 0.0F), means(kLanes * stride),
      turned(kLanes * cols), picked(kLanes * kGrid), narrow((rows + kLanes) * kGrid);
  const auto row_of = [&](std::size_t r) {
    return ring.data() + r % (blocks * kLanes) * stride;
  };
  std::size_t ready = 0;
  const auto row_when_ready = [&](std::size_t r) {
    for (; ready <= r; ready += kLanes) {
      first_pass.filter(ready, std::min(kLanes, rows - ready), row_of(ready));
    }
    return row_of(r);
  };
  for (std::size_t r = 0; r < down.ahead; ++r) hot::add(row_when_ready(r), cols, sum.data());
  for (std::size_t r = 0; r < rows; ++r) {
    hot::step(r + down.ahead < rows ? row_when_ready(r + down.ahead) : nullptr,
              r > down.behind ? row_of(r - down.behind - 1) : nullptr,
              static_cast<float>(down.end(r) - down.first(r)), cols, sum.data(),
              means.data() + r % kLanes * stride);
    if (r % kLanes == kLanes - 1 || r == rows - 1) {
      hot::transpose(means.data(), kLanes, cols, stride, turned.data(), kLanes);
      hot::means(turned.data(), kLanes, cols, across.ahead, across.behind, wanted_cols.data(),
                 kGrid, picked.data(), kLanes);
      hot::transpose(picked.data(), kGrid, kLanes, kLanes,
                     narrow.data() + (r - r % kLanes) * kGrid, kGrid);
    }
  }
  Grid grid;
  for (std::size_t c = 0; c < kGrid; c += kLanes) {
    hot::means(narrow.data() + c, kGrid, rows, down.ahead, down.behind, wanted_rows.data(), kGrid,
               grid[0].data() + c, kGrid);
  }
  return grid;
}

int quality_of(const Grid& grid) {
  int gradients = 0;
  const auto add = [&](float u, float v) {
    gradients += std::abs(static_cast<int>(((u - v) * 100) / 255));
  };
  for (std::size_t i = 0; i + 1 < kGrid; ++i) {
    for (std::size_t j = 0; j < kGrid; ++j) {
      add(grid[i][j], grid[i + 1][j]);
      add(grid[j][i], grid[j][i + 1]);
    }
  }
  return std::min(gradients / 90, 100);
}

// Row k holds the k-th value of each of the kTerms cosines.
using Basis = std::array<std::array<float, kTerms>, kGrid>;

Basis cosines() {
  constexpr double kPi = 3.14159265358979323846;
  const float scale = static_cast<float>(std::sqrt(2.0 / 64.0));
  Basis basis;
  for (std::size_t i = 0; i < kTerms; ++i) {
    for (std::size_t k = 0; k < kGrid; ++k) {
      const auto phase = static_cast<double>((i + 1) * (2 * k + 1));
      basis[k][i] = static_cast<float>(scale * std::cos((kPi / 2.0 / 64.0) * phase));
    }
  }
  return basis;
}

Spectrum dct(const Grid& grid) {
  static const Basis basis = cosines();
  Grid turned;
  Spectrum out;
  std::array<std::array<float, kTerms>, kGrid> half;  // turned over: a row for each column
  hot::transpose(grid[0].data(), kGrid, kGrid, kGrid, turned[0].data(), kGrid);
  hot::project(turned[0].data(), kGrid, basis[0].data(), half[0].data());
  std::array<std::array<float, kGrid>, kTerms> columns;
  hot::transpose(half[0].data(), kGrid, kTerms, kTerms, columns[0].data(), kGrid);
  hot::project(columns[0].data(), kTerms, basis[0].data(), out[0].data());
  return out;
}

// Bit k of the hash, counted from the right end of its hexadecimal form, is set when term k is
// above the lower median.
void threshold(const Spectrum& spectrum, std::uint8_t* hash) {
  std::array<float, kTerms * kTerms> terms;
  for (std::size_t k = 0; k < terms.size(); ++k) terms[k] = spectrum[k / kTerms][k % kTerms];
  auto sorted = terms;
  const auto middle = sorted.begin() + sorted.size() / 2 - 1;
  std::nth_element(sorted.begin(), middle, sorted.end());
  for (std::size_t k = 0; k < terms.size(); ++k) {
    if (terms[k] > *middle) hash[31 - k / 8] |= static_cast<std::uint8_t>(1U << (k % 8));
  }
}

// What each sample along one side of the full picture takes from each sample of the reduced one.
struct Weights {
  std::size_t first;
  std::vector<float> of;
};

// The reduced decode is read as means over blocks of equal size, as JPEG's scaled inverse DCT
// gives them; a picture whose side is no multiple of the scale ends in a cut block.
double block_size(std::size_t full, std::size_t reduced) {
  for (const std::size_t scale : {1, 2, 4, 8, 16}) {
    if ((full + scale - 1) / scale == reduced) return static_cast<double>(scale);
  }
  return static_cast<double>(full) / static_cast<double>(reduced);
}

// `mirrored` gives the samples of the mirrored picture, in the order of the picture as it is: the
// reference's windows and positions lean to one side, so they are not the same samples.
std::array<Weights, kGrid> weights_of(std::size_t full, std::size_t reduced, bool mirrored) {
  const Box box(full);
  const Positions wanted = sample_positions(full);
  const double blocks_per_pixel = 1.0 / block_size(full, reduced);
  const auto block_of = [&](std::size_t at) {
    return std::min(static_cast<std::size_t>(static_cast<double>(at) * blocks_per_pixel),
                    reduced - 1);
  };
  std::array<Weights, kGrid> out;
  std::vector<double> change, weights;
  for (std::size_t i = 0; i < kGrid; ++i) {
    const std::size_t sample = wanted[mirrored ? kGrid - 1 - i : i];
    const std::size_t second_first = box.first(sample), second_end = box.end(sample);
    const std::size_t first = box.first(second_first), end = box.end(second_end - 1);
    change.assign(end - first + 1, 0.0);
    for (std::size_t q = second_first; q < second_end; ++q) {
      const auto area =
          static_cast<double>((second_end - second_first) * (box.end(q) - box.first(q)));
      change[box.first(q) - first] += 1.0 / area;
      change[box.end(q) - first] -= 1.0 / area;
    }
    const std::size_t lowest = block_of(mirrored ? full - end : first);
    const std::size_t highest = block_of(mirrored ? full - 1 - first : end - 1);
    const std::size_t low = lowest > 0 ? lowest - 1 : 0, high = std::min(highest + 1, reduced - 1);
    weights.assign(high - low + 1, 0.0);
    double weight = 0.0, sum = 0.0, moment = 0.0;
    std::size_t block = mirrored ? highest : lowest;
    const auto close_block = [&] {
      // Within a block, luma is taken to rise as steadily as between its neighbours.
      weights[block - low] += sum;
      weights[std::min(block + 1, reduced - 1) - low] += moment / 2;
      weights[(block > 0 ? block - 1 : 0) - low] -= moment / 2;
      sum = moment = 0.0;
    };
    for (std::size_t k = first; k < end; ++k) {
      const std::size_t at = mirrored ? full - 1 - k : k;
      if (block_of(at) != block) close_block();
      block = block_of(at);
      weight += change[k - first];
      sum += weight;
      moment += weight * ((static_cast<double>(at) + 0.5) * blocks_per_pixel -
                          static_cast<double>(block) - 0.5);
    }
    close_block();
    out[i].first = low;
    out[i].of.assign(weights.begin(), weights.end());
  }
  return out;
}

// Indexed by whether the rows, and then the columns, are those of the mirrored picture.
using Grids = std::array<std::array<Grid, 2>, 2>;

// The samples as weighted sums: not the reference's to the last place, but of any size.
template <class Rows>
Grids weighted_grids(std::size_t rows, std::size_t cols, std::size_t full_rows,
                     std::size_t full_cols, const Rows& luma) {
  std::vector<float> row(cols), turned(cols * kGrid);
  std::array<std::vector<float>, 2> wide;
  std::array<std::array<Weights, kGrid>, 2> down, across;
  for (const bool mirrored : {false, true}) {
    down[mirrored] = weights_of(full_rows, rows, mirrored);
    across[mirrored] = weights_of(full_cols, cols, mirrored);
    wide[mirrored].assign(kGrid * cols, 0.0F);
  }
  std::array<std::size_t, 2> passed{};
  for (std::size_t r = 0; r < rows; ++r) {
    luma.read(r, row.data());
    for (const bool mirrored : {false, true}) {
      const auto& weights = down[mirrored];
      std::size_t& i = passed[mirrored];
      while (i < kGrid && weights[i].first + weights[i].of.size() <= r) ++i;
      for (std::size_t k = i; k < kGrid && weights[k].first <= r; ++k) {
        hot::add_scaled(row.data(), cols, weights[k].of[r - weights[k].first],
                        wide[mirrored].data() + k * cols);
      }
    }
  }
  Grids grids{};
  for (const bool rows_mirrored : {false, true}) {
    hot::transpose(wide[rows_mirrored].data(), kGrid, cols, cols, turned.data(), kGrid);
    for (const bool cols_mirrored : {false, true}) {
      Grid across_first{};
      for (std::size_t j = 0; j < kGrid; ++j) {
        const Weights& weights = across[cols_mirrored][j];
        for (std::size_t k = 0; k < weights.of.size(); ++k) {
          hot::add_scaled(turned.data() + (weights.first + k) * kGrid, kGrid, weights.of[k],
                          across_first[j].data());
        }
      }
      hot::transpose(across_first[0].data(), kGrid, kGrid, kGrid,
                     grids[rows_mirrored][cols_mirrored][0].data(), kGrid);
    }
  }
  return grids;
}

// An edit of the picture turns its spectrum over, or changes the sign of its odd frequencies
// (which have even indices here, as the zero frequency is left out), or both.
struct Edit {
  bool transposed, negate_rows, negate_cols;
};
constexpr std::array<Edit, 8> kEdits = {{{false, false, false},   // none
                                         {true, true, false},     // rotate90
                                         {false, true, true},     // rotate180
                                         {true, false, true},     // rotate270
                                         {false, false, true},    // mirror
                                         {false, true, false},    // flip
                                         {true, false, false},    // transpose
                                         {true, true, true}}};    // transverse

Pdq hash(const Grids& grids) {
  Pdq out;
  out.quality = quality_of(grids[0][0]);
  std::array<std::array<Spectrum, 2>, 2> spectra;
  for (std::size_t r = 0; r < 2; ++r) {
    for (std::size_t c = 0; c < 2; ++c) spectra[r][c] = dct(grids[r][c]);
  }
  for (std::size_t e = 0; e < kEdits.size(); ++e) {
    const auto [transposed, negate_rows, negate_cols] = kEdits[e];
    const Spectrum& spectrum =
        transposed ? spectra[negate_cols][negate_rows] : spectra[negate_rows][negate_cols];
    Spectrum edited;
    for (std::size_t i = 0; i < kTerms; ++i) {
      for (std::size_t j = 0; j < kTerms; ++j) {
        const float term = transposed ? spectrum[j][i] : spectrum[i][j];
        const bool negate = (negate_rows && i % 2 == 0) != (negate_cols && j % 2 == 0);
        edited[i][j] = negate ? -term : term;
      }
    }
    threshold(edited, out.hashes[e]);
  }
  return out;
}

template <class Rows>
Pdq hash_exactly(const Pixels& picture) {
  if (picture.rows < kSmallestSide || picture.cols < kSmallestSide) return {};
  Rows rows(picture);
  Grids grids = weighted_grids(picture.rows, picture.cols, picture.rows, picture.cols, rows);
  grids[0][0] = exact_grid(picture.rows, picture.cols, rows);
  return hash(grids);
}

}  // namespace

Pdq pdq_of_luma(const Pixels& plane) { return hash_exactly<GreyRows>(plane); }

Pdq pdq_of_rgb(const Pixels& image) { return hash_exactly<ColourRows>(image); }

Pdq pdq_of_reduced(const Pixels& plane, std::size_t full_rows, std::size_t full_cols) {
  if (full_rows < kSmallestSide || full_cols < kSmallestSide) return {};
  const GreyRows rows(plane);
  return hash(weighted_grids(plane.rows, plane.cols, full_rows, full_cols, rows));
}

}  // namespace egide
