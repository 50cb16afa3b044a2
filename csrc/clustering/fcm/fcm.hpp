// Fuzzy c-means, the formulas of one sample: Bezdek, "Pattern Recognition with Fuzzy Objective
// Function Algorithms", 1981. T is float, double, or a register of samples.
//
// Given squared distances D_j (or any dissimilarities >= 0) to c centres, and m > 1, the
// memberships
//   u_j = D_j^(-1/(m-1)) / sum_l D_l^(-1/(m-1))
// make J = sum_j u_j^m D_j smallest. All is worked out from ratios r_j = D_min / D_j <= 1, so that
// nothing overflows, and D_j = 0 on a set Z of centres gives u_j = 1 / |Z| there without a case of
// its own: g_j = r_j^(1/(m-1)), s = sum g_j, u_j = g_j / s, u_j^m = (g_j / s) r_j s^(1-m),
// J = D_min s^(1-m).
#pragma once

#include "clustering/fcm/power.hpp"

namespace lesionkit::clustering {

struct Fuzziness {
  double m;
  double power;  // 1 / (m - 1)
  bool two;      // m = 2: no powers, only quotients

  HD explicit Fuzziness(double m_) : m(m_), power(1.0 / (m_ - 1.0)), two(m_ == 2.0) {}
};

// x^power for x in [0, 1].
template <class T>
HD T power_of(T x, double power) {
  const T least = broadcast<T>(Layout<T>::min_normal);
  const T result = exp2_of<T>(static_cast<Element<T>>(power) * log2_of<T>(x < least ? least : x));
  return x < least ? T{} : result;
}

// The same; the usual powers without a logarithm.
template <class T>
HD T raised(const T& x, double power) {
  if (power == 1.0) return x;
  if (power == 2.0) return x * x;
  return power == 0.0 ? broadcast<T>(1) : power_of(x, power);
}

template <class T>
HD T least_of(const T* distances, int c) {
  T least = distances[0];
  for (int j = 1; j < c; ++j) least = distances[j] < least ? distances[j] : least;
  return least;
}

template <class T>
HD T ratio_of(T least, T distance) {
  return distance <= least ? broadcast<T>(1) : least / distance;
}

// g_j from r_j.
template <class T>
HD T part_of(T ratio, const Fuzziness& f) {
  return f.two ? ratio : power_of(ratio, f.power);
}

// s^(1-m) from 1 / s.
template <class T>
HD T flatness_of(T inverse, const Fuzziness& f) {
  return f.two ? inverse : power_of(inverse, f.m - 1.0);
}

// u[c] from D[c], which may be the same array.
template <class T>
HD void memberships(const T* distances, int c, const Fuzziness& f, T* u) {
  const T least = least_of(distances, c);
  T sum{};
  for (int j = 0; j < c; ++j) {
    u[j] = part_of(ratio_of(least, distances[j]), f);
    sum += u[j];
  }
  const T inverse = Element<T>(1) / sum;
  for (int j = 0; j < c; ++j) u[j] *= inverse;
}

// The weights u_j^m of a sample in the sums of the centres, from D[c], which may be the same array.
// Returns what the sample adds to J.
template <class T>
HD T weights_of_centres(const T* distances, int c, const Fuzziness& f, T* weights) {
  const T least = least_of(distances, c);
  T sum{};
  for (int j = 0; j < c; ++j) {
    const T r = ratio_of(least, distances[j]), g = part_of(r, f);
    weights[j] = r * g;
    sum += g;
  }
  const T inverse = Element<T>(1) / sum, flat = flatness_of(inverse, f);
  for (int j = 0; j < c; ++j) weights[j] *= inverse * flat;
  return least * flat;
}

// For m = 2: g_j as the product of the other distances; returns their sum. All distances are at
// most 1, so that products only shrink: where the sum is below `trusted` they may have lost bits.
template <int c, class T>
HD T products(const T (&distance)[c], T (&g)[c]) {
  T before = distance[0];
  g[0] = broadcast<T>(1);
  for (int j = 1; j < c; ++j) {
    g[j] = before;
    before = before * distance[j];
  }
  T after = distance[c - 1], sum = g[c - 1];
  for (int j = c - 2; j >= 0; --j) {
    g[j] = j == 0 ? after : g[j] * after;
    sum += g[j];
    after = after * distance[j];
  }
  return sum;
}

template <class T>
inline constexpr T trusted = T(1e-30f);
template <>
inline constexpr double trusted<double> = 1e-290;

// Moves a centre to where `sums` say: the weight of its samples, and d sums of w (x - centre), in
// units of 1 / scale. Returns the largest shift of a coordinate. A centre that no sample belongs to
// stays where it is.
HD double move_centre(const double* sums, int64_t d, double scale, double* centre) {
  double shift = 0.0;
  for (int64_t k = 0; k < d && sums[0] > 0.0; ++k) {
    const double step = sums[1 + k] / sums[0] / scale;
    const double size = step < 0.0 ? -step : step;
    shift = size > shift ? size : shift;
    centre[k] += step;
  }
  return shift;
}

}  // namespace lesionkit::clustering
