// lesionkit.texture: what features need of co-occurrence matrices, each in one pass over the cells.
// Python has checked shapes (texture/glcm.py, texture/haralick.py).
#include <algorithm>
#include <utility>
#include <vector>

#include "common/arrays.hpp"
#include "common/parallel.hpp"
#include "texture/glcm.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::texture;

namespace {

// --- matrices side by side: scikit-image's layout (levels, levels, n) ----------------------------

// Calls row(i, sums) for each row, in chunks that do not depend on the threads, each with numbers
// of its own to add to; adds these in the order of the chunks.
template <class Row>
std::vector<double> sum_rows(int64_t levels, int64_t n, int64_t numbers, Row&& row) {
  const int64_t grain = std::max<int64_t>(1, (1 << 21) / (levels * n));
  std::vector<std::vector<double>> parts((levels + grain - 1) / grain);
  parallel_for(levels, grain, [&](int64_t begin, int64_t end) {
    std::vector<double> sums(numbers);
    for (int64_t i = begin; i < end; ++i) row(i, sums.data());
    parts[begin / grain] = std::move(sums);
  });
  std::vector<double> whole(numbers);
  for (const auto& part : parts)
    for (int64_t k = 0; k < numbers; ++k) whole[k] += part[k];
  return whole;
}

constexpr int lanes = 16;  // matrices at a time, their sums in registers

// Calls add(k, matrices) for all n matrices, so many at a time.
template <class Add>
void for_lanes(int64_t n, Add&& add) {
  int64_t k = 0;
  for (; k + lanes <= n; k += lanes) add(k, Constant<lanes>{});
  if (k + lanes / 2 <= n) add(std::exchange(k, k + lanes / 2), Constant<lanes / 2>{});
  if (k + lanes / 4 <= n) add(std::exchange(k, k + lanes / 4), Constant<lanes / 4>{});
  for (; k < n; ++k) add(k, Constant<1>{});
}

// sums (2, n): each matrix's sum, and the sum of weights[|i - j|] p, or of p^2 where `square`.
template <class T>
void weighted_sums(const Array<T>& matrices, const Array<double>& weights, bool square,
                   Array<double>& sums) {
  const int64_t levels = matrices.shape(0), n = matrices.shape(2);
  const T* p = matrices.data();
  const double* w = weights.data();
  const auto whole = sum_rows(levels, n, 2 * n, [=](int64_t i, double* sums) {
    for_lanes(n, [&](int64_t k, auto matrices) {
      double sum[2][lanes] = {}, weighted[2][lanes] = {};  // of even and odd columns, by turns
      const auto add = [&](int64_t j, int turn) {
        const T* cell = p + (i * levels + j) * n + k;
        const double weight = w[i > j ? i - j : j - i];
        for (int l = 0; l < matrices; ++l) {
          const double c = static_cast<double>(cell[l]);
          sum[turn][l] += c;
          weighted[turn][l] += (square ? c : weight) * c;
        }
      };
      int64_t j = 0;
      for (; j + 2 <= levels; j += 2) {
        add(j, 0);
        add(j + 1, 1);
      }
      if (j < levels) add(j, 0);
      for (int l = 0; l < matrices; ++l) {
        sums[k + l] += sum[0][l] + sum[1][l];
        sums[n + k + l] += weighted[0][l] + weighted[1][l];
      }
    });
  });
  std::copy(whole.begin(), whole.end(), sums.mutable_data());
}

// sums (3, levels, n): of each row i, of each column j, and of j p along each row.
template <class T>
void line_sums(const Array<T>& matrices, Array<double>& sums) {
  const int64_t levels = matrices.shape(0), n = matrices.shape(2), size = levels * n;
  const T* p = matrices.data();
  double* const out = sums.mutable_data();
  const auto columns = sum_rows(levels, n, size, [=](int64_t i, double* columns) {
    for_lanes(n, [&](int64_t k, auto matrices) {
      double row[lanes] = {}, moment[lanes] = {};
      for (int64_t j = 0; j < levels; ++j) {
        const T* cell = p + (i * levels + j) * n + k;
        bool any = false;
        for (int l = 0; l < matrices; ++l) any |= cell[l] != 0;
        if (!any) continue;  // most cells: images are smooth
        double* column = columns + j * n + k;
        const auto level = static_cast<double>(j);
        for (int l = 0; l < matrices; ++l) {
          const double c = static_cast<double>(cell[l]);
          row[l] += c;
          moment[l] += level * c;
          column[l] += c;
        }
      }
      std::copy_n(row, int{matrices}, out + i * n + k);
      std::copy_n(moment, int{matrices}, out + 2 * size + i * n + k);
    });
  });
  std::copy(columns.begin(), columns.end(), out + size);
}

// entropies (n): -sum p ln p of the matrices divided by totals (n).
template <class T>
void entropies(const Array<T>& matrices, const Array<double>& totals, Array<double>& out) {
  const int64_t levels = matrices.shape(0), n = matrices.shape(2);
  const T* p = matrices.data();
  const double* total = totals.data();
  const auto whole = sum_rows(levels, n, n, [=](int64_t i, double* sum) {
    const T* row = p + i * levels * n;
    for (int64_t j = 0; j < levels; ++j)
      for (int64_t k = 0; k < n; ++k)
        if (const T c = row[j * n + k]; c != 0) {
          const double share = static_cast<double>(c) / total[k];
          sum[k] -= share * std::log(share);
        }
  });
  std::copy(whole.begin(), whole.end(), out.mutable_data());
}

// --- matrices one after another: (n, levels, levels) ---------------------------------------------

constexpr int width = 16;  // cells at a time

// c ln c of small whole numbers from a table.
class CLogC {
 public:
  CLogC() {
    for (int c = 0; c < size; ++c) table_[c] = c_log_c(c);
  }
  template <class T>
  double operator()(T c) const {
    if constexpr (std::is_integral_v<T>)
      if (c < size) return table_[c];
    return c_log_c(static_cast<double>(c));
  }

