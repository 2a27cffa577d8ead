#include "text_features.hpp"

#include <algorithm>
#include <bitset>
#include <cmath>

namespace egide::text {

namespace {

constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;
constexpr std::uint64_t kMixer = 0xD6E8FEB86659FD93;
constexpr std::uint64_t kFamilySalt = 0xA24BAED4963EE407;
constexpr std::uint64_t kWordSalts[] = {0x2545F4914F6CDD1D, 0x8CB92BA72F3D8DD7,
                                        0xC2B2AE3D27D4EB4F};
constexpr unsigned kShift = 29;
constexpr std::size_t kShortestGram = 3, kLongestGram = 5;
constexpr std::size_t kFamilySteps = 3;
// So many last letters an unknown word is cut by, until it is known.
constexpr std::size_t kMostCut = 3, kLeastCutWord = 6;

// What one fact counts, all classes, all hits in their order and all families, beside a block of
// n-grams (1).
constexpr double kFactShare = 0.3, kClassShare = 1.4, kOrderShare = 1.0, kFamilyShare = 0.7;

std::uint64_t mixed(std::uint64_t hash) { return (hash ^ (hash >> kShift)) * kMixer; }

std::uint32_t bucket(std::uint64_t hash) {
  return static_cast<std::uint32_t>(mixed(hash) >> (64 - kBucketBits));
}

std::uint32_t key_of(std::uint64_t word) { return static_cast<std::uint32_t>(mixed(word) >> 32); }

// A polynomial over the code points, modulo 2**64.
std::uint64_t hash_of(std::u32string_view text) {
  std::uint64_t hash = 0, power = 1;
  for (const char32_t point : text) {
    hash += point * power;
    power *= kMultiplier;
  }
  return hash;
}

// Visits each different bucket once, in the order of the first places.
template <class Visit>
void once_each(const std::vector<std::uint32_t>& buckets, Visit visit) {
  thread_local std::bitset<kBuckets> seen;
  for (const std::uint32_t bucket : buckets) {
    if (seen[bucket]) continue;
    seen[bucket] = true;
    visit(bucket);
  }
  for (const std::uint32_t bucket : buckets) seen[bucket] = false;
}

Block shared(std::vector<std::uint32_t> buckets, double share) {
  double different = 0;
  once_each(buckets, [&different](std::uint32_t) { ++different; });
  return {std::move(buckets), share / std::sqrt(std::max(1.0, different))};
}

std::vector<std::u32string_view> words_of(std::u32string_view text) {
  std::vector<std::u32string_view> words;
  for (std::size_t start = text.find(U' '); start < text.size();) {
    const std::size_t end = text.find(U' ', ++start);
    if (end == text.npos) break;
    words.push_back(text.substr(start, end - start));
    start = end;
  }
  return words;
}

Block word_grams(const std::vector<std::uint64_t>& words) {
  std::vector<std::uint32_t> found;
  found.reserve(3 * words.size());
  const auto pair = [&words](std::size_t n) { return words[n] * kMultiplier + words[n + 1]; };
  for (const std::uint64_t word : words) found.push_back(bucket(word ^ kWordSalts[0]));
  for (std::size_t n = 0; n + 1 < words.size(); ++n) {
    found.push_back(bucket(pair(n) ^ kWordSalts[1]));
  }
  for (std::size_t n = 0; n + 2 < words.size(); ++n) {
    found.push_back(bucket((pair(n) * kMultiplier + words[n + 2]) ^ kWordSalts[2]));
  }
  return shared(std::move(found), 1.0);
}

Block character_grams(std::u32string_view text) {
  std::vector<std::uint32_t> found;
  found.reserve((kLongestGram - kShortestGram + 1) * text.size());
  for (std::size_t size = kShortestGram; size <= kLongestGram; ++size) {
    for (std::size_t n = 0; n + size <= text.size(); ++n) {
      found.push_back(bucket(hash_of(text.substr(n, size))));
    }
  }
  return shared(std::move(found), 1.0);
}

bool find(const Families& families, std::uint64_t word, std::uint64_t& salted) {
  const std::uint32_t key = key_of(word);
  const std::uint32_t* end = families.keys + families.size;
  const std::uint32_t* at = std::lower_bound(families.keys, end, key);
  if (at == end || *at != key) return false;
  salted = families.family[at - families.keys] + kFamilySalt;
  return true;
}

Block family_grams(const std::vector<std::u32string_view>& words,
                   const std::vector<std::uint64_t>& hashes, const Families& families) {
  std::vector<std::uint64_t> family(words.size());
  std::vector<char> known(words.size());
  for (std::size_t n = 0; n < words.size(); ++n) {
    const std::u32string_view word = words[n];
    known[n] = find(families, hashes[n], family[n]);
    if (word.size() < kLeastCutWord) continue;
    for (std::size_t cut = 1; cut <= kMostCut && !known[n]; ++cut) {
      known[n] = find(families, hash_of(word.substr(0, word.size() - cut)), family[n]);
    }
  }
  std::vector<std::uint32_t> found;
  for (std::size_t n = 0; n < words.size(); ++n) {
    if (known[n]) found.push_back(bucket(family[n]));
  }
  for (std::size_t step = 1; step <= kFamilySteps; ++step) {
    const std::size_t near = std::min<std::size_t>(step, 2);  // side by side, or a little apart
    for (std::size_t n = 0; n + step < words.size(); ++n) {
      if (!known[n] || !known[n + step]) continue;
      found.push_back(bucket(family[n] * kMultiplier + family[n + step] + near));
    }
  }
  return shared(std::move(found), kFamilyShare);
}

}  // namespace

std::vector<Block> blocks_of(const Told& told) {
  std::vector<Block> blocks;
  std::vector<std::uint32_t> found;
  for (const std::uint64_t fact : told.facts) found.push_back(bucket(fact));
  blocks.push_back({std::move(found), kFactShare});
  if (told.classes.empty()) return blocks;
  found = {};
  for (const std::uint64_t name : told.classes) found.push_back(bucket(name));
  for (std::size_t one = 0; one < told.classes.size(); ++one) {
    for (std::size_t other = one + 1; other < told.classes.size(); ++other) {
      found.push_back(bucket(told.classes[one] * kMultiplier + told.classes[other]));
    }
  }
  blocks.push_back(shared(std::move(found), kClassShare));
  found = {};
  for (const std::size_t step : {1, 2}) {
    for (std::size_t n = 0; n + step < told.hits.size(); ++n) {
      for (const std::uint64_t before : told.hits[n]) {
        for (const std::uint64_t after : told.hits[n + step]) {
          found.push_back(bucket(before * kWordSalts[0] + after));
        }
      }
    }
  }
  blocks.push_back(shared(std::move(found), kOrderShare));
  return blocks;
}

std::vector<Block> blocks_of(std::u32string_view text, const Families& families) {
  const std::vector<std::u32string_view> words = words_of(text);
  std::vector<std::uint64_t> hashes;
  hashes.reserve(words.size());
  for (const std::u32string_view word : words) hashes.push_back(hash_of(word));
  std::vector<Block> blocks;
  blocks.push_back(word_grams(hashes));
  blocks.push_back(character_grams(text));
  blocks.push_back(family_grams(words, hashes, families));
  return blocks;
}

std::uint32_t word_key(std::u32string_view word) { return key_of(hash_of(word)); }

void add(const std::vector<Block>& blocks, const Weights& weights, double* sums) {
  std::vector<std::int32_t> own(weights.columns);
  for (const Block& block : blocks) {
    std::fill(own.begin(), own.end(), 0);
    once_each(block.buckets, [&own, &weights](std::uint32_t at) {
      const std::int8_t* row = weights.rows + at * weights.columns;
      for (std::size_t n = 0; n < weights.columns; ++n) own[n] += row[n];
    });
    for (std::size_t n = 0; n < weights.columns; ++n) sums[n] += own[n] * block.share;
  }
}

}  // namespace egide::text
