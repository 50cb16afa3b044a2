// lesionkit.optics, phantoms: sampling, rasterising, noise.
#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_phantom(py::module_) {}
