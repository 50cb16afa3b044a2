// lesionkit.texture: the kernels' Python names. Checks and allocation are Python's work.
#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_glcm(py::module_ m);
void bind_regions(py::module_ m);
void bind_rois(py::module_ m);
void bind_runs(py::module_ m);

void bind_texture(py::module_ m) {
  bind_glcm(m);
  bind_regions(m);
  bind_rois(m);
  bind_runs(m);
}
