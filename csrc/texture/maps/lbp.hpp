// Centre-symmetric local binary patterns (Heikkila, Pietikainen and Schmid, "Description of
// interest regions with local binary patterns", Pattern Recognition 42, 425-436, 2009, eq. 2). Bit
// p of a pixel's code tells whether neighbour p on a circle exceeds the opposite one by more than a
// threshold. Formula of one pixel and pair; the loops are in lbp.cpp and maps.cu.
#pragma once

#include "common/portable.hpp"

namespace lesionkit::texture {

// Where a neighbour lies, relative to the pixel: below and right of (row, column) by a fraction of
// a pixel each. The opposite neighbour lies above and left of (-row, -column) by the same.
struct Neighbour {
  double row, column, down, right;
};

// `here` is the pixel in an image of `stride` columns; `side` 1 for the neighbour, -1 for the
// opposite one. The same steps for both: what is symmetric is equal to the bit, what is flat exact.
template <class T>
HD double value_at(const T* here, int64_t stride, const Neighbour& n, int64_t side) {
  const T* corner =
      here + side * (static_cast<int64_t>(n.row) * stride + static_cast<int64_t>(n.column));
  const int64_t right = n.right > 0.0 ? side : 0, down = n.down > 0.0 ? side * stride : 0;
  const double a = corner[0], b = corner[right], c = corner[down], d = corner[down + right];
  const double above = a + n.right * (b - a), below = c + n.right * (d - c);
  return above + n.down * (below - above);
}

template <class T>
HD bool exceeds(const T* here, int64_t stride, const Neighbour& n, double threshold) {
  return value_at(here, stride, n, 1) - value_at(here, stride, n, -1) > threshold;
}

}  // namespace lesionkit::texture
