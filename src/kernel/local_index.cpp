#include "local_index.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace egide::local {

namespace {

constexpr std::uint32_t kWords = 1U << kWordBits;
constexpr std::uint64_t kLongestList = 20000;  // what occurs everywhere says nothing
constexpr std::size_t kMostHits = 4096;        // of one point of the query
constexpr std::size_t kBankedPoints = 512;     // that nine bits can name
constexpr std::size_t kAhead = 24;             // look-ups between the request and the use of memory
constexpr float kTurn = 6.28318531F;

std::uint32_t word_of(const Code& code) {
  return static_cast<std::uint32_t>(code.lanes[0]) & (kWords - 1);
}
std::uint64_t signature_of(const Code& code) { return code.lanes[0] >> (kWordBits + 1); }

std::uint64_t signature_of(const Posting& posting) {
  return std::uint64_t{posting.rest >> 21} << 32 | posting.signature;
}

// The words nearest to a point's, likeliest first: sets of bits turned over, by the sum of their
// squared margins. Only the leading `word_bits` take part.
class Probes {
 public:
  Probes(std::uint32_t word, const Margins& margins, int word_bits, std::size_t most)
      : margins_(margins), bits_(std::min(word_bits, kTurned)) {
    for (int b = 0; b < word_bits; ++b) order_[b] = b;
    std::partial_sort(order_, order_ + bits_, order_ + word_bits,
                      [&](int a, int b) { return margins.of[a] < margins.of[b]; });
    words_.push_back(word & ((1U << word_bits) - 1));
    if (bits_ > 0) push({cost(0), 1, 0});
    while (words_.size() < most && !heap_.empty()) next();
  }

  const std::vector<std::uint32_t>& words() const { return words_; }

 private:
  static constexpr int kTurned = 10;  // the least sure bits; the others are not turned over

  struct Flips {
    float cost;
    std::uint32_t set;  // of places in order_
    int last;
  };

  float cost(int place) const {
    const float margin = margins_.of[order_[place]];
    return margin * margin;
  }

  void push(const Flips& flips) {
    heap_.push_back(flips);
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  static bool later(const Flips& a, const Flips& b) { return a.cost > b.cost; }

  // Every set follows from exactly one cheaper set: by adding the place after its last, or by
  // moving its last one place on.
  void next() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Flips flips = heap_.back();
    heap_.pop_back();
    std::uint32_t word = words_.front();
    for (int place = 0; place <= flips.last; ++place) {
      if ((flips.set >> place & 1) != 0) word ^= 1U << order_[place];
    }
    words_.push_back(word);
    const int after = flips.last + 1;
    if (after == bits_) return;
    const std::uint32_t moved = flips.set ^ (1U << flips.last);
    push({flips.cost + cost(after), flips.set | 1U << after, after});
    push({flips.cost + cost(after) - cost(flips.last), moved | 1U << after, after});
  }

  const Margins& margins_;
  const int bits_;
  int order_[kWordBits];
  std::vector<std::uint32_t> words_;
  std::vector<Flips> heap_;
};

struct Hit {
  std::uint32_t segment, slot;
  std::uint16_t query, banked;
  std::uint8_t distance;  // of 43 bits
  std::uint8_t face, turn, scale;
};

// One list of postings to read for one point.
struct List {
  std::uint64_t from, to;
  std::uint32_t word, segment, probe;
  std::uint16_t query;
  std::uint8_t face;
};

class Search {
 public:
  Search(const std::vector<Segment>& segments, const Face (&faces)[2], const Probing& probing)
      : segments_(segments), faces_(faces), probing_(probing) {}

  std::vector<Candidate> candidates() {
    list_words();
    find_lists();
    read_lists();
    std::sort(hits_.begin(), hits_.end(), [](const Hit& a, const Hit& b) {
      if (a.segment != b.segment) return a.segment < b.segment;
      if (a.slot != b.slot) return a.slot < b.slot;
      if (a.face != b.face) return a.face < b.face;
      if (a.distance != b.distance) return a.distance < b.distance;
      return a.query != b.query ? a.query < b.query : a.banked < b.banked;
    });
    return best();
  }

 private:
  // Point by point, and for each by probe, then segment: the order must not depend on how
  // pictures are divided among segments.
  void list_words() {
    std::vector<int> widths;
    for (const Segment& segment : segments_) widths.push_back(segment.word_bits);
    std::sort(widths.begin(), widths.end());
    widths.erase(std::unique(widths.begin(), widths.end()), widths.end());
    for (std::uint8_t face = 0; face < 2; ++face) {
      for (std::size_t n = 0; n < faces_[face].codes().size(); ++n) {
        for (const int width : widths) list_words(face, n, width);
      }
    }
  }

