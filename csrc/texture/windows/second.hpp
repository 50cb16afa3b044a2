// The second largest eigenvalue, in magnitude, of p(i, j) / sqrt(p_x(i) p_x(j)) for a symmetric
// matrix of a few levels: Haralick's maximal correlation coefficient. The largest is 1, with the
// eigenvector sqrt(p_x). Where levels fall into two parts without a pair between them, or all pairs
// lead from one part to the other, there is another 1 or a -1: found without arithmetic.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace lesionkit::texture::windows {

class SecondEigenvalue {
 public:
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

  // Of a symmetric matrix (size, size) whose eigenvector of 1 is `first`; it is destroyed.
  double operator()(std::vector<double>& a, const std::vector<double>& first) {
    const int64_t n = size_;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) a[i * n + j] -= first[i] * first[j];
    tridiagonal(a, n);
    return largest(n);
  }

 private:
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

  // Householder's reduction (Golub and Van Loan, Matrix Computations, 8.3.1).
  void tridiagonal(std::vector<double>& a, int64_t n) {
    diagonal_.resize(n);
    beside_.assign(n, 0.0);
    v_.resize(n);
    w_.resize(n);
    for (int64_t k = 0; k + 2 < n; ++k) {
      double* column = a.data() + k * n;  // symmetric: the row
      double norm = 0.0;
      for (int64_t i = k + 1; i < n; ++i) norm += column[i] * column[i];
      diagonal_[k] = column[k];
      if (norm < 1e-30) continue;
      const double alpha = column[k + 1] > 0.0 ? -std::sqrt(norm) : std::sqrt(norm);
      beside_[k] = alpha;
      const double scale = 1.0 / (norm - column[k + 1] * alpha);  // 2 / v'v
      for (int64_t i = k + 1; i < n; ++i) v_[i] = column[i];
      v_[k + 1] -= alpha;
      double product = 0.0;
      for (int64_t i = k + 1; i < n; ++i) {
        double sum = 0.0;
        for (int64_t j = k + 1; j < n; ++j) sum += a[i * n + j] * v_[j];
        w_[i] = sum * scale;
        product += w_[i] * v_[i];
      }
      const double half = 0.5 * scale * product;
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

  // The largest magnitude of the eigenvalues of the tridiagonal matrix, which is below 1.
  double largest(int64_t n) const {
    const double most = std::max(0.0, extreme(n, 1.0));
    return lies_below(n, -most) ? -extreme(n, -1.0) : most;
  }

  // Its eigenvalue nearest to 1 or -1, the `side`: a root of its characteristic polynomial, by
  // Laguerre's method, which comes down to the outermost root without passing it (Wilkinson, The
  // Algebraic Eigenvalue Problem, 7.27).
  double extreme(int64_t n, double side) const {
    const double degree = static_cast<double>(n);
    double x = 1.0;
    for (int pass = 0; pass < 64; ++pass) {
      // the polynomial of the leading block and of the one before, and their derivatives
      double p = 1.0, first = 0.0, second = 0.0, p1 = 0.0, first1 = 0.0, second1 = 0.0, e = 0.0;
      for (int64_t i = 0; i < n; ++i) {
        const double t = x - side * diagonal_[i];
        const double p2 = p1, first2 = first1, second2 = second1;
        p1 = p;
        first1 = first;
        second1 = second;
        p = t * p1 - e * p2;
        first = p1 + t * first1 - e * first2;
        second = 2.0 * first1 + t * second1 - e * second2;
        e = beside_[i] * beside_[i];
      }
      if (!(p > 0.0)) break;  // there, but for rounding
      const double g = first / p, h = g * g - second / p;
      const double root = (degree - 1.0) * (degree * h - g * g);
      const double step = degree / (g + std::sqrt(std::max(0.0, root)));
      if (!(step > 1e-15)) break;
      x -= step;
    }
    return side * x;
  }

  // Whether there is an eigenvalue clearly below x.
  bool lies_below(int64_t n, double x) const {
    double ratio = 1.0, e = 0.0;
    for (int64_t i = 0; i < n; ++i) {
      ratio = diagonal_[i] - x + 1e-13 - e / ratio;
      if (ratio < 0.0) return true;
      ratio = std::max(ratio, 1e-300);
      e = beside_[i] * beside_[i];
    }
    return false;
  }

  int64_t size_ = 0, parts_ = 0;
  std::vector<int32_t> parent_;
  std::vector<double> diagonal_, beside_, v_, w_;
};

}  // namespace lesionkit::texture::windows
