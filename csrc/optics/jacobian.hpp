// Derivatives of readings by the adjoint method (Arridge, Inverse Problems 15, R41, 1999). A
// reading is R_sd = b_d' A^-1 b_s, A symmetric, so with the fields phi_s = A^-1 b_s and phi_d =
// A^-1 b_d
//
//   dR_sd = -phi_d' dA phi_s,    dA = sum over elements of stiffness dkappa + area mass dmua
//
// (element.hpp), and kappa = 1 / (3 (mua + mus')) brings dkappa = -3 kappa^2 (dmua + dmus').
//
// Either every derivative is formed, a detector in each lane; or their sum over all pairs with
// given weights, a system in each lane: sum_s phi_s' dA psi_s, psi_s = A^-1 sum_d weight_sd b_d,
// which is one more field per source and never the derivatives themselves.
#pragma once

#include "common/complex.hpp"
#include "common/simd.hpp"
#include "optics/element.hpp"

namespace lesionkit::optics {

// out[a] = sum over b of W_ab field[b], W symmetric with the lower triangle at weight[pair *
// stride].
template <int N, class T>
HD void weigh(const double* weight, int stride, const T* field, T (&out)[N]) {
  for (int a = 0; a < N; ++a) out[a] = T{};
  for (int a = 0; a < N; ++a)
    for (int b = 0; b <= a; ++b) {
      const double w = weight[(a * (a + 1) / 2 + b) * stride];
      add_scaled(out[a], w, field[b]);
      if (b < a) add_scaled(out[b], w, field[a]);
    }
}

// The derivatives that one element gives to one of its P properties: for each source,
// by_mua[s] -= source[s][.] M detector and by_kappa[s] -= source[s][.] K detector.
//   stiffness, mass : this element's, of this property: [pair], `stride` apart
//   source          : [sources][N], each the same in all lanes; detector: [N]
template <int N, class T>
HD void add_derivatives(const double* stiffness, const double* mass, int stride, double area,
                        const T* source, int sources, const T* detector, T* by_mua, T* by_kappa,
                        int step) {
  T along[N], within[N];
  weigh<N>(stiffness, stride, detector, along);
  weigh<N>(mass, stride, detector, within);
  for (int a = 0; a < N; ++a) within[a] = scaled(area, within[a]);
  for (int s = 0; s < sources; ++s) {
    T mua = by_mua[s * step], kappa = by_kappa[s * step];
    for (int a = 0; a < N; ++a) {
      mua = minus_product(mua, source[s * N + a], within[a]);
      kappa = minus_product(kappa, source[s * N + a], along[a]);
    }
    by_mua[s * step] = mua;
    by_kappa[s * step] = kappa;
  }
}

// From derivatives by mua at fixed kappa, and by kappa, to those by mua and by mus'.
template <class T, class R>
HD void to_tissue(const R& kappa, T& by_mua, T& by_kappa) {
  by_kappa = scaled(-3.0 * kappa * kappa, by_kappa);
  by_mua += by_kappa;
}

// The real part of the sum over sources of phi_a psi_b, and of phi_b psi_a where `both`.
//   forward, adjoint : [sources], of node a and of node b
template <class T>
HD auto gram_entry(const T* forward_a, const T* forward_b, const T* adjoint_a, const T* adjoint_b,
                   int sources, bool both) {
  auto sum = real_product(T{}, T{});
  for (int s = 0; s < sources; ++s) {
    sum += real_product(forward_a[s], adjoint_b[s]);
    if (both) sum += real_product(forward_b[s], adjoint_a[s]);
  }
  return sum;
}

// gram[pair] of an element's nodes. forward, adjoint : [node a] pointers to [sources]
template <int N, class T, class R>
HD void gram_matrix(const T* const (&forward)[N], const T* const (&adjoint)[N], int sources,
                    R* gram) {
  for (int a = 0; a < N; ++a)
    for (int b = 0; b <= a; ++b)
      gram[a * (a + 1) / 2 + b] =
          gram_entry(forward[a], forward[b], adjoint[a], adjoint[b], sources, b < a);
}

// What one element gives to the gradient by one of its properties, from gram(pair) of gram_matrix.
//   stiffness, mass : this element's, of this property: [pair], `stride` apart
template <class R, class Gram>
HD void add_gradient(const double* stiffness, const double* mass, int stride, int pairs,
                     double area, const Gram& gram, R& by_mua, R& by_kappa) {
  R within{}, along{};
  for (int pair = 0; pair < pairs; ++pair) {
    within += mass[pair * stride] * gram(pair);
    along += stiffness[pair * stride] * gram(pair);
  }
  by_mua -= area * within;
  by_kappa -= along;
}

}  // namespace lesionkit::optics
