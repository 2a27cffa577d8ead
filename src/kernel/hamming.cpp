#include "hamming.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include "clones.hpp"

namespace egide::hot {

namespace {
inline std::uint64_t word_at(const std::uint8_t* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}
inline unsigned distance(const std::uint8_t* a, const std::uint8_t* b) {
  unsigned sum = 0;
  for (std::size_t w = 0; w < kHashBytes; w += 8) {
    sum += static_cast<unsigned>(__builtin_popcountll(word_at(a + w) ^ word_at(b + w)));
  }
  return sum;
}
}  // namespace

namespace {
__attribute__((always_inline)) inline void each_distance(const std::uint8_t* codes, std::size_t n,
                                                         const std::uint8_t* query,
                                                         std::uint16_t* out) {
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = static_cast<std::uint16_t>(distance(codes + i * kHashBytes, query));
  }
}

__attribute__((always_inline)) inline std::size_t each_hit(const std::uint8_t* codes,
                                                           const std::uint32_t* slots,
                                                           std::size_t n, const std::uint8_t* query,
                                                           unsigned radius, Hit* out) {
  constexpr std::size_t kAhead = 24;
  std::size_t found = 0;
  for (std::size_t i = 0; i < n; ++i) {
    __builtin_prefetch(codes + std::size_t{slots[std::min(i + kAhead, n - 1)]} * kHashBytes);
    const unsigned d = distance(codes + std::size_t{slots[i]} * kHashBytes, query);
    out[found] = {slots[i], d};
    found += d <= radius ? 1 : 0;
  }
  return found;
}
}  // namespace

// The compiler has no clone of its own for processors that count bits in vectors.
#ifdef EGIDE_HAS_VECTOR_POPCOUNT
EGIDE_VECTOR_POPCOUNT void distances_vector(const std::uint8_t* codes, std::size_t n,
                                            const std::uint8_t* query, std::uint16_t* out) {
  each_distance(codes, n, query, out);
}
EGIDE_VECTOR_POPCOUNT std::size_t hits_vector(const std::uint8_t* codes, const std::uint32_t* slots,
                                              std::size_t n, const std::uint8_t* query,
                                              unsigned radius, Hit* out) {
  return each_hit(codes, slots, n, query, radius, out);
}
bool vector_popcount() {
  return __builtin_cpu_supports("x86-64-v4") != 0 && __builtin_cpu_supports("avx512vpopcntdq") != 0;
}
#endif

EGIDE_CLONES void distances_plain(const std::uint8_t* codes, std::size_t n,
                                  const std::uint8_t* query, std::uint16_t* out) {
  each_distance(codes, n, query, out);
}
EGIDE_CLONES std::size_t hits_plain(const std::uint8_t* codes, const std::uint32_t* slots,
                                    std::size_t n, const std::uint8_t* query, unsigned radius,
                                    Hit* out) {
  return each_hit(codes, slots, n, query, radius, out);
}

// Writes the slots of the postings whose hint is near enough; the last may be written in vain.
EGIDE_CLONES std::size_t matching(const std::uint32_t* postings, std::size_t n, std::uint32_t hint,
                                  std::uint32_t slot_mask, int differing, std::uint32_t* slots) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < n; ++i) {
    slots[found] = postings[i] & slot_mask;
    found += __builtin_popcount((postings[i] ^ hint) & ~slot_mask) <= differing ? 1 : 0;
  }
  return found;
}

void distances(const std::uint8_t* codes, std::size_t n, const std::uint8_t* query,
               std::uint16_t* out) {
#ifdef EGIDE_HAS_VECTOR_POPCOUNT
  if (vector_popcount()) return distances_vector(codes, n, query, out);
#endif
  distances_plain(codes, n, query, out);
}

