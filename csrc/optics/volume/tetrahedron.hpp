// The matrix of one tetrahedron of the diffusion equation,
//
//   A_ab = int kappa grad(phi_a).grad(phi_b) + int mua phi_a phi_b,
//
// with K = 4 or 10 nodes, kappa and mua interpolated from the nodes with the same functions phi;
// bent elements are isoparametric. The first integral: in closed form at four nodes; at ten by a
// rule of 24 points, exact to degree 6 (Keast, Comput. Meth. Appl. Mech. Eng. 55, 339, 1986), and
// so in straight elements. The second is not meant to be exact, but to let light decay at its true
// rate in elements that are large beside the decay length, where errors of the two make up for each
// other (Ainsworth and Wajid, SIAM J. Numer. Anal. 48, 346, 2010): at four nodes half of it is
// exact and half is taken from the corners; at ten it is a rule of the four corners and the four
// centres of faces, exact to degree 3. Its weights are positive, and so is the matrix then,
// whatever mua is.
#pragma once

#include "common/portable.hpp"

namespace lesionkit::optics {

inline constexpr int POINTS = 24;

// The edges whose middles are nodes 4 to 9.
inline constexpr int EDGE[6][2] = {{0, 1}, {1, 2}, {2, 0}, {0, 3}, {1, 3}, {2, 3}};

HD constexpr int pairs_of(int nodes) { return nodes * (nodes + 1) / 2; }

// Barycentric places and weights, of sum 1.
struct TetrahedronRule {
  double place[POINTS][4], weight[POINTS];

  constexpr TetrahedronRule() : place{}, weight{} {
    constexpr double three[3][2] = {{0.214602871259151684, 0.00665379170969464506},
                                    {0.0406739585346113397, 0.00167953517588677620},
                                    {0.322337890142275646, 0.00922619692394239843}};
    int q = 0;
    for (const auto& [a, w] : three)
      for (int i = 0; i < 4; ++i, ++q) {
        for (int j = 0; j < 4; ++j) place[q][j] = j == i ? 1 - 3 * a : a;
        weight[q] = 6 * w;
      }
    constexpr double a = 0.0636610018750175299, b = 0.269672331458315867;
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 4; ++j)
        if (i != j) {
          for (int k = 0; k < 4; ++k) place[q][k] = k == i ? b : k == j ? 1 - 2 * a - b : a;
          weight[q++] = 6 * 0.00803571428571428248;
        }
  }
};
inline constexpr TetrahedronRule RULE;

// Of the losses in ten-node elements.
inline constexpr int LOSS_POINTS = 8;
struct LossRule {
  double place[LOSS_POINTS][4], weight[LOSS_POINTS];

  constexpr LossRule() : place{}, weight{} {
    for (int i = 0; i < 4; ++i) {
      weight[i] = 1.0 / 40;
      weight[4 + i] = 9.0 / 40;
      for (int j = 0; j < 4; ++j) {
        place[i][j] = j == i ? 1 : 0;
        place[4 + i][j] = j == i ? 0 : 1.0 / 3;
      }
    }
  }
};
inline constexpr LossRule LOSS_RULE;

// The ten functions at a place, and their derivatives by its four barycentric coordinates.
struct TenFunctions {
  double value[10], slope[10][4];

  constexpr TenFunctions() : value{}, slope{} {}
  constexpr explicit TenFunctions(const double* l) : TenFunctions() {
    for (int i = 0; i < 4; ++i) {
      value[i] = l[i] * (2 * l[i] - 1);
      slope[i][i] = 4 * l[i] - 1;
    }
    for (int e = 0; e < 6; ++e) {
      const int i = EDGE[e][0], j = EDGE[e][1];
      value[4 + e] = 4 * l[i] * l[j];
      slope[4 + e][i] = 4 * l[j];
      slope[4 + e][j] = 4 * l[i];
    }
  }
};

template <int N>
struct TenAtPoints {
  TenFunctions at[N];

  constexpr explicit TenAtPoints(const double (&place)[N][4]) : at{} {
    for (int q = 0; q < N; ++q) at[q] = TenFunctions(place[q]);
  }
};
inline constexpr TenAtPoints<POINTS> TEN(RULE.place);
inline constexpr TenAtPoints<LOSS_POINTS> TEN_OF_LOSS(LOSS_RULE.place);

