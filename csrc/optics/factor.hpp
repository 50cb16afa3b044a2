// One front of a multifrontal LDL' factorisation (Duff & Reid, ACM TOMS 9, 302, 1983), for many
// systems at once: T holds the same entry of several systems in its lanes.
//
// A front is a dense symmetric matrix over the rows [pivots | update | sources | detectors]. The
// pivots are eliminated here; the update rows go on to the parent front. An optode is a right-hand
// side b carried as a row that is never a pivot: eliminating the matrix [A b; b' 0] leaves
// -b' A^-1 b in its place, so the forward substitution costs a row in those fronts that lie on the
// optode's path to the root, and the readings b_s' A^-1 b_d are sums over the fronts
// (George & Liu 1981, bordered systems).
//
// Storage is the lower triangle by rows: row i of a front with c = pivots + update columns starts
// at row_start(i, c). Entries left of the diagonal hold W = L D once eliminated; L = W / D is made
// for a block of rows at a time, so that the inner loop is a plain product sum with all its
// accumulators in registers.
#pragma once

#include <algorithm>
#include <utility>

#include "common/lanes.hpp"

namespace lesionkit::optics {

HD constexpr int64_t row_start(int64_t i, int64_t columns) {
  return i <= columns ? i * (i + 1) / 2 : columns * (columns + 1) / 2 + (i - columns) * columns;
}

// Rows x columns of a register block: accumulators and one column of operands must fit the
// processor's registers (32 with AVX-512 and on aarch64, else 16).
#if defined(__AVX512F__) || defined(__aarch64__)
template <class T>
struct Block {
  static constexpr int rows = 4, columns = 4;
};
template <class T>
struct Block<Complex<T>> {
  static constexpr int rows = 3, columns = 3;
};
#else
template <class T>
struct Block {
  static constexpr int rows = 4, columns = 3;
};
template <class T>
struct Block<Complex<T>> {
  static constexpr int rows = 2, columns = 2;
};
#endif

struct FrontShape {
  int pivots, update, sources, detectors;

  HD int columns() const { return pivots + update; }
  HD int optodes() const { return sources + detectors; }
  HD int64_t size() const { return row_start(columns() + optodes(), columns()); }
  HD int64_t update_size() const { return row_start(update + optodes(), update); }
};

// Calls f(constant 1 .. most) for the run-time value n.
template <int most, class F>
HD void with_constant(int n, F&& f) {
  if constexpr (most > 1) {
    if (n < most) return with_constant<most - 1>(n, f);
  }
  f(std::integral_constant<int, most>{});
}

// sum[m][n] -= sum over p < count of w[m][p] l[p][n].
template <int M, int N, class T>
HD void subtract_products(T (&sum)[M][N], const T* const (&w)[M], const T* l, int count) {
  for (int p = 0; p < count; ++p, l += N) {
    T column[N];
    for (int n = 0; n < N; ++n) column[n] = l[n];
    for (int m = 0; m < M; ++m) {
      const T x = w[m][p];
      for (int n = 0; n < N; ++n) sum[m][n] = minus_product(sum[m][n], x, column[n]);
    }
  }
}

template <class T>
class Front {
 public:
  // entries: shape.size(); inverse_pivot: shape.pivots; scratch: Block<T>::columns * shape.pivots.
  Front(const FrontShape& shape, T* entries, T* inverse_pivot, T* scratch)
      : shape_(shape), a_(entries), inverse_(inverse_pivot), l_(scratch) {}

  T* row(int i) const { return a_ + row_start(i, shape_.columns()); }

  // Turn the pivot columns of every row into W, and fill inverse_pivot.
  void eliminate() {
    constexpr int width = Block<T>::columns;
    for (int j = 0; j < shape_.pivots; j += width)
      with_constant<width>(std::min(width, shape_.pivots - j),
                           [&](auto n) { eliminate_columns<n>(j); });
  }

  // The Schur complement over the update and optode rows, columns of the update: -> `out`.
  void update(T* out) {
    constexpr int width = Block<T>::columns;
    for (int j = shape_.pivots; j < shape_.columns(); j += width)
      with_constant<width>(std::min(width, shape_.columns() - j),
                           [&](auto n) { update_columns<n>(j, out); });
  }

  // readings[source][detector] += this front's part of b_s' A^-1 b_d.
  void read(const int32_t* source, const int32_t* detector, int stride, T* readings) {
    constexpr int width = Block<T>::columns;
    for (int j = 0; j < shape_.detectors; j += width)
      with_constant<width>(std::min(width, shape_.detectors - j), [&](auto n) {
        read_columns<n>(j, source, detector + j, stride, readings);
      });
  }

