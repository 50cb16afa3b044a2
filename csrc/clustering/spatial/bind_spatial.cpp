// lesionkit.clustering, spatial fuzzy c-means: loops over the image. Python has checked shapes and
// values (clustering/spatial/methods.py), and put 0 where the mask is 0.
#include <pybind11/stl.h>

#include <array>
#include <optional>
#include <vector>

#include "clustering/spatial/fcm_s.hpp"
#include "clustering/spatial/flicm.hpp"
#include "clustering/spatial/neighbours.hpp"
#include "clustering/spatial/sfcm.hpp"
#include "common/arrays.hpp"
#include "common/parallel.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::clustering;
using namespace lesionkit::clustering::spatial;

namespace {

template <class T>
using Maybe = std::optional<Array<T>>;
using Half = std::array<int64_t, 3>;

template <class T>
const T* data_of(const Maybe<T>& array) {
  return array ? array->data() : nullptr;
}

// images: (channels, planes, rows, columns).
template <class T>
Grid grid_of(const Array<T>& images) {
  return {images.shape(1), images.shape(2), images.shape(3)};
}

template <class T>
Pixels<T> pixels_of(const Array<T>& x, const Maybe<T>& weight) {
  const auto channels = static_cast<int>(x.shape(0));
  return {x.data(), x.size() / channels, channels, data_of(weight)};
}

Window window_of(const Grid& grid, Half half, int border) {
  return Window(grid, half[0], half[1], half[2], static_cast<Border>(border));
}

// What stops a loop of passes: their number, or a centre's step.
class Passes {
 public:
  Passes(int64_t most, double tolerance) : most_(most), tolerance_(tolerance) {}

  bool more() const { return done_ != most_ && step_ > tolerance_; }
  void end(double step) {
    step_ = step;
    ++done_;
  }
  int64_t done() const { return done_; }

 private:
  int64_t most_, done_ = 0;
  double tolerance_, step_ = INFINITY;
};

template <class T, class Filter, class... Rules>
void filter(const Array<T>& images, const Maybe<uint8_t>& mask, Half half, int border,
            Array<T>& out, Rules... rules) {
  const Window window = window_of(grid_of(images), half, border);
  const Grid& grid = window.grid;
  T* to = out.mutable_data();
  for (int64_t channel = 0; channel < images.shape(0); ++channel) {
    const int64_t start = channel * grid.size();
    const Picture<T> picture = {images.data() + start, data_of(mask)};
    parallel_for_with(
        grid.lines(), 16, [&] { return Filter(window, picture, rules...); },
        [&](Filter& filter, int64_t begin, int64_t end) {
          for (int64_t line = begin; line < end; ++line)
            filter.line(line / grid.rows, line % grid.rows, to + start + line * grid.columns);
        });
  }
}

// y becomes z; extra starts as 0.
template <class T>
void mix(const Array<T>& x, Array<T>& y, double alpha, Array<T>& extra) {
  const int64_t n = extra.size(), channels = x.shape(0);
  T *z = y.mutable_data(), *more = extra.mutable_data();
  parallel_for(n, 1 << 16, [&](int64_t begin, int64_t end) {
    for (int64_t e = 0; e < channels; ++e)
      mixed_line(x.data() + e * n + begin, end - begin, alpha, z + e * n + begin, more + begin);
  });
}

// About 2^17 distances: 50 microseconds.
int64_t grain_of(int64_t classes) { return std::max<int64_t>(1024, (1 << 17) / classes); }

template <class T>
int64_t fcm_fit(const Array<T>& x, const Maybe<T>& extra, const Maybe<T>& weight, double m,
                int64_t most, double tolerance, Array<double>& centres) {
  const Pixels<T> pixels = pixels_of(x, weight);
  const Fuzziness f(m);
  const int64_t c = centres.shape(0), grain = grain_of(c), chunks = (pixels.n + grain - 1) / grain;
  const int64_t size = CentreSums<T>::size(c, pixels.channels);
  std::vector<double> sums(chunks * size);
  Passes passes(most, tolerance);
  while (passes.more()) {
    const ClassCentres<T> v(centres.data(), c, pixels.channels);
    specialised(c, pixels, [&](auto classes, const auto& pixels) {
      parallel_for_with(
          pixels.n, grain, [&] { return CentreSums<T>(c, pixels.channels); },
          [&](CentreSums<T>& chunk, int64_t begin, int64_t end) {
            fcm_sums(pixels, data_of(extra), v, f, classes, begin, end, chunk);
            chunk.take(sums.data() + begin / grain * size);
          });
    });
    passes.end(move_centres<T>(sums, c, pixels.channels, centres.mutable_data()));
  }
  return passes.done();
}

// The plane of memberships in class `chosen`, or labels.
template <class T>
void fcm_planes(const Array<T>& x, const Maybe<T>& extra, double m, const Array<double>& centres,
                int64_t chosen, Maybe<T>& plane, Maybe<int32_t>& labels) {
  const Pixels<T> pixels = pixels_of<T>(x, {});
  const Fuzziness f(m);
  const ClassCentres<T> v(centres.data(), centres.shape(0), pixels.channels);
  T* u = plane ? plane->mutable_data() : nullptr;
  int32_t* k = labels ? labels->mutable_data() : nullptr;
  specialised(centres.shape(0), pixels, [&](auto classes, const auto& pixels) {
    parallel_for(pixels.n, grain_of(classes), [&](int64_t begin, int64_t end) {
      fcm_answer(pixels, data_of(extra), v, f, classes, begin, end, chosen, u, k);
    });
  });
}

// A pass of sFCM: answer(v, f, classes, ...) for each register; end_line(), end_task(task).
template <class T, class MakeState>
void sfcm_pass(const Window& window, const Pixels<T>& pixels, const Array<double>& centres,
               double m, double p, double q, MakeState&& make_state) {
  const Fuzziness f(m);
  const int64_t c = centres.shape(0);
  const ClassCentres<T> v(centres.data(), c, pixels.channels);
  using Answer = decltype(make_state());
  specialised(c, pixels, [&]<class Channels>(auto classes, const Pixels<T, Channels>& pixels) {
    struct State {
      SpatialMemberships<T, Channels> memberships;
      Answer answer;
    };
    const auto run = [&](State& state, int64_t task) {
      with_powers(p, q, [&](const auto& by) {
        state.memberships.run(
            task, v, f, by, classes,
            [&](int64_t at, auto count, const Register<T>& share, const Register<T>* u) {
              state.answer.add(pixels, v, f, classes, at, count, share, u);
            },
            [&] { state.answer.end_line(); });
      });
      state.answer.end_task(task);
    };
    parallel_for_with(
        Marching<T>::tasks(window.grid), 1,
        [&] { return State{{window, pixels, c}, make_state()}; },
        [&](State& state, int64_t task, int64_t end) {
          for (; task < end; ++task) run(state, task);
        });
  });
}

template <class T>
struct SfcmSums {
  CentreSums<T> sums;
  double* to;  // (tasks, sums)
  int64_t size;

