#include "local_match.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace egide::local {

namespace {

constexpr float kPi = 3.14159265F;
constexpr int kMostDistance = 38;  // bits, of a pair that the map predicts
constexpr float kTolerance = 14;   // in units of places
constexpr float kScaleTolerance = 0.75F;
constexpr float kAngleTolerance = 0.55F;
constexpr float kOutside = 20;  // how far beyond the query a point may be expected
constexpr std::size_t kMostSeeds = 160;
constexpr std::size_t kMostTried = 5;  // hypotheses
constexpr float kLeastSupport = 1.5F;
constexpr float kGoodEnough = 6;  // a score after which no other hypothesis is tried
constexpr int kRounds = 5;

// To -pi..pi; angles are within a few turns.
float turned_back(float angle) {
  while (angle > kPi) angle -= 2 * kPi;
  while (angle < -kPi) angle += 2 * kPi;
  return angle;
}

struct Map {
  float a, b, c, d, e, f;

  float x(const Spot& spot) const { return a * spot.x + b * spot.y + e; }
  float y(const Spot& spot) const { return c * spot.x + d * spot.y + f; }
  float area() const { return a * d - b * c; }
  float growth() const { return 0.5F * std::log2(area()); }  // in octaves
  float direction(float angle) const {
    const float right = std::cos(angle), down = std::sin(angle);
    return std::atan2(c * right + d * down, a * right + b * down);
  }
  // No picture is pasted a thousand times smaller, or squeezed more than about sevenfold.
  bool is_sane() const {
    const float squares = a * a + b * b + c * c + d * d;  // sum of those of the singular values
    return area() > 1e-3F && area() < 400 && squares < 7 * area();
  }
};

// The similarity that one pair stands for.
Map similarity(const Spot& banked, const Spot& query) {
  const float scale = std::exp2(query.log_sigma - banked.log_sigma);
  const float angle = query.angle - banked.angle;
  const float c = scale * std::cos(angle), s = scale * std::sin(angle);
  return {
      c, -s, s, c, query.x - c * banked.x + s * banked.y, query.y - s * banked.x - c * banked.y};
}

struct Pair {
  int query, banked, distance;
};

// Least squares; a similarity from two pairs on, an affine map from `affine_from` on.
bool fit(const std::vector<Pair>& pairs, const std::vector<Spot>& query,
         const std::vector<Spot>& banked, std::size_t affine_from, Map& out) {
  const auto from = [&](const Pair& pair) { return banked[static_cast<std::size_t>(pair.banked)]; };
  const auto to = [&](const Pair& pair) { return query[static_cast<std::size_t>(pair.query)]; };
  double mean_x = 0, mean_y = 0, mean_u = 0, mean_v = 0;
  for (const Pair& pair : pairs) {
    const Spot b = from(pair), q = to(pair);
    mean_x += b.x, mean_y += b.y, mean_u += q.x, mean_v += q.y;
  }
  const auto n = static_cast<double>(pairs.size());
  mean_x /= n, mean_y /= n, mean_u /= n, mean_v /= n;
  double xx = 0, xy = 0, yy = 0, xu = 0, xv = 0, yu = 0, yv = 0;
  for (const Pair& pair : pairs) {
    const Spot b = from(pair), q = to(pair);
    const double x = b.x - mean_x, y = b.y - mean_y, u = q.x - mean_u, v = q.y - mean_v;
    xx += x * x, xy += x * y, yy += y * y, xu += x * u, xv += x * v, yu += y * u, yv += y * v;
  }
  double a, b, c, d;
  const double determinant = xx * yy - xy * xy, spread = xx + yy;
  if (pairs.size() >= affine_from && determinant > 0.004 * spread * spread) {
    a = (xu * yy - yu * xy) / determinant;
    b = (yu * xx - xu * xy) / determinant;
    c = (xv * yy - yv * xy) / determinant;
    d = (yv * xx - xv * xy) / determinant;
  } else if (spread > 1e-6) {
    a = d = (xu + yv) / spread;
    c = (xv - yu) / spread;
    b = -c;
  } else {
    return false;
  }
  out = {static_cast<float>(a),
         static_cast<float>(b),
         static_cast<float>(c),
         static_cast<float>(d),
         static_cast<float>(mean_u - a * mean_x - b * mean_y),
         static_cast<float>(mean_v - c * mean_x - d * mean_y)};
  return out.is_sane();
}

// Andrew's monotone chain.
std::vector<Corner> hull(std::vector<Corner> points) {
  std::sort(points.begin(), points.end());
  points.erase(std::unique(points.begin(), points.end()), points.end());
  if (points.size() < 3) return points;
  std::vector<Corner> out;
  const auto add = [&](const Corner& p, std::size_t least) {
    while (out.size() >= least) {
      const Corner &a = out[out.size() - 2], &b = out.back();
      if ((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) > 0) break;
      out.pop_back();
    }
    out.push_back(p);
  };
  for (const Corner& p : points) add(p, 2);
  const std::size_t lower = out.size();
  for (std::size_t k = points.size() - 1; k-- > 0;) add(points[k], lower + 1);
  out.pop_back();
  return out;
}

bool elsewhere(const Spot& one, const Spot& other) {
  return std::fabs(other.x - one.x) + std::fabs(other.y - one.y) > 3 * std::exp2(one.log_sigma);
}

// A pair's share of agreeing bits, divided by the places in either picture that would have done
// nearly as well, summed up: stripes, boards and letters match in many places and count little.
class Scale {
 public:
  Scale(const Face& query, const Record& banked, const std::vector<Spot>& spots)
      : query_(query), banked_(banked), spots_(spots) {}

