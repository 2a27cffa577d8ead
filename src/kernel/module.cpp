// The Python face of the kernel; documented in egide/_kernel.pyi.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "hamming.hpp"
#include "local_module.hpp"
#include "pdq.hpp"
#include "text_module.hpp"
#include "reading_module.hpp"
#include "trim.hpp"

namespace nb = nanobind;

namespace {

using Plane = nb::ndarray<const std::uint8_t, nb::ndim<2>, nb::device::cpu>;
using Picture = nb::ndarray<const std::uint8_t, nb::shape<-1, -1, 3>, nb::device::cpu>;
using Codes = nb::ndarray<const std::uint8_t, nb::shape<-1, egide::kHashBytes>, nb::c_contig,
                          nb::device::cpu>;
using Numbers = nb::ndarray<const std::uint32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Postings = nb::ndarray<const std::uint32_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using Array = nb::ndarray<nb::numpy, T>;

// Memory that is left unwritten until the kernel fills it, and then belongs to a numpy array.
template <class T>
class Buffer {
 public:
  explicit Buffer(std::size_t size) : memory_(new T[size]) {}
  T* data() const { return memory_.get(); }
  Array<T> release(std::initializer_list<std::size_t> shape) {
    nb::capsule owner(memory_.get(), [](void* p) noexcept { delete[] static_cast<T*>(p); });
    return Array<T>(memory_.release(), shape, owner);
  }

