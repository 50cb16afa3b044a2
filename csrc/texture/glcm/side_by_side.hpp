// Matrices side by side, scikit-image's layout (levels, levels, n): cell [i, j] of all n matrices,
// then the next cell. A register holds one cell of as many matrices as it has lanes.
#pragma once

#include <algorithm>
#include <vector>

#include "common/reduce.hpp"
#include "common/simd.hpp"

namespace lesionkit::texture {

// Rows of matrices side by side. The last register of a cell reads on into the next cell, whose
// numbers nobody uses; the rows from which it would read beyond the last are copies.
template <class T>
class Rows {
 public:
  Rows(const T* cells, int64_t levels, int64_t n)
      : cells_(cells),
        levels_(levels),
        n_(n),
        whole_(levels - 1 - (lane_count<double> - 1) / row_size()) {
    whole_ = std::max<int64_t>(0, whole_);
    const int64_t rest = (levels - whole_) * row_size();
    last_.resize(rest + lane_count<double>);
    std::copy_n(cells + whole_ * row_size(), rest, last_.begin());
  }

  int64_t levels() const { return levels_; }
  int64_t matrices() const { return n_; }
  const T* row(int64_t i) const {
    return i < whole_ ? cells_ + i * row_size() : last_.data() + (i - whole_) * row_size();
  }

 private:
  int64_t row_size() const { return levels_ * n_; }

  const T* cells_;
  int64_t levels_, n_, whole_;  // whole_: the rows that are read where they are
  std::vector<T> last_;
};

// Calls add(k, Constant<registers>) for all n matrices, so many registers of them at a time as
// leave room for what add keeps.
template <int max_registers, class Add>
void for_registers(int64_t n, Add&& add) {
  for (int64_t k = 0; k < n; k += max_registers * lane_count<double>) {
    const int64_t registers =
        std::min<int64_t>(max_registers, (n - k + lane_count<double> - 1) / lane_count<double>);
    if (registers == 3)
      add(k, Constant<std::min(3, max_registers)>{});
    else if (registers == 2)
      add(k, Constant<std::min(2, max_registers)>{});
    else
      add(k, Constant<1>{});
  }
}

// Calls part(begin, end, sums) for chunks of rows that do not depend on the threads, each with
// numbers of its own to add to; adds these in the order of the chunks.
template <class Part>
std::vector<double> sum_rows(int64_t levels, int64_t n, int64_t numbers, Part&& part) {
  int64_t chunks = 1;  // a power of two of equal ones, a megabyte or more each
  while (2 * chunks <= levels && levels * levels * n > chunks << 18) chunks *= 2;
  const int64_t grain = (levels + chunks - 1) / chunks;
  std::vector<double> total(numbers);
  sum_in_order(levels, grain, total, part);
  return total;
}

}  // namespace lesionkit::texture
