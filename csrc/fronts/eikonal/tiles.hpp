// Tiles in which a sweep moves a register of nodes at each step, and the way to them and back.
//
// A band is `lanes` rows, a row in each lane. At step t lane r holds column t - r (a tile that
// leans left) or t + r - (lanes - 1) (right): each lane is one column behind its neighbour. So at
// step t both upwind neighbours of every node were computed at step t - 1: one in the same lane,
// one in the lane beside it. This is a sweep in the Gauss-Seidel order, from corner to corner,
// without a gather. A tile is `steps` steps of a band; in the plain image it is a parallelogram.
// Host only.
#pragma once

#include <algorithm>

#include "common/simd.hpp"
#include "fronts/eikonal/problem.hpp"

namespace lesionkit::fronts {

// What tiles are read from: rows of a plane. A row is in memory as it stands, or is put together.

// The rows of a plane of an array.
template <class R>
struct PlaneRows {
  const R* plane;
  int64_t columns;

  bool direct() const { return true; }
  const R* at(int64_t row) const { return plane + row * columns; }
  void copy(int64_t row, int64_t column, int64_t n, R* to) const {
    std::copy_n(at(row) + column, n, to);
  }
};
// Speeds, 0 where there is a wall.
template <class R>
struct SpeedRows {
  const Problem<R>& p;
  int64_t first;  // node

  bool direct() const { return p.mask == nullptr; }
  const R* at(int64_t row) const { return p.speed + first + row * p.grid.columns; }
  void copy(int64_t row, int64_t column, int64_t n, R* to) const {
    const int64_t node = first + row * p.grid.columns + column;
    for (int64_t i = 0; i < n; ++i) to[i] = !p.mask || p.mask[node + i] ? p.speed[node + i] : R(0);
  }
};
// The lesser times of the planes on either side.
template <class R>
struct BesideRows {
  const R *a, *b;
  int64_t columns;

  bool direct() const { return false; }
  const R* at(int64_t) const { return nullptr; }
  void copy(int64_t row, int64_t column, int64_t n, R* to) const {
    for (int64_t i = row * columns + column, end = i + n; i < end; ++i) *to++ = min(a[i], b[i]);
  }
};

// `strips` registers side by side make the lanes: as many chains of operations run at once.
template <class R, int strips>
class Tiling {
 public:
  static constexpr int width = lane_count<R>, lanes = strips * width, steps = 32;
  static_assert(steps % width == 0);
  using V = Simd<R>;

  // A tile with `halo` steps before and after it.
  template <int halo>
  struct Nodes {
    alignas(64) R at[steps + 2 * halo][lanes];
  };

  explicit Tiling(const Grid& grid)
      : grid(grid),
        bands((grid.rows + lanes - 1) / lanes),
        per_band((grid.columns + lanes - 1 + steps - 1) / steps) {}

  int64_t count() const { return grid.planes * bands * per_band; }
  int64_t index(int64_t plane, int64_t band, int64_t tile) const {
    return (plane * bands + band) * per_band + tile;
  }
  static int64_t column(bool right, int64_t step, int64_t lane) {
    return right ? step + lane - (lanes - 1) : step - lane;
  }
  static int64_t step(bool right, int64_t column, int64_t lane) {
    return right ? column - lane + (lanes - 1) : column + lane;
  }

  // Puts the nodes of the tile's own steps into to[steps][lanes], whose rows are aligned.
  // rows.at(row) is that row of the plane; rows.copy(row, column, n, to) copies n nodes to `to`.
  template <bool right, class Rows>
  void read(const Rows& rows, int64_t band, int64_t tile, R outside, R* to) const {
    alignas(64) R copy[lanes][steps];
    const R* from = copy[0];
    int64_t stride = steps;
    if (rows.direct() && inside(band, tile)) {
      from = rows.at(band * lanes) + column(right, tile * steps, 0);
      stride = grid.columns + (right ? 1 : -1);
    } else {
      for (int r = 0; r < lanes; ++r) {
        const auto [first, begin, end] = part(right, band, tile, r);
        if (begin == end) {
          std::fill_n(copy[r], steps, outside);
          continue;
        }
        std::fill_n(copy[r], begin, outside);
        rows.copy(band * lanes + r, first + begin, end - begin, copy[r] + begin);
        std::fill_n(copy[r] + end, steps - end, outside);
      }
    }
    for (int k = 0; k < strips; ++k)
      for (int t = 0; t < steps; t += width) {
        V square[width];
        for (int l = 0; l < width; ++l) square[l] = load<V>(from + (k * width + l) * stride + t);
        transpose(square);
        for (int i = 0; i < width; ++i) store(to + (t + i) * lanes + k * width, square[i]);
      }
  }