// Writes the hits among the candidates to `out`, which has room for one more than all of them.
std::size_t hits(const std::uint8_t* codes, const std::uint32_t* slots, std::size_t n,
                 const std::uint8_t* query, unsigned radius, Hit* out) {
#ifdef EGIDE_HAS_VECTOR_POPCOUNT
  if (vector_popcount()) return hits_vector(codes, slots, n, query, radius, out);
#endif
  return hits_plain(codes, slots, n, query, radius, out);
}

}  // namespace egide::hot

namespace egide {

namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "codes are read as little-endian words");

constexpr std::size_t kBits = 8 * kHashBytes;

// Costs in nanoseconds, measured; only their ratios matter.
constexpr double kScanCost = 2.0;     // to compare with the next code
constexpr double kBucketCost = 20.0;  // to find a bucket
constexpr double kPostingCost = 2.0;  // to read a posting
constexpr double kCodeCost = 20.0;    // to fetch and compare with a code anywhere

using Order = std::array<std::uint8_t, kBits>;  // bit k of a code is bit order[k] of the hash

constexpr Order bit_order() {
  Order order{};
  for (std::size_t k = 0; k < kBits; ++k) order[k] = static_cast<std::uint8_t>(k);
  std::uint32_t state = 20261122;
  for (std::size_t k = kBits - 1; k > 0; --k) {
    state = state * 1664525U + 1013904223U;
    const std::size_t other = (state >> 16) % (k + 1);
    const std::uint8_t kept = order[k];
    order[k] = order[other];
    order[other] = kept;
  }
  return order;
}

constexpr Order inverse(const Order& order) {
  Order out{};
  for (std::size_t k = 0; k < kBits; ++k) out[order[k]] = static_cast<std::uint8_t>(k);
  return out;
}

// What each value of each half byte of a hash contributes to the reordered one.
using Code = std::array<std::uint64_t, 4>;
using Table = std::array<std::array<Code, 16>, 2 * kHashBytes>;

constexpr Table table_of(const Order& order) {
  const Order target = inverse(order);
  Table table{};
  for (std::size_t from = 0; from < kBits; ++from) {
    for (std::size_t value = 0; value < 16; ++value) {
      const std::uint64_t bit = value >> (from % 4) & 1U;
      table[from / 4][value][target[from] / 64U] |= bit << (target[from] % 64U);
    }
  }
  return table;
}

constexpr Table kPermute = table_of(bit_order());
constexpr Table kUnpermute = table_of(inverse(bit_order()));

void reorder(const Table& table, const std::uint8_t* in, std::size_t n, std::uint8_t* out) {
  for (std::size_t i = 0; i < n; ++i, in += kHashBytes, out += kHashBytes) {
    Code code{};
    for (std::size_t b = 0; b < kHashBytes; ++b) {
      const Code& low = table[2 * b][in[b] & 15U];
      const Code& high = table[2 * b + 1][in[b] >> 4U];
      for (std::size_t w = 0; w < 4; ++w) code[w] |= low[w] | high[w];
    }
    std::memcpy(out, code.data(), kHashBytes);
  }
}

std::uint32_t bucket_of(const std::uint8_t* code, const Band& band) {
  const std::size_t byte = std::min<std::size_t>(band.first / 8, kHashBytes - 8);
  std::uint64_t word;
  std::memcpy(&word, code + byte, sizeof word);
  const std::uint64_t mask = (std::uint64_t{1} << band.width) - 1;
  return static_cast<std::uint32_t>(word >> (band.first - 8 * byte) & mask);
}

void sort_hits(std::vector<Hit>& hits) {
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.slot < b.slot;
  });
  const auto same = [](const Hit& a, const Hit& b) { return a.slot == b.slot; };
  hits.erase(std::unique(hits.begin(), hits.end(), same), hits.end());
}

double choose(unsigned n, unsigned k) {
  double out = 1.0;
  for (unsigned i = 0; i < k; ++i) out = out * (n - i) / (i + 1);
  return out;
}

