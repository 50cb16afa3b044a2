// k-means: what the binding and the tests call. Python has checked shapes and dtypes
// (clustering/kmeans.py). x (n, d), weights (n); X: float or double.
#pragma once

#include <tuple>
#include <utility>
#include <vector>

#include "common/view.hpp"

namespace lesionkit::clustering {

// (passes, settled, finite, limit, steps): as Outcome of lloyd.hpp has them.
using Settled = std::tuple<int64_t, bool, bool, double, std::vector<std::pair<double, double>>>;

// counted: the weights are numbers of equal samples; centres (k, d), which move.
template <class X>
Settled kmeans_lloyd(View<const X> x, Maybe<const double> weights, bool counted,
                     View<double> centres, int64_t max_iter, double tol, bool watched);

// centres (k, d), labels (n), counts (k); the inertia.
template <class X>
double kmeans_nearest(View<const X> x, Maybe<const double> weights, View<const double> centres,
                      View<int32_t> labels, View<int64_t> counts);

// centres (k, d), out (n, k)
template <class X>
void kmeans_distances(View<const X> x, View<const double> centres, View<X> out);

// uniform (1 + (k - 1) trials) in [0, 1), work (n); no seeds if the samples are not finite.
template <class X>
std::vector<int64_t> kmeans_seeds(View<const X> x, Maybe<const double> weights, int64_t k,
                                  int64_t trials, View<const double> uniform, View<float> work);

// The best means of weighted values, which ascend.
std::vector<double> kmeans_optimum(View<const double> values, View<const double> weights,
                                   int64_t k);

template <class X>
bool whole_numbers(View<const X> x);

// X also: whole numbers of 8 and 16 bits.
// counts (m) and weights (m), which are zero at first; weights of the samples (n).
template <class X>
void count_values(View<const X> x, Maybe<const double> sample_weights, int64_t low,
                  View<int64_t> counts, View<double> weights);
template <class X>
void look_up(View<const X> x, int64_t low, View<const int32_t> table, View<int32_t> labels);

}  // namespace lesionkit::clustering
