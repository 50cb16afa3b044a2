// Spatial fuzzy c-means: what the binding and the tests call. Python has checked shapes and values
// (clustering/spatial/methods.py), and put 0 where the mask is 0. images, x: (channels, planes,
// rows, columns); mask, weight, extra, plane, labels: (planes, rows, columns); centres (classes,
// channels). T: float or double.
#pragma once

#include <array>

#include "common/view.hpp"

namespace lesionkit::clustering::spatial {

using Half = std::array<int64_t, 3>;  // of a window: planes, rows, columns; border: a Border

template <class T>
void window_mean(View<const T> images, Maybe<const uint8_t> mask, Half half, int border, bool self,
                 View<T> out);
template <class T>
void window_median(View<const T> images, Maybe<const uint8_t> mask, Half half, int border,
                   bool self, View<T> out);
template <class T>
void window_similar(View<const T> images, Maybe<const uint8_t> mask, Half half, int border,
                    double reach, double alike, View<T> out);

// y becomes z; extra starts as 0.
template <class T>
void mix(View<const T> x, View<T> y, double alpha, View<T> extra);

// Each fit moves the centres and returns its passes; planes fill the memberships in class `chosen`,
// the labels, or both.
template <class T>
int64_t spatial_fcm_fit(View<const T> x, Maybe<const T> extra, Maybe<const T> weight, double m,
                        int64_t max_iter, double tolerance, View<double> centres);
template <class T>
void spatial_fcm_planes(View<const T> x, Maybe<const T> extra, double m, View<const double> centres,
                        int64_t chosen, Maybe<T> plane, Maybe<int32_t> labels);
template <class T>
int64_t sfcm_fit(View<const T> x, Maybe<const T> weight, Half half, int border, double m, double p,
                 double q, int64_t max_iter, double tolerance, View<double> centres);
template <class T>
void sfcm_planes(View<const T> x, Maybe<const T> weight, Half half, int border, double m, double p,
                 double q, View<const double> centres, int64_t chosen, Maybe<T> plane,
                 Maybe<int32_t> labels);

// u, spare: (classes, n). The answer is in `u`.
template <class T>
int64_t flicm_fit(View<const T> x, Maybe<const T> weight, Half half, int border, double m,
                  int64_t max_iter, double tolerance, View<double> centres, View<T> u,
                  View<T> spare, View<int32_t> labels);

}  // namespace lesionkit::clustering::spatial
