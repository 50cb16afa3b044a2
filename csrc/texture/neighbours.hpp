// Neighbourhoods of a voxel, all voxels within `distance` in every axis:
//   grey level dependence (Sun & Wee, CVGIP 23, 341-352, 1983): how many neighbours differ by at
//   most alpha;
//   grey tone difference (Amadasun & King, IEEE Trans. SMC 19, 1264-1274, 1989): how far the voxel
//   is from the mean of its neighbours.
// Neighbours outside the region do not count. The difference is kept as a whole number,
// |neighbours * level - sum of their levels|, apart for each number of neighbours, by which it is
// divided at the end: sums are exact, in any order.
#pragma once

#include <algorithm>
#include <vector>

#include "texture/volume.hpp"

namespace lesionkit::texture {

// Tables [level, 0 for outside][...]; what stands at level 0 is garbage.
struct NeighbourTables {
  int64_t levels, most;              // most: neighbours that a voxel may have
  std::vector<int64_t> dependence;   // [level][dependent neighbours]
  std::vector<int64_t> voxels;       // [level][neighbours]
  std::vector<int64_t> differences;  // [level][neighbours]

  NeighbourTables(int64_t levels, int64_t most) : levels(levels), most(most) {
    const auto size = (levels + 1) * (most + 1);
    dependence.resize(size);
    voxels.resize(size);
    differences.resize(size);
  }
};

inline std::vector<Step> neighbourhood(int64_t distance, bool flat) {
  std::vector<Step> offsets;
  const int64_t up = flat ? 0 : distance;
  for (int64_t z = -distance; z <= distance; ++z)
    for (int64_t y = -up; y <= up; ++y)
      for (int64_t x = -distance; x <= distance; ++x)
        if (z != 0 || y != 0 || x != 0) offsets.push_back({z, y, x});
  return offsets;
}

// Of each voxel of a block, its neighbours.
struct NeighbourBlock {
  explicit NeighbourBlock(int64_t length) : count(length), dependent(length), sum(length) {}

  std::vector<uint16_t> count, dependent;
  std::vector<uint32_t> sum;
};

// Adds the voxels of slice z.
template <class T>
void count_neighbours(const Volume<T>& volume, const std::vector<Step>& offsets, int64_t z,
                      int32_t alpha, NeighbourBlock& found, NeighbourTables& tables) {
  uint16_t* __restrict count = found.count.data();
  uint16_t* __restrict dependent = found.dependent.data();
  uint32_t* __restrict sum = found.sum.data();
  each_block(volume, z, [&](const Block<T>& block) {
    const T* level = block.level;
    std::fill_n(count, block.length, uint16_t{0});
    std::fill_n(dependent, block.length, uint16_t{0});
    std::fill_n(sum, block.length, uint32_t{0});
    for (const Step& by : offsets) {
      const T* other = level + volume.step(by);
      for (int64_t i = 0; i < block.length; ++i) {
        const int32_t apart = static_cast<int32_t>(other[i]) - static_cast<int32_t>(level[i]);
        const bool inside = other[i] != 0;
        count[i] += inside;
        sum[i] += other[i];
        dependent[i] += inside & (apart <= alpha) & (apart >= -alpha);
      }
    }
    for (int64_t i = 0; i < block.length; ++i) {
      if (level[i] == 0) continue;
      const int64_t start = level[i] * (tables.most + 1);
      ++tables.dependence[start + dependent[i]];
      ++tables.voxels[start + count[i]];
      const int64_t apart = int64_t{count[i]} * static_cast<int64_t>(level[i]) - int64_t{sum[i]};
      tables.differences[start + count[i]] += apart < 0 ? -apart : apart;
    }
  });
}

}  // namespace lesionkit::texture
