// A band of rows is marched through plane by plane, with what is known of the pixels that windows
// about the band touch: for each row c lines of numbers (one for each class), and only as many
// lines as are still needed, in a ring. So memory does not grow with the image, and what is made of
// a pixel is made once (twice in the rows between two bands).
#pragma once

#include <vector>

#include "clustering/spatial/window.hpp"
#include "common/simd.hpp"

namespace lesionkit::clustering::spatial {

constexpr int64_t BAND = 32;  // rows
constexpr int64_t SLAB = 32;  // planes of a task

template <class T>
class Marching {
 public:
  // The middle of a line begins `left` numbers after its start, and lines lie `stride` apart; both
  // are whole registers.
  const int64_t left, stride;

  Marching(const Window& window, int64_t classes)
      : left(whole(window.columns)),
        stride(left + whole(window.grid.columns + window.columns)),
        w_(window),
        classes_(classes),
        rows_(w_.planes > 0 ? BAND + 2 * w_.rows : 2 * w_.rows + 1),
        lines_((2 * w_.planes + 1) * rows_ * classes * stride / lane_count<T>) {}

  // How many tasks an image is, each a band of rows of a slab of planes.
  static int64_t tasks(const Grid& grid) { return bands(grid) * ((grid.planes + SLAB - 1) / SLAB); }

  // make(line, to): fills the middle of each class's line from image line `line`.
  // use(plane, row): what the band is for; it asks for lines by `lines`.
  template <class Make, class Use>
  void run(int64_t task, Make&& make, Use&& use) {
    const int64_t first_row = task % bands(w_.grid) * BAND, slab = task / bands(w_.grid) * SLAB;
    const int64_t last_row = std::min(first_row + BAND, w_.grid.rows);
    const int64_t last_plane = std::min(slab + SLAB, w_.grid.planes);
    for (int64_t plane = slab - 2 * w_.planes; plane < last_plane; ++plane)
      for (int64_t row = first_row - 2 * w_.rows; row < last_row; ++row) {
        // The last corner of the window about (plane, row) is made, and then the window is whole.
        fill(plane + w_.planes, row + w_.rows, make);
        if (plane >= slab && row >= first_row) use(plane, row);
      }
  }

  // The first class's line of a row near the one in use; the others follow.
  const T* lines(int64_t plane, int64_t row) const {
    return reinterpret_cast<const T*>(lines_.data()) + place(plane, row);
  }

 private:
  static int64_t whole(int64_t n) {
    return (n + lane_count<T> - 1) / lane_count<T> * lane_count<T>;
  }
  static int64_t bands(const Grid& grid) { return (grid.rows + BAND - 1) / BAND; }
  static int64_t turn(int64_t i, int64_t n) { return (i % n + n) % n; }

  int64_t place(int64_t plane, int64_t row) const {
    return (turn(plane, 2 * w_.planes + 1) * rows_ + turn(row, rows_)) * classes_ * stride;
  }

  template <class Make>
  void fill(int64_t plane, int64_t row, Make&& make) {
    T* to = reinterpret_cast<T*>(lines_.data()) + place(plane, row);
    const int64_t from = w_.line(plane, row);
    if (from < 0) {
      std::fill_n(to, classes_ * stride, T(0));
      return;
    }
    make(from, to + left);
    for (int64_t j = 0; j < classes_; ++j) w_.pad(to + left - w_.columns + j * stride, T(0));
  }

  const Window& w_;
  int64_t classes_, rows_;
  std::vector<Simd<T>> lines_;  // for their alignment
};

}  // namespace lesionkit::clustering::spatial