 private:
  std::unique_ptr<T[]> memory_;
};

template <class Image>
egide::Pixels pixels_of(const Image& image) {
  if (image.shape(0) == 0 || image.shape(1) == 0) {
    throw std::invalid_argument("the picture has no pixels");
  }
  return {image.data(), image.shape(0), image.shape(1), image.stride(0), image.stride(1)};
}

nb::tuple hashes_and_quality(const egide::Pdq& pdq) {
  Buffer<std::uint8_t> hashes(sizeof pdq.hashes);
  std::copy_n(&pdq.hashes[0][0], sizeof pdq.hashes, hashes.data());
  return nb::make_tuple(hashes.release({8, egide::kHashBytes}), pdq.quality);
}

nb::tuple pdq(const Plane& plane, std::size_t full_height, std::size_t full_width) {
  const egide::Pixels in = pixels_of(plane);
  constexpr std::size_t kLargestScale = 64;
  const auto fits = [](std::size_t full, std::size_t reduced) {
    return full >= reduced && full <= reduced * kLargestScale;
  };
  const bool reduced = full_height != 0 || full_width != 0;
  if (reduced && !(fits(full_height, in.rows) && fits(full_width, in.cols))) {
    throw std::invalid_argument("the full size is not 1 to 64 times that of the plane");
  }
  egide::Pdq out;
  {
    nb::gil_scoped_release unlocked;
    const bool same = !reduced || (full_height == in.rows && full_width == in.cols);
    out = same ? egide::pdq_of_luma(in) : egide::pdq_of_reduced(in, full_height, full_width);
  }
  return hashes_and_quality(out);
}

nb::tuple pdq_rgb(const Picture& image) {
  const egide::Pixels in = pixels_of(image);
  if (image.stride(2) != 1) {
    throw std::invalid_argument("the red, green and blue of a pixel must be adjacent");
  }
  egide::Pdq out;
  {
    nb::gil_scoped_release unlocked;
    out = egide::pdq_of_rgb(in);
  }
  return hashes_and_quality(out);
}

nb::tuple trim(const Plane& plane, int tolerance) {
  const egide::Pixels in = pixels_of(plane);
  if (tolerance < 0 || tolerance > 255) throw std::invalid_argument("tolerance is not 0 to 255");
  egide::Trimmed box;
  {
    nb::gil_scoped_release unlocked;
    box = egide::trim(in, tolerance);
  }
  return nb::make_tuple(box.top, box.bottom, box.left, box.right);
}

template <class Numbers>
void check_aligned(const Numbers& array) {
  if (reinterpret_cast<std::uintptr_t>(array.data()) % alignof(std::uint32_t) != 0) {
    throw std::invalid_argument("the offsets and postings must lie on multiples of four bytes");
  }
}

unsigned checked(int radius) {
  if (radius < 0 || radius > static_cast<int>(egide::kLargestRadius)) {
    throw std::invalid_argument("radius is not 0 to 63");
  }
  return static_cast<unsigned>(radius);
}

std::size_t checked_size(const Codes& codes) {
  if (codes.shape(0) > 0xFFFFFFFFU) throw std::invalid_argument("more than 2**32 - 1 hashes");
  return codes.shape(0);
}

nb::tuple arrays_of(egide::Hits& hits) {
  std::size_t size = 0;
  for (const auto& list : hits) size += list.size();
  Buffer<std::uint32_t> queries(size), slots(size);
  Buffer<std::uint16_t> distances(size);
  {
    nb::gil_scoped_release unlocked;
    std::size_t at = 0;
    for (std::size_t q = 0; q < hits.size(); ++q) {
      for (const egide::Hit& hit : hits[q]) {
        queries.data()[at] = static_cast<std::uint32_t>(q);
        slots.data()[at] = hit.slot;
        distances.data()[at++] = static_cast<std::uint16_t>(hit.distance);
      }
      hits[q] = {};
    }
  }
  return nb::make_tuple(queries.release({size}), slots.release({size}), distances.release({size}));
}

nb::tuple index_build(const Codes& hashes) {
  const std::size_t n = checked_size(hashes);
  const auto bands = egide::bands_for(n);
  const std::size_t n_offsets = egide::offsets_size(bands);
  Buffer<std::uint8_t> codes(n * egide::kHashBytes);
  Buffer<std::uint32_t> offsets(n_offsets), postings(bands.size() * n);
  {
    nb::gil_scoped_release unlocked;
    egide::permute(hashes.data(), n, codes.data());
    egide::build(codes.data(), n, bands, offsets.data(), postings.data());
  }
  return nb::make_tuple(codes.release({n, egide::kHashBytes}), offsets.release({n_offsets}),
                        postings.release({bands.size(), n}));
}

nb::tuple index_lookup(const Codes& codes, const Numbers& offsets, const Postings& postings,
                       const Codes& queries, int radius) {
  const std::size_t n = checked_size(codes), count = checked_size(queries);
  const unsigned within = checked(radius);
  const auto bands = egide::bands_for(n);
  if (offsets.shape(0) != egide::offsets_size(bands) || postings.shape(0) != bands.size() ||
      postings.shape(1) != n) {
    throw std::invalid_argument("the index is damaged: the sizes of its arrays do not agree");
  }
  check_aligned(offsets);
  check_aligned(postings);
  egide::Hits hits;
  {
    nb::gil_scoped_release unlocked;
    const std::unique_ptr<std::uint8_t[]> permuted(new std::uint8_t[count * egide::kHashBytes]);
    egide::permute(queries.data(), count, permuted.get());
    hits = egide::lookup(codes.data(), n, offsets.data(), postings.data(), permuted.get(), count,
                         within);
  }
  return arrays_of(hits);
}

nb::tuple scan(const Codes& hashes, const Codes& queries, int radius) {
  const std::size_t n = checked_size(hashes), count = checked_size(queries);
  const unsigned within = checked(radius);
  egide::Hits hits;
  {
    nb::gil_scoped_release unlocked;
    hits = egide::scan(hashes.data(), n, queries.data(), count, within);
  }
  return arrays_of(hits);
}

Array<std::uint8_t> unpermute(const Codes& codes) {
  const std::size_t n = checked_size(codes);
  Buffer<std::uint8_t> hashes(n * egide::kHashBytes);
  {
    nb::gil_scoped_release unlocked;
    egide::unpermute(codes.data(), n, hashes.data());
  }
  return hashes.release({n, egide::kHashBytes});
}

}  // namespace

NB_MODULE(_kernel, module) {
  using namespace nb::literals;
  nb::list names;
  for (const char* name : egide::kOrientations) names.append(name);
  module.attr("PDQ_ORIENTATIONS") = nb::tuple(names);
  module.def("pdq", &pdq, nb::arg("plane").noconvert(), "full_height"_a = 0, "full_width"_a = 0);
  module.def("pdq_rgb", &pdq_rgb, nb::arg("image").noconvert());
  module.def("trim", &trim, nb::arg("plane").noconvert(), "tolerance"_a = 4);
  module.def("index_build", &index_build, nb::arg("hashes").noconvert());
  module.def("index_lookup", &index_lookup, nb::arg("codes").noconvert(),
             nb::arg("offsets").noconvert(), nb::arg("postings").noconvert(),
             nb::arg("queries").noconvert(), "radius"_a);
  module.def("scan", &scan, nb::arg("hashes").noconvert(), nb::arg("queries").noconvert(),
             "radius"_a);
  module.def("unpermute", &unpermute, nb::arg("codes").noconvert());
  egide::bind_local(module);
  egide::bind_text(module);
  egide::bind_reading(module);
}