// The gradients of the four barycentric coordinates where x, y, z change by them as by[4][3] says;
// returns 6 times the volume of a straight element.
template <class T>
HD T gradients(const T (&by)[4][3], T (&out)[4][3]) {
  T e[3][3];
  for (int i = 0; i < 3; ++i)
    for (int x = 0; x < 3; ++x) e[i][x] = by[i + 1][x] - by[0][x];
  T cross[3][3];
  for (int i = 0; i < 3; ++i) {
    const T *u = e[(i + 1) % 3], *v = e[(i + 2) % 3];
    for (int x = 0; x < 3; ++x)
      cross[i][x] = u[(x + 1) % 3] * v[(x + 2) % 3] - u[(x + 2) % 3] * v[(x + 1) % 3];
  }
  const T size = e[0][0] * cross[0][0] + e[0][1] * cross[0][1] + e[0][2] * cross[0][2];
  const T inverse = 1.0 / size;
  for (int x = 0; x < 3; ++x) {
    for (int i = 0; i < 3; ++i) out[i + 1][x] = cross[i][x] * inverse;
    out[0][x] = -(out[1][x] + out[2][x] + out[3][x]);
  }
  return size;
}

// How x, y, z of a ten-node element change by the four barycentric coordinates.
template <class T>
HD void ten_changes(const TenFunctions& phi, const T (&place)[10][3], bool bent, T (&by)[4][3]) {
  for (int i = 0; i < 4; ++i)
    for (int x = 0; x < 3; ++x) {
      by[i][x] = place[i][x];
      if (bent) {
        by[i][x] = phi.slope[0][i] * place[0][x];
        for (int a = 1; a < 10; ++a) by[i][x] += phi.slope[a][i] * place[a][x];
      }
    }
}

// The gradients of the ten functions at point q; returns its weight in mm^3.
template <class T>
HD T ten_gradients(int q, const T (&place)[10][3], bool bent, T (&out)[10][3]) {
  const TenFunctions& phi = TEN.at[q];
  T by[4][3], of_corner[4][3];
  ten_changes(phi, place, bent, by);
  const T size = gradients(by, of_corner);
  for (int x = 0; x < 3; ++x) {
    for (int i = 0; i < 4; ++i) out[i][x] = phi.slope[i][i] * of_corner[i][x];
    for (int e = 0; e < 6; ++e) {
      const int i = EDGE[e][0], j = EDGE[e][1];
      out[4 + e][x] = phi.slope[4 + e][i] * of_corner[i][x] + phi.slope[4 + e][j] * of_corner[j][x];
    }
  }
  return RULE.weight[q] / 6 * size;
}

// The weight in mm^3 of point q of the losses.
template <class T>
HD T loss_weight(int q, const T (&place)[10][3], bool bent) {
  T by[4][3], unused[4][3];
  ten_changes(TEN_OF_LOSS.at[q], place, bent, by);
  return LOSS_RULE.weight[q] / 6 * gradients(by, unused);
}

// A quantity of the nodes at a point.
template <class T>
HD T at_point(const TenFunctions& phi, const T* node) {
  T value = phi.value[0] * node[0];
  for (int a = 1; a < 10; ++a) value += phi.value[a] * node[a];
  return value;
}

// Of two vectors.
template <class T>
HD T inner(const T* a, const T* b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

// out[pair]: the pairs (a, b <= a), pair = a (a + 1) / 2 + b.
template <class T>
HD void tetrahedron_matrix(const T (&place)[4][3], bool, const T* kappa, const T* mua, T* out) {
  T slope[4][3];
  const T volume = gradients(place, slope) / 6.0;
  const T mean = (kappa[0] + kappa[1] + kappa[2] + kappa[3]) * (volume / 4.0);
  const T sum = mua[0] + mua[1] + mua[2] + mua[3], share = volume / 240.0;
  for (int a = 0, pair = 0; a < 4; ++a)
    for (int b = 0; b <= a; ++b, ++pair) {
      // 240 times half of int l_a l_b mua = (1 or 2 times sum, + mua_a + mua_b) / 120, and half of
      // mua_a / 4
      const T mass = a == b ? 2.0 * sum + 34.0 * mua[a] : sum + mua[a] + mua[b];
      out[pair] = mean * inner(slope[a], slope[b]) + share * mass;
    }
}

template <class T>
HD void tetrahedron_matrix(const T (&place)[10][3], bool bent, const T* kappa, const T* mua,
                           T* out) {
  for (int pair = 0; pair < pairs_of(10); ++pair) out[pair] = T{};
  for (int q = 0; q < POINTS; ++q) {
    T slope[10][3];
    const T weight = ten_gradients(q, place, bent, slope);
    const T stiff = weight * at_point(TEN.at[q], kappa);
    for (int a = 0, pair = 0; a < 10; ++a) {
      const T along[3] = {stiff * slope[a][0], stiff * slope[a][1], stiff * slope[a][2]};
      for (int b = 0; b <= a; ++b, ++pair) out[pair] += inner(along, slope[b]);
    }
  }
  for (int q = 0; q < LOSS_POINTS; ++q) {
    const TenFunctions& phi = TEN_OF_LOSS.at[q];
    const T loss = loss_weight(q, place, bent) * at_point(phi, mua);
    for (int a = 0, pair = 0; a < 10; ++a)
      for (int b = 0; b <= a; ++b, ++pair) out[pair] += loss * (phi.value[a] * phi.value[b]);
  }
}

}  // namespace lesionkit::optics
