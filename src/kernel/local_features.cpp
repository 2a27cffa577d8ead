#include "local_features.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
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

// The packed form: this header, then as many spots, and codes and margins of either face.
struct Header {
  std::uint32_t version, points;
  std::uint64_t cols, rows;
};
constexpr std::uint32_t kPackedVersion = 1;
constexpr std::size_t kPackedPoint = sizeof(Spot) + 2 * (sizeof(Code) + sizeof(Margins));
static_assert(sizeof(Header) == 24 && kPackedPoint == 208, "packed without gaps");

template <class T>
void append(std::string& out, const std::vector<T>& items) {
  out.append(reinterpret_cast<const char*>(items.data()), items.size() * sizeof(T));
}

template <class T>
const char* take(const char* from, std::size_t count, std::vector<T>& items) {
  items.resize(count);
  if (count > 0) std::memcpy(items.data(), from, count * sizeof(T));
  return from + count * sizeof(T);
}

// What matching relies on. Comparisons are such that what is no number fails them.
bool sound(const Spot& spot) {
  return spot.x >= -1 && spot.x <= kUnits + 1 && spot.y >= -1 && spot.y <= kUnits + 1 &&
         std::fabs(spot.log_sigma) <= 16 && std::fabs(spot.angle) <= 8;
}

bool sound(const Codes& codes) {
  return std::all_of(codes.margins.begin(), codes.margins.end(), [](const Margins& margins) {
    return std::all_of(std::begin(margins.of), std::end(margins.of),
                       [](float margin) { return margin >= 0 && margin < 1e6F; });
  });
}

}  // namespace

LocalFeatures::LocalFeatures(const Pixels& plane, bool enlarge)
    : cols_(plane.cols), rows_(plane.rows) {
  Points points = points_of(reduce(plane, enlarge));
  Codes plain, mirrored;
  encode(points.descriptors, plain, mirrored);
  face(std::move(points.spots), std::move(plain), std::move(mirrored));
}

LocalFeatures::LocalFeatures(const char* packed, std::size_t size) {
  Header header;
  if (size < sizeof header) throw std::invalid_argument("the packed features have no header");
  std::memcpy(&header, packed, sizeof header);
  const bool fits = header.version == kPackedVersion && header.points <= kMostPoints &&
                    size == sizeof header + header.points * kPackedPoint;
  const std::uint64_t most = std::uint64_t{1} << 32;
  if (!fits || header.cols - 1 >= most || header.rows - 1 >= most) {
    throw std::invalid_argument("the packed features are of no picture");
  }
  cols_ = header.cols;
  rows_ = header.rows;
  std::vector<Spot> spots;
  Codes plain, mirrored;
  const char* from = take(packed + sizeof header, header.points, spots);
  from = take(from, header.points, plain.codes);
  from = take(from, header.points, plain.margins);
  from = take(from, header.points, mirrored.codes);
  take(from, header.points, mirrored.margins);
  if (!std::all_of(spots.begin(), spots.end(), [](const Spot& spot) { return sound(spot); }) ||
      !sound(plain) || !sound(mirrored)) {
    throw std::invalid_argument("a point of the packed features lies nowhere");
  }
  face(std::move(spots), std::move(plain), std::move(mirrored));
}

std::string LocalFeatures::pack() const {
  const Header header{kPackedVersion, static_cast<std::uint32_t>(count()), cols_, rows_};
  std::string out(reinterpret_cast<const char*>(&header), sizeof header);
  out.reserve(sizeof header + count() * kPackedPoint);
  append(out, faces_[0].spots());
  for (const Face& face : faces_) {
    append(out, face.codes());
    append(out, face.margins());
  }
  return out;
}

void LocalFeatures::face(std::vector<Spot> spots, Codes plain, Codes mirrored) {
  float width, height;
  extent(cols_, rows_, width, height);
  std::vector<Spot> turned(spots);
  for (Spot& spot : turned) {
    constexpr float kHalfTurn = 3.14159265F;
    spot.x = width - spot.x;
    spot.angle = kHalfTurn - spot.angle;
  }
  faces_[0] = Face(std::move(spots), std::move(plain), width, height);
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
