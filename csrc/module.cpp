// Table of contents: one line per domain. Compiled once per instruction set (setup.py).
#include <pybind11/pybind11.h>

#include "common/arrays.hpp"
#include "common/extent.hpp"
#include "common/parallel.hpp"

namespace py = pybind11;

void bind_optics(py::module_ m);
void bind_texture(py::module_ m);
void bind_clustering(py::module_ m);
void bind_fronts(py::module_ m);

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
          py::gil_scoped_release release;
          extent = lesionkit::parallel_extent(values.data(), values.size());
        }
        return py::make_tuple(extent.low, extent.high, extent.finite);
      },
      py::arg("values").noconvert());
}

PYBIND11_MODULE(LESIONKIT_JOIN(_core_, LESIONKIT_LEVEL), m) {
  m.attr("level") = LESIONKIT_TEXT(LESIONKIT_LEVEL);
  m.def("get_threads", &lesionkit::get_threads);
  m.def("set_threads", &lesionkit::set_threads, py::arg("count"));
  bind_extent<double>(m);
  bind_extent<float>(m);
  bind_optics(m.def_submodule("optics"));
  bind_texture(m.def_submodule("texture"));
  bind_clustering(m.def_submodule("clustering"));
  bind_fronts(m.def_submodule("fronts"));
}
