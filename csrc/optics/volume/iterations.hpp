// What the iterations are made of on a CPU, where a thread works on whole rows (columns.hpp), and
// on a GPU, where it works on one column of them (solve.cu).
#pragma once

#include "common/portable.hpp"

namespace lesionkit::optics {

// Right-hand sides side by side: a row of W numbers for each node, so that every entry of a matrix
// that is read works on W systems. Modulated light: W / 2 real parts, then W / 2 imaginary ones.
inline constexpr int W = 32;

inline constexpr int MOST = 100;  // iterations of a round
// A round in float takes the error down to here at best; less than that is not worth one.
inline constexpr double LEAST = 3e-6, GREATEST = 0.1;

// sum + sum over entries begin to end of value * x[column], or minus. R: a row, or a column of it.
template <bool minus, class R, class T, class X>
HD void add_products(R& sum, const int32_t* column, const T* value, int64_t begin, int64_t end,
                     const X* x) {
  for (int64_t e = begin; e < end; ++e) {
    const T v = minus ? -value[e] : value[e];
    sum.add(v, R::of(x + int64_t{column[e]} * W));
  }
}

// A number of one right-hand side; complex if light is modulated.
struct ColumnNumber {
  double re, im;
};

// a / b; 0 where b is.
HD ColumnNumber ratio(const ColumnNumber& a, const ColumnNumber& b, bool modulated) {
  if (!modulated) return {b.re != 0 ? a.re / b.re : 0, 0};
  const double size = b.re * b.re + b.im * b.im;
  if (size == 0) return {0, 0};
  return {(a.re * b.re + a.im * b.im) / size, (a.im * b.re - a.re * b.im) / size};
}

}  // namespace lesionkit::optics
