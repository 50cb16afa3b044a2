// k-means: which loops of the headers are the fastest for so many features and clusters.
#include "clustering/kmeans/counts.hpp"
#include "clustering/kmeans/kernels.hpp"
#include "clustering/kmeans/line.hpp"
#include "clustering/kmeans/optimal.hpp"
#include "clustering/kmeans/seeds.hpp"
#include "clustering/kmeans/space.hpp"
#include "common/view.hpp"

namespace lesionkit::clustering {
namespace {

// x (n, d), weights (n)
template <class X>
Samples<X> samples_of(View<const X> x, Maybe<const double> weights) {
  return {x.data(), data_or_null(weights), x.shape(0), x.shape(1)};
}

// Calls f(passes), the fastest passes for this many features and clusters.
template <class X, class F>
auto with_passes(const Samples<X>& s, int64_t k, F&& f) {
  if (s.d == 1 && k <= MAX_LINE_CLUSTERS) {
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

}  // namespace

template <class X>
Settled kmeans_lloyd(View<const X> x, Maybe<const double> weights, bool counted,
                     View<double> centres, int64_t max_iter, double tol, bool watched) {
  Samples<X> s = samples_of(x, weights);
  s.counted = counted;
  const int64_t k = centres.shape(0);
  const Outcome done = with_passes(s, k, [&](auto& passes) {
    return lloyd(s, passes, k, centres.data(), max_iter, tol, watched);
  });
  std::vector<std::pair<double, double>> steps;
  for (const Step& step : done.steps) steps.emplace_back(step.inertia, step.shift);
  return {done.passes, done.settled, done.finite, done.limit, std::move(steps)};
}

template <class X>
double kmeans_nearest(View<const X> x, Maybe<const double> weights, View<const double> centres,
                      View<int32_t> labels, View<int64_t> counts) {
  const Samples<X> s = samples_of(x, weights);
  const Fit fit = with_passes(s, centres.shape(0), [&](const auto& passes) {
    return passes.label(centres.data(), labels.data());
  });
  std::copy(fit.counts.begin(), fit.counts.end(), counts.data());
  return fit.inertia;
}

template <class X>
void kmeans_distances(View<const X> x, View<const double> centres, View<X> out) {
  const Samples<X> s = samples_of(x, {});
  const int64_t k = centres.shape(0);
  const Panel panel(centres.data(), k, s.d, s.x);
  X* const to = out.data();
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

template <class X>
std::vector<int64_t> kmeans_seeds(View<const X> x, Maybe<const double> weights, int64_t k,
                                  int64_t trials, View<const double> uniform, View<float> work) {
  const Samples<X> s = samples_of(x, weights);
  float* const distance = work.data();
  if (s.n <= MAX_ORDERED_SAMPLES) return seeds_in_order(s, k, trials, uniform.data(), distance);
  return Seeding<X>(s, distance)(k, trials, uniform.data());
}

std::vector<double> kmeans_optimum(View<const double> values, View<const double> weights,
                                   int64_t k) {
  return LineOptimum(values.data(), weights.data(), values.size()).means(k);
}

template <class X>
bool whole_numbers(View<const X> x) {
  return whole_numbers(x.data(), x.size());
}

template <class X>
void count_values(View<const X> x, Maybe<const double> sample_weights, int64_t low,
                  View<int64_t> counts, View<double> weights) {
  count_values(x.data(), sample_weights ? sample_weights->data() : nullptr, x.size(), low,
               counts.size(), counts.data(), weights.data());
}

template <class X>
void look_up(View<const X> x, int64_t low, View<const int32_t> table, View<int32_t> labels) {
  look_up(x.data(), x.size(), low, table.data(), labels.data());
}

#define REALS(X)                                                                                   \
  template Settled kmeans_lloyd(View<const X>, Maybe<const double>, bool, View<double>, int64_t,   \
                                double, bool);                                                     \
  template double kmeans_nearest(View<const X>, Maybe<const double>, View<const double>,           \
                                 View<int32_t>, View<int64_t>);                                    \
  template void kmeans_distances(View<const X>, View<const double>, View<X>);                      \
  template std::vector<int64_t> kmeans_seeds(View<const X>, Maybe<const double>, int64_t, int64_t, \
                                             View<const double>, View<float>);                     \
  template bool whole_numbers(View<const X>);
REALS(float)
REALS(double)

#define LEVELS(X)                                                                        \
  template void count_values(View<const X>, Maybe<const double>, int64_t, View<int64_t>, \
                             View<double>);                                              \
  template void look_up(View<const X>, int64_t, View<const int32_t>, View<int32_t>);
LEVELS(uint8_t)
LEVELS(int8_t)
LEVELS(uint16_t)
LEVELS(int16_t)
LEVELS(float)
LEVELS(double)

}  // namespace lesionkit::clustering
