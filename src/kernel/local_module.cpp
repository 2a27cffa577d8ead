// The Python face of local features; documented in egide/_kernel.pyi.
#include "local_module.hpp"

#include <nanobind/ndarray.h>

#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "local_features.hpp"

namespace nb = nanobind;

namespace egide {

namespace {

using local::Candidate;
using local::LocalFeatures;
using local::Match;
using local::Seed;
using local::Segment;

using Plane = nb::ndarray<const std::uint8_t, nb::ndim<2>, nb::device::cpu>;
using Starts = nb::ndarray<nb::ro, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Postings = nb::ndarray<const std::uint32_t, nb::shape<-1, 3>, nb::c_contig, nb::device::cpu>;
template <class T>
using Array = nb::ndarray<nb::numpy, T>;

static_assert(sizeof(local::Posting) == 3 * sizeof(std::uint32_t), "a row of three numbers");
static_assert(sizeof(Seed) == 3 * sizeof(std::uint16_t), "seeds are copied as they are");

template <class T, class Item>
Array<T> array_of(std::unique_ptr<Item[]> memory, std::initializer_list<std::size_t> shape) {
  nb::capsule owner(memory.get(), [](void* p) noexcept { delete[] static_cast<Item*>(p); });
  return Array<T>(reinterpret_cast<T*>(memory.release()), shape, owner);
}

void construct(LocalFeatures* self, const Plane& plane, bool enlarge) {
  if (plane.shape(0) == 0 || plane.shape(1) == 0) {
    throw std::invalid_argument("the picture has no pixels");
  }
  const Pixels pixels{plane.data(), plane.shape(0), plane.shape(1), plane.stride(0),
                      plane.stride(1)};
  nb::gil_scoped_release unlocked;
  new (self) LocalFeatures(pixels, enlarge);
}

LocalFeatures unpack(const nb::bytes& packed) {
  nb::gil_scoped_release unlocked;
  return LocalFeatures(packed.c_str(), packed.size());
}

nb::bytes bytes_of(const std::string& text) { return nb::bytes(text.data(), text.size()); }

// Holds the arrays while the interpreter is unlocked.
struct Arrays {
  std::vector<Starts> starts;
  std::vector<Postings> postings;
  std::vector<Segment> segments;

  explicit Arrays(const nb::list& given) {
    for (nb::handle item : given) {
      const auto pair = nb::cast<nb::tuple>(item);
      if (pair.size() != 2) throw std::invalid_argument("a segment is (starts, postings)");
      // Never converted: a copy of a mapped file would be made at every look-up.
      Starts first;
      Postings second;
      if (!nb::try_cast(pair[0], first, false) || !nb::try_cast(pair[1], second, false)) {
        throw nb::type_error("a segment is (starts, postings), C-contiguous arrays of numbers");
      }
      segments.push_back(segment_of(first, second));
      starts.push_back(std::move(first));
      postings.push_back(std::move(second));
    }
  }

