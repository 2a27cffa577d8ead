// Runs the features of texts over ordinary and odd ones under the address and undefined-behaviour
// sanitisers. Prints "ok" and exits 0 when every answer was the expected one.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "text_features.hpp"
#include "text_network.hpp"

namespace {

using egide::text::Block;
using egide::text::Families;

std::mt19937_64 generator(7);

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::exit(1);
}

std::u32string random_text(std::size_t length) {
  std::u32string text;
  for (std::size_t n = 0; n < length; ++n) {
    const auto kind = generator() % 8;
    text += kind < 2 ? U' ' : static_cast<char32_t>(kind < 7 ? U'a' + kind : generator());
  }
  return text;
}

void check(const std::vector<Block>& blocks, const egide::text::Weights& weights) {
  for (const Block& block : blocks) {
    expect(block.share > 0 && block.share <= 1.4, "a share is one of ours");
    for (const auto bucket : block.buckets) {
      expect(bucket < egide::text::kBuckets, "a bucket is in range");
    }
  }
  std::vector<double> sums(weights.columns);
  egide::text::add(blocks, weights, sums.data());
}

// Two direct columns and one that goes through two units, of which one is off.
void run_a_network(const egide::text::Weights& weights) {
  const std::vector<float> scales{1.0F, 2.0F, 0.5F}, hidden{1.0F, -1.0F}, hidden_at{0.5F, 0.0F};
  const std::vector<float> out{1.0F, 0.0F, 0.0F, 1.0F, -2.0F, 0.0F}, out_at{0.0F, 0.0F, 1.0F};
  const egide::text::Network network{weights,    scales.data(), hidden.data(), hidden_at.data(),
                                     out.data(), out_at.data(), 2, 1, 2, 3};
  const std::vector<double> sums{3.0, 4.0, 6.0};
  std::vector<double> logits(3);
  egide::text::logits_of(network, sums.data(), logits.data());
  expect(logits == std::vector<double>{6.5, 8.0, -6.0}, "logits are those of the layers");
  expect(egide::text::slopes_of(network, sums.data(), 0) == std::vector<double>{1.0, 0.0, 0.5},
         "what is direct and what goes through the unit that is on");
  expect(egide::text::slopes_of(network, sums.data(), 2) == std::vector<double>{0.0, 0.0, -1.0},
         "a label without a direct column");
  const egide::text::Network flat{weights, scales.data(), nullptr, nullptr, nullptr,
                                  out_at.data(), 3, 0, 0, 3};
  egide::text::logits_of(flat, sums.data(), logits.data());
  expect(logits == std::vector<double>{3.0, 8.0, 4.0}, "without a hidden layer the sums count");
}

}  // namespace

int main() {
  const std::size_t columns = 3;
  std::vector<std::int8_t> rows(egide::text::kBuckets * columns, -128);
  const egide::text::Weights weights{rows.data(), columns};
  run_a_network(weights);
  const std::vector<std::u32string> words{U"", U"nude", U"picture", U"\xFFFFFFFF"};
  std::vector<std::uint32_t> keys;
  for (const auto& word : words) keys.push_back(egide::text::word_key(word));
  std::sort(keys.begin(), keys.end());
  const std::vector<std::uint16_t> family{0, 511, 7, 65535};
  const Families known{keys.data(), family.data(), keys.size()};
  const Families none{nullptr, nullptr, 0};

  for (const std::u32string text : {U"", U" ", U"  ", U"x", U" x", U"x ", U" nude pictures "}) {
    check(egide::text::blocks_of(text, known), weights);
    check(egide::text::blocks_of(text, none), weights);
  }
  expect(egide::text::blocks_of(U" nude pictures ", known)[2].buckets.size() == 3,
         "a word, the stem of another, and both");
  for (std::size_t length = 0; length < 400; ++length) {
    check(egide::text::blocks_of(random_text(length), known), weights);
  }
  check(egide::text::blocks_of(random_text(100'000), known), weights);

  egide::text::Told told;
  check(egide::text::blocks_of(told), weights);
  told.hits = {{1}, {}, {2, 3}};
  expect(egide::text::blocks_of(told).size() == 1, "without classes no hits");
  told.facts = {1, ~std::uint64_t{0}};
  told.classes = {4, 5, 6};
  const auto blocks = egide::text::blocks_of(told);
  expect(blocks.size() == 3 && blocks[1].buckets.size() == 6, "classes alone and in pairs");
  expect(blocks[2].buckets.size() == 2, "hits with the one after the next");
  check(blocks, weights);
  std::puts("ok");
}
