// Runs the kernel over ordinary and damaged input under the address and undefined-behaviour
// sanitisers. Prints "ok" and exits 0 when every answer was the expected one.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

#include "hamming.hpp"
#include "pdq.hpp"
#include "trim.hpp"

namespace {

std::mt19937_64 generator(7);

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::exit(1);
}

std::vector<std::uint8_t> random_bytes(std::size_t n) {
  std::vector<std::uint8_t> bytes(n);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(generator());
  return bytes;
}

// Exactly as many bytes as the picture needs, so that one step too far is caught.
void hash_pictures() {
  const std::size_t sides[] = {1, 4, 5, 17, 64, 65, 129, 200};
  for (const std::size_t rows : sides) {
    for (const std::size_t cols : sides) {
      const auto grey = random_bytes(rows * cols), rgb = random_bytes(rows * cols * 3);
      const auto width = static_cast<std::ptrdiff_t>(cols);
      const auto height = static_cast<std::ptrdiff_t>(rows);
      const egide::Pixels plane{grey.data(), rows, cols, width, 1};
      const auto hash = egide::pdq_of_luma(plane);
      expect(hash.quality >= 0 && hash.quality <= 100, "quality is 0 to 100");
      egide::pdq_of_luma({grey.data(), cols, rows, 1, width});
      egide::pdq_of_luma({grey.data() + (height - 1) * width, rows, cols, -width, 1});
      egide::pdq_of_rgb({rgb.data(), rows, cols, 3 * width, 3});
      for (const std::size_t scale : {1, 3, 8}) {
        egide::pdq_of_reduced(plane, rows * scale, cols * scale);
        egide::pdq_of_reduced(plane, rows * scale - scale / 2, cols * scale - scale / 2);
      }
      for (const int tolerance : {0, 4, 255}) {
        const auto box = egide::trim(plane, tolerance);
        expect(box.top < box.bottom && box.bottom <= rows, "rows are left after trimming");
        expect(box.left < box.right && box.right <= cols, "columns are left after trimming");
      }
    }
  }
}

struct Index {
  std::vector<std::uint8_t> codes;
  std::vector<std::uint32_t> offsets, postings;

  explicit Index(std::vector<std::uint8_t> given) : codes(std::move(given)) {
    const auto bands = egide::bands_for(size());
    offsets.resize(egide::offsets_size(bands));
    postings.resize(bands.size() * size());
    egide::build(codes.data(), size(), bands, offsets.data(), postings.data());
  }
  std::size_t size() const { return codes.size() / egide::kHashBytes; }
  egide::Hits lookup(const std::vector<std::uint8_t>& queries, unsigned radius) const {
    return egide::lookup(codes.data(), size(), offsets.data(), postings.data(), queries.data(),
                         queries.size() / egide::kHashBytes, radius);
  }
};

void search() {
  const auto queries = random_bytes(3 * egide::kHashBytes);
  for (const std::size_t n : {0, 1, 2, 16, 16383, 16384, 20000}) {
    auto codes = random_bytes(n * egide::kHashBytes);
    for (std::size_t i = 0; i < n / 4 * egide::kHashBytes; ++i) {
      codes[i] = queries[i % queries.size()] ^ (generator() % 16 == 0 ? 1 : 0);
    }
    const Index index(codes);
    for (const unsigned radius : {0U, 15U, 31U, 63U}) {
      const auto found = index.lookup(queries, radius);
      const auto all = egide::scan(codes.data(), n, queries.data(), 3, radius);
      for (std::size_t q = 0; q < 3; ++q) {
        expect(found[q].size() == all[q].size(), "the index finds what the scan finds");
      }
    }
    std::vector<std::uint8_t> back(codes.size()), again(codes.size());
    egide::permute(codes.data(), n, back.data());
    egide::unpermute(back.data(), n, again.data());
    expect(again == codes, "unpermute undoes permute");
  }
}

void search_damaged() {
  const auto queries = random_bytes(64 * egide::kHashBytes);
  std::size_t refused = 0;
  for (int round = 0; round < 16; ++round) {
    Index index(random_bytes(20000 * egide::kHashBytes));
    auto& damaged = round % 2 == 0 ? index.offsets : index.postings;
    const std::size_t hits = round % 3 == 0 ? damaged.size() : 1 + round * 400;
    for (std::size_t k = 0; k < hits; ++k) {
      damaged[generator() % damaged.size()] = static_cast<std::uint32_t>(generator());
    }
    try {
      index.lookup(queries, 31);
    } catch (const std::invalid_argument&) {
      ++refused;
    }
  }
  expect(refused > 8, "damage is noticed");
}

}  // namespace

int main() {
  hash_pictures();
  search();
  search_damaged();
  std::puts("ok");
}
