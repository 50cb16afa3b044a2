// Morphological contours, and geodesic active ones.

#include <vector>

#include "common/view.hpp"
#include "fronts/contours/attachment.hpp"
#include "fronts/contours/bit_sums.hpp"
#include "fronts/contours/kernels.hpp"
#include "fronts/contours/morphology.hpp"
#include "fronts/contours/narrow_band.hpp"

namespace lesionkit::fronts::contours {
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

BitShape shape_of(const std::ptrdiff_t* shape) { return {shape[0], shape[1], shape[2]}; }

}  // namespace

template <class T>
void morphological_chan_vese(View<const T> image, View<uint8_t> level, bool volume,
                             int64_t iterations, int64_t smoothing, int64_t smoothed,
                             double lambda1, double lambda2) {
  const auto run = volume ? without_edges<T, true> : without_edges<T, false>;
  run(image.data(), shape_of(image.shape()), level.data(), {iterations, smoothing, smoothed},
      static_cast<T>(lambda1), static_cast<T>(lambda2));
}

template <class T>
void morphological_geodesic(View<const T> image, View<uint8_t> level, bool volume,
                            int64_t iterations, int64_t smoothing, int64_t smoothed,
                            Maybe<const uint8_t> where, bool grow) {
  const auto run = volume ? geodesic<T, true> : geodesic<T, false>;
  run(image.data(), shape_of(image.shape()), level.data(), {iterations, smoothing, smoothed},
      data_or_null(where), grow);
}

template <class T>
double geodesic_active_contour(View<const T> edge, View<T> level,
                               const std::vector<double>& spacing, double balloon, double curvature,
                               double advection, int64_t iterations) {
  const std::vector<int64_t> shape(edge.shape(), edge.shape() + edge.ndim());
  const auto run = edge.ndim() == 3 ? evolve<T, 3> : evolve<T, 2>;
  return run(shape.data(), spacing, edge.data(), level.data(), static_cast<T>(balloon),
             static_cast<T>(curvature), static_cast<T>(advection), iterations);
}

#define CONTOURS(T)                                                                           \
  template void morphological_chan_vese(View<const T>, View<uint8_t>, bool, int64_t, int64_t, \
                                        int64_t, double, double);                             \
  template void morphological_geodesic(View<const T>, View<uint8_t>, bool, int64_t, int64_t,  \
                                       int64_t, Maybe<const uint8_t>, bool);                  \
  template double geodesic_active_contour(View<const T>, View<T>, const std::vector<double>&, \
                                          double, double, double, int64_t);
CONTOURS(double)
CONTOURS(float)

}  // namespace lesionkit::fronts::contours
