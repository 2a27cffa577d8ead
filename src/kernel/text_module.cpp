// The Python face of the features of text; documented in egide/_kernel.pyi.
#include "text_module.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "text_features.hpp"
#include "text_network.hpp"

namespace nb = nanobind;

namespace egide {

namespace {

using text::Block;
using text::Families;
using text::Told;

template <class T>
using Numbers = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Rows = nb::ndarray<const std::int8_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Matrix = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using Array = nb::ndarray<nb::numpy, T>;
using Bounds = std::vector<std::pair<std::size_t, std::size_t>>;
using Digests = std::vector<nb::bytes>;

template <class T>
Array<T> array_of(std::unique_ptr<T[]> memory, std::initializer_list<std::size_t> shape) {
  nb::capsule owner(memory.get(), [](void* p) noexcept { delete[] static_cast<T*>(p); });
  return Array<T>(memory.release(), shape, owner);
}

// The code points of a string, surrogates and all.
class Points {
 public:
  explicit Points(const nb::str& given)
      : size_(static_cast<std::size_t>(PyUnicode_GetLength(given.ptr()))),
        points_(PyUnicode_AsUCS4Copy(given.ptr()), &PyMem_Free) {
    if (!points_) throw nb::python_error();
  }
  std::u32string_view view() const {
    return {reinterpret_cast<const char32_t*>(points_.get()), size_};
  }

 private:
  std::size_t size_;
  std::unique_ptr<Py_UCS4, decltype(&PyMem_Free)> points_;
};

std::vector<std::uint64_t> digests_of(const nb::bytes& packed) {
  if (packed.size() % sizeof(std::uint64_t) != 0) {
    throw std::invalid_argument("digests have eight bytes each");
  }
  std::vector<std::uint64_t> digests(packed.size() / sizeof(std::uint64_t));
  if (!digests.empty()) std::memcpy(digests.data(), packed.c_str(), packed.size());
  return digests;
}

Told told_of(const nb::bytes& facts, const nb::bytes& classes, const Digests& hits) {
  Told told{digests_of(facts), digests_of(classes), {}};
  for (const nb::bytes& hit : hits) told.hits.push_back(digests_of(hit));
  return told;
}

Families checked(const Numbers<std::uint32_t>& keys, const Numbers<std::uint16_t>& family) {
  if (keys.shape(0) != family.shape(0)) {
    throw std::invalid_argument("there are not as many families as keys");
  }
  return {keys.data(), family.data(), keys.shape(0)};
}

nb::list blocks(const nb::str& given, const Numbers<std::uint32_t>& keys,
                const Numbers<std::uint16_t>& family, const nb::bytes& facts,
                const nb::bytes& classes, const Digests& hits) {
  const Points points(given);
  const Families families = checked(keys, family);
  std::vector<Block> found = blocks_of(told_of(facts, classes, hits));
  for (Block& block : blocks_of(points.view(), families)) found.push_back(std::move(block));
  nb::list shown;
  for (const Block& block : found) {
    const std::size_t size = block.buckets.size();
    std::unique_ptr<std::int64_t[]> copy(new std::int64_t[size]);
    std::copy(block.buckets.begin(), block.buckets.end(), copy.get());
    shown.append(nb::make_tuple(array_of(std::move(copy), {size}), block.share));
  }
  return shown;
}

// Holds its arrays, which may lie in a mapped file.
class TextWeights {
 public:
  TextWeights(Rows rows, Numbers<float> scales, Matrix hidden, Numbers<float> hidden_at, Matrix out,
              Numbers<float> out_at, Numbers<std::uint32_t> keys, Numbers<std::uint16_t> family)
      : rows_(std::move(rows)), scales_(std::move(scales)), hidden_(std::move(hidden)),
        hidden_at_(std::move(hidden_at)), out_(std::move(out)), out_at_(std::move(out_at)),
        keys_(std::move(keys)), family_(std::move(family)), families_(checked(keys_, family_)) {
    const std::size_t columns = rows_.shape(1), inner = hidden_.shape(1);
    if (rows_.shape(0) != text::kBuckets || scales_.shape(0) != columns || inner > columns ||
        hidden_at_.shape(0) != hidden_.shape(0) || out_.shape(1) != hidden_.shape(0) ||
        out_at_.shape(0) != out_.shape(0) || columns - inner > out_.shape(0)) {
      throw std::invalid_argument("the sizes of the weights do not agree");
    }
    network_ = {{rows_.data(), columns}, scales_.data(), hidden_.data(), hidden_at_.data(),
                out_.data(), out_at_.data(), columns - inner, inner, hidden_.shape(0),
                out_.shape(0)};
  }

