#include "common/arrays.hpp"

namespace py = pybind11;

void bind_chan_vese(py::module_ m);
void bind_morphological(py::module_ m);
void bind_geodesic(py::module_ m);

void bind_contours(py::module_ m) {
  bind_chan_vese(m);
  bind_morphological(m);
  bind_geodesic(m);
}
