// The second largest eigenvalue, in magnitude, of p(i, j) / sqrt(p_x(i) p_x(j)) for symmetric
// matrices of a few levels: Haralick's maximal correlation coefficient. The largest is 1, with the
// eigenvector sqrt(p_x). Where levels fall into two parts without a pair between them, or all pairs
// lead from one part to the other, there is another 1 or a -1: found without arithmetic. What is
// left waits until there is a matrix for each lane of a vector, and all are done at once.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "common/simd.hpp"

namespace lesionkit::texture::windows {

// The largest magnitude of the eigenvalues of a symmetric matrix (n, n) of numbers V, that of each
// lane, which is below 1. `a` is destroyed.
template <class V>
class LargestEigenvalue {
 public:
  V operator()(V* a, int64_t n) {
    for (auto* list : {&diagonal_, &beside_, &v_, &w_}) list->assign(n, V{});
    tridiagonal(a, n);
    const V most = max(V{}, extreme(n, 1.0));
    bool below[lanes];
    if (!lies_below(n, most, below)) return most;
    V least = -extreme(n, -1.0), found = most;
    for (int l = 0; l < lanes; ++l)
      if (below[l]) lane(found, l) = lane(least, l);
    return found;
  }

  static constexpr int lanes = static_cast<int>(sizeof(V) / sizeof(double));
  static double& lane(V& x, int l) {
    if constexpr (lanes == 1)
      return x;
    else
      return reinterpret_cast<double*>(&x)[l];
  }

 private:
  // Householder's reduction (Golub and Van Loan, Matrix Computations, 8.3.1).
  void tridiagonal(V* a, int64_t n) {
    for (int64_t k = 0; k + 2 < n; ++k) {
      const V* column = a + k * n;  // symmetric: the row
      V norm = {};
      for (int64_t i = k + 1; i < n; ++i) norm += column[i] * column[i];
      diagonal_[k] = column[k];
      const V tiny = broadcast<V>(1e-30), length = root(norm), next = column[k + 1];
      const V alpha = norm < tiny ? V{} : next > V{} ? -length : length;
      const V scale = norm < tiny ? V{} : 1.0 / (norm - next * alpha);  // 2 / v'v
      beside_[k] = alpha;
      for (int64_t i = k + 1; i < n; ++i) v_[i] = column[i];
      v_[k + 1] -= alpha;
      V product = {};
      for (int64_t i = k + 1; i < n; ++i) {
        V sum = {};
        for (int64_t j = k + 1; j < n; ++j) sum += a[i * n + j] * v_[j];
        w_[i] = sum * scale;
        product += w_[i] * v_[i];
      }
      const V half = 0.5 * scale * product;
      for (int64_t i = k + 1; i < n; ++i) w_[i] -= half * v_[i];
      for (int64_t i = k + 1; i < n; ++i)
        for (int64_t j = k + 1; j < n; ++j) a[i * n + j] -= v_[i] * w_[j] + w_[i] * v_[j];
    }
    if (n > 1) {
      diagonal_[n - 2] = a[(n - 2) * n + n - 2];
      beside_[n - 2] = a[(n - 2) * n + n - 1];
    }
    diagonal_[n - 1] = a[n * n - 1];
  }

  // The eigenvalue of the tridiagonal matrix nearest to 1 or -1, the `side`: a root of its
  // characteristic polynomial, by Laguerre's method, which comes down to the outermost root without
  // passing it (Wilkinson, The Algebraic Eigenvalue Problem, 7.27).
  V extreme(int64_t n, double side) const {
    const double degree = static_cast<double>(n);
    V x = broadcast<V>(1.0);
    for (int pass = 0; pass < 64; ++pass) {
      // the polynomial of the leading block and of the one before, and their derivatives
      V p = broadcast<V>(1.0), first = {}, second = {}, p1 = {}, first1 = {}, second1 = {}, e = {};
      for (int64_t i = 0; i < n; ++i) {
        const V t = x - side * diagonal_[i], p2 = p1, first2 = first1, second2 = second1;
        p1 = p;
        first1 = first;
        second1 = second;
        p = t * p1 - e * p2;
        first = p1 + t * first1 - e * first2;
        second = 2.0 * first1 + t * second1 - e * second2;
        e = beside_[i] * beside_[i];
      }
      const V g = first / p, h = g * g - second / p;
      const V under = (degree - 1.0) * (degree * h - g * g);
      const V step = degree / (g + root(max(V{}, under)));
      // not where it is there, but for rounding
      const V moved = (p > V{}) & (step > broadcast<V>(1e-15)) ? step : V{};
      x -= moved;
      if (!any_of(moved)) break;
    }
    return side * x;
  }