// A posting is a slot and, in the bits that slots of this index leave free, the lowest bits of the
// entry's bucket in the next band (the first follows the last).
struct Posting {
  unsigned slot_bits = 0;

  explicit Posting(std::size_t n) {
    while (n > 1 && (n - 1) >> slot_bits != 0) ++slot_bits;
  }
  std::uint32_t slot_mask() const {
    return static_cast<std::uint32_t>((std::uint64_t{1} << slot_bits) - 1);
  }
  std::uint32_t hint(std::uint32_t next_bucket) const {
    return static_cast<std::uint32_t>(std::uint64_t{next_bucket} << slot_bits);
  }
};

// How many bits of each band may differ for its buckets to be read; -1 leaves a band out. The
// (limit + 1) of all bands sum to radius + 1. Were every band to differ in more bits than its
// limit, the distance would be above the radius. Moreover, going round the bands from the right
// one of those that do not, the differing bits of every run of bands stay below the run's sum of
// (limit + 1): Qin and Xiao, "Pigeonring: A Principle for Faster Thresholded Similarity Search",
// 2018. The hints in the postings apply this to runs of two.
struct Plan {
  std::vector<int> limits;
  double cost = 0.0;
};

Plan plan_for(const std::vector<Band>& bands, std::size_t n, unsigned radius) {
  Plan plan;
  plan.limits.assign(bands.size(), -1);
  const unsigned hint_bits = 32 - Posting(n).slot_bits;
  double passing = 0.0;  // the share of unrelated postings that a hint lets through
  for (unsigned k = 0; k <= std::min<std::size_t>((radius + 1) / bands.size(), hint_bits); ++k) {
    passing += choose(hint_bits, k) / std::pow(2.0, hint_bits);
  }
  const double entry_cost = kPostingCost + passing * kCodeCost;
  const auto price = [&](std::size_t b) {
    const double buckets = choose(bands[b].width, static_cast<unsigned>(plan.limits[b] + 1));
    const double size = static_cast<double>(n) / static_cast<double>(1U << bands[b].width);
    return buckets * (kBucketCost + entry_cost * size);
  };
  for (unsigned step = 0; step <= radius; ++step) {
    std::size_t cheapest = 0;
    for (std::size_t b = 1; b < bands.size(); ++b) {
      if (price(b) < price(cheapest)) cheapest = b;
    }
    plan.cost += price(cheapest);
    ++plan.limits[cheapest];
  }
  return plan;
}

// What to exclusive-or a bucket number with to reach its neighbours, and how far away they are.
struct Flip {
  std::uint32_t mask;
  int bits;
};

std::vector<Flip> flips_of(unsigned width, int limit) {
  std::vector<Flip> flips;
  if (limit >= 0) flips.push_back({0, 0});
  std::size_t begin = 0;
  for (int bits = 1; bits <= limit; ++bits) {
    const std::size_t end = flips.size();
    for (; begin < end; ++begin) {
      const std::uint32_t mask = flips[begin].mask;
      unsigned above = 0;
      while (mask >> above != 0) ++above;
      for (; above < width; ++above) flips.push_back({mask | 1U << above, bits});
    }
  }
  return flips;
}

[[noreturn]] void damaged() {
  throw std::invalid_argument("the index is damaged: its offsets or postings are out of range");
}

class Lookup {
 public:
  Lookup(const std::uint8_t* codes, std::size_t n, const std::uint32_t* offsets,
         const std::uint32_t* postings, unsigned radius)
      : codes_(codes), n_(n), offsets_(offsets), postings_(postings), radius_(radius),
        bands_(bands_for(n)), posting_(n), scan_cost_(kScanCost * static_cast<double>(n)) {
    if (bands_.empty()) return;
    plan_ = plan_for(bands_, n, radius);
    if (plan_.cost >= scan_cost_) return;
    for (std::size_t b = 0; b < bands_.size(); ++b) {
      flips_.push_back(flips_of(bands_[b].width, plan_.limits[b]));
    }
  }

