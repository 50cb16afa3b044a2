// The matrix of one finite element of the diffusion equation,
//
//   A_ab = int kappa grad(phi_a).grad(phi_b) + int mua phi_a phi_b,
//
// for triangles of N = 3 or 6 nodes. A property is constant on the element (P = 1 value),
// interpolated from its nodes with the same functions phi (P = N values), or constant on each of
// the four triangles that an element's mid-edge nodes cut it into (P = 4). Both integrals are then
// exact sums over the values, with weights that depend on the mesh alone.
#pragma once

#include "common/portable.hpp"

namespace lesionkit::optics {

HD constexpr int pair_count(int nodes) { return nodes * (nodes + 1) / 2; }

// One entry: stiffness, mass are its [P] weights; kappa in mm, mua in mm^-1 times the area in mm^2.
template <int P, class T>
HD T element_entry(const double* stiffness, const double* mass, const T* kappa, const T* mua_area) {
  T value = stiffness[0] * kappa[0] + mass[0] * mua_area[0];
  for (int p = 1; p < P; ++p) value += stiffness[p] * kappa[p] + mass[p] * mua_area[p];
  return value;
}

// Calls add(pair, value) for each pair (a, b <= a) of nodes, pair = a (a + 1) / 2 + b.
//   stiffness : [pair][P] mm^0, this element's weights of kappa
//   mass      : [pair][P], the weights of mua for an area of 1, times `area` in mm^2; all straight
//               elements have the same
//   kappa, mua: [P] mm, mm^-1
template <int N, int P, class T, class Add>
HD void element_matrix(const double* stiffness, const double* mass, double area, const T* kappa,
                       const T* mua, Add&& add) {
  T mua_area[P];
  for (int p = 0; p < P; ++p) mua_area[p] = area * mua[p];
  for (int pair = 0; pair < pair_count(N); ++pair)
    add(pair, element_entry<P>(stiffness + pair * P, mass + pair * P, kappa, mua_area));
}

// Diffusion coefficient in mm of absorption and reduced scattering in mm^-1.
template <class T>
HD T diffusion(const T& absorption, const T& scattering) {
  return 1.0 / (3.0 * (absorption + scattering));
}

}  // namespace lesionkit::optics
