// lesionkit.fronts: the kernels' Python names. Checks and allocation are Python's work.
#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_marching(py::module_ m);
void bind_distance(py::module_ m);
void bind_contours(py::module_ m);
void bind_watershed(py::module_ m);

void bind_fronts(py::module_ m) {
  bind_marching(m);
  bind_distance(m);
  bind_contours(m);
  bind_watershed(m);
}
