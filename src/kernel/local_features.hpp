// All local features of one picture, ready to be banked or looked up.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "local_index.hpp"

namespace egide::local {

constexpr int kMostPoints = 600;  // of a looked-up picture; the first kMostRecorded are banked

// A verdict in terms of the two pictures as they were handed in, mirrored or not. Corners are
// shares of the picture's width and height.
struct Match {
  Verdict verdict;
  int face;
};

class LocalFeatures {
 public:
  LocalFeatures(const Pixels& plane, bool enlarge);

  // What pack() made of features on this machine. Throws std::invalid_argument for anything else:
  // the bytes may come from a process that is not trusted.
  LocalFeatures(const char* packed, std::size_t size);
  std::string pack() const;

  std::size_t count() const { return faces_[0].spots().size(); }
  float width() const { return faces_[0].width(); }
  float height() const { return faces_[0].height(); }
  std::string record() const;
  std::vector<Candidate> shortlist(const std::vector<Segment>& segments,
                                   const Probing& probing) const;

  // Nothing where no map is found. Throws std::invalid_argument for a seed that names a point
  // which one of the pictures does not have.
  std::optional<Match> verify(const Record& record, int face, const std::vector<Seed>& seeds) const;

  // The better face against one record.
  std::optional<Match> compare(const char* record, std::size_t size) const;

 private:
  void face(std::vector<Spot> spots, Codes plain, Codes mirrored);

  std::size_t cols_, rows_;
  Face faces_[2];  // as it is, mirrored
};

}  // namespace egide::local