  void list_words(std::uint8_t face, std::size_t n, int width) {
    const Probes probes(word_of(faces_[face].codes()[n]), faces_[face].margins()[n], width,
                        static_cast<std::size_t>(probing_.probes));
    for (std::uint32_t p = 0; p < probes.words().size(); ++p) {
      for (std::uint32_t s = 0; s < segments_.size(); ++s) {
        if (segments_[s].word_bits != width) continue;
        lists_.push_back({0, 0, probes.words()[p], s, p, static_cast<std::uint16_t>(n), face});
      }
    }
  }

  void find_lists() {
    for (std::size_t k = 0; k < lists_.size(); ++k) {
      if (k + kAhead < lists_.size()) {
        const List& later = lists_[k + kAhead];
        const Segment& segment = segments_[later.segment];
        __builtin_prefetch(static_cast<const char*>(segment.starts) +
                           std::size_t{later.word} * (segment.wide ? 8 : 4));
      }
      segments_[lists_[k].segment].find(lists_[k].word, lists_[k].from, lists_[k].to);
    }
  }

  void read_lists() {
    for (std::size_t k = 0, end; k < lists_.size(); k = end) {
      std::uint64_t length = 0;  // of this word's lists in all segments together
      for (end = k; end < lists_.size() && same_probe(lists_[k], lists_[end]); ++end) {
        length += lists_[end].to - lists_[end].from;
      }
      if (k == 0 || lists_[k].query != lists_[k - 1].query ||
          lists_[k].face != lists_[k - 1].face) {
        hits_before_ = hits_.size();
      }
      for (std::size_t at = k; at < end; ++at) {
        prefetch(at + kAhead);
        if (length <= kLongestList) read(lists_[at]);
      }
    }
  }

  bool same_probe(const List& a, const List& b) const {
    return a.query == b.query && a.face == b.face && a.probe == b.probe &&
           segments_[a.segment].word_bits == segments_[b.segment].word_bits;
  }

  void prefetch(std::size_t at) const {
    if (at >= lists_.size()) return;
    const auto* first =
        reinterpret_cast<const char*>(segments_[lists_[at].segment].postings + lists_[at].from);
    __builtin_prefetch(first);
    __builtin_prefetch(first + 64);
  }

  void read(const List& list) {
    const Spot& spot = faces_[list.face].spots()[list.query];
    const std::uint64_t signature = signature_of(faces_[list.face].codes()[list.query]);
    const Posting* postings = segments_[list.segment].postings;
    for (std::uint64_t at = list.from; at < list.to; ++at) {
      const Posting& posting = postings[at];
      const int apart = __builtin_popcountll(signature ^ signature_of(posting));
      if (apart > probing_.most_signature || hits_.size() - hits_before_ >= kMostHits) continue;
      const Spot banked = unpack((posting.rest >> 9 & 4095) << 20);
      const float turns = (spot.angle - banked.angle) / kTurn;
      const float shift = (spot.log_sigma - banked.log_sigma + 8) * 2;
      hits_.push_back(
          {list.segment, posting.slot, list.query,
           static_cast<std::uint16_t>(posting.rest % kBankedPoints),
           static_cast<std::uint8_t>(apart), list.face,
           static_cast<std::uint8_t>(static_cast<int>((turns - std::floor(turns)) * 16) & 15),
           static_cast<std::uint8_t>(std::clamp(static_cast<int>(shift), 0, 31))});
    }
  }

  struct Rank {
    float votes;
    std::size_t from, to;  // hits
  };

  // The fullest cell of (turn, half octave), smoothed over its neighbours; one vote a banked point.
  float votes(std::size_t from, std::size_t to) const {
    float cells[16][34] = {};
    bool seen[kBankedPoints] = {};
    float fullest = 0;
    for (std::size_t k = from; k < to; ++k) {
      const Hit& hit = hits_[k];
      if (seen[hit.banked]) continue;
      seen[hit.banked] = true;
      const float vote = 1 - static_cast<float>(hit.distance) / 26;
      for (int turn = -1; turn <= 1; ++turn) {
        for (int scale = 0; scale < 3; ++scale) {
          float& cell = cells[(hit.turn + turn) & 15][hit.scale + scale];
          cell += vote * (turn == 0 ? 1 : 0.6F) * (scale == 1 ? 1 : 0.6F);
          fullest = std::max(fullest, cell);
        }
      }
    }
    return fullest;
  }

