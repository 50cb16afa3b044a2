// Neighbourhoods of a voxel, given as steps, such as to all voxels within a distance:
//   grey level dependence (Sun & Wee, CVGIP 23, 341-352, 1983): how many neighbours differ by at
//   most alpha;
//   grey tone difference (Amadasun & King, IEEE Trans. SMC 19, 1264-1274, 1989): how far the voxel
//   is from the mean of its neighbours.
// Neighbours outside the region do not count. The difference is kept as a whole number,
// |neighbours * level - sum of their levels|, apart for each number of neighbours, by which it is
// divided at the end: sums are exact, in any order.
#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

#include "texture/region/volume.hpp"

namespace lesionkit::texture {

// Of each voxel of a block, its neighbours. Wide holds sums of their levels: 16 bits where they
// fit.
template <class Wide>
struct NeighbourBlock {
  explicit NeighbourBlock(int64_t length) : count(length), dependent(length), sum(length) {}

  std::vector<Wide> count, dependent, sum;
};

// Calls add(level, dependent neighbours, neighbours, difference times neighbours) for each voxel of
// slice z.
template <class T, class Wide, class Add>
void each_neighbourhood(const Volume<T>& volume, const std::vector<Offset>& steps, int64_t z,
                        int32_t alpha, NeighbourBlock<Wide>& found, Add&& add) {
  using Signed = std::make_signed_t<Wide>;
  const Signed max_difference = static_cast<Signed>(alpha);
  Wide* __restrict count = found.count.data();
  Wide* __restrict dependent = found.dependent.data();
  Wide* __restrict sum = found.sum.data();
  each_block(volume, z, [&](const Block<T>& block) {
    const T* level = block.level;
    std::fill_n(count, block.length, Wide{0});
    std::fill_n(dependent, block.length, Wide{0});
    std::fill_n(sum, block.length, Wide{0});
    for (const Offset& by : steps) {
      const T* other = level + volume.step(by);
      for (int64_t i = 0; i < block.length; ++i) {
        const Signed apart = static_cast<Signed>(other[i]) - static_cast<Signed>(level[i]);
        const bool inside = other[i] != 0;
        count[i] += inside;
        sum[i] += other[i];
        dependent[i] += inside & (apart <= max_difference) & (apart >= -max_difference);
      }
    }
    for (int64_t i = 0; i < block.length; ++i) {
      if (level[i] == 0) continue;
      const int64_t apart = int64_t{count[i]} * static_cast<int64_t>(level[i]) - int64_t{sum[i]};
      add(level[i], int64_t{dependent[i]}, int64_t{count[i]}, apart < 0 ? -apart : apart);
    }
  });
}

}  // namespace lesionkit::texture
