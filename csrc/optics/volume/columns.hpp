// Rows of W numbers in registers, and sums of products of their columns.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "common/memory.hpp"
#include "common/simd.hpp"
#include "optics/volume/iterations.hpp"

namespace lesionkit::optics {

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

// All products of the columns of two blocks, sum over nodes of left[node][a] right[node][b]: in
// float over some nodes, then in double.
class Products {
 public:
  template <class Left>
  Products(int64_t nodes, const Left* left, const float* right) : total_(W * W) {
    constexpr int SOME = 64, TILE = 4;
    std::vector<float> mine(SOME * W);
    for (int64_t first = 0; first < nodes; first += SOME) {
      const int64_t count = std::min<int64_t>(SOME, nodes - first);
      for (int64_t k = 0; k < count * W; ++k) mine[k] = static_cast<float>(left[first * W + k]);
      for (int a = 0; a < W; a += TILE) {
        Row<float> sum[TILE];
        UNROLL
        for (int t = 0; t < TILE; ++t) sum[t] = Row<float>::zero();
        for (int64_t i = 0; i < count; ++i) {
          const Row<float> row = Row<float>::of(right + (first + i) * W);
          UNROLL
          for (int t = 0; t < TILE; ++t) sum[t].add(mine[i * W + a + t], row);
        }
        for (int t = 0; t < TILE; ++t) {
          float some[W];
          sum[t].to(some);
          for (int b = 0; b < W; ++b) total_[(a + t) * W + b] += some[b];
        }
      }
    }
  }
  // Of columns a and b; of modulated light not conjugated.
  template <class Out>
  Out at(int a, int b) const {
    const auto of = [this](int i, int j) { return total_[i * W + j]; };
    constexpr int I = W / 2;  // imaginary parts
    if constexpr (sizeof(Out) == sizeof(double))
      return of(a, b);
    else
      return {of(a, b) - of(a + I, b + I), of(a, b + I) + of(a + I, b)};
  }

 private:
  std::vector<double> total_;
};

}  // namespace lesionkit::optics
