// The shortlist: an inverted file from the leading bits of a code to the banked points that have
// them. A segment is two plain arrays, made once and then only read, so that they can be mapped
// from a file; a bank is a list of segments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "local_match.hpp"

namespace egide::local {

struct Posting {
  std::uint32_t slot;       // of the picture, within the segment
  std::uint32_t signature;  // bits 21 to 52 of the code
  std::uint32_t rest;       // point (9 bits), scale and angle as packed (12), bits 53 to 63 (11)
};

struct Segment {
  const void* starts;  // where the postings of each word begin; one more than there are words
  bool wide;           // 64 bits a start, else 32
  int word_bits;       // 0 to kWordBits
  const Posting* postings;
  std::uint64_t size;  // of postings

  // The postings of a word. Throws std::invalid_argument where they would lie outside.
  void find(std::uint32_t word, std::uint64_t& from, std::uint64_t& to) const;
};

struct Probing {
  int probes = 8;           // words that are looked up for each point
  int most_signature = 11;  // bits of the 43 that a posting may differ in
  std::size_t most = 16;    // candidates
};

struct Candidate {
  std::uint32_t segment;
  std::uint32_t slot;
  int face;  // 0 as it is, 1 mirrored
  float votes;
  std::vector<Seed> seeds;  // at most kMostSeedsKept, most alike first
};

constexpr std::size_t kMostSeedsKept = 160;

// The pictures that share most with the query, over all segments together.
std::vector<Candidate> shortlist(const std::vector<Segment>& segments, const Face (&faces)[2],
                                 const Probing& probing);

// Makes a segment in two passes over the same records, so that it holds no more than its result.
class Builder {
 public:
  // word_bits -1: by the number of points.
  explicit Builder(int word_bits);

  // A record may be empty: its picture has a slot and no points.
  void count(const char* record, std::size_t size);
  void fill(const char* record, std::size_t size);

  // After the last count, before the first fill: room for points() postings.
  void begin(Posting* postings);
  bool complete() const { return filled_ == points_; }

  std::uint64_t points() const { return points_; }
  // Of the words, in ascending order, and their end.
  const std::vector<std::uint64_t>& starts() const { return starts_; }

 private:
  std::uint32_t bucket(const Code& code) const;

  int word_bits_;
  std::uint64_t points_ = 0, filled_ = 0;
  std::uint32_t counted_slots_ = 0, slots_ = 0;
  std::vector<std::uint64_t> starts_, next_;
  Posting* postings_ = nullptr;
};

}  // namespace egide::local
