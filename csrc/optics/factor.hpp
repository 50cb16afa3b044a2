// One front of a right-looking supernodal LDL' factorisation (Duff, Erisman & Reid, Direct Methods
// for Sparse Matrices, 1986), for many systems at once: T holds the same entry of several systems
// in its lanes.
//
// A front is the panel of a block of columns that are eliminated together, its pivots, over the
// rows [pivots | update | sources | detectors]. What its elimination changes elsewhere goes
// straight to where it ends: the panels of the update rows' own fronts, all of them ancestors in
// the tree. An optode is a right-hand side b carried as a row that is never a pivot: eliminating
// the matrix [A b; b' 0] leaves -b' A^-1 b in its place, so the forward substitution costs a row in
// those fronts that lie on the optode's path to the root, and the readings b_s' A^-1 b_d are sums
// over the fronts (George & Liu, Computer Solution of Large Sparse Positive Definite Systems,
// 1981).
//
// Storage is by rows: row i of a panel of k pivots starts at row_start(i, k); a pivot's row ends on
// the diagonal, and below the pivots a row takes an odd number of entries: threads of a GPU that
// read a column of it, one row each, then find their entries in banks of shared memory that differ
// (triangular numbers are all different modulo a power of two as well). Eliminated entries hold W =
// L D; L = W / D is made for a block of rows at a time, so that the inner loop is a plain product
// sum with all its accumulators in registers.
#pragma once

#include "common/complex.hpp"

