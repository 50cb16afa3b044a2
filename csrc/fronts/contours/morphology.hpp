// The operators of morphological contours on words of pixels (Marquez-Neila, Baumela and Alvarez,
// "A morphological approach to curvature-based evolution of curves and surfaces", IEEE PAMI 36(1),
// 2-17, 2014): SI, the union of erosions by short lines (in a volume, small planes), and IS, the
// intersection of dilations by them. IS after SI, or SI after IS, smooths the contour.
//
// A pixel has 4 lines through it, or 9 planes. Each contains the pixel, so that
//   SI = here & (a pair of neighbours, or another pair, ...), all of a pair being set;
//   IS = here | (a pair and another pair and ...), one of a pair being set.
// For planes "pair" is the eight others.
#pragma once

#include "fronts/contours/bit_image.hpp"

namespace lesionkit::fronts::contours {

struct Erosion {
  static uint64_t join(uint64_t a, uint64_t b) { return a & b; }   // within a line
  static uint64_t among(uint64_t a, uint64_t b) { return a | b; }  // of several lines
};

struct Dilation {
  static uint64_t join(uint64_t a, uint64_t b) { return a | b; }
  static uint64_t among(uint64_t a, uint64_t b) { return a & b; }
};

// Words of three columns, in the place of the middle one.
struct Three {
  uint64_t left, here, right;
};

inline Three three(const uint64_t* word) { return {left_of(word), word[0], right_of(word)}; }

template <class Op>
Three join(const Three& a, const Three& b, const Three& c) {
  return {Op::join(Op::join(a.left, b.left), c.left), Op::join(Op::join(a.here, b.here), c.here),
          Op::join(Op::join(a.right, b.right), c.right)};
}

template <class Op>
uint64_t along(const Three& t) {
  return Op::join(Op::join(t.left, t.here), t.right);
}

// By the four lines through each pixel.
template <class Op>
[[gnu::always_inline]] inline uint64_t over_lines(const uint64_t* word, int64_t row) {
  const Three up = three(word - row), mid = three(word), down = three(word + row);
  const uint64_t straight =
      Op::among(along<Op>(mid), Op::join(Op::join(up.here, mid.here), down.here));
  const uint64_t falling = Op::join(Op::join(up.left, mid.here), down.right);
  const uint64_t rising = Op::join(Op::join(up.right, mid.here), down.left);
  return Op::among(straight, Op::among(falling, rising));
}

// By the nine planes through each voxel: three along the axes, six that hold one axis and a
// diagonal.
template <class Op>
uint64_t over_planes(const uint64_t* word, int64_t row, int64_t plane) {
  Three at[3][3];  // [plane][row]
  for (int z = 0; z < 3; ++z)
    for (int y = 0; y < 3; ++y) at[z][y] = three(word + (z - 1) * plane + (y - 1) * row);
  Three deep[3], high[3];  // joined along the planes, along the rows
  for (int k = 0; k < 3; ++k) {
    deep[k] = join<Op>(at[0][k], at[1][k], at[2][k]);
    high[k] = join<Op>(at[k][0], at[k][1], at[k][2]);
  }
  const auto diagonals = [](const Three* t) {
    return Op::among(Op::join(Op::join(t[0].left, t[1].here), t[2].right),
                     Op::join(Op::join(t[0].right, t[1].here), t[2].left));
  };
  uint64_t all = Op::among(along<Op>(deep[1]), along<Op>(high[1]));
  all = Op::among(all, Op::join(Op::join(deep[0].here, deep[1].here), deep[2].here));
  all = Op::among(all, Op::among(diagonals(deep), diagonals(high)));
  const uint64_t middle = along<Op>(at[1][1]);
  const uint64_t falling = Op::join(Op::join(along<Op>(at[0][0]), middle), along<Op>(at[2][2]));
  const uint64_t rising = Op::join(Op::join(along<Op>(at[0][2]), middle), along<Op>(at[2][0]));
  return Op::among(all, Op::among(falling, rising));
}

// By the square of 3 x 3 pixels, or the cube.
template <class Op, bool volume>
[[gnu::always_inline]] inline uint64_t over_box(const uint64_t* word, int64_t row, int64_t plane) {
  uint64_t all = along<Op>(three(word));
  for (int64_t z = volume ? -1 : 0; z <= (volume ? 1 : 0); ++z)
    for (int64_t y = -1; y <= 1; ++y)
      all = Op::join(all, along<Op>(three(word + z * plane + y * row)));
  return all;
}

// to[i] = formula(i) for every word of the picture. The words between lines get what the formula
// gives there: 0 by lines and planes, for one of them is all in such words.
template <class Formula>
void for_each_word(const BitShape& shape, Bits& to, const Formula& formula) {
  shape.for_each_slab(SLAB, [&](int64_t plane, int64_t first, int64_t last) {
    const int64_t begin = shape.line(plane, first), end = shape.line(plane, last) - 1;
    uint64_t* const out = to.data();
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) out[i] = formula(i);
  });
}

template <class Op, bool volume>
void smooth_once(const BitShape& shape, const Bits& from, Bits& to) {
  const uint64_t* const word = from.data();
  const int64_t row = shape.row_step(), plane = shape.plane_step();
  for_each_word(shape, to, [=](int64_t i) {
    if constexpr (volume)
      return over_planes<Op>(word + i, row, plane);
    else
      return over_lines<Op>(word + i, row);
  });
}

// The picture is in `bits` before and after; `spare` is overwritten.
template <bool volume>
void smooth(const BitShape& shape, bool opening_first, Bits& bits, Bits& spare) {
  if (opening_first) {
    smooth_once<Dilation, volume>(shape, bits, spare);
    smooth_once<Erosion, volume>(shape, spare, bits);
  } else {
    smooth_once<Erosion, volume>(shape, bits, spare);
    smooth_once<Dilation, volume>(shape, spare, bits);
  }
}

// Grown (or shrunk) by a pixel where `where` is set.
template <class Op, bool volume>
void move(const BitShape& shape, const Bits& where, Bits& bits, Bits& spare) {
  const uint64_t *const word = bits.data(), *const here = where.data();
  const int64_t row = shape.row_step(), plane = shape.plane_step();
  for_each_word(shape, spare, [=](int64_t i) {
    return (word[i] & ~here[i]) | (over_box<Op, volume>(word + i, row, plane) & here[i]);
  });
  bits.swap(spare);
}

}  // namespace lesionkit::fronts::contours