  template <class Channels, class Classes, class Count>
  void add(const Pixels<T, Channels>& pixels, const ClassCentres<T>& v, const Fuzziness& f,
           Classes classes, int64_t at, Count count, const Register<T>& share,
           const Register<T>* u) {
    for (int j = 0; j < classes; ++j) sums.add(pixels, at, count, v, j, share * to_the_m(u[j], f));
  }
  void end_line() { sums.flush(); }
  void end_task(int64_t task) { sums.take(to + task * size); }
};

template <class T>
int64_t sfcm_fit(const Array<T>& x, const Maybe<T>& weight, Half half, int border, double m,
                 double p, double q, int64_t most, double tolerance, Array<double>& centres) {
  const Pixels<T> pixels = pixels_of(x, weight);
  const Window window = window_of(grid_of(x), half, border);
  const int64_t c = centres.shape(0), size = CentreSums<T>::size(c, pixels.channels);
  std::vector<double> sums(Marching<T>::tasks(window.grid) * size);
  Passes passes(most, tolerance);
  while (passes.more()) {
    sfcm_pass(window, pixels, centres, m, p, q,
              [&] { return SfcmSums<T>{CentreSums<T>(c, pixels.channels), sums.data(), size}; });
    passes.end(move_centres<T>(sums, c, pixels.channels, centres.mutable_data()));
  }
  return passes.done();
}

template <class T>
struct SfcmPlanes {
  int64_t chosen;
  T* plane;  // either may be null
  int32_t* labels;