namespace lesionkit::optics {

HD constexpr int64_t row_start(int64_t i, int64_t columns) {
  return i <= columns ? i * (i + 1) / 2
                      : columns * (columns + 1) / 2 + (i - columns) * (columns | 1);
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

  HD int columns() const { return pivots + update; }  // that are nodes
  HD int rows() const { return columns() + sources + detectors; }
  HD int64_t size() const { return row_start(rows(), pivots); }
};

// Where a front's update goes: entry (row i, column j) of it, both counted from the first update
// row, is added at row[j][i] + column[j] of the group's entries.
struct Destination {
  const int32_t* const* row;
  const int32_t* column;
};

// Calls f(constant 1 .. most) for the run-time value n.
template <int most, class F>
HD void with_constant(int n, F&& f) {
  if constexpr (most > 1) {
    if (n < most) return with_constant<most - 1>(n, f);
  }
  f(Constant<most>{});
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

// LDL' of the lower triangle of a small block, in place: W on and below the diagonal. Below it,
// lower = L; inverse[n] = 1 / D(n, n).
template <int N, class T>
HD void factor_block(T (&block)[N][N], T (&lower)[N][N], T* inverse_pivot) {
  for (int a = 0; a < N; ++a) {
    inverse_pivot[a] = inverse(block[a][a]);
    for (int b = a + 1; b < N; ++b) {
      lower[b][a] = block[b][a] * inverse_pivot[a];
      for (int c = a + 1; c <= b; ++c)
        block[b][c] = minus_product(block[b][c], lower[b][a], block[c][a]);
    }
  }
}

// M rows of the columns of a factored block: from sums to W.
template <int M, int N, class T>
HD void eliminate_rows(T (&sum)[M][N], const T (&lower)[N][N]) {
  for (int a = 0; a < N; ++a)
    for (int b = a + 1; b < N; ++b)
      for (int m = 0; m < M; ++m) sum[m][b] = minus_product(sum[m][b], sum[m][a], lower[b][a]);
}

template <class T>
class Front {
 public:
  // panel: shape.size(); inverse_pivot: shape.pivots; scratch: Block<T>::columns * shape.pivots.
  Front(const FrontShape& shape, T* panel, T* inverse_pivot, T* scratch)
      : shape_(shape), panel_(panel), inverse_(inverse_pivot), l_(scratch) {}

  T* row(int i) const { return panel_ + row_start(i, shape_.pivots); }

  // Turn every row into W, and fill inverse_pivot.
  void eliminate() {
    for_column_blocks(0, shape_.pivots, [&](auto n, int j) { eliminate_columns<n>(j); });
  }

  // Subtract W L' of the update and optode rows from the panels of the ancestors.
  void update(const Destination& to, T* entries) {
    for_column_blocks(shape_.pivots, shape_.columns(),
                      [&](auto n, int j) { update_columns<n>(j, to, entries); });
  }

  // readings[source][detector] += this front's part of b_s' A^-1 b_d.
  void read(const int32_t* source, const int32_t* detector, int stride, T* readings) {
    for_column_blocks(0, shape_.detectors, [&](auto n, int j) {
      read_columns<n>(j, source, detector + j, stride, readings);
    });
  }

  // Solve L' x = D^-1 w for `width` right-hand sides. x[i]: the row of width numbers of column i;
  // of a pivot it holds w, which becomes x; of an update row it is known.
  void back_substitute(T* const* x, int width) const {
    constexpr int most = Block<T>::columns;
    for (int end = shape_.pivots; end > 0; end -= most)
      with_constant<most>(end < most ? end : most, [&](auto m) {
        for_row_blocks(0, width, [&](auto n, int s) { back_block<m, n>(end - m, s, x); });
      });
  }

 private:
  // The pivots from p on and the right-hand sides from s on.
  template <int M, int N>
  void back_block(int p, int s, T* const* x) const {
    T sum[M][N];
    for (int m = 0; m < M; ++m)
      for (int n = 0; n < N; ++n) sum[m][n] = x[p + m][s + n];
    for (int i = p + M; i < shape_.columns(); ++i) {
      const T* w = row(i) + p;
      const T* known = x[i] + s;
      for (int m = 0; m < M; ++m) {
        const T factor = w[m];
        for (int n = 0; n < N; ++n) sum[m][n] = minus_product(sum[m][n], factor, known[n]);
      }
    }
    for (int m = M - 1; m >= 0; --m)
      for (int n = 0; n < N; ++n) {
        for (int j = m + 1; j < M; ++j)
          sum[m][n] = minus_product(sum[m][n], row(p + j)[p + m], sum[j][n]);
        sum[m][n] = sum[m][n] * inverse_[p + m];
      }
    for (int m = 0; m < M; ++m)
      for (int n = 0; n < N; ++n) x[p + m][s + n] = sum[m][n];
  }

  // l_[p][n] = L(j + n, p) for p < count.
  template <int N>
  void scale_rows(int j, int count) {
    const T* rows[N];
    for (int n = 0; n < N; ++n) rows[n] = row(j + n);
    for (int p = 0; p < count; ++p)
      for (int n = 0; n < N; ++n) l_[p * N + n] = rows[n][p] * inverse_[p];
  }

  // Calls visit(constant N, j) for the columns [begin, end) in blocks of N; likewise for rows.
  template <class Visit>
  static void for_column_blocks(int begin, int end, Visit&& visit) {
    for_blocks<Block<T>::columns>(begin, end, visit);
  }
  template <class Visit>
  static void for_row_blocks(int begin, int end, Visit&& visit) {
    for_blocks<Block<T>::rows>(begin, end, visit);
  }
  template <int size, class Visit>
  static void for_blocks(int begin, int end, Visit&& visit) {
    int i = begin;
    for (; i + size <= end; i += size) visit(Constant<size>{}, i);
    if (i < end) with_constant<size>(end - i, [&](auto n) { visit(n, i); });
  }

  // sum = what the first `count` pivots change in rows i .. i + M and the columns of l_.
  template <int M, int N>
  void change(T (&sum)[M][N], int i, int count) const {
    const T* w[M];
    for (int m = 0; m < M; ++m) w[m] = row(i + m);
    subtract_products(sum, w, l_, count);
  }

  template <int N>
  void eliminate_columns(int j) {
    scale_rows<N>(j, j);
    T block[N][N] = {}, lower[N][N];
    for (int m = 0; m < N; ++m)
      for (int n = 0; n <= m; ++n) block[m][n] = row(j + m)[j + n];
    change(block, j, j);
    factor_block(block, lower, inverse_ + j);
    for (int m = 0; m < N; ++m)
      for (int n = 0; n <= m; ++n) row(j + m)[j + n] = block[m][n];

    for_row_blocks(j + N, shape_.rows(), [&](auto m, int i) {
      constexpr int M = m;
      T sum[M][N];
      for (int r = 0; r < M; ++r)
        for (int n = 0; n < N; ++n) sum[r][n] = row(i + r)[j + n];
      change(sum, i, j);
      eliminate_rows(sum, lower);
      for (int r = 0; r < M; ++r)
        for (int n = 0; n < N; ++n) row(i + r)[j + n] = sum[r][n];
    });
  }

  template <int N>
  void update_columns(int j, const Destination& to, T* entries) {
    const int first = shape_.pivots;
    scale_rows<N>(j, first);
    const auto at = [&](int i, int n) -> T& {
      const int c = j - first + n;
      return entries[to.row[c][i - first] + to.column[c]];
    };
    T block[N][N] = {};
    change(block, j, first);
    for (int m = 0; m < N; ++m)
      for (int n = 0; n <= m; ++n) at(j + m, n) += block[m][n];

    for_row_blocks(j + N, shape_.rows(), [&](auto m, int i) {
      constexpr int M = m;
      T sum[M][N] = {};
      change(sum, i, first);
      for (int r = 0; r < M; ++r)
        for (int n = 0; n < N; ++n) at(i + r, n) += sum[r][n];
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
      change(sum, sources + i, shape_.pivots);
      for (int r = 0; r < M; ++r)
        for (int n = 0; n < N; ++n) readings[source[i + r] * stride + detector[n]] -= sum[r][n];
    });
  }

  FrontShape shape_;
  T* panel_;
  T* inverse_;
  T* l_;
};

}  // namespace lesionkit::optics
