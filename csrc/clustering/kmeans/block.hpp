// A block of samples with the features apart: out[e][i] = (x[i][e] - offset[e]) scale, so that a
// register holds one feature of several samples.
#pragma once

#include "common/simd.hpp"

namespace lesionkit::clustering {

// With the number of features compiled in: the compiler knows good ways for two to four.
template <int D, class X>
void spread_few(const X* x, int64_t n, const double* offset, double scale, float* out,
                int64_t stride) {
  X from[D];
  for (int e = 0; e < D; ++e) from[e] = static_cast<X>(offset[e]);
  for (int e = 0; e < D; ++e)
    for (int64_t i = 0; i < n; ++i)
      out[e * stride + i] = static_cast<float>((x[i * D + e] - from[e]) * static_cast<X>(scale));
}

// `readable`: numbers from x on that belong to the array. The offset must be one of X's numbers.
template <class X>
void spread(const X* x, int64_t n, int64_t d, int64_t readable, const double* offset, double scale,
            float* out, int64_t stride) {
  if (d == 1) return spread_few<1>(x, n, offset, scale, out, stride);
  if (d == 2) return spread_few<2>(x, n, offset, scale, out, stride);
  if (d == 3) return spread_few<3>(x, n, offset, scale, out, stride);
  if (d == 4) return spread_few<4>(x, n, offset, scale, out, stride);
  using V = Simd<float>;
  constexpr int W = lane_count<float>;
  using Given = Vector<X, W>;
  for (int64_t i = 0; i < n; i += W)
    for (int64_t e = 0; e < d; e += W) {
      const int64_t columns = std::min<int64_t>(W, d - e);
      if (i + W > n || (i + W - 1) * d + e + W > readable) {
        for (int64_t r = i; r < std::min(n, i + W); ++r)
          for (int64_t c = e; c < e + columns; ++c)
            out[c * stride + r] = static_cast<float>((x[r * d + c] - static_cast<X>(offset[c])) *
                                                     static_cast<X>(scale));
        continue;
      }
      X from[W] = {};
      for (int64_t c = 0; c < columns; ++c) from[c] = static_cast<X>(offset[e + c]);
      const Given away = load<Given>(from);
      V row[W];
#pragma GCC unroll 16
      for (int r = 0; r < W; ++r) {
        const Given given = load<Given>(x + (i + r) * d + e);
        row[r] = __builtin_convertvector((given - away) * static_cast<X>(scale), V);
      }
      transpose(row);
#pragma GCC unroll 16
      for (int c = 0; c < W; ++c)
        if (c < columns) store(out + (e + c) * stride + i, row[c]);
    }
}

}  // namespace lesionkit::clustering
