#include "local_features.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "local_describe.hpp"
#include "local_detect.hpp"
#include "local_reduce.hpp"
#include "local_scales.hpp"

namespace egide::local {

namespace {

struct Points {
  std::vector<Spot> spots;
  std::vector<Descriptor> descriptors;
};

Points points_of(const Grey& grey) {
  // Kept between pictures: fresh memory costs more than the filters that fill it.
  static thread_local std::vector<Octave> octaves;
  const int count = build_octaves(grey, octaves);
  const float unit = kUnits / static_cast<float>(std::max(grey.width, grey.height));
  Points out;
  for (const Place& place :
       spread(find_places(octaves, count), grey.width, grey.height, kMostPoints)) {
    const auto octave = static_cast<std::size_t>(place.octave);
    const Plane& level = octaves[octave].levels[static_cast<std::size_t>(place.level)];
    float angle;
    if (!main_direction(level, place, angle)) continue;
    const float scale = place.unit() * unit;
    out.spots.push_back({place.x * scale, place.y * scale, std::log2(place.sigma * scale), angle});
    out.descriptors.push_back(describe(level, place, angle));
  }
  return out;
}

void to_shares(std::vector<Corner>& corners, float width, float height) {
  for (Corner& corner : corners) {
    corner[0] = std::clamp(corner[0] / width, 0.0F, 1.0F);
    corner[1] = std::clamp(corner[1] / height, 0.0F, 1.0F);
  }
}

}  // namespace

LocalFeatures::LocalFeatures(const Pixels& plane, bool enlarge)
    : cols_(plane.cols), rows_(plane.rows) {
  Points points = points_of(reduce(plane, enlarge));
  Codes plain, mirrored;
  encode(points.descriptors, plain, mirrored);
  float width, height;
  extent(cols_, rows_, width, height);
  std::vector<Spot> turned(points.spots);
  for (Spot& spot : turned) {
    constexpr float kHalfTurn = 3.14159265F;
    spot.x = width - spot.x;
    spot.angle = kHalfTurn - spot.angle;
  }
  faces_[0] = Face(std::move(points.spots), std::move(plain), width, height);
  faces_[1] = Face(std::move(turned), std::move(mirrored), width, height);
}

std::string LocalFeatures::record() const {
  return write_record(faces_[0].spots(), faces_[0].codes(), cols_, rows_);
}

std::vector<Candidate> LocalFeatures::shortlist(const std::vector<Segment>& segments,
                                                const Probing& probing) const {
  return local::shortlist(segments, faces_, probing);
}

std::optional<Match> LocalFeatures::verify(const Record& record, int face,
                                           const std::vector<Seed>& seeds) const {
  for (const Seed& seed : seeds) {
    if (seed.query >= count() || seed.banked >= record.codes.size() || seed.distance > kCodeBits) {
      throw std::invalid_argument(
          "a seed names a point that is not there: index, record and picture do not belong "
          "together");
    }
  }
  Match match{local::verify(faces_[face], record, seeds), face};
  Verdict& verdict = match.verdict;
  if (!(verdict.score > 0)) return std::nullopt;
  if (face == 1) {
    for (Corner& corner : verdict.query_hull) corner[0] = width() - corner[0];
    std::reverse(verdict.query_hull.begin(), verdict.query_hull.end());
    auto& model = verdict.model;
    model = {-model[0], -model[1], model[2], model[3], width() - model[4], model[5]};
  }
  to_shares(verdict.query_hull, width(), height());
  to_shares(verdict.banked_hull, record.width, record.height);
  return match;
}

std::optional<Match> LocalFeatures::compare(const char* bytes, std::size_t size) const {
  const Record record = read_record(bytes, size);
  Builder builder(0);
  builder.count(bytes, size);
  std::vector<Posting> postings(builder.points());
  builder.begin(postings.data());
  builder.fill(bytes, size);
  const std::vector<Segment> segments = {
      {builder.starts().data(), true, 0, postings.data(), postings.size()}};
  std::optional<Match> best;
  for (const Candidate& candidate : shortlist(segments, {})) {
    const auto match = verify(record, candidate.face, candidate.seeds);
    if (match && (!best || match->verdict.score > best->verdict.score)) best = match;
  }
  return best;
}

}  // namespace egide::local
