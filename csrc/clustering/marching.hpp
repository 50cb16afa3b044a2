// A band of rows is marched through plane by plane, with what is known of the pixels of the last
// few planes in a ring: c padded lines of numbers (one for each class) for every row that a window
// about a pixel of the band touches. So memory does not grow with the image, and what is made of a
// pixel is made once (twice in the rows between two bands).
#pragma once

#include <vector>

#include "clustering/window.hpp"

namespace lesionkit::clustering::spatial {

constexpr int64_t BAND = 32;  // rows
constexpr int64_t SLAB = 32;  // planes of a task

template <class T>
class Marching {
 public:
  Marching(const Window& window, int64_t classes)
      : w_(window),
        classes_(classes),
        rows_(BAND + 2 * w_.rows),
        lines_((2 * w_.planes + 1) * rows_ * classes * w_.width()) {}

  // How many tasks an image is, each a band of rows of a slab of planes.
  static int64_t tasks(const Grid& grid) { return bands(grid) * ((grid.planes + SLAB - 1) / SLAB); }

  // make(line, lines): fills the middle of each class's line from image line `line`.
  // use(plane, row): what the band is for; it asks for lines by `lines`.
  template <class Make, class Use>
  void run(int64_t task, Make&& make, Use&& use) {
    const int64_t first_row = task % bands(w_.grid) * BAND, slab = task / bands(w_.grid) * SLAB;
    const int64_t last_row = std::min(first_row + BAND, w_.grid.rows);
    const int64_t last_plane = std::min(slab + SLAB, w_.grid.planes);
    first_ = first_row - w_.rows;
    for (int64_t q = slab - w_.planes; q < last_plane + w_.planes; ++q) {
      for (int64_t r = first_; r < last_row + w_.rows; ++r) {
        T* to = line(q, r);
        const int64_t from = w_.line(q, r);
        if (from < 0) {
          std::fill_n(to, classes_ * w_.width(), T(0));
          continue;
        }
        make(from, to + w_.columns);
        for (int64_t j = 0; j < classes_; ++j) w_.pad(to + j * w_.width(), T(0));
      }
      const int64_t plane = q - w_.planes;
      if (plane < slab) continue;
      for (int64_t row = first_row; row < last_row; ++row) use(plane, row);
    }
  }

  // The padded lines of all classes of a row near the one in use, width() apart.
  const T* lines(int64_t plane, int64_t row) const {
    return lines_.data() + place(plane, row);
  }

 private:
  static int64_t bands(const Grid& grid) { return (grid.rows + BAND - 1) / BAND; }
  int64_t place(int64_t plane, int64_t row) const {
    const int64_t ring = 2 * w_.planes + 1, turn = (plane % ring + ring) % ring;
    return (turn * rows_ + row - first_) * classes_ * w_.width();
  }
  T* line(int64_t plane, int64_t row) { return lines_.data() + place(plane, row); }

  const Window& w_;
  int64_t classes_, rows_, first_ = 0;
  std::vector<T> lines_;
};

}  // namespace lesionkit::clustering::spatial
