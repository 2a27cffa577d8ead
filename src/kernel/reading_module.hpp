// Reads one sentence by a lexicon: the loop over its words, of which most are unknown.
#pragma once

#include <nanobind/nanobind.h>

namespace egide {

void bind_reading(nanobind::module_& module);

}  // namespace egide