  template <class Channels, class Classes, class Count>
  void add(const Pixels<T, Channels>&, const ClassCentres<T>&, const Fuzziness&, Classes classes,
           int64_t at, Count count, const Register<T>& share, const Register<T>* u) {
    if (plane) store(share * u[chosen], plane + at, count);
    if (labels) extreme(u, classes, false, count, labels + at);
  }
  void end_line() {}
  void end_task(int64_t) {}
};

template <class T>
void sfcm_planes(const Array<T>& x, const Maybe<T>& weight, Half half, int border, double m,
                 double p, double q, const Array<double>& centres, int64_t chosen, Maybe<T>& plane,
                 Maybe<int32_t>& labels) {
  const Pixels<T> pixels = pixels_of(x, weight);
  const Window window = window_of(grid_of(x), half, border);
  const SfcmPlanes<T> answer = {chosen, plane ? plane->mutable_data() : nullptr,
                                labels ? labels->mutable_data() : nullptr};
  sfcm_pass(window, pixels, centres, m, p, q, [&] { return answer; });
}

// One pass from `old` (or plain FCM's distances) to `made`; moves the centres.
template <class T>
double flicm_pass(const Window& window, const Pixels<T>& pixels, double m, const T* old, T* made,
                  Array<double>& centres, std::vector<double>& sums) {
  const Fuzziness f(m);
  const int64_t c = centres.shape(0), size = CentreSums<T>::size(c, pixels.channels);
  const ClassCentres<T> v(centres.data(), c, pixels.channels);
  specialised(c, pixels, [&]<class Channels>(auto classes, const Pixels<T, Channels>& pixels) {
    struct State {
      LocalInformation<T, Channels> local;
      CentreSums<T> sums;
    };
    parallel_for_with(
        Marching<T>::tasks(window.grid), 1,
        [&] { return State{{window, pixels, c}, {c, pixels.channels}}; },
        [&](State& state, int64_t task, int64_t end) {
          for (; task < end; ++task) {
            state.local.run(task, v, f, classes, old, made, state.sums);
            state.sums.take(sums.data() + task * size);
          }
        });
  });
  return move_centres<T>(sums, c, pixels.channels, centres.mutable_data());
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

// u, spare: (classes, n). The answer is in `u`.
template <class T>
int64_t flicm_fit(const Array<T>& x, const Maybe<T>& weight, Half half, int border, double m,
                  int64_t most, double tolerance, Array<double>& centres, Array<T>& u,
                  Array<T>& spare, Array<int32_t>& labels) {
  const Pixels<T> pixels = pixels_of(x, weight);
  const Window window = window_of(grid_of(x), half, border);
  std::vector<double> sums(Marching<T>::tasks(window.grid) *
                           CentreSums<T>::size(centres.shape(0), pixels.channels));
  T *old = spare.mutable_data(), *made = u.mutable_data();
  flicm_pass<T>(window, pixels, m, nullptr, made, centres, sums);
  Passes passes(most, tolerance);
  while (passes.more()) {
    std::swap(old, made);
    passes.end(flicm_pass<T>(window, pixels, m, old, made, centres, sums));
  }
  if (made != u.data()) std::copy_n(made, u.size(), u.mutable_data());
  greatest(u.data(), centres.shape(0), pixels.n, labels.mutable_data());
  return passes.done();
}

template <class T>
void bind(py::module_ m) {
  using namespace py::literals;
  m.def(
      "window_mean",
      [](const Array<T>& images, const Maybe<uint8_t>& mask, Half half, int border, bool self,
         Array<T>& out) { filter<T, MeanOfWindow<T>>(images, mask, half, border, out, self); },
      "images"_a.noconvert(), "mask"_a.noconvert(), "half"_a, "border"_a, "self"_a,
      "out"_a.noconvert(), ReleaseGil());
  m.def(
      "window_median",
      [](const Array<T>& images, const Maybe<uint8_t>& mask, Half half, int border, bool self,
         Array<T>& out) { filter<T, MedianOfWindow<T>>(images, mask, half, border, out, self); },
      "images"_a.noconvert(), "mask"_a.noconvert(), "half"_a, "border"_a, "self"_a,
      "out"_a.noconvert(), ReleaseGil());
  m.def(
      "window_similar",
      [](const Array<T>& images, const Maybe<uint8_t>& mask, Half half, int border, double reach,
         double alike, Array<T>& out) {
        filter<T, SimilarOfWindow<T>>(images, mask, half, border, out, reach, alike);
      },
      "images"_a.noconvert(), "mask"_a.noconvert(), "half"_a, "border"_a, "reach"_a, "alike"_a,
      "out"_a.noconvert(), ReleaseGil());
  m.def("mix", mix<T>, "x"_a.noconvert(), "y"_a.noconvert(), "alpha"_a, "extra"_a.noconvert(),
        ReleaseGil());
  m.def("spatial_fcm_fit", fcm_fit<T>, "x"_a.noconvert(), "extra"_a.noconvert(),
        "weight"_a.noconvert(), "m"_a, "most"_a, "tolerance"_a, "centres"_a.noconvert(),
        ReleaseGil());
  m.def("spatial_fcm_planes", fcm_planes<T>, "x"_a.noconvert(), "extra"_a.noconvert(), "m"_a,
        "centres"_a.noconvert(), "chosen"_a, "plane"_a.noconvert(), "labels"_a.noconvert(),
        ReleaseGil());
  m.def("sfcm_fit", sfcm_fit<T>, "x"_a.noconvert(), "weight"_a.noconvert(), "half"_a, "border"_a,
        "m"_a, "p"_a, "q"_a, "most"_a, "tolerance"_a, "centres"_a.noconvert(), ReleaseGil());
  m.def("sfcm_planes", sfcm_planes<T>, "x"_a.noconvert(), "weight"_a.noconvert(), "half"_a,
        "border"_a, "m"_a, "p"_a, "q"_a, "centres"_a.noconvert(), "chosen"_a, "plane"_a.noconvert(),
        "labels"_a.noconvert(), ReleaseGil());
  m.def("flicm_fit", flicm_fit<T>, "x"_a.noconvert(), "weight"_a.noconvert(), "half"_a, "border"_a,
        "m"_a, "most"_a, "tolerance"_a, "centres"_a.noconvert(), "u"_a.noconvert(),
        "spare"_a.noconvert(), "labels"_a.noconvert(), ReleaseGil());
}

}  // namespace

void bind_spatial(py::module_ m) {
  bind<float>(m);
  bind<double>(m);
}