  std::vector<std::vector<double>> logits(const nb::str& given, const Bounds& bounds, const nb::bytes& facts,
                       const nb::bytes& classes, const Digests& hits) const {
    const Points points(given);
    const std::u32string_view text = points.view();
    for (const auto& [begin, end] : bounds) {
      if (begin > end || end > text.size()) throw std::invalid_argument("no part of the text");
    }
    const Told told = told_of(facts, classes, hits);
    std::vector<std::vector<double>> found;
    found.reserve(bounds.size());
    nb::gil_scoped_release unlocked;
    const std::vector<double> known = sums_of(blocks_of(told));
    for (const auto& [begin, end] : bounds) {
      std::vector<double> sums = known;
      add(blocks_of(text.substr(begin, end - begin), families_), network_.weights, sums.data());
      text::logits_of(network_, sums.data(), found.emplace_back(network_.labels).data());
    }
    return found;
  }

  std::vector<double> slopes(const nb::str& given, std::size_t label, const nb::bytes& facts,
                             const nb::bytes& classes, const Digests& hits) const {
    if (label >= network_.labels) throw std::invalid_argument("no such label");
    const Points points(given);
    const Told told = told_of(facts, classes, hits);
    nb::gil_scoped_release unlocked;
    std::vector<double> sums = sums_of(blocks_of(told));
    add(blocks_of(points.view(), families_), network_.weights, sums.data());
    return text::slopes_of(network_, sums.data(), label);
  }

 private:
  std::vector<double> sums_of(const std::vector<Block>& blocks) const {
    std::vector<double> sums(network_.weights.columns);
    add(blocks, network_.weights, sums.data());
    return sums;
  }

  Rows rows_;
  Numbers<float> scales_;
  Matrix hidden_;
  Numbers<float> hidden_at_;
  Matrix out_;
  Numbers<float> out_at_;
  Numbers<std::uint32_t> keys_;
  Numbers<std::uint16_t> family_;
  Families families_;
  text::Network network_;
};

std::uint32_t word_key(const nb::str& word) { return text::word_key(Points(word).view()); }

}  // namespace

void bind_text(nb::module_& module) {
  using namespace nb::literals;
  module.attr("TEXT_BUCKETS") = text::kBuckets;
  module.def("text_blocks", &blocks, "text"_a, nb::arg("keys").noconvert(),
             nb::arg("family").noconvert(), "facts"_a, "classes"_a, "hits"_a);
  module.def("word_key", &word_key, "word"_a);
  nb::class_<TextWeights>(module, "TextWeights")
      .def(nb::init<Rows, Numbers<float>, Matrix, Numbers<float>, Matrix, Numbers<float>,
                    Numbers<std::uint32_t>, Numbers<std::uint16_t>>(),
           nb::arg("weights").noconvert(), nb::arg("scales").noconvert(),
           nb::arg("hidden").noconvert(), nb::arg("hidden_biases").noconvert(),
           nb::arg("out").noconvert(), nb::arg("out_biases").noconvert(),
           nb::arg("keys").noconvert(), nb::arg("family").noconvert())
      .def("logits", &TextWeights::logits, "text"_a, "bounds"_a, "facts"_a, "classes"_a,
           "hits"_a)
      .def("slopes", &TextWeights::slopes, "text"_a, "label"_a, "facts"_a, "classes"_a, "hits"_a);
}

}  // namespace egide