  float distinct_score(const std::vector<Pair>& pairs) const {
    constexpr float kWorst = 48;
    constexpr int kNearly = 4;
    float score = 0;
    for (const Pair& pair : pairs) {
      const auto q = static_cast<std::size_t>(pair.query),
                 b = static_cast<std::size_t>(pair.banked);
      const int limit = pair.distance + kNearly;
      const int rivals =
          std::max(others(query_.codes(), query_.spots(), q, banked_.codes[b], limit),
                   others(banked_.codes, spots_, b, query_.codes()[q], limit));
      score += (1 - static_cast<float>(pair.distance) / kWorst) / static_cast<float>(1 + rivals);
    }
    return score;
  }

 private:
  static int others(const std::vector<Code>& codes, const std::vector<Spot>& spots, std::size_t at,
                    const Code& wanted, int limit) {
    int count = 0;
    for (std::size_t k = 0; k < codes.size(); ++k) {
      if (distance(codes[k], wanted) > limit) continue;
      count += static_cast<int>(elsewhere(spots[at], spots[k]));
    }
    return count;
  }

  const Face& query_;
  const Record& banked_;
  const std::vector<Spot>& spots_;
};

class Verifier {
 public:
  Verifier(const Face& query, const Record& banked, const std::vector<Seed>& seeds)
      : query_(query), banked_(banked), seeds_(seeds), count_(std::min(seeds.size(), kMostSeeds)),
        owners_(query.spots().size()) {
    for (const std::uint32_t geometry : banked.geometries) spots_.push_back(unpack(geometry));
  }

  Verdict best() {
    Verdict best;
    const std::vector<Hypothesis> all = hypotheses();
    for (std::size_t h = 0; h < std::min(all.size(), kMostTried); ++h) {
      if (all[h].support < kLeastSupport || best.score > kGoodEnough) break;
      Map map{};
      const std::vector<Pair> pairs = places(grow(seeds_[all[h].seed], map));
      const float score = Scale(query_, banked_, spots_).distinct_score(pairs);
      if (score > best.score) best = verdict(map, pairs, score);
    }
    return best;
  }

 private:
  struct Hypothesis {
    float support;
    std::size_t seed;
  };

  const Spot& query_spot(const Seed& seed) const { return query_.spots()[seed.query]; }
  const Spot& banked_spot(const Seed& seed) const { return spots_[seed.banked]; }

  // Every seed is a hypothesis: a similarity. The most supported come first.
  std::vector<Hypothesis> hypotheses() const {
    std::vector<Hypothesis> all;
    for (std::size_t s = 0; s < count_; ++s) all.push_back({support(seeds_[s]), s});
    std::sort(all.begin(), all.end(), [](const Hypothesis& a, const Hypothesis& b) {
      return a.support != b.support ? a.support > b.support : a.seed < b.seed;
    });
    return all;
  }

