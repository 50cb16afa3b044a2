// Spatial fuzzy c-means: loops over the image.

#include <array>
#include <span>
#include <vector>

#include "clustering/spatial/fcm_s.hpp"
#include "clustering/spatial/flicm.hpp"
#include "clustering/spatial/kernels.hpp"
#include "clustering/spatial/neighbours.hpp"
#include "clustering/spatial/sfcm.hpp"
#include "common/reduce.hpp"
#include "common/view.hpp"

namespace lesionkit::clustering::spatial {
namespace {

// images: (channels, planes, rows, columns).
template <class T>
Grid grid_of(View<const T> images) {
  return {images.shape(1), images.shape(2), images.shape(3)};
}

template <class T>
Pixels<T> pixels_of(View<const T> x, Maybe<const T> weight) {
  const auto channels = static_cast<int>(x.shape(0));
  return {x.data(), x.size() / channels, channels, data_or_null(weight)};
}

Window window_of(const Grid& grid, Half half, int border) {
  return Window(grid, half[0], half[1], half[2], static_cast<Border>(border));
}

// What stops a loop of passes: their number, or a centre's step.
class Passes {
 public:
  Passes(int64_t max_iter, double tolerance) : max_iter_(max_iter), tolerance_(tolerance) {}

  bool more() const { return done_ != max_iter_ && step_ > tolerance_; }
  void end(double step) {
    step_ = step;
    ++done_;
  }
  int64_t done() const { return done_; }

