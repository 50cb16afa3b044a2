// Pairs of grey levels of neighbouring voxels of a region, along many directions at once: a voxel
// is read once, and the directions' tables take turns, so that no count waits for the one before
// it. Whole images, and steps of any length, are glcm.hpp's.
#pragma once

#include "texture/region/volume.hpp"

namespace lesionkit::texture {

// Adds the pairs (v, v + step) of slice z to table [direction][level of v][level of v + step], in
// which level 0 stands for outside, and what is counted there is garbage.
template <class T>
void count_region_pairs(const Volume<T>& volume, const Offset* directions, int64_t count, int64_t z,
                        int64_t levels, uint32_t* table) {
  const int64_t stride = levels + 1, size = stride * stride;
  const auto add = [&]<int here>(const Block<T>& block, int64_t first, Constant<here>) {
    int64_t step[here];
    for (int k = 0; k < here; ++k) step[k] = volume.step(directions[first + k]);
    uint32_t* part = table + first * size;
    for (int64_t i = 0; i < block.length; ++i) {
      const T* voxel = block.level + i;
      if (*voxel == 0) continue;
      uint32_t* row = part + *voxel * stride;
      for (int k = 0; k < here; ++k) ++row[k * size + voxel[step[k]]];
    }
  };
  each_block(volume, z, [&](const Block<T>& block) {
    int64_t first = 0;
    for (; first + 13 <= count; first += 13) add(block, first, Constant<13>{});
    for (; first + 4 <= count; first += 4) add(block, first, Constant<4>{});
    for (; first < count; ++first) add(block, first, Constant<1>{});
  });
}

}  // namespace lesionkit::texture