  // The weight of the distinct banked points of seeds that agree with this one.
  float support(const Seed& seed) const {
    const Spot &anchor = query_spot(seed), &from = banked_spot(seed);
    const Map map = similarity(from, anchor);
    const float shift = anchor.log_sigma - from.log_sigma, spin = anchor.angle - from.angle;
    std::vector<bool> seen(spots_.size());
    float sum = 0;
    for (std::size_t t = 0; t < count_; ++t) {
      const Spot &q = query_spot(seeds_[t]), &b = banked_spot(seeds_[t]);
      const float x = map.x(b), y = map.y(b);
      // One point's scale and angle are rough: the farther away, the more they may be off.
      const float far = std::hypot(x - anchor.x, y - anchor.y), reach = 12 + 0.25F * far;
      if (std::fabs(x - q.x) > reach || std::fabs(y - q.y) > reach) continue;
      if (std::fabs(q.log_sigma - b.log_sigma - shift) > 0.7F) continue;
      if (std::fabs(turned_back(q.angle - b.angle - spin)) > 0.6F) continue;
      if (seen[seeds_[t].banked]) continue;
      seen[seeds_[t].banked] = true;
      sum += 1 - static_cast<float>(seeds_[t].distance) / 88;
    }
    return sum;
  }

  // Fits the map to the pairs that agree with it and looks for pairs again, ever more narrowly.
  std::vector<Pair> grow(const Seed& seed, Map& map) {
    map = similarity(banked_spot(seed), query_spot(seed));
    std::vector<Pair> pairs;
    for (int round = 0; round < kRounds; ++round) {
      pairs = pairs_of(map, round, query_spot(seed));
      if (pairs.size() < (round == 0 ? 3 : 4)) return {};
      const bool last = round + 1 == kRounds;
      if (!last && !fit(pairs, query_.spots(), spots_, round == 0 ? 6 : 5, map)) return {};
    }
    return pairs;
  }

  // For every banked point the most alike query point where the map says it is; each query point
  // once.
  std::vector<Pair> pairs_of(const Map& map, int round, const Spot& anchor) {
    constexpr float kSlack[kRounds] = {0.22F, 0.08F, 0.03F, 0, 0};
    const float growth = map.growth();
    std::vector<Pair> pairs;
    std::fill(owners_.begin(), owners_.end(), -1);
    for (std::size_t n = 0; n < spots_.size(); ++n) {
      const float x = map.x(spots_[n]), y = map.y(spots_[n]);
      if (x < -kOutside || y < -kOutside || x > kUnits + kOutside || y > kUnits + kOutside)
        continue;
      const float far = round == 0 ? std::hypot(x - anchor.x, y - anchor.y) : 150;
      const float reach = std::min(90.0F, kTolerance + kSlack[round] * far);
      const Spot expected{x, y, spots_[n].log_sigma + growth, 0};
      Pair pair{-1, static_cast<int>(n), kMostDistance + 1};
      nearest(map, expected, spots_[n].angle, reach, pair);
      if (pair.query < 0) continue;
      int& owner = owners_[static_cast<std::size_t>(pair.query)];
      if (owner < 0) {
        owner = static_cast<int>(pairs.size());
        pairs.push_back(pair);
      } else if (pair.distance < pairs[static_cast<std::size_t>(owner)].distance) {
        pairs[static_cast<std::size_t>(owner)] = pair;
      }
    }
    return pairs;
  }

  void nearest(const Map& map, const Spot& expected, float angle, float reach, Pair& pair) const {
    const Code& code = banked_.codes[static_cast<std::size_t>(pair.banked)];
    const int left = Face::cell(expected.x - reach), right = Face::cell(expected.x + reach);
    const int last = Face::cell(expected.y + reach);
    bool has_direction = false;
    float direction = 0;
    for (int row = Face::cell(expected.y - reach); row <= last; ++row) {
      for (const auto* at = query_.begin(left, row); at != query_.end(right, row); ++at) {
        const Spot& spot = query_.spots()[*at];
        if (std::fabs(spot.x - expected.x) > reach || std::fabs(spot.y - expected.y) > reach ||
            std::fabs(spot.log_sigma - expected.log_sigma) > kScaleTolerance) {
          continue;
        }
        const int apart = distance(code, query_.codes()[*at]);
        if (apart >= pair.distance) continue;
        if (!has_direction) direction = map.direction(angle);
        has_direction = true;
        if (std::fabs(turned_back(spot.angle - direction)) > kAngleTolerance) continue;
        pair.distance = apart;
        pair.query = *at;
      }
    }
  }

