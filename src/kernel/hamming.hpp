// Exact search by Hamming distance among 256-bit hashes: multi-index hashing (Norouzi, Punjani and
// Fleet, "Fast Exact Search in Hamming Space with Multi-Index Hashing", 2014) over flat arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace egide {

constexpr std::size_t kHashBytes = 32;
constexpr unsigned kLargestRadius = 63;

// Bits [first, first + width) of a code are one band's bucket number.
struct Band {
  unsigned first;
  unsigned width;
};

// The bands of an index over n hashes; none where a linear scan is as quick.
std::vector<Band> bands_for(std::size_t n);

// Entries of the offsets array: one more than its buckets for each band.
std::size_t offsets_size(const std::vector<Band>& bands);

// Hashes with their bits in another order, or back again. Neighbouring bits of a PDQ hash agree
// more often than not, and would crowd some buckets.
void permute(const std::uint8_t* hashes, std::size_t n, std::uint8_t* codes);
void unpermute(const std::uint8_t* codes, std::size_t n, std::uint8_t* hashes);

// Fills offsets (offsets_size) and postings (bands.size() x n).
void build(const std::uint8_t* codes, std::size_t n, const std::vector<Band>& bands,
           std::uint32_t* offsets, std::uint32_t* postings);

struct Hit {
  std::uint32_t slot;
  std::uint32_t distance;
};

// One list of hits, nearest first, for each query.
using Hits = std::vector<std::vector<Hit>>;

Hits scan(const std::uint8_t* codes, std::size_t n, const std::uint8_t* queries, std::size_t count,
          unsigned radius);

// Queries are permuted like the codes. Throws std::invalid_argument where the arrays contradict
// themselves.
Hits lookup(const std::uint8_t* codes, std::size_t n, const std::uint32_t* offsets,
            const std::uint32_t* postings, const std::uint8_t* queries, std::size_t count,
            unsigned radius);

}  // namespace egide