  std::vector<Candidate> best() const {
    std::vector<Rank> ranks;
    for (std::size_t from = 0, to; from < hits_.size(); from = to) {
      const auto same = [&](const Hit& hit) {
        return hit.slot == hits_[from].slot && hit.face == hits_[from].face &&
               hit.segment == hits_[from].segment;
      };
      for (to = from + 1; to < hits_.size() && same(hits_[to]);) ++to;
      if (to - from < 2) continue;
      const float sum = votes(from, to);
      if (sum > 1) ranks.push_back({sum, from, to});
    }
    const auto kept = static_cast<std::ptrdiff_t>(std::min(ranks.size(), probing_.most));
    std::partial_sort(ranks.begin(), ranks.begin() + kept, ranks.end(),
                      [](const Rank& a, const Rank& b) {
                        return a.votes != b.votes ? a.votes > b.votes : a.from < b.from;
                      });
    ranks.resize(static_cast<std::size_t>(kept));
    std::vector<Candidate> out;
    for (const Rank& rank : ranks) {
      const Hit& first = hits_[rank.from];
      Candidate candidate{first.segment, first.slot, first.face, rank.votes, {}};
      for (std::size_t k = rank.from; k < std::min(rank.to, rank.from + kMostSeedsKept); ++k) {
        const auto apart = static_cast<std::uint16_t>(2 * hits_[k].distance);
        candidate.seeds.push_back({hits_[k].query, hits_[k].banked, apart});
      }
      out.push_back(std::move(candidate));
    }
    return out;
  }

  const std::vector<Segment>& segments_;
  const Face (&faces_)[2];
  const Probing probing_;
  std::vector<List> lists_;
  std::vector<Hit> hits_;
  std::size_t hits_before_ = 0;  // the point that is being read
};

// About four points a word.
int word_bits_for(std::uint64_t points) {
  int bits = 0;
  while (bits < kWordBits && points >> (bits + 3) != 0) ++bits;
  return bits;
}

}  // namespace

void Segment::find(std::uint32_t word, std::uint64_t& from, std::uint64_t& to) const {
  if (wide) {
    from = static_cast<const std::uint64_t*>(starts)[word];
    to = static_cast<const std::uint64_t*>(starts)[word + 1];
  } else {
    from = static_cast<const std::uint32_t*>(starts)[word];
    to = static_cast<const std::uint32_t*>(starts)[word + 1];
  }
  if (from > to || to > size) {
    throw std::invalid_argument("the local index is damaged: a word's postings lie outside of it");
  }
}

std::vector<Candidate> shortlist(const std::vector<Segment>& segments, const Face (&faces)[2],
                                 const Probing& probing) {
  return Search(segments, faces, probing).candidates();
}

Builder::Builder(int word_bits) : word_bits_(word_bits), starts_(std::size_t{kWords} + 1) {
  if (word_bits < -1 || word_bits > kWordBits) {
    throw std::invalid_argument("word_bits is not -1 to 20");
  }
}

std::uint32_t Builder::bucket(const Code& code) const {
  return word_of(code) & ((1U << word_bits_) - 1);
}

void Builder::count(const char* record, std::size_t size) {
  if (postings_ != nullptr) throw std::invalid_argument("records are counted before any is filled");
  if (counted_slots_ == 0xFFFFFFFFU) throw std::invalid_argument("more than 2**32 - 1 records");
  if (size > 0) {
    const Record read = read_record(record, size);
    // By whole words; begin() adds those up that fall into one bucket.
    for (const Code& code : read.codes) ++starts_[word_of(code) + 1];
    points_ += read.codes.size();
  }
  ++counted_slots_;
}

void Builder::begin(Posting* postings) {
  if (word_bits_ < 0) word_bits_ = word_bits_for(points_);
  const std::uint32_t buckets = 1U << word_bits_;
  for (std::uint32_t word = buckets; word < kWords; ++word) {
    starts_[(word & (buckets - 1)) + 1] += starts_[word + 1];
  }
  starts_.resize(std::size_t{buckets} + 1);
  starts_.shrink_to_fit();
  for (std::uint32_t b = 0; b < buckets; ++b) starts_[b + 1] += starts_[b];
  next_.assign(starts_.begin(), starts_.end() - 1);
  postings_ = postings;
}

void Builder::fill(const char* record, std::size_t size) {
  if (slots_ == counted_slots_) throw std::invalid_argument("more records than were counted");
  if (size > 0) {
    const Record read = read_record(record, size);
    for (std::size_t n = 0; n < read.codes.size(); ++n) {
      const Code& code = read.codes[n];
      std::uint64_t& at = next_[bucket(code)];
      if (at == starts_[bucket(code) + 1]) {
        throw std::invalid_argument("the records are not those that were counted");
      }
      const std::uint64_t signature = signature_of(code);
      postings_[at++] = {slots_, static_cast<std::uint32_t>(signature),
                         static_cast<std::uint32_t>(n) | read.geometries[n] >> 20 << 9 |
                             static_cast<std::uint32_t>(signature >> 32) << 21};
      ++filled_;
    }
  }
  ++slots_;
}

}  // namespace egide::local
