// lesionkit.fronts, geodesic active contours. Python has checked the arrays
// (fronts/active_contour.py).
#include <pybind11/stl.h>

#include <vector>

#include "common/arrays.hpp"
#include "fronts/narrow_band.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::fronts::contours;

namespace {

template <class T, int axes>
double evolve(const int64_t* shape, const std::vector<double>& spacing, const T* edge, T* level,
              T balloon, T curvature, T advection, int64_t iterations) {
  NarrowBand<T, axes> band(shape, spacing.data(), edge, level,
                           {balloon, curvature, advection, {}, {}, {}, {}});
  double time = 0.0;
  for (int64_t i = 0; i < iterations; ++i) time += band.iterate();
  band.copy_to(level);
  return time;
}

template <class T>
void bind(py::module_& m) {
  m.def(
      "geodesic_active_contour",
      [](const Array<T>& edge, Array<T>& level, const std::vector<double>& spacing, double balloon,
         double curvature, double advection, int64_t iterations) {
        const std::vector<int64_t> shape(edge.shape(), edge.shape() + edge.ndim());
        T* phi = level.mutable_data();
        const auto run = edge.ndim() == 3 ? evolve<T, 3> : evolve<T, 2>;
        py::gil_scoped_release release;
        return run(shape.data(), spacing, edge.data(), phi, static_cast<T>(balloon),
                   static_cast<T>(curvature), static_cast<T>(advection), iterations);
      },
      py::arg("edge").noconvert(), py::arg("level").noconvert(), py::arg("spacing"),
      py::arg("balloon"), py::arg("curvature"), py::arg("advection"), py::arg("iterations"));
}

}  // namespace

void bind_geodesic(py::module_ m) {
  bind<double>(m);
  bind<float>(m);
}
