// Runs the local part of the kernel over ordinary and damaged input under the sanitisers. Prints
// "ok" and exits 0 when every answer was the expected one.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "local_features.hpp"

namespace {

using namespace egide::local;

std::mt19937_64 generator(7);

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::exit(1);
}

// Exactly as many bytes as the picture needs, so that one step too far is caught.
struct Picture {
  std::size_t rows, cols;
  std::vector<std::uint8_t> pixels;

  template <class Draw>
  Picture(std::size_t height, std::size_t width, Draw draw) : rows(height), cols(width) {
    for (std::size_t y = 0; y < rows; ++y) {
      for (std::size_t x = 0; x < cols; ++x) {
        pixels.push_back(static_cast<std::uint8_t>(draw(y, x)));
      }
    }
  }
  egide::Pixels plane() const {
    return {pixels.data(), rows, cols, static_cast<std::ptrdiff_t>(cols), 1};
  }
};

Picture noise(std::size_t rows, std::size_t cols) {
  return Picture(rows, cols, [](std::size_t, std::size_t) { return generator(); });
}
Picture stripes(std::size_t rows, std::size_t cols, std::size_t apart) {
  return Picture(rows, cols, [=](std::size_t, std::size_t x) { return x / apart % 2 * 255; });
}
Picture board(std::size_t rows, std::size_t cols, std::size_t apart) {
  return Picture(rows, cols, [=](std::size_t y, std::size_t x) {
    return (x / apart + y / apart) % 2 * 255;
  });
}
// Squares of random shades and sizes.
Picture patchwork(std::size_t rows, std::size_t cols) {
  Picture picture(rows, cols, [](std::size_t, std::size_t) { return 127; });
  for (int k = 0; k < 200; ++k) {
    const std::size_t side = 4 + generator() % 30, shade = generator() % 256;
    const std::size_t top = generator() % rows, left = generator() % cols;
    for (std::size_t y = top; y < std::min(rows, top + side); ++y) {
      for (std::size_t x = left; x < std::min(cols, left + side); ++x) {
        picture.pixels[y * cols + x] = static_cast<std::uint8_t>(shade);
      }
    }
  }
  return picture;
}

LocalFeatures features_of(const Picture& picture) {
  LocalFeatures features(picture.plane(), true);
  expect(features.count() <= kMostPoints, "at most 600 points");
  const std::string record = features.record();
  expect(record.empty() == (features.count() < kLeastRecorded), "few points make no record");
  if (!record.empty()) {
    expect(check_record(record.data(), record.size()) == std::min(features.count(), kMostRecorded),
           "a record counts its points");
    const auto match = features.compare(record.data(), record.size());
    expect(!match || match->verdict.score > 0, "a match has a score");
    for (const auto& hull : {match ? match->verdict.query_hull : std::vector<Corner>{},
                             match ? match->verdict.banked_hull : std::vector<Corner>{}}) {
      for (const Corner& corner : hull) {
        expect(corner[0] >= 0 && corner[0] <= 1 && corner[1] >= 0 && corner[1] <= 1,
               "corners lie in the picture");
      }
    }
  }
  return features;
}

void odd_pictures() {
  const std::size_t sides[] = {1, 2, 15, 17, 64};
  for (const std::size_t rows : sides) {
    for (const std::size_t cols : sides) {
      features_of(noise(rows, cols));
      features_of(Picture(rows, cols, [](std::size_t, std::size_t) { return 255; }));
    }
  }
  features_of(noise(2, 30000));
  features_of(noise(30000, 2));
  features_of(noise(1, 70000));
  for (const std::size_t apart : {1, 3, 8, 21}) {
    features_of(stripes(300, 400, apart));
    features_of(board(300, 400, apart));
  }
  const Picture picture = patchwork(240, 320);
  const auto height = static_cast<std::ptrdiff_t>(picture.rows);
  const auto width = static_cast<std::ptrdiff_t>(picture.cols);
  LocalFeatures({picture.pixels.data(), picture.cols, picture.rows, 1, width}, false);
  LocalFeatures({picture.pixels.data() + (height - 1) * width, picture.rows, picture.cols, -width, 1},
                true);
  LocalFeatures({picture.pixels.data(), picture.rows / 2, picture.cols / 3, 2 * width, 3}, true);
}

struct Built {
  std::vector<std::uint64_t> starts;
  std::vector<Posting> postings;
  int word_bits = 0;

  Segment segment() const {
    return {starts.data(), true, word_bits, postings.data(), postings.size()};
  }
};

Built build(const std::vector<std::string>& records, int word_bits) {
  Builder builder(word_bits);
  for (const auto& record : records) builder.count(record.data(), record.size());
  Built out;
  out.postings.resize(builder.points());
  builder.begin(out.postings.data());
  for (const auto& record : records) builder.fill(record.data(), record.size());
  expect(builder.complete(), "every point is filled in");
  out.starts = builder.starts();
  while ((std::size_t{1} << out.word_bits) + 1 < out.starts.size()) ++out.word_bits;
  return out;
}

