// Right-hand sides side by side: a row of W floats for each node, so that every entry of a matrix
// that is read works on W systems. Modulated light: W / 2 real parts, then W / 2 imaginary ones.
#pragma once

#include <cstdint>

#include "common/memory.hpp"
#include "common/simd.hpp"

namespace lesionkit::optics {

inline constexpr int W = 32;

template <class T>
struct Row {
  static constexpr int LANES = lane_count<T>, PARTS = W / LANES;
  Simd<T> part[PARTS];

  static Row zero() {
    Row r;
    UNROLL
    for (int p = 0; p < PARTS; ++p) r.part[p] = Simd<T>{};
    return r;
  }
  template <class From>
  static Row of(const From* from) {
    Row r;
    UNROLL
    for (int p = 0; p < PARTS; ++p) r.part[p] = load<Simd<T>>(from + p * LANES);
    return r;
  }
  template <class To>
  void to(To* to) const {
    UNROLL
    for (int p = 0; p < PARTS; ++p) store(to + p * LANES, part[p]);
  }
  // this += factor * row, lane by lane or with one factor
  template <class F>
  void add(const F& factor, const Row& row) {
    UNROLL
    for (int p = 0; p < PARTS; ++p) {
      if constexpr (requires { factor.part[p]; })
        part[p] += factor.part[p] * row.part[p];
      else
        part[p] += factor * row.part[p];
    }
  }
  void scale(T factor) {
    UNROLL
    for (int p = 0; p < PARTS; ++p) part[p] *= factor;
  }
  // The real and imaginary parts swapped.
  Row swapped() const {
    Row r;
    UNROLL
    for (int p = 0; p < PARTS; ++p) r.part[p] = part[(p + PARTS / 2) % PARTS];
    return r;
  }
};

// A sparse matrix as rows of entries; lower and upper: left and right of the diagonal.
template <class T>
struct Entries {
  const int32_t *start, *column, *diagonal;
  const T* value;
  int64_t nodes;
};

// sum + sum over entries begin to end of value * x[column], or minus.
template <bool minus, class T, class X>
inline void add_products(Row<T>& sum, const int32_t* column, const T* value, int64_t begin,
                         int64_t end, const X* x) {
  for (int64_t e = begin; e < end; ++e) {
    const T v = minus ? -value[e] : value[e];
    const X* from = x + int64_t{column[e]} * W;
    UNROLL
    for (int p = 0; p < Row<T>::PARTS; ++p)
      sum.part[p] += v * load<Simd<T>>(from + p * Row<T>::LANES);
  }
}

// Sums of products of columns, in double: added up in float over some rows only.
class Dots {
 public:
  void add(const Row<float>& a, const Row<float>& b) {
    some_.add(a, b);
    if (++count_ == 64) flush();
  }
  // out[W]
  void take(double* out) {
    flush();
    for (int i = 0; i < W; ++i) out[i] = total_[i];
  }

 private:
  void flush() {
    float sums[W];
    some_.to(sums);
    for (int i = 0; i < W; ++i) total_[i] += sums[i];
    some_ = Row<float>::zero();
    count_ = 0;
  }

  Row<float> some_ = Row<float>::zero();
  int count_ = 0;
  double total_[W] = {};
};

}  // namespace lesionkit::optics
