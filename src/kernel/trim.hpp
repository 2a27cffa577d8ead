// The box of a picture that is left when uniform borders are cut away.
#pragma once

#include <cstddef>

#include "pdq.hpp"

namespace egide {

struct Trimmed {
  std::size_t top, bottom, left, right;  // half-open
};

Trimmed trim(const Pixels& plane, int tolerance);

}  // namespace egide
