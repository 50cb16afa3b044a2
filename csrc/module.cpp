// Table of contents. Compiled once per instruction set (setup.py). Checks and allocation are
// Python's work.
#include <pybind11/pybind11.h>

#include "common/arrays.hpp"
#include "common/extent.hpp"
#include "common/parallel.hpp"

namespace py = pybind11;

void bind_optics(py::module_ m);
void bind_glcm(py::module_ m);
void bind_graycomatrix(py::module_ m);
void bind_graycoprops(py::module_ m);
void bind_haralick(py::module_ m);
void bind_lbp(py::module_ m);
void bind_maps(py::module_ m);
void bind_regions(py::module_ m);
void bind_rois(py::module_ m);
void bind_runs(py::module_ m);
void bind_codebook(py::module_ m);
void bind_fcm(py::module_ m);
void bind_kmeans(py::module_ m);
void bind_spatial(py::module_ m);
void bind_chan_vese(py::module_ m);
void bind_contours(py::module_ m);
void bind_distance(py::module_ m);
void bind_times(py::module_ m);
void bind_watershed(py::module_ m);

#define LESIONKIT_JOIN2(a, b) a##b
#define LESIONKIT_JOIN(a, b) LESIONKIT_JOIN2(a, b)
#define LESIONKIT_TEXT2(a) #a
#define LESIONKIT_TEXT(a) LESIONKIT_TEXT2(a)

template <class T>
static void bind_extent(py::module_ m) {
  m.def(
      "extent",
      [](const lesionkit::Array<T>& values) {
        lesionkit::Extent extent;
        {
          lesionkit::WithoutGil release;
          extent = lesionkit::parallel_extent(values.data(), values.size());
        }
        return py::make_tuple(extent.low, extent.high, extent.finite);
      },
      py::arg("values").noconvert());
}

PYBIND11_MODULE(LESIONKIT_JOIN(_core_, LESIONKIT_LEVEL), m) {
  m.attr("level") = LESIONKIT_TEXT(LESIONKIT_LEVEL);
  lesionkit::translate_interrupts();
  m.def("get_threads", &lesionkit::get_threads);
  m.def("set_threads", &lesionkit::set_threads, py::arg("count"));
  bind_extent<double>(m);
  bind_extent<float>(m);
  bind_optics(m.def_submodule("optics"));
  const auto bind_all = [&](const char* domain, auto... binds) {
    const py::module_ part = m.def_submodule(domain);
    (binds(part), ...);
  };
  bind_all("texture", bind_glcm, bind_graycomatrix, bind_graycoprops, bind_haralick, bind_lbp,
           bind_maps, bind_regions, bind_rois, bind_runs);
  bind_all("clustering", bind_codebook, bind_fcm, bind_kmeans, bind_spatial);
  bind_all("fronts", bind_chan_vese, bind_contours, bind_distance, bind_times, bind_watershed);
}
