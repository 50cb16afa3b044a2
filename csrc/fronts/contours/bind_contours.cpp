// lesionkit.fronts, contours: morphological ones, and geodesic active contours. Python has checked
// the arrays (fronts/contours/morphological.py, fronts/contours/active_contour.py).
#include <pybind11/stl.h>

#include <optional>
#include <vector>

#include "common/arrays.hpp"
#include "fronts/contours/attachment.hpp"
#include "fronts/contours/bit_sums.hpp"
#include "fronts/contours/morphology.hpp"
#include "fronts/contours/narrow_band.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::fronts::contours;

namespace {

// Morphological: a level set comes as bytes, 0 or 1, and leaves as such; between, it is bits.

// How often to do what. The two orders of smoothing alternate; `smoothed` were done before.
struct Schedule {
  int64_t iterations, smoothing, smoothed;

  template <bool volume, class Iterate>
  void run(const BitShape& shape, uint8_t* level, const Iterate& iterate) const {
    Bits bits, spare(shape.total(), 0), before[2];
    pack(level, shape, bits);
    int64_t done = smoothed;
    for (int64_t i = 0, end = iterations; i < end; ++i) {
      // A picture seen two iterations ago comes again every second one, for ever: the orders of
      // smoothing, too, are then the same.
      if (i >= 2 && bits == before[i % 2]) end = i + (end - i) % 2;
      if (i == end) break;
      before[i % 2] = bits;
      iterate(bits, spare);
      for (int64_t s = 0; s < smoothing; ++s) smooth<volume>(shape, done++ % 2 == 0, bits, spare);
    }
    unpack(bits, shape, level);
  }
};

int64_t place_of(const BitShape& shape, const ContourPixel& p) {
  return (p.plane * shape.rows + p.row) * shape.columns + p.column;
}

// Without edges: a pixel at the contour joins the side whose mean is nearer to it.
template <class T, bool volume>
void without_edges(const T* image, const BitShape& shape, uint8_t* level, const Schedule& schedule,
                   T lambda1, T lambda2) {
  BitSums<T> sums(image, shape);
  const int64_t pixels = shape.planes * shape.rows * shape.columns;
  schedule.run<volume>(shape, level, [&](Bits& bits, Bits& spare) {
    const TwoSums<T> sum = sums.of(bits);
    const T inside = sum.inside / static_cast<T>(static_cast<double>(sum.pixels) + 1e-8);
    const T outside = sum.outside / static_cast<T>(static_cast<double>(pixels - sum.pixels) + 1e-8);
    attach<volume>(shape, bits, spare, [&](const ContourPixel& p) {
      const T value = image[place_of(shape, p)];
      const T in = value - inside, out = value - outside;
      const T misfit_in = lambda1 * (in * in), misfit_out = lambda2 * (out * out);
      return (misfit_in < misfit_out) - (misfit_in > misfit_out);
    });
  });
}

// Geodesic: grown or shrunk where `where` is set, then drawn to where the edge map is lowest.
template <class T, bool volume>
void geodesic(const T* image, const BitShape& shape, uint8_t* level, const Schedule& schedule,
              const uint8_t* where, bool grow) {
  const int64_t steps[3] = {shape.rows * shape.columns, shape.columns, 1};
  Bits moves;
  if (where) pack(where, shape, moves);
  schedule.run<volume>(shape, level, [&](Bits& bits, Bits& spare) {
    if (where && grow) move<Dilation, volume>(shape, moves, bits, spare);
    if (where && !grow) move<Erosion, volume>(shape, moves, bits, spare);
    attach<volume>(shape, bits, spare, [&](const ContourPixel& p) {
      const int64_t place[3] = {p.plane, p.row, p.column};
      const int64_t count[3] = {shape.planes, shape.rows, shape.columns};
      const T* here = image + place_of(shape, p);
      T sum = 0;
      for (int d = volume ? 0 : 1; d < 3; ++d) {
        const T ahead = here[place[d] + 1 < count[d] ? steps[d] : 0];
        const T back = here[place[d] > 0 ? -steps[d] : 0];
        const T slope = (ahead - back) / static_cast<T>(p.apart[d]);
        const double change = static_cast<double>(p.behind[d] - p.before[d]) / p.apart[d];
        sum = static_cast<T>(sum + slope * change);
      }
      return (sum > 0) - (sum < 0);
    });
  });
}

BitShape shape_of(const py::array& image) {
  return {image.shape(0), image.shape(1), image.shape(2)};
}

template <class T>
void bind_morphological(py::module_& m) {
  m.def(
      "morphological_chan_vese",
      [](const Array<T>& image, Array<uint8_t>& level, bool volume, int64_t iterations,
         int64_t smoothing, int64_t smoothed, double lambda1, double lambda2) {
        const BitShape shape = shape_of(image);
        const Schedule schedule = {iterations, smoothing, smoothed};
        const auto run = volume ? without_edges<T, true> : without_edges<T, false>;
        uint8_t* bytes = level.mutable_data();
        lesionkit::WithoutGil release;
        run(image.data(), shape, bytes, schedule, static_cast<T>(lambda1), static_cast<T>(lambda2));
      },
      py::arg("image").noconvert(), py::arg("level").noconvert(), py::arg("volume"),
      py::arg("iterations"), py::arg("smoothing"), py::arg("smoothed"), py::arg("lambda1"),
      py::arg("lambda2"));
  m.def(
      "morphological_geodesic",
      [](const Array<T>& image, Array<uint8_t>& level, bool volume, int64_t iterations,
         int64_t smoothing, int64_t smoothed, const std::optional<Array<uint8_t>>& where,
         bool grow) {
        const BitShape shape = shape_of(image);
        const Schedule schedule = {iterations, smoothing, smoothed};
        const auto run = volume ? geodesic<T, true> : geodesic<T, false>;
        uint8_t* bytes = level.mutable_data();
        const uint8_t* moves = where ? where->data() : nullptr;
        lesionkit::WithoutGil release;
        run(image.data(), shape, bytes, schedule, moves, grow);
      },
      py::arg("image").noconvert(), py::arg("level").noconvert(), py::arg("volume"),
      py::arg("iterations"), py::arg("smoothing"), py::arg("smoothed"),
      py::arg("where").noconvert(), py::arg("grow"));
}

// Geodesic active contours: a level set of signed distances.

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
void bind_active(py::module_& m) {
  m.def(
      "geodesic_active_contour",
      [](const Array<T>& edge, Array<T>& level, const std::vector<double>& spacing, double balloon,
         double curvature, double advection, int64_t iterations) {
        const std::vector<int64_t> shape(edge.shape(), edge.shape() + edge.ndim());
        T* phi = level.mutable_data();
        const auto run = edge.ndim() == 3 ? evolve<T, 3> : evolve<T, 2>;
        lesionkit::WithoutGil release;
        return run(shape.data(), spacing, edge.data(), phi, static_cast<T>(balloon),
                   static_cast<T>(curvature), static_cast<T>(advection), iterations);
      },
      py::arg("edge").noconvert(), py::arg("level").noconvert(), py::arg("spacing"),
      py::arg("balloon"), py::arg("curvature"), py::arg("advection"), py::arg("iterations"));
}

}  // namespace

void bind_contours(py::module_ m) {
  bind_morphological<double>(m);
  bind_morphological<float>(m);
  bind_active<double>(m);
  bind_active<float>(m);
}
