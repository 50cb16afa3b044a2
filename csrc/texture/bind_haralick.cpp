// lesionkit.texture: what features need of co-occurrence matrices, each in one pass over the cells.
// Python has checked shapes (texture/glcm.py, texture/haralick.py).
#include <algorithm>
#include <vector>

#include "common/arrays.hpp"
#include "common/parallel.hpp"
#include "texture/glcm.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::texture;

namespace {

// --- matrices side by side: scikit-image's layout (levels, levels, n) ----------------------------

// Calls row(i, first cell of it) for each row in chunks that do not depend on the threads, with a
// sum (`sums` numbers) of each chunk's own; adds these in the order of the chunks.
template <class Row>
std::vector<double> sum_rows(int64_t levels, int64_t n, int64_t sums, Row&& row) {
  const int64_t grain = std::max<int64_t>(1, (1 << 17) / (levels * n));
  const int64_t chunks = (levels + grain - 1) / grain;
  std::vector<double> part(chunks * sums), whole(sums);
  parallel_for(levels, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) row(i, part.data() + begin / grain * sums);
  });
  for (int64_t c = 0; c < chunks; ++c)
    for (int64_t k = 0; k < sums; ++k) whole[k] += part[c * sums + k];
  return whole;
}

// sums (2, n): each matrix's sum, and the sum of weights[|i - j|] p, or of p^2 where `square`.
template <class T>
void weighted_sums(const Array<T>& matrices, const Array<double>& weights, bool square,
                   Array<double>& sums) {
  const int64_t levels = matrices.shape(0), n = matrices.shape(2);
  const T* p = matrices.data();
  const double* w = weights.data();
  const auto whole = sum_rows(levels, n, 2 * n, [=](int64_t i, double* sum) {
    double* weighted = sum + n;
    for (int64_t j = 0; j < levels; ++j) {
      const T* cell = p + (i * levels + j) * n;
      const double weight = w[i > j ? i - j : j - i];
      for (int64_t k = 0; k < n; ++k) {
        const double c = static_cast<double>(cell[k]);
        sum[k] += c;
        weighted[k] += (square ? c : weight) * c;
      }
    }
  });
  std::copy(whole.begin(), whole.end(), sums.mutable_data());
}

// sums (3, levels, n): of each row i, of each column j, and of j p along each row.
template <class T>
void line_sums(const Array<T>& matrices, Array<double>& sums) {
  const int64_t levels = matrices.shape(0), n = matrices.shape(2), size = levels * n;
  const T* p = matrices.data();
  double* const out = sums.mutable_data();
  const auto columns = sum_rows(levels, n, size, [=](int64_t i, double* column) {
    double* row = out + i * n;
    double* moment = out + 2 * size + i * n;
    std::fill_n(row, n, 0.0);
    std::fill_n(moment, n, 0.0);
    for (int64_t j = 0; j < levels; ++j) {
      const T* cell = p + (i * levels + j) * n;
      const auto level = static_cast<double>(j);
      for (int64_t k = 0; k < n; ++k) {
        const double c = static_cast<double>(cell[k]);
        row[k] += c;
        moment[k] += level * c;
        column[j * n + k] += c;
      }
    }
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
