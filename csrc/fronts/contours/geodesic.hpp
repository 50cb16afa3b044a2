// Geodesic active contour (Caselles, Kimmel and Sapiro, International Journal of Computer Vision
// 22(1), 61-79, 1997) of a level set phi, above 0 inside, on a grid of any spacing:
//   phi_t = g (balloon + curvature kappa) |grad phi| + advection grad g . grad phi
// The balloon's |grad phi| is Godunov's, advection is upwind, both with second-order differences
// (ENO); kappa |grad phi| has central differences. At the same time phi is drawn towards a distance
// (Sussman, Smereka and Osher, Journal of Computational Physics 114, 146, 1994); beside the contour
// towards phi / |grad phi|, which leaves the contour where it is (Russo and Smereka, JCP 163, 51,
// 2000). Formulas of one node; the loops are in narrow_band.hpp.
#pragma once

#include "common/simd.hpp"

namespace lesionkit::fronts::contours {

template <class T, int axes>
struct GeodesicRule {
  T balloon, curvature, advection;
  T inverse[axes];  // of the spacing, slowest axis first
  T least;          // spacing
  T flow, bend;     // limits of a step by a speed of 1, and by a stiffness of 1
};

// A node and its neighbours: of phi one and two steps ahead and back along each axis, and the four
// corners of each pair of axes, (0, 1), (0, 2), (1, 2); of g one step ahead and back.
template <class T, int axes>
struct GeodesicStencil {
  static constexpr int pairs = axes * (axes - 1) / 2;
  static constexpr int phi_count = 1 + 4 * axes + 4 * pairs, edge_count = 1 + 2 * axes;
  T phi[phi_count], edge[edge_count];

  static constexpr int first_of(int pair) { return pair / 2; }
  static constexpr int second_of(int pair) { return 1 + (pair > 0); }

  // Where the values are, relative to the node, on a grid with these steps.
  static void offsets(const int64_t* step, int64_t* of_phi, int64_t* of_edge) {
    *of_phi++ = *of_edge++ = 0;
    for (int d = 0; d < axes; ++d) {
      for (const int64_t steps : {1, -1}) *of_edge++ = steps * step[d];
      for (const int64_t steps : {1, -1, 2, -2}) *of_phi++ = steps * step[d];
    }
    for (int pair = 0; pair < pairs; ++pair)
      for (const int64_t first : {1, -1})
        for (const int64_t second : {1, -1})
          *of_phi++ = first * step[first_of(pair)] + second * step[second_of(pair)];
  }

  HD T here() const { return phi[0]; }
  HD T ahead(int d) const { return phi[1 + 4 * d]; }
  HD T back(int d) const { return phi[2 + 4 * d]; }
  HD T ahead2(int d) const { return phi[3 + 4 * d]; }
  HD T back2(int d) const { return phi[4 + 4 * d]; }
  HD T twist(int pair) const {
    const T* corner = phi + 1 + 4 * axes + 4 * pair;
    return (corner[0] - corner[1]) - (corner[2] - corner[3]);
  }
};

template <class T>
struct GeodesicChange {
  T rate;   // d phi / dt
  T relax;  // how far it is, or in one step can go, to a distance
  T limit;  // the time step may be 1 / limit at most
};

template <class T>
HD T magnitude(T a) {
  return a < T(0) ? -a : a;
}
template <class T>
HD T minmod(T a, T b) {
  const T least = magnitude(a) < magnitude(b) ? a : b;
  return a * b > T(0) ? least : T(0);
}

// Godunov's square of a slope, from the differences to both sides, where values flow up (the region
// grows: from larger values) or down.
template <class T>
HD T flow_square(T ahead, T back, bool up) {
  const T a = up ? max(ahead, T(0)) : min(ahead, T(0));
  const T b = up ? min(back, T(0)) : max(back, T(0));
  return max(a * a, b * b);
}

template <class T, int axes>
HD_IN_LOOP GeodesicChange<T> geodesic_change(const GeodesicStencil<T, axes>& s,
                                             const GeodesicRule<T, axes>& rule) {
  using Stencil = GeodesicStencil<T, axes>;
  T slope[axes], gradient = 0, growth = 0, distance = 0, advection = 0;
  T laplacian = 0, along = 0, across = 0;
  bool beside = false;
  const bool inside = s.here() > T(0);
  const T push = rule.balloon * s.edge[0], bend = rule.curvature * s.edge[0];
  T limit = rule.flow * magnitude(push) + rule.bend * magnitude(bend);
  UNROLL_FOR_CPU_ONLY
  for (int d = 0; d < axes; ++d) {
    const T h = rule.inverse[d];
    const T ahead1 = (s.ahead(d) - s.here()) * h, back1 = (s.here() - s.back(d)) * h;
    const T second = ahead1 - back1;
    const T beyond = (s.ahead2(d) - s.ahead(d)) * h - ahead1;
    const T before = back1 - (s.back(d) - s.back2(d)) * h;
    const T ahead = ahead1 - T(0.5) * minmod(second, beyond);
    const T back = back1 + T(0.5) * minmod(second, before);
    slope[d] = T(0.5) * (ahead1 + back1);
    gradient += slope[d] * slope[d];
    growth += flow_square(ahead, back, push > T(0));
    distance += flow_square(ahead, back, !inside);
    const T pull = rule.advection * T(0.5) * h * (s.edge[1 + 2 * d] - s.edge[2 + 2 * d]);
    advection += pull * (pull > T(0) ? ahead : back);
    limit += h * magnitude(pull);
    laplacian += second * h;
    along += slope[d] * slope[d] * second * h;
    const bool left = (s.back(d) > T(0)) != inside, right = (s.ahead(d) > T(0)) != inside;
    beside = beside | left | right;
    across = max(across, right ? magnitude(ahead1) : T(0));
    across = max(across, left ? magnitude(back1) : T(0));
  }
  UNROLL_FOR_CPU_ONLY
  for (int pair = 0; pair < Stencil::pairs; ++pair) {
    const int d = Stencil::first_of(pair), e = Stencil::second_of(pair);
    along += T(0.5) * rule.inverse[d] * rule.inverse[e] * slope[d] * slope[e] * s.twist(pair);
  }
  const T bending = laplacian - along / max(gradient, T(1e-12));
  const T steepness = max(max(root(gradient), across), T(0.3));
  GeodesicChange<T> change;
  change.rate = bend * bending + push * root(growth) + advection;
  const T off = rule.least * (T(1) - root(distance));
  change.relax = beside ? s.here() / steepness - s.here() : (inside ? off : -off);
  change.limit = limit;
  return change;
}

}  // namespace lesionkit::fronts::contours
