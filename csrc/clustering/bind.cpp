// lesionkit.clustering: the kernels' Python names. Checks and allocation are Python's work.
#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_kmeans(py::module_ m);
void bind_fcm(py::module_ m);
void bind_spatial(py::module_ m);
void bind_codebook(py::module_ m);

void bind_clustering(py::module_ m) {
  bind_kmeans(m);
  bind_fcm(m);
  bind_spatial(m);
  bind_codebook(m);
}