 private:
  // l_[p][n] = L(j + n, p) for p < count.
  template <int N>
  void scale_rows(int j, int count) {
    const T* rows[N];
    for (int n = 0; n < N; ++n) rows[n] = row(j + n);
    for (int p = 0; p < count; ++p)
      for (int n = 0; n < N; ++n) l_[p * N + n] = rows[n][p] * inverse_[p];
  }

  // Calls visit(constant M, i) for the rows [begin, end) in blocks of M.
  template <class Visit>
  static void for_row_blocks(int begin, int end, Visit&& visit) {
    constexpr int height = Block<T>::rows;
    int i = begin;
    for (; i + height <= end; i += height) visit(std::integral_constant<int, height>{}, i);
    if (i < end) with_constant<height>(end - i, [&](auto m) { visit(m, i); });
  }

  // The rows i .. i + M of the columns j .. j + N, less the products of the first `count` columns.
  template <int M, int N>
  void load(T (&sum)[M][N], int i, int j, int count) const {
    const T* w[M];
    for (int m = 0; m < M; ++m) {
      w[m] = row(i + m);
      for (int n = 0; n < N; ++n) sum[m][n] = w[m][j + n];
    }
    subtract_products(sum, w, l_, count);
  }

  // The same for the block on the diagonal, of which only the lower triangle is stored.
  template <int N>
  void load_diagonal(T (&sum)[N][N], int j, int count) const {
    const T* w[N];
    for (int m = 0; m < N; ++m) {
      w[m] = row(j + m);
      for (int n = 0; n < N; ++n) sum[m][n] = w[m][n <= m ? j + n : j + m];
    }
    subtract_products(sum, w, l_, count);
  }

  template <int N>
  void eliminate_columns(int j) {
    scale_rows<N>(j, j);
    T block[N][N], lower[N][N];
    load_diagonal(block, j, j);
    for (int a = 0; a < N; ++a) {
      inverse_[j + a] = inverse(block[a][a]);
      for (int b = a + 1; b < N; ++b) {
        lower[b][a] = block[b][a] * inverse_[j + a];
        for (int c = a + 1; c <= b; ++c)
          block[b][c] = minus_product(block[b][c], lower[b][a], block[c][a]);
      }
    }
    for (int m = 0; m < N; ++m)
      for (int n = 0; n <= m; ++n) row(j + m)[j + n] = block[m][n];

    for_row_blocks(j + N, shape_.columns() + shape_.optodes(), [&](auto m, int i) {
      constexpr int M = m;
      T sum[M][N];
      load(sum, i, j, j);
      for (int a = 0; a < N; ++a)
        for (int b = a + 1; b < N; ++b)
          for (int r = 0; r < M; ++r) sum[r][b] = minus_product(sum[r][b], sum[r][a], lower[b][a]);
      for (int r = 0; r < M; ++r)
        for (int n = 0; n < N; ++n) row(i + r)[j + n] = sum[r][n];
    });
  }

  template <int N>
  void update_columns(int j, T* out) {
    const int first = shape_.pivots;
    auto out_row = [&](int i) { return out + row_start(i - first, shape_.update) + (j - first); };
    scale_rows<N>(j, first);
    T block[N][N];
    load_diagonal(block, j, first);
    for (int m = 0; m < N; ++m)
      for (int n = 0; n <= m; ++n) out_row(j + m)[n] = block[m][n];

    for_row_blocks(j + N, shape_.columns() + shape_.optodes(), [&](auto m, int i) {
      constexpr int M = m;
      T sum[M][N];
      load(sum, i, j, first);
      for (int r = 0; r < M; ++r)
        for (int n = 0; n < N; ++n) out_row(i + r)[n] = sum[r][n];
    });
  }

  template <int N>
  void read_columns(int j, const int32_t* source, const int32_t* detector, int stride,
                    T* readings) {
    const int sources = shape_.columns();
    scale_rows<N>(sources + shape_.sources + j, shape_.pivots);
    for_row_blocks(0, shape_.sources, [&](auto m, int i) {
      constexpr int M = m;
      T sum[M][N] = {};
      const T* w[M];
      for (int r = 0; r < M; ++r) w[r] = row(sources + i + r);
      subtract_products(sum, w, l_, shape_.pivots);
      for (int r = 0; r < M; ++r)
        for (int n = 0; n < N; ++n) readings[source[i + r] * stride + detector[n]] -= sum[r][n];
    });
  }

  FrontShape shape_;
  T* a_;
  T* inverse_;
  T* l_;
};

}  // namespace lesionkit::optics
