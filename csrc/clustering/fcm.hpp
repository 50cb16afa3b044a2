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

#include "clustering/power.hpp"

namespace lesionkit::clustering {

struct Fuzziness {
  double m;
  double power;  // 1 / (m - 1)
  bool two;      // m = 2: no powers, only quotients

  explicit Fuzziness(double m_) : m(m_), power(1.0 / (m_ - 1.0)), two(m_ == 2.0) {}
};

// x^power for x in [0, 1].
template <class T>
HD T power_of(T x, double power) {
  const T least = all_of<T>(Layout<T>::least);
  const T result = exp2_of<T>(static_cast<Element<T>>(power) * log2_of<T>(x < least ? least : x));
  return x < least ? T{} : result;
}

template <class T>
HD T least_of(const T* distances, int c) {
  T least = distances[0];
  for (int j = 1; j < c; ++j) least = distances[j] < least ? distances[j] : least;
  return least;
}

template <class T>
HD T ratio_of(T least, T distance) {
  return distance <= least ? all_of<T>(1) : least / distance;
}

// u[c] from D[c], which may be the same array.
template <class T>
HD void memberships(const T* distances, int c, const Fuzziness& f, T* u) {
  const T least = least_of(distances, c);
  T sum{};
  for (int j = 0; j < c; ++j) {
    const T r = ratio_of(least, distances[j]);
    u[j] = f.two ? r : power_of(r, f.power);
    sum += u[j];
  }
  const T scale = Element<T>(1) / sum;
  for (int j = 0; j < c; ++j) u[j] *= scale;
}

// The weights u_j^m of a sample in the sums of the centres, from D[c], which may be the same array.
// Returns what the sample adds to J.
template <class T>
HD T weights_of_centres(const T* distances, int c, const Fuzziness& f, T* weights) {
  const T least = least_of(distances, c);
  T sum{};
  if (f.two) {
    for (int j = 0; j < c; ++j) {
      weights[j] = ratio_of(least, distances[j]);
      sum += weights[j];
    }
    const T scale = Element<T>(1) / sum;
    for (int j = 0; j < c; ++j) weights[j] *= weights[j] * (scale * scale);
    return least * scale;
  }
  for (int j = 0; j < c; ++j) {
    const T r = ratio_of(least, distances[j]), g = power_of(r, f.power);
    weights[j] = r * g;
    sum += g;
  }
  const T inverse = Element<T>(1) / sum, flat = power_of(inverse, f.m - 1.0);  // s^(1-m)
  for (int j = 0; j < c; ++j) weights[j] *= inverse * flat;
  return least * flat;
}

}  // namespace lesionkit::clustering
