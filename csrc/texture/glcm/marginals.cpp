// What features need of co-occurrence matrices (n, levels, levels), in one pass over the cells.
#include <algorithm>
#include <utility>
#include <vector>

#include "common/parallel.hpp"
#include "common/view.hpp"
#include "texture/glcm/glcm.hpp"
#include "texture/glcm/kernels.hpp"

namespace lesionkit::texture {
namespace {

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

}  // namespace

template <class T>
void marginals(View<const T> counts, View<double> lines, View<double> totals) {
  const int64_t n = counts.shape(0), levels = counts.shape(1), length = lines_of(levels);
  static const CLogC table;
  const T* c = counts.data();
  double* line = lines.data();
  auto* total = reinterpret_cast<Totals*>(totals.data());
  parallel_for(n, std::max<int64_t>(1, (1 << 16) / (levels * levels)),
               [=](int64_t begin, int64_t end) {
                 for (int64_t k = begin; k < end; ++k) {
                   double* row = line + k * length;
                   total[k] = sum_matrix(c + k * levels * levels, levels, table, row, row + levels,
                                         row + 2 * levels, row + 4 * levels - 1);
                 }
               });
}

template void marginals(View<const uint32_t>, View<double>, View<double>);
template void marginals(View<const uint64_t>, View<double>, View<double>);
template void marginals(View<const double>, View<double>, View<double>);

}  // namespace lesionkit::texture