  static Segment segment_of(const Starts& starts, const Postings& postings) {
    const bool wide = starts.dtype() == nb::dtype<std::uint64_t>();
    if (!wide && starts.dtype() != nb::dtype<std::uint32_t>()) {
      throw nb::type_error("the starts of a segment are numbers of 32 or 64 bits without sign");
    }
    int word_bits = 0;
    while (word_bits < local::kWordBits && (std::size_t{1} << word_bits) + 1 < starts.shape(0)) {
      ++word_bits;
    }
    if ((std::size_t{1} << word_bits) + 1 != starts.shape(0)) {
      throw std::invalid_argument(
          "the local index is damaged: the number of its starts is not a power of two and one");
    }
    const auto aligned = [](const void* data, std::size_t to) {
      return reinterpret_cast<std::uintptr_t>(data) % to == 0;
    };
    if (!aligned(starts.data(), wide ? 8 : 4) || !aligned(postings.data(), 4)) {
      throw std::invalid_argument(
          "starts and postings must lie on multiples of their numbers' size");
    }
    return {starts.data(), wide, word_bits,
            reinterpret_cast<const local::Posting*>(postings.data()), postings.shape(0)};
  }
};

nb::list shortlist(const LocalFeatures& self, const nb::list& segments, int most, int probes,
                   int most_signature) {
  if (most < 1 || most > 1024) throw std::invalid_argument("most is not 1 to 1024");
  if (probes < 1 || probes > 256) throw std::invalid_argument("probes is not 1 to 256");
  if (most_signature < 0 || most_signature > 43) {
    throw std::invalid_argument("most_signature is not 0 to 43");
  }
  const Arrays arrays(segments);
  std::vector<Candidate> found;
  {
    nb::gil_scoped_release unlocked;
    found =
        self.shortlist(arrays.segments, {probes, most_signature, static_cast<std::size_t>(most)});
  }
  nb::list out;
  for (const Candidate& candidate : found) {
    const nb::bytes seeds(candidate.seeds.data(), candidate.seeds.size() * sizeof(Seed));
    out.append(
        nb::make_tuple(candidate.segment, candidate.slot, candidate.face, candidate.votes, seeds));
  }
  return out;
}

nb::tuple polygon(const std::vector<local::Corner>& corners) {
  nb::list out;
  for (const local::Corner& corner : corners) out.append(nb::make_tuple(corner[0], corner[1]));
  return nb::tuple(out);
}

nb::tuple evidence(const local::Verdict& verdict) {
  const auto& m = verdict.model;
  return nb::make_tuple(verdict.score, verdict.inliers,
                        nb::make_tuple(m[0], m[1], m[2], m[3], m[4], m[5]),
                        polygon(verdict.query_hull), polygon(verdict.banked_hull),
                        verdict.cells_matched, verdict.cells_visible);
}

nb::object verify(const LocalFeatures& self, const nb::bytes& record, int face,
                  const nb::bytes& seeds) {
  if (face != 0 && face != 1) throw std::invalid_argument("face is not 0 or 1");
  if (seeds.size() % sizeof(Seed) != 0 || seeds.size() > local::kMostSeedsKept * sizeof(Seed)) {
    throw std::invalid_argument("the seeds are not those of a shortlist");
  }
  std::optional<Match> match;
  {
    nb::gil_scoped_release unlocked;
    std::vector<Seed> pairs(seeds.size() / sizeof(Seed));
    if (!pairs.empty()) std::memcpy(pairs.data(), seeds.c_str(), seeds.size());
    match = self.verify(local::read_record(record.c_str(), record.size()), face, pairs);
  }
  if (!match) return nb::none();
  return evidence(match->verdict);
}

nb::object compare(const LocalFeatures& self, const nb::bytes& record) {
  std::optional<Match> match;
  {
    nb::gil_scoped_release unlocked;
    match = self.compare(record.c_str(), record.size());
  }
  if (!match) return nb::none();
  return evidence(match->verdict) + nb::make_tuple(match->face);
}

std::size_t check(const nb::bytes& record) {
  return local::check_record(record.c_str(), record.size());
}

// Records stay where they are while the interpreter is unlocked, whatever happens to the list.
std::vector<nb::bytes> held(const nb::list& records) {
  std::vector<nb::bytes> out;
  for (nb::handle item : records) {
    if (!nb::isinstance<nb::bytes>(item)) throw nb::type_error("a record is bytes");
    out.push_back(nb::borrow<nb::bytes>(item));
  }
  return out;
}

class LocalBuilder {
 public:
  explicit LocalBuilder(int word_bits) : builder_(word_bits) {}

  void count(const nb::list& records) {
    const auto kept = held(records);
    nb::gil_scoped_release unlocked;
    const std::lock_guard<std::mutex> alone(mutex_);
    for (const nb::bytes& record : kept) builder_.count(record.c_str(), record.size());
  }