  // Whether there is an eigenvalue clearly below -x: in each lane, and in any.
  bool lies_below(int64_t n, const V& x, bool* below) const {
    V ratio = broadcast<V>(1.0), e = {}, least = broadcast<V>(1.0);
    for (int64_t i = 0; i < n; ++i) {
      ratio = diagonal_[i] + x + 1e-13 - e / ratio;
      least = min(least, ratio);
      ratio = max(ratio, broadcast<V>(1e-300));
      e = beside_[i] * beside_[i];
    }
    bool found = false;
    for (int l = 0; l < lanes; ++l) found |= below[l] = lane(least, l) < 0.0;
    return found;
  }

  static bool any_of(V x) {
    bool found = false;
    for (int l = 0; l < lanes; ++l) found |= lane(x, l) != 0.0;
    return found;
  }

  std::vector<V> diagonal_, beside_, v_, w_;
};

// Adds up what is found of matrices, or its roots.
class SecondEigenvalues {
 public:
  explicit SecondEigenvalues(bool roots) : roots_(roots) {}

  // The levels 0 to size - 1 begin alone and without a pair.
  void open(int64_t size) {
    size_ = size;
    parent_.resize(2 * size);
    for (int64_t i = 0; i < 2 * size; ++i) parent_[i] = static_cast<int32_t>(i);
    parts_ = 2 * size;
  }
  // i and j occur as a pair. Each level stands twice, once for each side of a pair.
  void join(int64_t i, int64_t j) {
    unite(i, size_ + j);
    unite(size_ + i, j);
  }
  // Whether the largest occurs twice.
  bool tied() const { return parts_ > 1; }

  // A symmetric matrix (size, size) whose eigenvector of 1 is `first`, both from size numbers on.
  void add(const double* a, const double* first, int64_t size) {
    Waiting& to = waiting_[count_++];
    to.size = size;
    to.matrix.resize(size * size);
    for (int64_t i = 0; i < size; ++i)
      for (int64_t j = 0; j < size; ++j)
        to.matrix[i * size + j] = a[i * size + j] - first[i] * first[j];
    if (count_ == LANES) flush();
  }

  // The sum since it was last taken.
  double take() {
    flush();
    const double found = sum_;
    sum_ = 0.0;
    return found;
  }

 private:
  using Lanes = Simd<double>;
  static constexpr int LANES = lane_count<double>;
  struct Waiting {
    int64_t size;
    std::vector<double> matrix;
  };

  // Smaller ones stand in the corner of the largest: rows of zeros add eigenvalues 0.
  void flush() {
    if (count_ == 0) return;
    int64_t n = 0;
    for (int l = 0; l < count_; ++l) n = std::max(n, waiting_[l].size);
    side_by_side_.assign(n * n, Lanes{});
    for (int l = 0; l < count_; ++l) {
      const Waiting& from = waiting_[l];
      for (int64_t i = 0; i < from.size; ++i)
        for (int64_t j = 0; j < from.size; ++j)
          LargestEigenvalue<Lanes>::lane(side_by_side_[i * n + j], l) =
              from.matrix[i * from.size + j];
    }
    Lanes found = all_(side_by_side_.data(), n);
    for (int l = 0; l < count_; ++l) sum_ += value(LargestEigenvalue<Lanes>::lane(found, l));
    count_ = 0;
  }

  double value(double eigenvalue) const {
    const double least = std::min(1.0, eigenvalue);
    return roots_ ? std::sqrt(least) : least;
  }
  int32_t root(int64_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return static_cast<int32_t>(i);
  }
  void unite(int64_t i, int64_t j) {
    const int32_t a = root(i), b = root(j);
    if (a == b) return;
    parent_[b] = a;
    --parts_;
  }

  bool roots_;
  int64_t size_ = 0, parts_ = 0;
  std::vector<int32_t> parent_;
  std::vector<Waiting> waiting_ = std::vector<Waiting>(LANES);
  int count_ = 0;
  double sum_ = 0.0;
  std::vector<Lanes> side_by_side_;
  LargestEigenvalue<Lanes> all_;
};

}  // namespace lesionkit::texture::windows
