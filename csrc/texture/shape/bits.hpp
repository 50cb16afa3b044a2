// A mask with a bit for each voxel, and what is read off its rows, 64 voxels at a time.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "common/parallel.hpp"
#include "texture/region/kernels.hpp"

namespace lesionkit::texture {

// Bit x of a row is voxel x. Rows have room for one voxel more on the right, and there are empty
// slices and rows before the first and after the last.
struct Bits {
  int64_t depth, height, width, words;
  std::vector<uint64_t> data;

  explicit Bits(Box<uint8_t> mask)
      : depth(mask.depth),
        height(mask.height),
        width(mask.width),
        words(mask.width / 64 + 1),
        data((depth + 2) * (height + 2) * words) {
    parallel_for(depth, mask.grain(), [&](int64_t begin, int64_t end) {
      for (int64_t z = begin; z < end; ++z)
        for (int64_t y = 0; y < height; ++y) {
          const uint8_t* from = mask.row(z, y);
          uint64_t* to = data.data() + place(z, y);
          for (int64_t x = 0; x < width; x += 64) {
            const int64_t n = std::min<int64_t>(64, width - x);
            uint64_t word = 0;
            for (int64_t i = 0; i < n; ++i) word |= uint64_t{from[x + i] != 0} << i;
            to[x / 64] = word;
          }
        }
    });
  }

  int64_t place(int64_t z, int64_t y) const { return ((z + 1) * (height + 2) + y + 1) * words; }
  const uint64_t* row(int64_t z, int64_t y) const { return data.data() + place(z, y); }
};

// Bit x: the voxel before x.
inline uint64_t before(const uint64_t* row, int64_t word) {
  return row[word] << 1 | (word > 0 ? row[word - 1] >> 63 : 0);
}

// Calls take(x) for each bit of a word, from the lowest.
template <class Take>
void each_bit(uint64_t bits, int64_t word, Take&& take) {
  for (; bits; bits &= bits - 1) take(word * 64 + std::countr_zero(bits));
}

}  // namespace lesionkit::texture
