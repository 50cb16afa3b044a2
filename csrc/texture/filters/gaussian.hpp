// A Gaussian and its second derivative along a line by recursion: two filters of fourth order, one
// from either end, whose answers are added (Deriche, INRIA RR-1893, 1993), with the constants of
// Farneback and Westin (J. Math. Imaging Vis. 26, 293, 2006) that ITK's
// RecursiveGaussianImageFilter has. Beyond its ends a line goes on with its first and last number.
//
// Each sum is in ITK's order and in double, so that the bits are ITK's where products and sums stay
// apart.
#pragma once

#include <cmath>
#include <cstdint>

namespace lesionkit::texture::filters {

// out[i] = sum n[k] x[i - k] - sum d[k] out[i - 1 - k] from the first number on; from the last one
// back with m[k] x[i + 1 + k]. before_first, before_last: d times what out is where x has always
// been 1.
struct Recursion {
  double n[4], m[4], d[4], before_first[4], before_last[4];
};

namespace detail {

struct Wave {  // exp(-damping x) (a cos(frequency x) + b sin(frequency x)), x in sigmas
  double frequency, damping;
};
inline constexpr Wave SLOW{0.6681, 1.3932}, FAST{2.0787, 1.3732};

struct Amplitudes {  // of both waves, for a kernel
  double a1, b1, a2, b2;
};
inline constexpr Amplitudes GAUSSIAN{1.3530, 1.8151, -0.3531, 0.0902};
inline constexpr Amplitudes SECOND{-1.3563, 5.2318, 0.3446, -2.2355};

struct Moments {  // of coefficients c[k]: sum c[k], sum k c[k], sum k^2 c[k]
  double sum, first, second;
};

struct Sampled {  // the waves, sigma voxels wide, at one voxel
  double sin1, cos1, exp1, sin2, cos2, exp2;

  explicit Sampled(double sigma)
      : sin1(std::sin(SLOW.frequency / sigma)),
        cos1(std::cos(SLOW.frequency / sigma)),
        exp1(std::exp(-SLOW.damping / sigma)),
        sin2(std::sin(FAST.frequency / sigma)),
        cos2(std::cos(FAST.frequency / sigma)),
        exp2(std::exp(-FAST.damping / sigma)) {}

  Moments numerator(const Amplitudes& w, double (&n)[4]) const {
    n[0] = w.a1 + w.a2;
    n[1] = exp2 * (w.b2 * sin2 - (w.a2 + 2 * w.a1) * cos2);
    n[1] += exp1 * (w.b1 * sin1 - (w.a1 + 2 * w.a2) * cos1);
    n[2] = (w.a1 + w.a2) * cos2 * cos1;
    n[2] -= w.b1 * cos2 * sin1 + w.b2 * cos1 * sin2;
    n[2] *= 2 * exp1 * exp2;
    n[2] += w.a2 * exp1 * exp1 + w.a1 * exp2 * exp2;
    n[3] = exp2 * exp1 * exp1 * (w.b2 * sin2 - w.a2 * cos2);
    n[3] += exp1 * exp2 * exp2 * (w.b1 * sin1 - w.a1 * cos1);
    return {n[0] + n[1] + n[2] + n[3], n[1] + 2 * n[2] + 3 * n[3], n[1] + 4 * n[2] + 9 * n[3]};
  }

