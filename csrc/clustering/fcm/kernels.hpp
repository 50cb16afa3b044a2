// Fuzzy c-means: what the binding and the tests call. Python has checked shapes, dtypes and ranges
// (clustering/fcm.py, clustering/cmeans.py). x (n, d), weight (n), centres (c, d); T: float or
// double.
#pragma once

#include <tuple>
#include <utility>
#include <vector>

#include "common/view.hpp"

namespace lesionkit::clustering::fuzzy {

// Moves the centres; (passes, objective). span: the longest distance there may be between a
// sample and a centre.
template <class T>
std::pair<int64_t, double> fcm_fit(View<const T> x, Maybe<const double> weight, double span,
                                   double greatest_weight, double total_weight, double m,
                                   int64_t max_iter, double tol, bool of_memberships,
                                   View<double> centres);

// out: [n][c], or `planes`, [c][n]; or of one class, [n].
template <class T>
void fcm_memberships(View<const T> x, double m, View<const double> centres, int64_t only,
                     View<T> out, bool planes);
template <class T>
void fcm_distances(View<const T> x, View<const double> centres, View<T> out, bool planes);

// The nearest centre of each sample. T also: whole numbers of 8 and 16 bits.
template <class T>
void fcm_labels(View<const T> x, View<const double> centres, View<int32_t> out);

// Sums of w u^2 and w u ln u, and J.
template <class T>
std::tuple<double, double, double> fcm_validity(View<const T> x, Maybe<const double> weight,
                                                double m, View<const double> centres);

// out (d, columns of ColumnStatistics): each feature's; false if a sample is not finite.
template <class T>
bool column_statistics(View<const T> x, Maybe<const double> weight, View<double> out);

// Passes, and what J was before each step of the memberships.
std::pair<int64_t, std::vector<double>> cmeans_fit(View<const double> x, View<const double> u0,
                                                   double span, double m, double error,
                                                   int64_t maxiter, View<double> centres);

// Of the memberships that belong to these centres, against u0: the norm of the change, and
// sum u0^m D.
std::pair<double, double> cmeans_change(View<const double> x, View<const double> u0, double span,
                                        double m, View<const double> centres);

}  // namespace lesionkit::clustering::fuzzy