  // False when reading the buckets, or then the codes, would cost more than a scan.
  bool run(const std::uint8_t* query, std::vector<Hit>& hits) {
    if (flips_.empty()) return false;
    prefetch_offsets(query);
    if (!find_buckets(query) || !find_slots()) return false;
    found_.resize(n_slots_ + 1);
    const std::size_t found =
        hot::hits(codes_, slots_.data(), n_slots_, query, radius_, found_.data());
    hits.assign(found_.begin(), found_.begin() + static_cast<std::ptrdiff_t>(found));
    sort_hits(hits);
    return true;
  }

 private:
  struct Bucket {
    const std::uint32_t* first;
    std::uint32_t size;
    std::uint32_t hint;
    int differing;  // how many bits of the hint may differ
  };

  // All addresses are known before anything is read, so that the processor fetches them together.
  void prefetch_offsets(const std::uint8_t* query) const {
    const std::uint32_t* offsets = offsets_;
    for (std::size_t b = 0; b < bands_.size(); ++b) {
      const std::uint32_t home = bucket_of(query, bands_[b]);
      for (const Flip& flip : flips_[b]) __builtin_prefetch(offsets + (home ^ flip.mask));
      offsets += (std::size_t{1} << bands_[b].width) + 1;
    }
  }

  bool find_buckets(const std::uint8_t* query) {
    buckets_.clear();
    n_postings_ = 0;
    const std::uint32_t* offsets = offsets_;
    for (std::size_t b = 0; b < bands_.size(); ++b) {
      const std::size_t next = b + 1 < bands_.size() ? b + 1 : 0;
      const std::uint32_t home = bucket_of(query, bands_[b]);
      const std::uint32_t hint = posting_.hint(bucket_of(query, bands_[next]));
      const std::uint32_t* postings = postings_ + b * n_;
      for (const Flip& flip : flips_[b]) {
        const std::uint32_t bucket = home ^ flip.mask;
        const std::uint32_t first = offsets[bucket], end = offsets[bucket + 1];
        if (first > end || end > n_) damaged();
        if (first == end) continue;
        const int differing = plan_.limits[b] + plan_.limits[next] + 1 - flip.bits;
        buckets_.push_back({postings + first, end - first, hint, differing});
        __builtin_prefetch(postings + first);
        __builtin_prefetch(postings + end - 1);
        n_postings_ += end - first;
      }
      offsets += (std::size_t{1} << bands_[b].width) + 1;
    }
    // Half, as much of what is read may still be given up for a scan afterwards.
    return kPostingCost * static_cast<double>(n_postings_) < scan_cost_ / 2;
  }

  bool find_slots() {
    slots_.resize(n_postings_ + 1);
    n_slots_ = 0;
    const std::uint32_t slot_mask = posting_.slot_mask();
    for (const Bucket& bucket : buckets_) {
      n_slots_ += hot::matching(bucket.first, bucket.size, bucket.hint, slot_mask,
                                bucket.differing, slots_.data() + n_slots_);
      if (kCodeCost * static_cast<double>(n_slots_) >= scan_cost_) return false;
    }
    std::uint32_t largest = 0;
    for (std::size_t i = 0; i < n_slots_; ++i) largest = std::max(largest, slots_[i]);
    if (largest >= n_) damaged();
    return true;
  }

  const std::uint8_t* codes_;
  std::size_t n_;
  const std::uint32_t* offsets_;
  const std::uint32_t* postings_;
  unsigned radius_;
  std::vector<Band> bands_;
  Posting posting_;
  double scan_cost_;
  Plan plan_;
  std::vector<std::vector<Flip>> flips_;
  std::vector<Bucket> buckets_;
  std::size_t n_postings_ = 0;
  std::vector<std::uint32_t> slots_;
  std::size_t n_slots_ = 0;
  std::vector<Hit> found_;
};

