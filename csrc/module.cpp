// Table of contents. Compiled once per instruction set (setup.py). Checks and allocation are
// Python's work.
#include "common/arrays.hpp"
#include "common/extent.hpp"
#include "common/parallel.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace py::literals;

void bind_optics(py::module_ m);
void bind_texture(py::module_ m);
void bind_clustering(py::module_ m);
void bind_fronts(py::module_ m);

#define LESIONKIT_JOIN2(a, b) a##b
#define LESIONKIT_JOIN(a, b) LESIONKIT_JOIN2(a, b)
#define LESIONKIT_TEXT2(a) #a
#define LESIONKIT_TEXT(a) LESIONKIT_TEXT2(a)

PYBIND11_MODULE(LESIONKIT_JOIN(_core_, LESIONKIT_LEVEL), m) {
  m.attr("level") = LESIONKIT_TEXT(LESIONKIT_LEVEL);
  translate_interrupts();
  m.def("get_threads", &get_threads);
  m.def("set_threads", &set_threads, "count"_a);
  for_types<double, float>([&]<class T>() {
    m.def(
        "extent",
        [](View<const T> values) {
          const Extent found = parallel_extent(values.data(), values.size());
          return std::tuple(found.low, found.high, found.finite);
        },
        "values"_a, ReleaseGil());
  });
  bind_optics(m.def_submodule("optics"));
  bind_texture(m.def_submodule("texture"));
  bind_clustering(m.def_submodule("clustering"));
  bind_fronts(m.def_submodule("fronts"));
}
