// The loop of egide/text/reading.py; documented in egide/_kernel.pyi.
//
// Classes are bits of Python's whole numbers: there are more of them than a machine word has.
#include "reading_module.hpp"

#include <nanobind/stl/tuple.h>

#include <cstddef>
#include <stdexcept>
#include <tuple>

namespace nb = nanobind;

namespace egide {

namespace {

// What a dictionary has for a key; nothing when it has none.
nb::handle held(const nb::dict& dict, nb::handle key) {
  PyObject* found = PyDict_GetItemWithError(dict.ptr(), key.ptr());
  if (found == nullptr && PyErr_Occurred()) throw nb::python_error();
  return found;
}

bool holds(nb::handle dict, nb::handle key) {
  const int found = PyDict_Contains(dict.ptr(), key.ptr());
  if (found < 0) throw nb::python_error();
  return found != 0;
}

nb::object both(nb::handle one, nb::handle other) {
  PyObject* found = PyNumber_And(one.ptr(), other.ptr());
  if (found == nullptr) throw nb::python_error();
  return nb::steal(found);
}

nb::object either(nb::handle one, nb::handle other) {
  PyObject* found = PyNumber_Or(one.ptr(), other.ptr());
  if (found == nullptr) throw nb::python_error();
  return nb::steal(found);
}

bool any(nb::handle bits) {
  const int found = PyObject_IsTrue(bits.ptr());
  if (found < 0) throw nb::python_error();
  return found != 0;
}

bool is_handle(nb::handle token) {
  return PyUnicode_Check(token.ptr()) && PyUnicode_GetLength(token.ptr()) > 1 &&
         PyUnicode_ReadChar(token.ptr(), 0) == '@';
}

// What the lexicon has for one language, and what its classes are.
class SentenceReader {
 public:
  SentenceReader(nb::dict words, nb::dict terms, nb::int_ handle, nb::int_ transparent,
                 nb::int_ blocks, nb::int_ telling, std::size_t blocked)
      : words_(std::move(words)), terms_(std::move(terms)), handle_(std::move(handle)),
        transparent_(std::move(transparent)), blocks_(std::move(blocks)),
        telling_(std::move(telling)), gap_(".."), nothing_(0), blocked_(blocked) {}

  std::tuple<std::size_t, std::size_t, nb::object> read(
      const nb::list& tokens, std::size_t start, std::size_t end, std::size_t at,
      std::size_t unknown, const nb::callable& term, nb::list ats, nb::list unknowns,
      nb::list masks, nb::list firsts, nb::list widths) const {
    if (start > end || end > tokens.size()) throw std::invalid_argument("no part of the tokens");
    nb::object seen = nothing_;
    for (std::size_t position = start; position < end;) {
      // A term is asked of Python code: what the list holds is not sure to be held by it then.
      const nb::object token = tokens[position];
      nb::object mask = nb::borrow(held(words_, token));
      const nb::object head = nb::borrow(held(terms_, token));
      std::size_t width = 1;
      if (head.is_valid()) {
        if (!mask.is_valid()) mask = nothing_;
        const bool follows = position + 1 < end && holds(head, tokens[position + 1]);
        if (follows || holds(head, gap_)) {
          const auto [bits, found] =
              nb::cast<std::tuple<nb::object, std::size_t>>(term(tokens, position, end, head));
          mask = found > 1 ? bits : either(mask, bits);
          width = found > 1 ? found : 1;
        }
      } else if (!mask.is_valid() || !any(mask)) {
        if (!is_handle(token)) {
          ++unknown;
          ++at;
          ++position;
          continue;
        }
        mask = handle_;
      }
      seen = either(seen, mask);
      if (any(both(mask, telling_))) {
        ats.append(at);
        unknowns.append(unknown);
        masks.append(mask);
        firsts.append(position);
        widths.append(width);
      }
      if (any(both(mask, blocks_))) {
        unknown += blocked_;
      } else if (!any(both(mask, transparent_))) {
        ++unknown;
      }
      at += width;
      position += width;
    }
    return {at, unknown, seen};
  }

 private:
  nb::dict words_, terms_;
  nb::int_ handle_, transparent_, blocks_, telling_;
  nb::str gap_;
  nb::int_ nothing_;
  std::size_t blocked_;
};

}  // namespace

void bind_reading(nb::module_& module) {
  using namespace nb::literals;
  nb::class_<SentenceReader>(module, "SentenceReader")
      .def(nb::init<nb::dict, nb::dict, nb::int_, nb::int_, nb::int_, nb::int_, std::size_t>(),
           "words"_a, "terms"_a, "handle"_a, "transparent"_a, "blocks"_a, "telling"_a, "blocked"_a)
      .def("read", &SentenceReader::read, "tokens"_a, "start"_a, "end"_a, "at"_a, "unknown"_a,
           "term"_a, "ats"_a, "unknowns"_a, "masks"_a, "firsts"_a, "widths"_a);
}

}  // namespace egide
