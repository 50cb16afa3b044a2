// A block of samples with the features apart: out[e][i] = (x[i][e] - offset[e]) scale, so that a
// register holds one feature of several samples.
#pragma once

#include <utility>

#include "clustering/kmeans/lanes.hpp"
#include "clustering/shuffle.hpp"

namespace lesionkit::clustering {

namespace detail {

// The lanes of (a, b) that a step of the transposition takes: where bit `half` of the lane is set
// those of b that lie `half` lower (first), or a's that lie higher where it is not (second).
template <int half, bool second, int... l>
inline Floats taken(const Floats& a, const Floats& b, std::integer_sequence<int, l...>) {
  constexpr auto from = [](int lane) {
    return second ? (lane & half ? float_lanes + lane : lane + half)
                  : (lane & half ? float_lanes + lane - half : lane);
  };
  return shuffled<from(l)...>(a, b);
}

template <int half>
inline void exchange(Floats (&row)[float_lanes]) {
  using Lanes = std::make_integer_sequence<int, float_lanes>;
#pragma GCC unroll 16
  for (int r = 0; r < float_lanes; ++r) {
    if (r & half) continue;
    const Floats a = row[r], b = row[r + half];
    row[r] = taken<half, false>(a, b, Lanes{});
    row[r + half] = taken<half, true>(a, b, Lanes{});
  }
  if constexpr (half > 1) exchange<half / 2>(row);
}

}  // namespace detail

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
  constexpr int W = float_lanes;
  typedef X Given __attribute__((vector_size(W * sizeof(X))));
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
      Given away;
      std::memcpy(&away, from, sizeof away);
      Floats row[W];
#pragma GCC unroll 16
      for (int r = 0; r < W; ++r) {
        Given given;
        std::memcpy(&given, x + (i + r) * d + e, sizeof given);
        row[r] = __builtin_convertvector((given - away) * static_cast<X>(scale), Floats);
      }
      detail::exchange<W / 2>(row);
#pragma GCC unroll 16
      for (int c = 0; c < W; ++c)
        if (c < columns) std::memcpy(out + (e + c) * stride + i, &row[c], sizeof row[c]);
    }
}

}  // namespace lesionkit::clustering