bool refused(const LocalFeatures& query, const std::vector<Segment>& segments,
             const std::vector<std::string>& records) {
  try {
    for (const Candidate& candidate : query.shortlist(segments, {})) {
      const std::string& record = records[candidate.slot % records.size()];
      if (record.empty()) continue;
      query.verify(read_record(record.data(), record.size()), candidate.face, candidate.seeds);
    }
  } catch (const std::invalid_argument&) {
    return true;
  }
  return false;
}

void damage() {
  std::vector<std::string> records;
  std::vector<LocalFeatures> pictures;
  for (int k = 0; k < 5; ++k) {
    pictures.push_back(features_of(patchwork(200, 260)));
    records.push_back(pictures.back().record());
    expect(!records.back().empty(), "a patchwork has points");
  }
  records.emplace_back();
  for (const int word_bits : {0, 3, 20, -1}) {
    const Built built = build(records, word_bits);
    expect(!refused(pictures[1], {built.segment()}, records), "a sound index is read");
    const auto found = pictures[1].shortlist({built.segment()}, {});
    expect(!found.empty() && found[0].slot == 1, "a picture finds itself");
  }
  int refusals = 0;
  for (int round = 0; round < 40; ++round) {
    Built built = build(records, round % 3 * 5);
    for (int k = 0; k <= round; ++k) {
      if (round % 2 == 0) {
        built.starts[generator() % built.starts.size()] = generator() >> generator() % 64;
      } else {
        auto* bytes = reinterpret_cast<unsigned char*>(built.postings.data());
        bytes[generator() % (built.postings.size() * sizeof(Posting))] ^= 1U << generator() % 8;
      }
    }
    refusals += refused(pictures[0], {built.segment()}, records) ? 1 : 0;
  }
  expect(refusals > 10, "damage is noticed");
  for (int round = 0; round < 150; ++round) {
    std::string record = records[0];
    if (round % 2 == 0) record.resize(generator() % record.size());
    for (int k = 0; k < round % 7 && !record.empty(); ++k) {
      record[generator() % record.size()] ^= static_cast<char>(1U << generator() % 8);
    }
    // Memory of exactly this size, which a string is not.
    const std::unique_ptr<char[]> exact(new char[record.size()]);
    std::copy(record.begin(), record.end(), exact.get());
    try {
      pictures[0].compare(exact.get(), record.size());
    } catch (const std::invalid_argument&) {
    }
  }
  const Record whole = read_record(records[0].data(), records[0].size());
  for (int round = 0; round < 100; ++round) {
    std::vector<Seed> seeds(generator() % kMostSeedsKept);
    for (Seed& seed : seeds) {
      const std::uint64_t some = generator();
      const std::size_t past = round % 10 == 0 ? 1 : 0;
      seed.query = static_cast<std::uint16_t>(some % (pictures[0].count() + past));
      seed.banked = static_cast<std::uint16_t>((some >> 20) % (whole.codes.size() + past));
      seed.distance = static_cast<std::uint16_t>((some >> 40) % 87);
    }
    try {
      pictures[0].verify(whole, round % 2, seeds);
    } catch (const std::invalid_argument&) {
      expect(round % 10 == 0, "seeds that exist are taken");
    }
  }
}

void builders() {
  const std::string one = features_of(patchwork(200, 260)).record();
  const std::string other = features_of(patchwork(220, 230)).record();
  const auto fails = [](auto use) {
    try {
      use();
    } catch (const std::invalid_argument&) {
      return true;
    }
    return false;
  };
  for (const int word_bits : {0, 6}) {
    Builder builder(word_bits);
    builder.count(one.data(), one.size());
    std::vector<Posting> postings(builder.points());
    builder.begin(postings.data());
    expect(!builder.complete(), "nothing is filled in yet");
    expect(fails([&] {
             builder.fill(other.data(), other.size());
             if (!builder.complete()) throw std::invalid_argument("fewer points");
             builder.fill(one.data(), one.size());
           }),
           "other records than were counted are refused");
  }
  expect(fails([] { Builder builder(21); }), "word bits are checked");
}

// What a process sends that is not trusted.
void packing() {
  const LocalFeatures picture = features_of(patchwork(200, 260));
  const std::string record = picture.record(), packed = picture.pack();
  expect(LocalFeatures(packed.data(), packed.size()).pack() == packed, "packing loses nothing");
  int taken = 0;
  for (int round = 0; round < 300; ++round) {
    std::string changed = packed;
    if (round % 5 == 0) changed.resize(generator() % changed.size());
    for (int k = 0; k < 1 + round % 9 && !changed.empty(); ++k) {
      changed[generator() % changed.size()] = static_cast<char>(generator());
    }
    const std::unique_ptr<char[]> exact(new char[changed.size()]);
    std::copy(changed.begin(), changed.end(), exact.get());
    try {
      LocalFeatures(exact.get(), changed.size()).compare(record.data(), record.size());
      ++taken;
    } catch (const std::invalid_argument&) {
    }
  }
  expect(taken > 10, "some damage leaves points that could be");
}

}  // namespace

int main() {
  odd_pictures();
  damage();
  builders();
  packing();
  std::puts("ok");
}