// Scans for several queries at once, so that the codes pass through the cache once.
void scan_into(const std::uint8_t* codes, std::size_t n, const std::uint8_t* queries,
               const std::vector<std::size_t>& which, unsigned radius, Hits& hits) {
  constexpr std::size_t kBlock = 1024;
  std::array<std::uint16_t, kBlock> distances;
  for (std::size_t first = 0; first < n; first += kBlock) {
    const std::size_t size = std::min(kBlock, n - first);
    for (const std::size_t q : which) {
      hot::distances(codes + first * kHashBytes, size, queries + q * kHashBytes, distances.data());
      for (std::size_t i = 0; i < size; ++i) {
        if (distances[i] <= radius) {
          hits[q].push_back({static_cast<std::uint32_t>(first + i), distances[i]});
        }
      }
    }
  }
  for (const std::size_t q : which) sort_hits(hits[q]);
}

}  // namespace

std::vector<Band> bands_for(std::size_t n) {
  std::vector<Band> bands;
  unsigned first = 0;
  const auto add = [&](unsigned count, unsigned width) {
    for (unsigned k = 0; k < count; ++k, first += width) bands.push_back({first, width});
  };
  if (n >= 4'000'000) {
    add(4, 22);
    add(8, 21);
  } else if (n >= 16'384) {
    add(16, 16);
  }
  return bands;
}

std::size_t offsets_size(const std::vector<Band>& bands) {
  std::size_t size = 0;
  for (const Band& band : bands) size += (std::size_t{1} << band.width) + 1;
  return size;
}

void permute(const std::uint8_t* hashes, std::size_t n, std::uint8_t* codes) {
  reorder(kPermute, hashes, n, codes);
}

void unpermute(const std::uint8_t* codes, std::size_t n, std::uint8_t* hashes) {
  reorder(kUnpermute, codes, n, hashes);
}

void build(const std::uint8_t* codes, std::size_t n, const std::vector<Band>& bands,
           std::uint32_t* offsets, std::uint32_t* postings) {
  const Posting posting(n);
  for (std::size_t b = 0; b < bands.size(); ++b) {
    const Band &band = bands[b], &next = bands[(b + 1) % bands.size()];
    const std::size_t buckets = std::size_t{1} << band.width;
    std::fill_n(offsets, buckets + 1, 0U);
    for (std::size_t i = 0; i < n; ++i) ++offsets[bucket_of(codes + i * kHashBytes, band)];
    std::partial_sum(offsets, offsets + buckets + 1, offsets);
    // Each offset starts as its bucket's end and is counted down to its beginning.
    for (std::size_t i = n; i-- > 0;) {
      const std::uint8_t* code = codes + i * kHashBytes;
      postings[--offsets[bucket_of(code, band)]] =
          static_cast<std::uint32_t>(i) | posting.hint(bucket_of(code, next));
    }
    offsets += buckets + 1;
    postings += n;
  }
}

Hits scan(const std::uint8_t* codes, std::size_t n, const std::uint8_t* queries, std::size_t count,
          unsigned radius) {
  Hits hits(count);
  std::vector<std::size_t> all(count);
  std::iota(all.begin(), all.end(), std::size_t{0});
  scan_into(codes, n, queries, all, radius, hits);
  return hits;
}

Hits lookup(const std::uint8_t* codes, std::size_t n, const std::uint32_t* offsets,
            const std::uint32_t* postings, const std::uint8_t* queries, std::size_t count,
            unsigned radius) {
  Hits hits(count);
  std::vector<std::size_t> left_over;
  Lookup banded(codes, n, offsets, postings, radius);
  for (std::size_t q = 0; q < count; ++q) {
    if (!banded.run(queries + q * kHashBytes, hits[q])) left_over.push_back(q);
  }
  scan_into(codes, n, queries, left_over, radius, hits);
  return hits;
}

}  // namespace egide