  // With the steps around it.
  template <bool right, int halo>
  void read_around(const R* plane, int64_t band, int64_t tile, R outside,
                   Nodes<halo>& nodes) const {
    const PlaneRows<R> rows = {plane, grid.columns};
    read<right>(rows, band, tile, outside, nodes.at[halo]);
    for (int i = 0; i < halo; ++i) {
      read_step(plane, right, band, tile * steps - halo + i, outside, nodes.at[i]);
      read_step(plane, right, band, (tile + 1) * steps + i, outside, nodes.at[halo + steps + i]);
    }
  }

  // Puts the tile's own steps back into the plane.
  template <bool right, int halo>
  void write(const Nodes<halo>& nodes, R* plane, int64_t band, int64_t tile) const {
    alignas(64) R copy[lanes][steps];
    const bool direct = inside(band, tile);
    R* to = direct ? plane + band * lanes * grid.columns + column(right, tile * steps, 0) : copy[0];
    const int64_t stride = direct ? grid.columns + (right ? 1 : -1) : steps;
    for (int k = 0; k < strips; ++k)
      for (int t = 0; t < steps; t += width) {
        V square[width];
        for (int i = 0; i < width; ++i) square[i] = load<V>(&nodes.at[halo + t + i][k * width]);
        transpose(square);
        for (int l = 0; l < width; ++l) store(to + (k * width + l) * stride + t, square[l]);
      }
    if (direct) return;
    for (int r = 0; r < lanes; ++r) {
      const auto [first, begin, end] = part(right, band, tile, r);
      if (begin < end)
        std::copy_n(copy[r] + begin, end - begin,
                    plane + (band * lanes + r) * grid.columns + first + begin);
    }
  }

  // Calls take(row, column, n) with the nodes of a tile, row by row.
  template <bool right, class Take>
  void runs(int64_t band, int64_t tile, Take&& take) const {
    for (int r = 0; r < lanes; ++r) {
      const auto [first, begin, end] = part(right, band, tile, r);
      if (begin < end) take(band * lanes + r, first + begin, end - begin);
    }
  }

  // The nodes at one step.
  void read_step(const R* plane, bool right, int64_t band, int64_t step, R outside, R* to) const {
    const int64_t first = column(right, step, 0), way = right ? 1 : -1;  // lane r: first + way * r
    int64_t begin = right ? -first : first - grid.columns + 1,
            end = right ? grid.columns - first : first + 1;
    begin = std::clamp<int64_t>(begin, 0, lanes);
    end = std::min(std::clamp<int64_t>(end, begin, lanes), grid.rows - band * lanes);
    const R* from = plane + band * lanes * grid.columns + first;
    for (int64_t r = 0; r < begin; ++r) to[r] = outside;
    for (int64_t r = begin; r < end; ++r) to[r] = from[r * (grid.columns + way)];
    for (int64_t r = std::max(begin, end); r < lanes; ++r) to[r] = outside;
  }

  // n nodes of a row from this column on.
  void read_row(const R* plane, int64_t row, int64_t column, int64_t n, R outside, R* to) const {
    const int64_t begin = std::clamp<int64_t>(-column, 0, n);
    const int64_t end = std::clamp<int64_t>(grid.columns - column, 0, n);
    if (row < 0 || row >= grid.rows || begin >= end) {
      std::fill_n(to, n, outside);
      return;
    }
    std::fill_n(to, begin, outside);
    std::copy_n(plane + row * grid.columns + column + begin, end - begin, to + begin);
    std::fill_n(to + end, n - end, outside);
  }

  const Grid grid;
  const int64_t bands, per_band;

 private:
  struct Part {
    int64_t first;   // column of the tile's first step, maybe outside
    int begin, end;  // steps that are inside
  };

  bool inside(int64_t band, int64_t tile) const {
    const int64_t first = tile * steps;
    return (band + 1) * lanes <= grid.rows && first >= lanes - 1 && first + steps <= grid.columns;
  }
  Part part(bool right, int64_t band, int64_t tile, int lane) const {
    const int64_t first = column(right, tile * steps, lane);
    if (band * lanes + lane >= grid.rows) return {first, 0, 0};
    return {first, static_cast<int>(std::clamp<int64_t>(-first, 0, steps)),
            static_cast<int>(std::clamp<int64_t>(grid.columns - first, 0, steps))};
  }
};

}  // namespace lesionkit::fronts