  Moments denominator(double (&d)[4]) const {
    d[3] = exp1 * exp1 * exp2 * exp2;
    d[2] = -2 * cos1 * exp1 * exp2 * exp2;
    d[2] += -2 * cos2 * exp2 * exp1 * exp1;
    d[1] = 4 * cos2 * cos1 * exp1 * exp2;
    d[1] += exp1 * exp1 + exp2 * exp2;
    d[0] = -2 * (exp2 * cos2 + exp1 * cos1);
    return {1.0 + d[0] + d[1] + d[2] + d[3], d[0] + 2 * d[1] + 3 * d[2] + 4 * d[3],
            d[0] + 4 * d[1] + 9 * d[2] + 16 * d[3]};
  }
};

// n scaled, and what follows from n and d for a kernel that is the same to both sides.
inline void complete(Recursion& r, double scale) {
  for (double& n : r.n) n *= scale;
  for (int k = 0; k < 3; ++k) r.m[k] = r.n[k + 1] - r.d[k] * r.n[0];
  r.m[3] = -r.d[3] * r.n[0];
  const double sn = r.n[0] + r.n[1] + r.n[2] + r.n[3], sm = r.m[0] + r.m[1] + r.m[2] + r.m[3],
               sd = 1.0 + r.d[0] + r.d[1] + r.d[2] + r.d[3];
  for (int k = 0; k < 4; ++k) {
    r.before_first[k] = r.d[k] * sn / sd;
    r.before_last[k] = r.d[k] * sm / sd;
  }
}

}  // namespace detail

// sigma: in voxels. Constant lines stay as they are.
inline Recursion smoothing(double sigma) {
  const detail::Sampled waves(sigma);
  Recursion r;
  const auto d = waves.denominator(r.d);
  const auto n = waves.numerator(detail::GAUSSIAN, r.n);
  detail::complete(r, 1.0 / (2 * n.sum / d.sum - r.n[0]));
  return r;
}

// By voxels, times `scale`: of constant lines 0, of squares of the place 2 scale.
inline Recursion second_derivative(double sigma, double scale) {
  const detail::Sampled waves(sigma);
  Recursion r;
  double smooth[4];
  const auto d = waves.denominator(r.d);
  const auto n0 = waves.numerator(detail::GAUSSIAN, smooth);
  const auto n2 = waves.numerator(detail::SECOND, r.n);
  const double beta = -(2 * n2.sum - d.sum * r.n[0]) / (2 * n0.sum - d.sum * smooth[0]);
  for (int k = 0; k < 4; ++k) r.n[k] += beta * smooth[k];
  const double sn = n2.sum + beta * n0.sum, dn = n2.first + beta * n0.first,
               en = n2.second + beta * n0.second;
  double alpha = en * d.sum * d.sum - d.second * sn * d.sum - 2 * dn * d.first * d.sum +
                 2 * d.first * d.first * sn;
  alpha /= d.sum * d.sum * d.sum;
  detail::complete(r, scale / alpha);
  return r;
}

// Some lines at once, each V a number of each of them; `width` V stand side by side. x, causal,
// other (length * width): the lines' numbers, the answer, and space. Only the answers from `first`
// to before `last` are made. 4 numbers or more.
template <int width, class V>
void filter_lines(const Recursion& r, const V* x, int64_t length, int64_t first, int64_t last,
                  V* causal, V* other) {
  const auto of = [](const double (&c)[4], const V& a, const V& b, const V& e, const V& f) -> V {
    return a * c[0] + b * c[1] + e * c[2] + f * c[3];
  };
  const auto* ends = r.before_first;
  for (int64_t i = 0; i < 4 && i < last; ++i) {
    for (int j = 0; j < width; ++j) {
      const auto at = [&](int64_t k) -> const V& { return x[(k > 0 ? k : 0) * width + j]; };
      const V known = of(r.n, at(i), at(i - 1), at(i - 2), at(i - 3));
      V past[4];
      double by[4];
      for (int64_t k = 0; k < 4; ++k) {
        past[k] = k < i ? causal[(i - 1 - k) * width + j] : x[j];
        by[k] = k < i ? r.d[k] : ends[k];
      }
      causal[i * width + j] = known - of(by, past[0], past[1], past[2], past[3]);
    }
  }
  for (int64_t i = 4; i < last; ++i) {
    const V* in = x + i * width;
    V* out = causal + i * width;
    for (int j = 0; j < width; ++j)
      out[j] = of(r.n, in[j], in[j - width], in[j - 2 * width], in[j - 3 * width]) -
               of(r.d, out[j - width], out[j - 2 * width], out[j - 3 * width], out[j - 4 * width]);
  }
  ends = r.before_last;
  const V* end = x + (length - 1) * width;
  for (int64_t back = 0; back < 4 && length - 1 - back >= first; ++back) {
    const int64_t i = length - 1 - back;
    for (int j = 0; j < width; ++j) {
      const auto at = [&](int64_t k) -> const V& {
        return x[(k < length ? k : length - 1) * width + j];
      };
      const V known = of(r.m, at(i + 1), at(i + 2), at(i + 3), at(i + 4));
      V past[4];
      double by[4];
      for (int64_t k = 0; k < 4; ++k) {
        past[k] = k < back ? other[(i + 1 + k) * width + j] : end[j];
        by[k] = k < back ? r.d[k] : ends[k];
      }
      other[i * width + j] = known - of(by, past[0], past[1], past[2], past[3]);
    }
  }
  for (int64_t i = length - 5; i >= first; --i) {
    const V* in = x + i * width;
    V* out = other + i * width;
    for (int j = 0; j < width; ++j)
      out[j] = of(r.m, in[j + width], in[j + 2 * width], in[j + 3 * width], in[j + 4 * width]) -
               of(r.d, out[j + width], out[j + 2 * width], out[j + 3 * width], out[j + 4 * width]);
  }
  for (int64_t i = first * width; i < last * width; ++i) causal[i] += other[i];
}

}  // namespace lesionkit::texture::filters
