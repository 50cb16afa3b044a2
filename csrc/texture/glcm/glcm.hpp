// Grey-level co-occurrence (Haralick, Shanmugam and Dinstein, "Textural features for image
// classification", IEEE Trans. Syst. Man Cybern. 3(6), 610-621, 1973). Formulas of one pair and one
// cell; the loops are in count_pairs.cpp and glcm.cu.
//
// counts[a][b] is how often level b lies one offset away from level a. A symmetric matrix counts
// every pair in both orders. What its features need is sums along its rows, columns, diagonals and
// antidiagonals, besides the sums of c^2 and of c ln c over its cells (lesionkit.texture.haralick).
#pragma once

#include "common/grid.hpp"

namespace lesionkit::texture {

// The places along an axis of `length` whose partner, `step` away, lies inside too.
HD Span inside(int64_t length, int64_t step) {
  return {step < 0 ? -step : 0, step > 0 ? length - step : length};
}

// Where an image's pairs for an offset begin: first voxels (plane, row, column) in three spans.
struct Pairs {
  Span planes, rows, columns;

  HD Pairs(int64_t depth, int64_t height, int64_t width, Offset step)
      : planes(inside(depth, step.plane)),
        rows(inside(height, step.row)),
        columns(inside(width, step.column)) {}
  HD int64_t lines() const { return planes.size() * rows.size(); }
  HD int64_t size() const { return lines() * columns.size(); }
};

// c ln c, with 0 ln 0 = 0.
HD double c_log_c(double c) { return c > 0.0 ? c * log(c) : 0.0; }

// The lines of a matrix whose sums features are made of, by number: its rows, its columns, its
// antidiagonals i + j = 0 .. 2 levels - 2, and its diagonals |i - j| = 0 .. levels - 1.
HD int64_t lines_of(int64_t levels) { return 5 * levels - 1; }

// Calls take(cell) for each cell of a line.
template <class Take>
HD void for_each_cell(int64_t line, int64_t levels, Take&& take) {
  const auto along = [&](int64_t first, int64_t step, int64_t count) {
    for (int64_t i = 0; i < count; ++i) take(first + i * step);
  };
  if (line < levels) {
    along(line * levels, 1, levels);
  } else if (line < 2 * levels) {
    along(line - levels, levels, levels);
  } else if (line < 4 * levels - 1) {
    const int64_t sum = line - 2 * levels, top = sum < levels ? 0 : sum - levels + 1;
    along(top * levels + sum - top, levels - 1, sum - 2 * top + 1);
  } else {
    const int64_t d = line - (4 * levels - 1);
    along(d, levels + 1, levels - d);
    if (d) along(d * levels, levels + 1, levels - d);
  }
}

}  // namespace lesionkit::texture
