#pragma once

#include <nanobind/nanobind.h>

namespace egide {

void bind_text(nanobind::module_& module);

}  // namespace egide