  // Points that sit on one another say one thing: the best pair of each place.
  std::vector<Pair> places(std::vector<Pair> pairs) const {
    std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) {
      return a.distance != b.distance ? a.distance < b.distance : a.banked < b.banked;
    });
    std::vector<Pair> kept;
    for (const Pair& pair : pairs) {
      const Spot& spot = spots_[static_cast<std::size_t>(pair.banked)];
      const bool taken = std::any_of(kept.begin(), kept.end(), [&](const Pair& other) {
        const Spot& at = spots_[static_cast<std::size_t>(other.banked)];
        const float near = 0.5F * std::exp2(std::min(spot.log_sigma, at.log_sigma));
        return std::fabs(at.x - spot.x) < near && std::fabs(at.y - spot.y) < near;
      });
      if (!taken) kept.push_back(pair);
    }
    return kept;
  }

  Verdict verdict(const Map& map, const std::vector<Pair>& pairs, float score) const {
    Verdict out;
    out.score = score;
    out.inliers = static_cast<int>(pairs.size());
    out.model = {map.a, map.b, map.c, map.d, map.e, map.f};
    std::uint64_t matched = 0;
    for (const Pair& pair : pairs) {
      const Spot& q = query_.spots()[static_cast<std::size_t>(pair.query)];
      const Spot& b = spots_[static_cast<std::size_t>(pair.banked)];
      out.query_hull.push_back({q.x, q.y});
      out.banked_hull.push_back({b.x, b.y});
      matched |= cell_bit(b);
    }
    out.query_hull = hull(std::move(out.query_hull));
    out.banked_hull = hull(std::move(out.banked_hull));
    out.cells_matched = __builtin_popcountll(matched);
    out.cells_visible = __builtin_popcountll(matched | visible(map));
    return out;
  }

  static std::uint64_t cell_bit(const Spot& spot) {
    const auto cell = [](float at) { return static_cast<int>(at * 8 / (kUnits + 1)); };
    return std::uint64_t{1} << (cell(spot.y) * 8 + cell(spot.x));
  }

  // Cells with points that lie in the query and are no finer than what it holds.
  std::uint64_t visible(const Map& map) const {
    float finest = 1e9F;
    for (const Spot& spot : query_.spots()) finest = std::min(finest, spot.log_sigma);
    const float growth = map.growth();
    std::uint64_t cells = 0;
    for (const Spot& spot : spots_) {
      const float x = map.x(spot), y = map.y(spot);
      if (x > 0 && y > 0 && x < query_.width() && y < query_.height() &&
          spot.log_sigma + growth > finest) {
        cells |= cell_bit(spot);
      }
    }
    return cells;
  }

  const Face& query_;
  const Record& banked_;
  const std::vector<Seed>& seeds_;
  const std::size_t count_;
  std::vector<int> owners_;  // of query points: the pair that has them
  std::vector<Spot> spots_;
};

}  // namespace

Face::Face(std::vector<Spot> spots, Codes codes, float width, float height)
    : spots_(std::move(spots)), codes_(std::move(codes)), width_(width), height_(height),
      starts_(at(0, kGrid) + 1), points_(spots_.size()) {
  const auto cell_of = [](const Spot& spot) { return at(cell(spot.x), cell(spot.y)); };
  for (const Spot& spot : spots_) ++starts_[cell_of(spot) + 1];
  for (std::size_t c = 1; c < starts_.size(); ++c) {
    starts_[c] = static_cast<std::uint16_t>(starts_[c] + starts_[c - 1]);
  }
  std::vector<std::uint16_t> next(starts_);
  for (std::size_t n = 0; n < spots_.size(); ++n) {
    points_[next[cell_of(spots_[n])]++] = static_cast<std::uint16_t>(n);
  }
}

int Face::cell(float at) {
  return std::clamp(static_cast<int>(at * kGrid / (kUnits + 1)), 0, kGrid - 1);
}

Verdict verify(const Face& query, const Record& banked, const std::vector<Seed>& seeds) {
  return Verifier(query, banked, seeds).best();
}

}  // namespace egide::local
