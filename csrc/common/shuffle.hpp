// Lanes of registers in another order.
#pragma once

#include <utility>

#include "common/simd.hpp"

namespace lesionkit {

// The lanes `from` of (a, b): those of b come after a's.
template <int... from, class V>
inline V shuffle(const V& a, const V& b) {
#if defined(__clang__)
  return __builtin_shufflevector(a, b, from...);
#else
  return __builtin_shuffle(a, b, Mask<V>{from...});
#endif
}

namespace detail {

template <int by, class V, int... i>
inline V lanes_from(const V& a, const V& b, std::integer_sequence<int, i...>) {
  return shuffle<(by + i)...>(a, b);
}

// Of two rows of a square, `apart` rows apart: swaps the blocks off the diagonal.
template <int apart, class V, int... i>
inline void swap_blocks(V& a, V& b, std::integer_sequence<int, i...>) {
  constexpr int width = sizeof...(i);
  const V x = a;
  a = shuffle<(i & apart ? width + i - apart : i)...>(x, b);
  b = shuffle<(i & apart ? width + i : i + apart)...>(x, b);
}

template <int apart, int width, class V>
inline void transpose(V (&rows)[width]) {
  if constexpr (apart < width) {
    UNROLL_ALL
    for (int i = 0; i < width; ++i)
      if (!(i & apart))
        swap_blocks<apart>(rows[i], rows[i + apart], std::make_integer_sequence<int, width>{});
    transpose<2 * apart>(rows);
  }
}

}  // namespace detail

// x moved up by some lanes, the last ones of `first` in the lanes below; or down, the first ones of
// `last` above.
template <int by, class V>
inline V moved_up(const V& x, const V& first) {
  constexpr int width = lanes_of<V>;
  return detail::lanes_from<width - by>(first, x, std::make_integer_sequence<int, width>{});
}
template <int by, class V>
inline V moved_down(const V& x, const V& last) {
  return detail::lanes_from<by>(x, last, std::make_integer_sequence<int, lanes_of<V>>{});
}

// Lane j of row i becomes lane i of row j.
template <int width, class V>
inline void transpose(V (&rows)[width]) {
  static_assert(width == lanes_of<V>);
  detail::transpose<1>(rows);
}

}  // namespace lesionkit
