// Systems in groups, one in each lane of a register, over all threads: what they are made from,
// and the walk through them.
#pragma once

#include <algorithm>
#include <complex>
#include <type_traits>
#include <vector>

#include "common/parallel.hpp"
#include "optics/forward.hpp"
#include "optics/kernels.hpp"

namespace lesionkit::optics {

// Fills a group's lanes with the systems from `first` on; lanes past the last system
// repeat it.
template <class Group>
void load(const Maps& from, int64_t first, Group& group) {
  const auto& [absorption, scattering, count, properties] = from;
  const double *mua[lane_count<double>], *mus[lane_count<double>];
  for (int l = 0; l < lane_count<double>; ++l) {
    const int64_t system = std::min(first + l, count - 1);
    mua[l] = absorption + system * properties;
    mus[l] = scattering + system * properties;
  }
  for (int64_t e = 0; e < properties; ++e) {
    Simd<double> a, s;
    for (int l = 0; l < lane_count<double>; ++l) {
      a[l] = mua[l][e];
      s[l] = mus[l][e];
    }
    group.absorption[e] = a;
    group.kappa[e] = diffusion(a, s);
  }
}

template <class Group>
void load(const Mixtures& from, int64_t first, Group& group) {
  const auto& [fractions, absorption, scattering, count, materials, properties] = from;
  const Simd<double> zero{};
  std::vector<Simd<double>> excess_a(materials), excess_s(materials);
  std::vector<const double*> fraction(materials * lane_count<double>);
  Simd<double> mua = zero, mus = zero;
  for (int l = 0; l < lane_count<double>; ++l) {
    const int64_t system = std::min(first + l, count - 1);
    const double* a = absorption + system * (materials + 1);
    const double* s = scattering + system * (materials + 1);
    mua[l] = a[0];
    mus[l] = s[0];
    for (int64_t k = 0; k < materials; ++k) {
      excess_a[k][l] = a[k + 1] - a[0];
      excess_s[k][l] = s[k + 1] - s[0];
      fraction[k * lane_count<double> + l] = fractions + (system * materials + k) * properties;
    }
  }
  for (int64_t e = 0; e < properties; ++e) {
    Simd<double> a = mua, s = mus;
    for (int64_t k = 0; k < materials; ++k) {
      Simd<double> f;
      for (int l = 0; l < lane_count<double>; ++l) f[l] = fraction[k * lane_count<double> + l][e];
      a += f * excess_a[k];
      s += f * excess_s[k];
    }
    group.absorption[e] = a;
    group.kappa[e] = diffusion(a, s);
  }
}

inline double lane(const Simd<double>& x, int l) { return x[l]; }
inline std::complex<double> lane(const Complex<Simd<double>>& x, int l) {
  return {x.re[l], x.im[l]};
}

inline void set_lane(Simd<double>& x, int l, double value) { x[l] = value; }
inline void set_lane(Complex<Simd<double>>& x, int l, std::complex<double> value) {
  x.re[l] = value.real();
  x.im[l] = value.imag();
}

// A number of NumPy's as the kernels hold several.
template <class Out>
using Number = std::conditional_t<std::is_same_v<Out, double>, Simd<double>, Complex<Simd<double>>>;

// Calls use(group, first, systems) for each group of systems, once solved.
template <class T, class Input, class Use>
void for_groups(const ForwardPlan& plan, const Input& input, bool keep_panels, Use&& use) {
  const int64_t groups = (input.count + lane_count<double> - 1) / lane_count<double>;
  parallel_for_with(
      groups, 1, [&] { return ForwardGroup<T>(plan, keep_panels); },
      [&](ForwardGroup<T>& group, int64_t begin, int64_t end) {
        for (int64_t g = begin; g < end; ++g) {
          const int64_t first = g * lane_count<double>;
          load(input, first, group);
          group.solve();
          use(group, first,
              static_cast<int>(std::min<int64_t>(lane_count<double>, input.count - first)));
        }
      });
}

}  // namespace lesionkit::optics
