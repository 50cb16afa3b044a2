// A window about each pixel of an image or volume: which pixels it holds, line by line, where it
// reaches past the border. A line is a row of pixels in memory; a plane is a stack of lines.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "clustering/spatial/border.hpp"
#include "common/grid.hpp"

namespace lesionkit::clustering::spatial {

class Window {
 public:
  const Grid grid;
  const int64_t planes, rows, columns;  // half of its sides, rounded down

  Window(Grid grid, int64_t planes, int64_t rows, int64_t columns, Border border)
      : grid(grid), planes(planes), rows(rows), columns(columns), border_(border) {
    for (int64_t i = 0; i < columns; ++i) {
      left_.push_back(continued(i - columns, grid.columns, border));
      right_.push_back(continued(grid.columns + i, grid.columns, border));
    }
  }

  bool whole() const { return border_ != Border::VALID; }  // at the border as elsewhere
  int64_t size() const { return (2 * planes + 1) * (2 * rows + 1) * (2 * columns + 1); }
  int64_t width() const { return grid.columns + 2 * columns; }  // of a padded line

  // The number of the line that stands at (plane, row), or -1.
  int64_t line(int64_t plane, int64_t row) const {
    const int64_t p = continued(plane, grid.planes, border_);
    const int64_t r = continued(row, grid.rows, border_);
    return p < 0 || r < 0 ? -1 : p * grid.rows + r;
  }

  // Calls with the number of each line that a window about line (plane, row) touches, and where it
  // lies seen from there.
  template <class Visit>
  void each_line(int64_t plane, int64_t row, Visit&& visit) const {
    for (int64_t p = -planes; p <= planes; ++p)
      for (int64_t r = -rows; r <= rows; ++r)
        if (const int64_t from = line(plane + p, row + r); from >= 0) visit(from, p, r);
  }

  // Fills the ends of a padded line, whose middle is there already; `nothing` where no pixel is.
  template <class T>
  void pad(T* line, T nothing) const {
    T* middle = line + columns;
    for (int64_t i = 0; i < columns; ++i) {
      line[i] = left_[i] < 0 ? nothing : middle[left_[i]];
      middle[grid.columns + i] = right_[i] < 0 ? nothing : middle[right_[i]];
    }
  }

 private:
  Border border_;
  std::vector<int64_t> left_, right_;
};

}  // namespace lesionkit::clustering::spatial