 private:
  int64_t max_iter_, done_ = 0;
  double tolerance_, step_ = INFINITY;
};

// About 2^17 distances: 50 microseconds.
int64_t grain_of(int64_t classes) { return std::max<int64_t>(1024, (1 << 17) / classes); }

template <class T, class Filter, class... Rules>
void filter(View<const T> images, Maybe<const uint8_t> mask, Half half, int border, View<T> out,
            Rules... rules) {
  const Window window = window_of(grid_of(images), half, border);
  const Grid& grid = window.grid;
  T* to = out.data();
  for (int64_t channel = 0; channel < images.shape(0); ++channel) {
    const int64_t start = channel * grid.size();
    const MaskedImage<T> image = {images.data() + start, data_or_null(mask)};
    parallel_for_with(
        grid.lines(), 16, [&] { return Filter(window, image, rules...); },
        [&](Filter& filter, int64_t begin, int64_t end) {
          for (int64_t line = begin; line < end; ++line)
            filter.line(line / grid.rows, line % grid.rows, to + start + line * grid.columns);
        });
  }
}

}  // namespace

template <class T>
void window_mean(View<const T> images, Maybe<const uint8_t> mask, Half half, int border, bool self,
                 View<T> out) {
  filter<T, MeanOfWindow<T>>(images, mask, half, border, out, self);
}

template <class T>
void window_median(View<const T> images, Maybe<const uint8_t> mask, Half half, int border,
                   bool self, View<T> out) {
  filter<T, MedianOfWindow<T>>(images, mask, half, border, out, self);
}

template <class T>
void window_similar(View<const T> images, Maybe<const uint8_t> mask, Half half, int border,
                    double reach, double alike, View<T> out) {
  filter<T, SimilarOfWindow<T>>(images, mask, half, border, out, reach, alike);
}

template <class T>
void mix(View<const T> x, View<T> y, double alpha, View<T> extra) {
  const int64_t n = extra.size(), channels = x.shape(0);
  T *z = y.data(), *more = extra.data();
  parallel_for(n, 1 << 16, [&](int64_t begin, int64_t end) {
    for (int64_t e = 0; e < channels; ++e)
      mixed_line(x.data() + e * n + begin, end - begin, alpha, z + e * n + begin, more + begin);
  });
}

template <class T>
int64_t spatial_fcm_fit(View<const T> x, Maybe<const T> extra, Maybe<const T> weight, double m,
                        int64_t max_iter, double tolerance, View<double> centres) {
  const Pixels<T> pixels = pixels_of(x, weight);
  const Fuzziness f(m);
  const int64_t c = centres.shape(0);
  Passes passes(max_iter, tolerance);
  while (passes.more()) {
    std::vector<double> sums(CentreSums<T>::size(c, pixels.channels));
    const ClassCentres<T> v(centres.data(), c, pixels.channels);
    specialised(c, pixels, [&](auto classes, const auto& pixels) {
      sum_in_order(
          pixels.n, grain_of(c), sums, [&] { return CentreSums<T>(c, pixels.channels); },
          [&](CentreSums<T>& chunk, int64_t begin, int64_t end, double* to) {
            fcm_sums(pixels, data_or_null(extra), v, f, classes, begin, end, chunk);
            chunk.take(to);
          });
    });
    passes.end(move_centres<T>(sums, c, pixels.channels, centres.data()));
  }
  return passes.done();
}

template <class T>
void spatial_fcm_planes(View<const T> x, Maybe<const T> extra, double m, View<const double> centres,
                        int64_t chosen, Maybe<T> plane, Maybe<int32_t> labels) {
  const Pixels<T> pixels = pixels_of<T>(x, {});
  const Fuzziness f(m);
  const ClassCentres<T> v(centres.data(), centres.shape(0), pixels.channels);
  T* u = data_or_null(plane);
  int32_t* k = data_or_null(labels);
  specialised(centres.shape(0), pixels, [&](auto classes, const auto& pixels) {
    parallel_for(pixels.n, grain_of(classes), [&](int64_t begin, int64_t end) {
      fcm_answer(pixels, data_or_null(extra), v, f, classes, begin, end, chosen, u, k);
    });
  });
}

namespace {

// What is asked of fitted centres: the memberships of a class, and the classes; either may be null.
template <class T>
struct Planes {
  int64_t chosen = 0;
  T* memberships = nullptr;
  int32_t* classes = nullptr;
};

// A pass of sFCM: adds what the next centres are made of to `total`, or fills planes where it is
// empty.
template <class T>
void sfcm_pass(const Window& window, const Pixels<T>& pixels, View<const double> centres, double m,
               double p, double q, std::span<double> total, const Planes<T>& planes) {
  const Fuzziness f(m);
  const int64_t c = centres.shape(0);
  const ClassCentres<T> v(centres.data(), c, pixels.channels);
  specialised(c, pixels, [&]<class Channels>(auto classes, const Pixels<T, Channels>& pixels) {
    struct State {
      SpatialMemberships<T, Channels> memberships;
      CentreSums<T> sums;
    };
    const auto run = [&](State& state, int64_t task, int64_t, double* to) {
      const auto use = [&](int64_t at, auto count, const Simd<T>& share, const Simd<T>* u) {
        if (!total.empty())
          for (int j = 0; j < classes; ++j)
            state.sums.add(pixels, at, count, v, j, share * to_the_m(u[j], f));
        if (planes.memberships)
          store_some<Simd<T>>(planes.memberships + at, share * u[planes.chosen], count);
        if (planes.classes) extreme(u, classes, false, count, planes.classes + at);
      };
      with_powers(p, q, [&](const auto& by) {
        state.memberships.run(task, v, f, by, classes, use, [&] { state.sums.flush(); });
      });
      if (!total.empty()) state.sums.take(to);
    };
    sum_in_order(
        Marching<T>::tasks(window.grid), 1, total,
        [&] { return State{{window, pixels, c}, {c, pixels.channels}}; }, run);
  });
}

}  // namespace

template <class T>
int64_t sfcm_fit(View<const T> x, Maybe<const T> weight, Half half, int border, double m, double p,
                 double q, int64_t max_iter, double tolerance, View<double> centres) {
  const Pixels<T> pixels = pixels_of(x, weight);
  const Window window = window_of(grid_of(x), half, border);
  const int64_t c = centres.shape(0);
  Passes passes(max_iter, tolerance);
  while (passes.more()) {
    std::vector<double> sums(CentreSums<T>::size(c, pixels.channels));
    sfcm_pass<T>(window, pixels, centres, m, p, q, sums, {});
    passes.end(move_centres<T>(sums, c, pixels.channels, centres.data()));
  }
  return passes.done();
}

template <class T>
void sfcm_planes(View<const T> x, Maybe<const T> weight, Half half, int border, double m, double p,
                 double q, View<const double> centres, int64_t chosen, Maybe<T> plane,
                 Maybe<int32_t> labels) {
  const Pixels<T> pixels = pixels_of(x, weight);
  const Window window = window_of(grid_of(x), half, border);
  sfcm_pass<T>(window, pixels, centres, m, p, q, {},
               {chosen, data_or_null(plane), data_or_null(labels)});
}

namespace {

// One pass from `old` (or plain FCM's distances) to `made`; moves the centres.
template <class T>
double flicm_pass(const Window& window, const Pixels<T>& pixels, double m, const T* old, T* made,
                  View<double> centres) {
  const Fuzziness f(m);
  const int64_t c = centres.shape(0);
  std::vector<double> sums(CentreSums<T>::size(c, pixels.channels));
  const ClassCentres<T> v(centres.data(), c, pixels.channels);
  specialised(c, pixels, [&]<class Channels>(auto classes, const Pixels<T, Channels>& pixels) {
    struct State {
      LocalInformation<T, Channels> local;
      CentreSums<T> sums;
    };
    sum_in_order(
        Marching<T>::tasks(window.grid), 1, sums,
        [&] { return State{{window, pixels, c}, {c, pixels.channels}}; },
        [&](State& state, int64_t task, int64_t, double* to) {
          state.local.run(task, v, f, classes, old, made, state.sums);
          state.sums.take(to);
        });
  });
  return move_centres<T>(sums, c, pixels.channels, centres.data());
}

// The class of the greatest of memberships (classes, n).
template <class T>
void greatest(const T* u, int64_t classes, int64_t n, int32_t* labels) {
  parallel_for(n, grain_of(classes), [&](int64_t begin, int64_t end) {
    std::fill(labels + begin, labels + end, 0);
    for (int64_t first = begin; first < end; first += 256) {
      const int64_t last = std::min(end, first + 256);
      T best[256];
      std::copy(u + first, u + last, best);
      for (int64_t j = 1; j < classes; ++j)
        for (int64_t i = first; i < last; ++i)
          if (const T here = u[j * n + i]; here > best[i - first]) {
            best[i - first] = here;
            labels[i] = static_cast<int32_t>(j);
          }
    }
  });
}

}  // namespace

template <class T>
int64_t flicm_fit(View<const T> x, Maybe<const T> weight, Half half, int border, double m,
                  int64_t max_iter, double tolerance, View<double> centres, View<T> u,
                  View<T> spare, View<int32_t> labels) {
  const Pixels<T> pixels = pixels_of(x, weight);
  const Window window = window_of(grid_of(x), half, border);
  T *old = spare.data(), *made = u.data();
  flicm_pass<T>(window, pixels, m, nullptr, made, centres);
  Passes passes(max_iter, tolerance);
  while (passes.more()) {
    std::swap(old, made);
    passes.end(flicm_pass<T>(window, pixels, m, old, made, centres));
  }
  if (made != u.data()) std::copy_n(made, u.size(), u.data());
  greatest(u.data(), centres.shape(0), pixels.n, labels.data());
  return passes.done();
}

#define REALS(T)                                                                                   \
  template void window_mean(View<const T>, Maybe<const uint8_t>, Half, int, bool, View<T>);        \
  template void window_median(View<const T>, Maybe<const uint8_t>, Half, int, bool, View<T>);      \
  template void window_similar(View<const T>, Maybe<const uint8_t>, Half, int, double, double,     \
                               View<T>);                                                           \
  template void mix(View<const T>, View<T>, double, View<T>);                                      \
  template int64_t spatial_fcm_fit(View<const T>, Maybe<const T>, Maybe<const T>, double, int64_t, \
                                   double, View<double>);                                          \
  template void spatial_fcm_planes(View<const T>, Maybe<const T>, double, View<const double>,      \
                                   int64_t, Maybe<T>, Maybe<int32_t>);                             \
  template int64_t sfcm_fit(View<const T>, Maybe<const T>, Half, int, double, double, double,      \
                            int64_t, double, View<double>);                                        \
  template void sfcm_planes(View<const T>, Maybe<const T>, Half, int, double, double, double,      \
                            View<const double>, int64_t, Maybe<T>, Maybe<int32_t>);                \
  template int64_t flicm_fit(View<const T>, Maybe<const T>, Half, int, double, int64_t, double,    \
                             View<double>, View<T>, View<T>, View<int32_t>);
REALS(float)
REALS(double)

}  // namespace lesionkit::clustering::spatial
