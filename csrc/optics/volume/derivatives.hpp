// What one tetrahedron gives to the derivatives of a reading (optics/jacobian.hpp has the
// equation):
//
//   by mua_p    -int psi_p phi_s phi_d,    by kappa_p    -int psi_p grad(phi_s).grad(phi_d),
//
// where psi_p is the shape function of node p, or 1 on the element; by the same rules as its matrix
// (tetrahedron.hpp), so that they are the derivatives of just that matrix.
#pragma once

#include "common/complex.hpp"
#include "optics/volume/tetrahedron.hpp"

namespace lesionkit::optics {

// The places of the nodes of an element as the derivatives need them.
template <int K>
struct Geometry;

template <>
struct Geometry<4> {
  double slope[4][3], volume;

  HD Geometry(const double (&place)[4][3], bool) { volume = gradients(place, slope) / 6; }
};

template <>
struct Geometry<10> {
  double slope[POINTS][10][3], weight[POINTS], loss[LOSS_POINTS];

  HD Geometry(const double (&place)[10][3], bool bent) {
    for (int q = 0; q < POINTS; ++q) weight[q] = ten_gradients(q, place, bent, slope[q]);
    for (int q = 0; q < LOSS_POINTS; ++q) loss[q] = loss_weight(q, place, bent);
  }
};

// A field within an element: at four nodes, its sum and its gradient; or at the points of the
// two rules.
template <int K, class T>
struct Inside;

template <class T>
struct Inside<4, T> {
  T value[4], sum, slope[3];

  HD Inside(const Geometry<4>& element, const T (&node)[4]) : sum{}, slope{} {
    for (int a = 0; a < 4; ++a) {
      value[a] = node[a];
      sum += node[a];
      for (int x = 0; x < 3; ++x) add_scaled(slope[x], element.slope[a][x], node[a]);
    }
  }
};

template <class T>
struct Inside<10, T> {
  T value[LOSS_POINTS], slope[POINTS][3];

  HD Inside(const Geometry<10>& element, const T (&node)[10]) : value{}, slope{} {
    for (int q = 0; q < LOSS_POINTS; ++q)
      for (int a = 0; a < 10; ++a) add_scaled(value[q], TEN_OF_LOSS.at[q].value[a], node[a]);
    for (int q = 0; q < POINTS; ++q)
      for (int a = 0; a < 10; ++a)
        for (int x = 0; x < 3; ++x) add_scaled(slope[q][x], element.slope[q][a][x], node[a]);
  }
};

// A field times the weights of the integrals, for P = 1 or K properties.
template <int P, class T>
HD void weigh(const Geometry<4>& element, Inside<4, T>& field) {
  const double mass = element.volume / (P == 1 ? 40 : 240), stiff = element.volume / P;
  for (int a = 0; a < 4; ++a) field.value[a] = scaled(mass, field.value[a]);
  field.sum = scaled(mass, field.sum);
  for (int x = 0; x < 3; ++x) field.slope[x] = scaled(stiff, field.slope[x]);
}

template <int P, class T>
HD void weigh(const Geometry<10>& element, Inside<10, T>& field) {
  for (int q = 0; q < LOSS_POINTS; ++q) field.value[q] = scaled(element.loss[q], field.value[q]);
  for (int q = 0; q < POINTS; ++q) {
    for (int x = 0; x < 3; ++x) field.slope[q][x] = scaled(element.weight[q], field.slope[q][x]);
  }
}

// Minus the product of two gradients.
template <class T>
HD T minus_dot(const T (&a)[3], const T (&b)[3]) {
  return minus_product(minus_product(minus_product(T{}, a[0], b[0]), a[1], b[1]), a[2], b[2]);
}

// by_mua[p * step] and by_kappa[p * step] += what the element gives, of one field and a weighed
// one. int l_p l_a l_b is volume / 120 times 1, 2 or 6 where none, two or all of p, a, b are the
// same.
template <int P, class T>
HD void add_derivatives(const Inside<4, T>& one, const Inside<4, T>& other, T* by_mua,
                        T* by_kappa) {
  T within{};
  for (int a = 0; a < 4; ++a) {
    T both = other.sum;
    add_scaled(both, P == 1 ? 6.0 : 1.0, other.value[a]);
    within = minus_product(within, one.value[a], both);
  }
  const T along = minus_dot(one.slope, other.slope);
  if constexpr (P == 1) {
    by_mua[0] += within;
    by_kappa[0] += along;
  } else {
    for (int p = 0; p < 4; ++p) {
      T both = other.sum;
      add_scaled(both, 32.0, other.value[p]);  // 2, and 30 of the corners in volume / 240
      by_mua[p] += within;
      by_mua[p] = minus_product(by_mua[p], one.value[p], both);
      by_mua[p] = minus_product(by_mua[p], one.sum, other.value[p]);
      by_kappa[p] += along;
    }
  }
}

template <int P, class T>
HD void add_derivatives(const Inside<10, T>& one, const Inside<10, T>& other, T* by_mua,
                        T* by_kappa) {
  for (int q = 0; q < LOSS_POINTS; ++q) {
    const T within = minus_product(T{}, one.value[q], other.value[q]);
    for (int p = 0; p < P; ++p)
      add_scaled(by_mua[p], P == 1 ? 1.0 : TEN_OF_LOSS.at[q].value[p], within);
  }
  for (int q = 0; q < POINTS; ++q) {
    const T along = minus_dot(one.slope[q], other.slope[q]);
    for (int p = 0; p < P; ++p) add_scaled(by_kappa[p], P == 1 ? 1.0 : TEN.at[q].value[p], along);
  }
}

}  // namespace lesionkit::optics
