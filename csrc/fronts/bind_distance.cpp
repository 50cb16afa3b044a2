#include "common/arrays.hpp"
#include "common/parallel.hpp"

namespace py = pybind11;

void bind_distance(py::module_ m) {}
