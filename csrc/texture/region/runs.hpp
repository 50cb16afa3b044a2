// Run lengths (Galloway, Computer Graphics and Image Processing 4, 172-179, 1975): how many runs of
// each grey level and length there are along a direction. A run ends where the level changes, at
// the region's border, and at its holes.
//
//   run_from    the length of the run that starts at a voxel: what a GPU's thread does
//   count_runs  the CPU's schedule. It goes through the voxels once, in order, and keeps the length
//               of the run that ends at each voxel, for several directions at once:
//               length(v) = level(v) == level(v - step) ? length(v - step) + 1 : 1.
//               Lengths and "does it end here" are vector code; tables take turns, so that no
//               count waits for the one before it.
#pragma once

#include "texture/region/volume.hpp"

#if !defined(__CUDACC__)
#include <vector>
#endif

namespace lesionkit::texture {

// Where a table [direction][level, 0 for outside][length, 0 for none] counts a run.
struct RunTable {
  int64_t levels, longest;

  HD int64_t size() const { return (levels + 1) * (longest + 1); }
  HD int64_t cell(int64_t direction, int64_t level, int64_t length) const {
    return direction * size() + level * (longest + 1) + length;
  }
};

// The length of the run that starts at this voxel, 0 if none does.
template <class T>
HD int64_t run_from(const T* voxel, int64_t step) {
  const T level = *voxel;
  if (level == 0 || voxel[-step] == level) return 0;
  int64_t length = 1;
  while (voxel[length * step] == level) ++length;
  return length;
}

#if !defined(__CUDACC__)

constexpr int RUN_GROUP = 4;  // directions at once, each with a table

// Adds the runs along `count` <= RUN_GROUP directions; the first non-zero part of each is positive,
// so that the voxel before v along it has been done. Cells of level or length 0 hold garbage.
template <int count, class T>
void count_runs(const Volume<T>& volume, const Offset* directions, const RunTable& cells,
                uint32_t* table) {
  // Lengths in this slice and the one before; what stands outside the region is never used. The
  // margin is for looks beyond the first row and the last.
  const int64_t margin = volume.row + 1, block_size = block_length(volume);
  std::vector<uint16_t> lengths(2 * count * volume.slice + 2 * margin), ends(count * block_size);
  const auto line = [&](int k, int64_t z, int64_t y) {
    return lengths.data() + margin + ((z & 1) * count + k) * volume.slice + y * volume.row;
  };
  const auto measure = [](const T* level, int64_t step, const uint16_t* shorter, int64_t n,
                          uint16_t* __restrict length, uint16_t* __restrict end) {
    const T *before = level - step, *after = level + step;
    for (int64_t i = 0; i < n; ++i) {
      const auto longer = static_cast<uint16_t>(shorter[i] + 1);  // read in any case: vector code
      const uint16_t here = before[i] == level[i] ? longer : 1;
      length[i] = here;
      end[i] = (level[i] != 0) & (after[i] != level[i]) ? here : 0;
    }
  };
  // Along rows each length needs the one before it. All else is vector code; several rows at once,
  // since none waits for another. length: first all bits, where the voxel before is the same.
  const auto measure_rows = [&](const T* level, int64_t rows, uint16_t* __restrict length,
                                uint16_t* __restrict end) {
    const int64_t n = (rows - 1) * volume.row + volume.width;
    for (int64_t i = 0; i < n; ++i)
      length[i] = level[i - 1] == level[i] ? uint16_t{0xffff} : uint16_t{0};
    constexpr int64_t at_once = 4;
    int64_t y = 0;
    for (; y + at_once <= rows; y += at_once) {
      uint16_t here[at_once] = {};
      for (int64_t x = 0; x < volume.width; ++x)
        for (int r = 0; r < at_once; ++r) {
          uint16_t& mask = length[(y + r) * volume.row + x];
          mask = here[r] = static_cast<uint16_t>((here[r] & mask) + 1);
        }
    }
    for (; y < rows; ++y) {
      uint16_t here = 0;
      for (uint16_t *at = length + y * volume.row, *stop = at + volume.width; at < stop; ++at)
        *at = here = static_cast<uint16_t>((here & *at) + 1);
    }
    for (int64_t i = 0; i < n; ++i) {
      const uint16_t here = length[i];
      end[i] = (level[i] != 0) & (level[i + 1] != level[i]) ? here : uint16_t{0};
    }
  };

  for (int64_t z = 0; z < volume.depth; ++z)
    each_block(volume, z, [&](const Block<T>& block) {
      for (int k = 0; k < count; ++k) {
        const Offset& by = directions[k];
        const int64_t step = volume.step(by);
        uint16_t* end = ends.data() + k * block_size;
        if (by.plane != 0) {
          measure(block.level, step, line(k, z - by.plane, block.y - by.row) - by.column,
                  block.length, line(k, z, block.y), end);
          continue;
        }
        if (by.row == 0) {
          measure_rows(block.level, block.rows, line(k, z, block.y), end);
          continue;
        }
        for (int64_t y = block.y; y < block.y + block.rows; ++y, end += volume.row)
          measure(volume.at(z, y), step, line(k, z, y - by.row) - by.column, volume.width,
                  line(k, z, y), end);
      }
      const int64_t size = cells.size(), stride = cells.cell(0, 1, 0);
      for (int64_t i = 0; i < block.length; ++i) {
        if (block.level[i] == 0) continue;
        uint32_t* cell = table + block.level[i] * stride;
        for (int k = 0; k < count; ++k) ++cell[k * size + ends[k * block_size + i]];
      }
    });
}

#endif

}  // namespace lesionkit::texture
