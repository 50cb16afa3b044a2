#include <pybind11/stl.h>

#include <optional>

#include "clustering/kmeans/counts.hpp"
#include "clustering/kmeans/line.hpp"
#include "clustering/kmeans/optimal.hpp"
#include "clustering/kmeans/seeds.hpp"
#include "clustering/kmeans/space.hpp"
#include "common/arrays.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::clustering;

namespace {

using Weights = std::optional<Array<double>>;

// x (n, d), weights (n)
template <class X>
Samples<X> samples_of(const Array<X>& x, const Weights& weights) {
  return {x.data(), weights ? weights->data() : nullptr, x.shape(0), x.shape(1)};
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

using Steps = std::vector<std::pair<double, double>>;

// counted: the weights are numbers of equal samples; centres (k, d), which move; (passes, settled,
// finite, limit, steps) as Outcome has them
template <class X>
std::tuple<int64_t, bool, bool, double, Steps> lloyd_of(const Array<X>& x, const Weights& weights,
                                                        bool counted, Array<double>& centres,
                                                        int64_t most, double tol, bool watched) {
  Samples<X> s = samples_of(x, weights);
  s.counted = counted;
  const int64_t k = centres.shape(0);
  const Outcome done = with_passes(s, k, [&](auto& passes) {
    return lloyd(s, passes, k, centres.mutable_data(), most, tol, watched);
  });
  Steps steps;
  for (const Step& step : done.steps) steps.emplace_back(step.inertia, step.shift);
  return {done.passes, done.settled, done.finite, done.limit, std::move(steps)};
}

// centres (k, d), labels (n), counts (k); the inertia
template <class X>
double nearest_of(const Array<X>& x, const Weights& weights, const Array<double>& centres,
                  Array<int32_t>& labels, Array<int64_t>& counts) {
  const Samples<X> s = samples_of(x, weights);
  const Fit fit = with_passes(s, centres.shape(0), [&](const auto& passes) {
    return passes.label(centres.data(), labels.mutable_data());
  });
  std::copy(fit.counts.begin(), fit.counts.end(), counts.mutable_data());
  return fit.inertia;
}

// centres (k, d), out (n, k)
template <class X>
void distances_of(const Array<X>& x, const Array<double>& centres, Array<X>& out) {
  const Samples<X> s = samples_of(x, {});
  const int64_t k = centres.shape(0);
  const Panel panel(centres.data(), k, s.d, s.x);
  X* const to = out.mutable_data();
  parallel_for_with(
      s.n, chunk_size(s.n, int64_t{1} << 18, k * (s.d + 4), 1),
      [&] { return std::vector<double>(panel.row); },
      [&](std::vector<double>& squares, int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          panel.squares(s.x + i * s.d, squares.data());
          for (int64_t j = 0; j < k; ++j) to[i * k + j] = static_cast<X>(std::sqrt(squares[j]));
        }
      });
}

// uniform (1 + (k - 1) trials) in [0, 1), work (n); no seeds if the samples are not finite
template <class X>
std::vector<int64_t> seeds_of(const Array<X>& x, const Weights& weights, int64_t k, int64_t trials,
                              const Array<double>& uniform, Array<float>& work) {
  const Samples<X> s = samples_of(x, weights);
  float* const distance = work.mutable_data();
  if (s.n <= most_in_order) return seeds_in_order(s, k, trials, uniform.data(), distance);
  return Seeding<X>(s, distance)(k, trials, uniform.data());
}

std::vector<double> optimum_of(const Array<double>& values, const Array<double>& weights,
                               int64_t k) {
  return LineOptimum(values.data(), weights.data(), values.size()).means(k);
}

template <class X>
bool whole_of(const Array<X>& x) {
  return whole_numbers(x.data(), x.size());
}

// counts (m) and weights (m), which are zero at first; weights of the samples (n)
template <class X>
void counts_of(const Array<X>& x, const Weights& sample_weights, int64_t low,
               Array<int64_t>& counts, Array<double>& weights) {
  count_values(x.data(), sample_weights ? sample_weights->data() : nullptr, x.size(), low,
               counts.size(), counts.mutable_data(), weights.mutable_data());
}

template <class X>
void look_up_of(const Array<X>& x, int64_t low, const Array<int32_t>& table,
                Array<int32_t>& labels) {
  look_up(x.data(), x.size(), low, table.data(), labels.mutable_data());
}

template <class X>
void bind_reals(py::module_& m) {
  using namespace py::literals;
  m.def("lloyd", lloyd_of<X>, "x"_a.noconvert(), "weights"_a.noconvert(), "counted"_a,
        "centres"_a.noconvert(), "most"_a, "tol"_a, "watched"_a, ReleaseGil());
  m.def("nearest", nearest_of<X>, "x"_a.noconvert(), "weights"_a.noconvert(),
        "centres"_a.noconvert(), "labels"_a.noconvert(), "counts"_a.noconvert(), ReleaseGil());
  m.def("distances", distances_of<X>, "x"_a.noconvert(), "centres"_a.noconvert(),
        "out"_a.noconvert(), ReleaseGil());
  m.def("seeds", seeds_of<X>, "x"_a.noconvert(), "weights"_a.noconvert(), "k"_a, "trials"_a,
        "uniform"_a.noconvert(), "work"_a.noconvert(), ReleaseGil());
  m.def("whole_numbers", whole_of<X>, "x"_a.noconvert(), ReleaseGil());
}

template <class X>
void bind_levels(py::module_& m) {
  using namespace py::literals;
  m.def("count_values", counts_of<X>, "x"_a.noconvert(), "sample_weights"_a.noconvert(), "low"_a,
        "counts"_a.noconvert(), "weights"_a.noconvert(), ReleaseGil());
  m.def("look_up", look_up_of<X>, "x"_a.noconvert(), "low"_a, "table"_a.noconvert(),
        "labels"_a.noconvert(), ReleaseGil());
}

}  // namespace

void bind_kmeans(py::module_ m) {
  using namespace py::literals;
  bind_reals<float>(m);
  bind_reals<double>(m);
  m.def("optimum", optimum_of, "values"_a.noconvert(), "weights"_a.noconvert(), "k"_a,
        ReleaseGil());
  bind_levels<uint8_t>(m);
  bind_levels<int8_t>(m);
  bind_levels<uint16_t>(m);
  bind_levels<int16_t>(m);
  bind_levels<float>(m);
  bind_levels<double>(m);
}
