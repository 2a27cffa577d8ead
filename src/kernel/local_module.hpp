// The local part of the kernel's Python face.
#pragma once

#include <nanobind/nanobind.h>

namespace egide {

void bind_local(nanobind::module_& module);

}  // namespace egide
