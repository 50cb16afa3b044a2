// A binary picture or volume with 64 pixels to a word, so that morphology is a few operations on
// whole words. Lines lie one behind another with a word of zeros between them, and a line and a
// plane of zeros about them: what is outside is 0, and a pass over the words needs no branch.
// Bit b of word w of a line is column 64 w + b.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "common/parallel.hpp"

namespace lesionkit::fronts::contours {

struct BitShape {
  int64_t planes, rows, columns;

  int64_t words() const { return (columns + 63) / 64; }  // of a line
  int64_t row_step() const { return words() + 1; }
  int64_t plane_step() const { return (rows + 2) * row_step(); }
  int64_t total() const { return (planes + 2) * plane_step() + 1; }
  int64_t line(int64_t plane, int64_t row) const {
    return (plane + 1) * plane_step() + (row + 1) * row_step() + 1;
  }
  // The bits of word w of a line that are pixels.
  uint64_t valid(int64_t w) const {
    const int64_t left = columns - 64 * w;
    return left >= 64 ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
  }

  // work(plane, first row, last row) for slabs of about `words` words.
  template <class Work>
  void for_each_slab(int64_t words, const Work& work) const {
    const int64_t grain = std::max<int64_t>(1, words / row_step());
    const int64_t slabs = (rows + grain - 1) / grain, together = std::max<int64_t>(1, grain / rows);
    parallel_for(planes * slabs, together, [&](int64_t begin, int64_t end) {
      for (int64_t s = begin; s < end; ++s)
        work(s / slabs, s % slabs * grain, std::min(rows, (s % slabs + 1) * grain));
    });
  }
};

using Bits = std::vector<uint64_t>;

constexpr int64_t SLAB = 1 << 13;  // words that are worth a thread's while

// Bits of bytes that are not 0.
inline void pack(const uint8_t* bytes, const BitShape& shape, Bits& bits) {
  bits.assign(shape.total(), 0);
  shape.for_each_slab(SLAB, [&](int64_t plane, int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      const uint8_t* from = bytes + (plane * shape.rows + row) * shape.columns;
      uint64_t* to = bits.data() + shape.line(plane, row);
      for (int64_t x = 0; x < shape.columns; x += 64) {
        uint64_t word = 0;
        const int64_t n = std::min<int64_t>(64, shape.columns - x);
        for (int64_t b = 0; b < n; ++b) word |= uint64_t{from[x + b] != 0} << b;
        to[x / 64] = word;
      }
    }
  });
}

inline void unpack(const Bits& bits, const BitShape& shape, uint8_t* bytes) {
  shape.for_each_slab(SLAB, [&](int64_t plane, int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      const uint64_t* from = bits.data() + shape.line(plane, row);
      uint8_t* to = bytes + (plane * shape.rows + row) * shape.columns;
      for (int64_t x = 0; x < shape.columns; ++x) to[x] = from[x / 64] >> x % 64 & 1;
    }
  });
}

// The pixels to the left and to the right of those of word i, in their places.
inline uint64_t left_of(const uint64_t* word) { return word[0] << 1 | word[-1] >> 63; }
inline uint64_t right_of(const uint64_t* word) { return word[0] >> 1 | word[1] << 63; }

}  // namespace lesionkit::fronts::contours
