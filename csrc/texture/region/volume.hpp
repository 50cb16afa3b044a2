// Grey levels of a region, cut out to its box, with a border of zeros: 0 is outside the region, and
// level + 1 inside. The border saves every kernel its bounds checks. A picture is a volume of
// height 1 whose slices are its rows; it has no border along y, where no neighbour is looked for.
#pragma once

#include "common/grid.hpp"

namespace lesionkit::texture {

template <class T>
struct Volume {
  const T* origin;  // the voxel (0, 0, 0)
  int64_t depth, height, width;
  int64_t slice, row;  // voxels from one to the next, border included

  HD const T* at(int64_t z, int64_t y) const { return origin + z * slice + y * row; }
  HD int64_t step(const Offset& by) const { return by.plane * slice + by.row * row + by.column; }
};

// padded: (depth + 2 border, height + 2 border or 1, width + 2 border)
template <class T>
HD Volume<T> volume_of(const T* padded, int64_t depth, int64_t height, int64_t width,
                       int64_t border) {
  const int64_t above = height == 1 ? 0 : border, row = width, slice = height * row;
  return {padded + border * slice + above * row + border,
          depth - 2 * border,
          height - 2 * above,
          width - 2 * border,
          slice,
          row};
}

// Rows that are done at once. Their voxels, and the borders between them, are one flat range
// [0, length): loops over it are long enough for vector code however short a row is.
template <class T>
struct Block {
  const T* level;
  int64_t z, y, rows, length;
};

template <class T, class Work>
void each_block(const Volume<T>& volume, int64_t z, Work&& work) {
  constexpr int64_t voxels = 4096;
  const int64_t step = voxels > volume.row ? voxels / volume.row : 1;
  for (int64_t y = 0; y < volume.height; y += step) {
    const int64_t rows = y + step < volume.height ? step : volume.height - y;
    work(Block<T>{volume.at(z, y), z, y, rows, (rows - 1) * volume.row + volume.width});
  }
}

// Voxels of the longest block.
template <class T>
int64_t block_length(const Volume<T>& volume) {
  return volume.row > 4096 ? volume.row : 4096;
}

}  // namespace lesionkit::texture
