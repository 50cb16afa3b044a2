// lesionkit.fronts: the kernels' Python names, a function for each room.
#include "common/arrays.hpp"
#include "fronts/accurate/kernels.hpp"
#include "fronts/contours/kernels.hpp"
#include "fronts/eikonal/kernels.hpp"
#include "fronts/marching/kernels.hpp"
#include "fronts/watershed/kernels.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::fronts;
using namespace py::literals;

namespace {

void bind_contours(py::module_ m) {
  using namespace lesionkit::fronts::contours;
  for_types<double, float>([&]<class T>() {
    m.def("chan_vese", chan_vese<T>, "image"_a, "mask"_a, "phi"_a, "volume"_a, "mu"_a, "lambdas"_a,
          "tol"_a, "max_iter"_a, "dt"_a, "with_energies"_a, ReleaseGil());
    m.def("morphological_chan_vese", morphological_chan_vese<T>, "image"_a, "level"_a, "volume"_a,
          "iterations"_a, "smoothing"_a, "smoothed"_a, "lambda1"_a, "lambda2"_a, ReleaseGil());
    m.def("morphological_geodesic", morphological_geodesic<T>, "image"_a, "level"_a, "volume"_a,
          "iterations"_a, "smoothing"_a, "smoothed"_a, "where"_a, "grow"_a, ReleaseGil());
    m.def("geodesic_active_contour", geodesic_active_contour<T>, "edge"_a, "level"_a, "spacing"_a,
          "balloon"_a, "curvature"_a, "advection"_a, "iterations"_a, ReleaseGil());
  });
}

template <class R>
py::tuple paths_of(View<const R> times, std::array<double, 3> spacing, View<const double> points,
                   View<const double> seeds, double step) {
  Paths found;
  {
    WithoutGil release;
    found = find_paths(times, spacing, points, seeds, step);
  }
  const auto all = static_cast<int64_t>(found.points.size() / 3);
  return py::make_tuple(array_of(found.points).reshape({all, int64_t{3}}), array_of(found.counts));
}

void bind_eikonal(py::module_ m) {
  for_types<float, double>([&]<class R>() {
    m.def("arrival_times", arrival_times<R>, "speed"_a, "mask"_a, "scale"_a, "spacing"_a, "stop"_a,
          "first"_a, "nodes"_a, "at"_a, "times"_a, ReleaseGil());
    m.def("front_labels", front_labels<R>, "times"_a, "first"_a, "nodes"_a, "at"_a, "label_of"_a,
          "labels"_a, ReleaseGil());
    m.def("make_accurate", make_accurate<R>, "speed"_a, "mask"_a, "scale"_a, "spacing"_a, "stop"_a,
          "first"_a, "nodes"_a, "at"_a, "times"_a, "order"_a, "reach"_a, "seed_of"_a, "seeds"_a,
          ReleaseGil());
    m.def("find_paths", paths_of<R>, "times"_a, "spacing"_a, "points"_a, "seeds"_a, "step"_a);
  });
}

void bind_marching(py::module_ m) {
  m.def("march", march_level, "phi"_a, "speed"_a, "closed"_a, "spacing"_a, "periodic"_a, "order"_a,
        "narrow"_a, "times"_a, "carried"_a, "unknown"_a, "extended"_a, ReleaseGil());
  for_types<float, double>([&]<class R>() {
    for_types<uint8_t, int32_t>([&]<class Label>() {
      m.def("distance_transform",
            py::overload_cast<View<const Label>, std::vector<double>, bool, View<R>>(
                distance_transform<R, Label>),
            "mask"_a, "spacing"_a, "both"_a, "out"_a, ReleaseGil());
    });
  });
}

void bind_watershed(py::module_ m) {
  m.def("watershed", watershed, "image"_a, "markers"_a, "mask"_a, "offsets"_a, "watershed_line"_a,
        "out"_a, ReleaseGil());
  m.def("compact_watershed", compact_watershed, "image"_a, "marked"_a, "mask"_a, "offsets"_a,
        "compactness"_a, "out"_a, ReleaseGil());
  m.def("h_minima", h_minima, "image"_a, "h"_a, "connectivity"_a, "labels"_a, ReleaseGil());
}

}  // namespace

void bind_fronts(py::module_ m) {
  bind_contours(m);
  bind_eikonal(m);
  bind_marching(m);
  bind_watershed(m);
}
