// What a learned model of text looks at: hashed n-grams of words and characters, families of words,
// and names of facts. The text is canonical: words parted by one space, a space at both ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace egide::text {

constexpr unsigned kBucketBits = 17;
constexpr std::size_t kBuckets = std::size_t{1} << kBucketBits;

// Words by their meaning: keys in ascending order, and the family of each.
struct Families {
  const std::uint32_t* keys;
  const std::uint16_t* family;
  std::size_t size;
};

// What is known of a text beside its letters, each name by its 64-bit digest.
struct Told {
  std::vector<std::uint64_t> facts;              // count by themselves
  std::vector<std::uint64_t> classes;            // by themselves and in pairs
  std::vector<std::vector<std::uint64_t>> hits;  // each with those of the next two groups
};

// Buckets, each below kBuckets, in the order of their places, and what one of them counts. However
// often a bucket stands there, it counts once: a text that repeats itself says no more.
struct Block {
  std::vector<std::uint32_t> buckets;
  double share;
};

// Facts; classes and hits, where there are classes.
std::vector<Block> blocks_of(const Told& told);

// Words, characters and families, in this order; n-grams of the shortest first.
std::vector<Block> blocks_of(std::u32string_view text, const Families& families);

// By which families know a word.
std::uint32_t word_key(std::u32string_view word);

// One row of weights a bucket.
struct Weights {
  const std::int8_t* rows;
  std::size_t columns;
};

// Adds to each column's sum what these blocks weigh for it. Sums of whole numbers, times the share:
// the same on every machine.
void add(const std::vector<Block>& blocks, const Weights& weights, double* sums);

}  // namespace egide::text
