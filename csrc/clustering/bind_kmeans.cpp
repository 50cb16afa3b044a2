#include "clustering/kmeans_line.hpp"
#include "clustering/kmeans_space.hpp"
#include <pybind11/stl.h>

#include <optional>

#include "common/arrays.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::clustering;

namespace {

using Weights = std::optional<Array<double>>;

template <class X>
Samples<X> samples_of(const Array<X>& x, const Weights& w) {
  return {x.data(), w ? w->data() : nullptr, x.shape(0), x.shape(1)};
}

// Calls f(passes), the fastest passes for this many features and clusters.
template <class X, class F>
auto with_passes(const Samples<X>& s, int64_t k, F&& f) {
  if (s.d == 1 && k <= most_on_line) {
    LineKMeans<X> passes(s, k);
    return f(passes);
  }
  if (k <= 256) {
    SpaceKMeans<X, uint8_t> passes(s, k);
    return f(passes);
  }
  SpaceKMeans<X, int32_t> passes(s, k);
  return f(passes);
}

// x (n, d), weights (n), centres (k, d), which move
template <class X>
py::tuple lloyd_of(const Array<X>& x, const Weights& weights, Array<double>& centres, int64_t most,
                   double tol, bool watched) {
  const Samples<X> s = samples_of(x, weights);
  const int64_t k = centres.shape(0);
  double* const moving = centres.mutable_data();
  Outcome done;
  {
    py::gil_scoped_release release;
    done = with_passes(s, k,
                       [&](auto& passes) { return lloyd(s, passes, k, moving, most, tol, watched); });
  }
  py::list steps;
  for (const Step& step : done.steps) steps.append(py::make_tuple(step.inertia, step.shift));
  return py::make_tuple(done.passes, done.settled, done.finite, done.limit, steps);
}

// labels (n), counts (k)
template <class X>
double nearest_of(const Array<X>& x, const Weights& weights, const Array<double>& centres,
                  Array<int32_t>& labels, Array<int64_t>& counts) {
  const Samples<X> s = samples_of(x, weights);
  const int64_t k = centres.shape(0);
  const Fit fit = with_passes(s, k, [&](const auto& passes) {
    return passes.label(centres.data(), labels.mutable_data());
  });
  std::copy(fit.counts.begin(), fit.counts.end(), counts.mutable_data());
  return fit.inertia;
}

template <class X>
void bind_of(py::module_& m) {
  using namespace py::literals;
  m.def("lloyd", lloyd_of<X>, "x"_a.noconvert(), "weights"_a.noconvert(), "centres"_a.noconvert(),
        "most"_a, "tol"_a, "watched"_a);
  m.def("nearest", nearest_of<X>, "x"_a.noconvert(), "weights"_a.noconvert(),
        "centres"_a.noconvert(), "labels"_a.noconvert(), "counts"_a.noconvert(), ReleaseGil());
}

}  // namespace

void bind_kmeans(py::module_ m) {
  bind_of<float>(m);
  bind_of<double>(m);
}
