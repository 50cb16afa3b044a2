// Contours that move: what the binding and the tests call. Python has checked the arrays
// (fronts/contours/*.py). T: float or double.
#pragma once

#include <vector>

#include "common/view.hpp"

namespace lesionkit::fronts::contours {

// image (channels, planes, rows, columns), scaled by Python; mask, phi (planes, rows, columns); phi
// moves until its root mean square change is at most `tol`, or `max_iter` times. Returns, if
// wanted, what the energy before each iteration is made of.
template <class T>
std::vector<double> chan_vese(View<const T> image, Maybe<const uint8_t> mask, View<T> phi,
                              bool volume, double mu, const std::vector<double>& lambdas,
                              double tol, int64_t max_iter, double dt, bool with_energies);

// image, level (0 or 1), where: (planes, rows, columns). `smoothed` smoothings were done before.
template <class T>
void morphological_chan_vese(View<const T> image, View<uint8_t> level, bool volume,
                             int64_t iterations, int64_t smoothing, int64_t smoothed,
                             double lambda1, double lambda2);
template <class T>
void morphological_geodesic(View<const T> image, View<uint8_t> level, bool volume,
                            int64_t iterations, int64_t smoothing, int64_t smoothed,
                            Maybe<const uint8_t> where, bool grow);

// edge, level: of 2 or 3 axes; returns the time that has passed.
template <class T>
double geodesic_active_contour(View<const T> edge, View<T> level,
                               const std::vector<double>& spacing, double balloon, double curvature,
                               double advection, int64_t iterations);

}  // namespace lesionkit::fronts::contours
