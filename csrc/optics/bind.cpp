// lesionkit.optics: the kernels' Python names. Checks and allocation are Python's work.
#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_phantom(py::module_ m);

void bind_optics(py::module_ m) { bind_phantom(m); }
