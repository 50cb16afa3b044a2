// Chan and Vese's contour without edges (Chan & Vese, IEEE Transactions on Image Processing 10(2),
// 266-277, 2001), in the semi-implicit form of Getreuer ("Chan-Vese segmentation", Image Processing
// On Line 2, 214-224, 2012, eq. 22), every pixel from the values of the last iteration.
//   1. the force on a pixel compares its intensity with the means inside and outside;
//   2. each face weighs the neighbour behind it by 1 / |grad phi| at the face;
//   3. the new value is a weighted mean of the old one, pushed by the force, and its neighbours.
// The steps are scikit-image's, in its order: compiled without fused products and sums
// (chan_vese.cpp), they have the same bits. The loops are in chan_vese_pass.hpp and chan_vese.cu.
#pragma once

#include "common/simd.hpp"

namespace lesionkit::fronts::contours {

// dt and mu as they enter the formulas, rounded to the type of the level set.
template <class T>
struct ChanVeseRule {
  T mu, dt, mu_dt;
};

// A pixel and its neighbours: along the columns, the rows and, in a volume, the planes. Where the
// image or the mask ends, the neighbour is the pixel itself.
template <class T, int axes>
struct Around {
  T here, behind[axes], before[axes];
};

// What one channel adds to the force: means[0] inside, means[1] outside.
template <class T>
HD T chan_vese_force(T value, const T* means, const T* lambdas) {
  const T inside = value - means[0], outside = value - means[1];
  return -lambdas[0] * (inside * inside) + lambdas[1] * (outside * outside);
}

// The derivative of the smoothed step function, without its factor 1/pi.
template <class T>
HD T chan_vese_delta(T phi) {
  return T(1) / (T(1) + phi * phi);
}

// The square of the derivative along `axis`, by the neighbours on both sides.
template <class T, int axes>
HD T central_square(const Around<T, axes>& a, int axis) {
  const T slope = (a.behind[axis] - a.before[axis]) / T(2);
  return slope * slope;
}

template <class T, int axes>
HD_IN_LOOP T chan_vese_step(const Around<T, axes>& a, T force, const ChanVeseRule<T>& rule) {
  T central[axes];
  for (int e = 0; e < axes; ++e) central[e] = central_square(a, e);
  T pull = 0, weights = 0;
  for (int d = 0; d < axes; ++d) {
    const T ahead = a.behind[d] - a.here, back = a.here - a.before[d];
    T square_ahead = T(1e-16), square_back = T(1e-16);
    for (int e = 0; e < axes; ++e) {
      square_ahead += e == d ? ahead * ahead : central[e];
      square_back += e == d ? back * back : central[e];
    }
    const T weight_ahead = T(1) / root(square_ahead), weight_back = T(1) / root(square_back);
    pull = (pull + a.behind[d] * weight_ahead) + a.before[d] * weight_back;
    weights = (weights + weight_ahead) + weight_back;
  }
  const T delta = chan_vese_delta(a.here);
  const T pushed = a.here + (rule.dt * delta) * (rule.mu * pull + force);
  return pushed / (T(1) + (rule.mu_dt * delta) * weights);
}

// The angle whose tangent is x, to a few units in the last place and without a branch: the angle
// is halved twice, and of what is left (below pi / 16) the series is summed.
HD_IN_LOOP double arctangent(double x) {
  const double size = x < 0.0 ? -x : x;
  const double first = size > 1.0 ? 1.0 / size : size;
  const double half = first / (1.0 + root(1.0 + first * first));
  const double quarter = half / (1.0 + root(1.0 + half * half));
  const double square = quarter * quarter;
  double sum = 0.0;
  UNROLL_ALL
  for (int n = 23; n >= 1; n -= 2) sum = 1.0 / n - square * sum;
  const double angle = 4.0 * quarter * sum;
  const double whole = size > 1.0 ? 1.5707963267948966 - angle : angle;
  return x < 0.0 ? -whole : whole;
}

// The energy of eq. 7 of Getreuer, with a smooth step, is made of sums over the pixels: how far
// inside they are (0 to 1), the contour's length as a density, and for each channel the value and
// its square, inside and outside.
HD constexpr int64_t energy_kinds(int64_t channels) { return 2 + 4 * channels; }

template <class T>
HD_IN_LOOP double chan_vese_inside(T phi) {
  return 0.5 + 0.3183098861837907 * arctangent(static_cast<double>(phi));
}

template <class T, int axes>
HD_IN_LOOP double chan_vese_length(const Around<T, axes>& a) {
  T square = 0;
  for (int e = axes - 1; e >= 0; --e) square += central_square(a, e);
  return static_cast<double>(chan_vese_delta(a.here) * root(square));
}

// Term `kind` of a channel: of the value, or its square, inside (0 and 1) or outside; `weight` is
// how far inside, or outside, the pixel is.
HD double chan_vese_spread_term(int kind, double weight, double value) {
  return kind % 2 ? weight * value * value : weight * value;
}

}  // namespace lesionkit::fronts::contours
