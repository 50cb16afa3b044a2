// Where a binary level set changes from pixel to pixel (a derivative by NumPy's `gradient` is not
// 0): only there can the image move a contour. Each such pixel is asked once, and the cost is the
// contour's.
#pragma once

#include "fronts/contours/bit_image.hpp"

namespace lesionkit::fronts::contours {

// A pixel at the contour: its place, and along each axis, slowest first, the values of the level
// set before and behind it (its own at the border) and how many pixels these are apart.
struct ContourPixel {
  int64_t plane, row, column;
  int behind[3], before[3];
  int apart[3];
};

// Sets the pixel where sign_of(pixel) is above 0, clears it where it is below, all at once.
template <bool volume, class SignOf>
void attach(const BitShape& shape, Bits& bits, Bits& spare, const SignOf& sign_of) {
  constexpr int axes = volume ? 3 : 2;
  const uint64_t* const from = bits.data();
  shape.for_each_slab(SLAB / 8, [&](int64_t plane, int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      const uint64_t* line = from + shape.line(plane, row);
      const int64_t places[2] = {plane, row}, counts[2] = {shape.planes, shape.rows};
      const int64_t steps[2] = {shape.plane_step(), shape.row_step()};
      const uint64_t *behind[2], *before[2];
      for (int d = 0; d < 2; ++d) {
        behind[d] = line + (places[d] + 1 < counts[d] ? steps[d] : 0);
        before[d] = line - (places[d] > 0 ? steps[d] : 0);
      }
      uint64_t* to = spare.data() + shape.line(plane, row);
      for (int64_t w = 0; w < shape.words(); ++w) {
        const uint64_t here = line[w];
        const uint64_t first_bit = w == 0, last_bit = shape.valid(w) & ~(shape.valid(w) >> 1);
        const bool ends = w == shape.words() - 1;
        const uint64_t left = left_of(line + w) | (here & first_bit);
        const uint64_t right = right_of(line + w) | (ends ? here & last_bit : 0);
        uint64_t asked = (left ^ right) | (behind[1][w] ^ before[1][w]);
        if constexpr (volume) asked |= behind[0][w] ^ before[0][w];
        asked &= shape.valid(w);
        uint64_t set = 0, clear = 0;
        for (; asked; asked &= asked - 1) {
          const int b = std::countr_zero(asked);
          const auto bit = [b](uint64_t word) { return static_cast<int>(word >> b & 1); };
          ContourPixel pixel = {plane, row, 64 * w + b, {}, {}, {}};
          for (int d = 3 - axes; d < 2; ++d) {
            pixel.behind[d] = bit(behind[d][w]);
            pixel.before[d] = bit(before[d][w]);
            pixel.apart[d] = (behind[d] != line) + (before[d] != line);
          }
          pixel.behind[2] = bit(right);
          pixel.before[2] = bit(left);
          pixel.apart[2] = (pixel.column > 0) + (pixel.column + 1 < shape.columns);
          const int sign = sign_of(pixel);
          set |= uint64_t{sign > 0} << b;
          clear |= uint64_t{sign < 0} << b;
        }
        to[w] = (here | set) & ~clear;
      }
    }
  });
  bits.swap(spare);
}

}  // namespace lesionkit::fronts::contours