 private:
  static constexpr int size = 2048;
  double table_[size];
};

struct Totals {
  double squares, logs, largest;  // of c^2 and c ln c; the largest c
};

// Sums along the rows, columns, antidiagonals (i + j) and diagonals (|i - j|) of one matrix.
template <class T>
Totals sum_matrix(const T* cells, int64_t levels, const CLogC& c_log_c, double* rows,
                  double* columns, double* sums, double* differences) {
  std::fill_n(columns, levels, 0.0);
  std::fill_n(sums, 2 * levels - 1, 0.0);
  std::fill_n(differences, levels, 0.0);
  double squares[width] = {}, logs = 0.0;
  T largest = 0;
  for (int64_t i = 0; i < levels; ++i) {
    const T* c = cells + i * levels;
    double sum[width] = {};
    for (int64_t j = 0; j < levels; j += width) {
      const int count = static_cast<int>(std::min<int64_t>(width, levels - j));
      T most = 0;
      const auto add = [&](int lanes) {
        for (int l = 0; l < lanes; ++l) {
          const auto value = static_cast<double>(c[j + l]);
          most = std::max(most, c[j + l]);
          sum[l] += value;
          squares[l] += value * value;
          columns[j + l] += value;
        }
        for (int l = 0; l < lanes; ++l) sums[i + j + l] += static_cast<double>(c[j + l]);
      };
      if (count == width)
        add(width);
      else
        add(count);
      if (!(most > 0)) continue;
      largest = std::max(largest, most);
      for (int l = 0; l < count; ++l) logs += c_log_c(c[j + l]);
    }
    for (int64_t j = i; j < levels; ++j) differences[j - i] += static_cast<double>(c[j]);
    for (int64_t d = 1; d <= i; ++d) differences[d] += static_cast<double>(c[i - d]);
    rows[i] = 0.0;
    for (int l = 0; l < width; ++l) rows[i] += sum[l];
  }
  Totals totals = {0.0, logs, static_cast<double>(largest)};
  for (int l = 0; l < width; ++l) totals.squares += squares[l];
  return totals;
}

// counts (n, levels, levels) -> lines (n, 5 levels - 1): rows, columns, antidiagonals, diagonals;
// totals (n, 3): sum of c^2, sum of c ln c, largest c.
template <class T>
void marginals(const Array<T>& counts, Array<double>& lines, Array<double>& totals) {
  const int64_t n = counts.shape(0), levels = counts.shape(1), length = lines_of(levels);
  static const CLogC table;
  const T* c = counts.data();
  double* line = lines.mutable_data();
  auto* total = reinterpret_cast<Totals*>(totals.mutable_data());
  parallel_for(n, std::max<int64_t>(1, (1 << 16) / (levels * levels)),
               [=](int64_t begin, int64_t end) {
                 for (int64_t k = begin; k < end; ++k) {
                   double* row = line + k * length;
                   total[k] = sum_matrix(c + k * levels * levels, levels, table, row, row + levels,
                                         row + 2 * levels, row + 4 * levels - 1);
                 }
               });
}

template <class T>
void bind_interleaved(py::module_ m) {
  using namespace py::literals;
  m.def("weighted_sums", weighted_sums<T>, "matrices"_a.noconvert(), "weights"_a.noconvert(),
        "square"_a, "sums"_a.noconvert(), ReleaseGil());
  m.def("line_sums", line_sums<T>, "matrices"_a.noconvert(), "sums"_a.noconvert(), ReleaseGil());
  m.def("entropies", entropies<T>, "matrices"_a.noconvert(), "totals"_a.noconvert(),
        "out"_a.noconvert(), ReleaseGil());
}

template <class T>
void bind_marginals(py::module_ m) {
  using namespace py::literals;
  m.def("marginals", marginals<T>, "counts"_a.noconvert(), "lines"_a.noconvert(),
        "totals"_a.noconvert(), ReleaseGil());
}

}  // namespace

void bind_haralick(py::module_ m) {
  bind_interleaved<uint32_t>(m);
  bind_interleaved<double>(m);
  bind_marginals<uint32_t>(m);
  bind_marginals<uint64_t>(m);
  bind_marginals<double>(m);
}