  void fill(const nb::list& records) {
    const auto kept = held(records);
    nb::gil_scoped_release unlocked;
    const std::lock_guard<std::mutex> alone(mutex_);
    begin();
    for (const nb::bytes& record : kept) builder_.fill(record.c_str(), record.size());
  }

  nb::tuple finish() {
    std::unique_ptr<std::uint32_t[]> narrow;
    std::unique_ptr<std::uint64_t[]> wide;
    std::unique_ptr<local::Posting[]> postings;
    std::size_t words, points;
    {
      nb::gil_scoped_release unlocked;
      const std::lock_guard<std::mutex> alone(mutex_);
      begin();
      if (!builder_.complete()) throw std::invalid_argument("fewer records than were counted");
      const auto& starts = builder_.starts();
      words = starts.size();
      points = builder_.points();
      if (points <= 0xFFFFFFFFU) {
        narrow.reset(new std::uint32_t[words]);
        for (std::size_t w = 0; w < words; ++w) narrow[w] = static_cast<std::uint32_t>(starts[w]);
      } else {
        wide.reset(new std::uint64_t[words]);
        std::copy(starts.begin(), starts.end(), wide.get());
      }
      postings = std::move(postings_);
      done_ = true;
    }
    nb::object first = narrow ? nb::cast(array_of<std::uint32_t>(std::move(narrow), {words}))
                              : nb::cast(array_of<std::uint64_t>(std::move(wide), {words}));
    return nb::make_tuple(first, array_of<std::uint32_t>(std::move(postings), {points, 3}));
  }

 private:
  void begin() {
    if (done_) throw std::invalid_argument("the segment is finished");
    if (postings_) return;
    postings_.reset(new local::Posting[builder_.points()]);
    builder_.begin(postings_.get());
  }

  std::mutex mutex_;
  local::Builder builder_;
  std::unique_ptr<local::Posting[]> postings_;
  bool done_ = false;
};

nb::tuple build(const nb::list& records, int word_bits) {
  LocalBuilder builder(word_bits);
  builder.count(records);
  builder.fill(records);
  return builder.finish();
}

}  // namespace

void bind_local(nb::module_& module) {
  using namespace nb::literals;
  module.attr("LOCAL_MOST_POINTS") = local::kMostRecorded;
  module.attr("LOCAL_LEAST_POINTS") = local::kLeastRecorded;
  module.attr("LOCAL_RECORD_BYTES") =
      local::kHeaderBytes + local::kMostRecorded * local::kPointBytes;
  nb::class_<LocalFeatures>(module, "LocalFeatures")
      .def("__init__", &construct, nb::arg("plane").noconvert(), "enlarge"_a = true)
      .def_prop_ro("count", &LocalFeatures::count)
      .def_prop_ro("width", &LocalFeatures::width)
      .def_prop_ro("height", &LocalFeatures::height)
      .def("pack", [](const LocalFeatures& self) { return bytes_of(self.pack()); })
      .def_static("unpack", &unpack, "packed"_a)
      .def("record", [](const LocalFeatures& self) { return bytes_of(self.record()); })
      .def("shortlist", &shortlist, "segments"_a, "most"_a = 16, "probes"_a = 8,
           "most_signature"_a = 11)
      .def("verify", &verify, "record"_a, "face"_a, "seeds"_a)
      .def("compare", &compare, "record"_a);
  module.def("local_check", &check, "record"_a);
  module.def("local_build", &build, "records"_a, "word_bits"_a = -1);
  nb::class_<LocalBuilder>(module, "LocalBuilder")
      .def(nb::init<int>(), "word_bits"_a = -1)
      .def("count", &LocalBuilder::count, "records"_a)
      .def("fill", &LocalBuilder::fill, "records"_a)
      .def("finish", &LocalBuilder::finish);
}

}  // namespace egide
