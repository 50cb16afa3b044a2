// Registers full of reals, a node in each lane: shifts by a lane, a square of them turned about its
// diagonal, and what holds for any lane. Host only.
#pragma once

#include <utility>

#include "common/lanes.hpp"

namespace lesionkit::fronts {

template <class R>
inline constexpr int width_of = lane_count * static_cast<int>(sizeof(double) / sizeof(R));

template <class R>
struct Registers {
  static constexpr int width = width_of<R>;
  typedef R Type __attribute__((vector_size(width * sizeof(R))));
  typedef R Unaligned
      __attribute__((vector_size(width * sizeof(R)), may_alias, aligned(sizeof(R))));
};
template <class R>
using Reals = typename Registers<R>::Type;

template <class R>
inline Reals<R> load(const R* from) {
  return *reinterpret_cast<const typename Registers<R>::Unaligned*>(from);
}
template <class R>
inline void store(R* to, const Reals<R>& x) {
  *reinterpret_cast<typename Registers<R>::Unaligned*>(to) = x;
}
template <class R>
inline Reals<R> all_lanes(R x) {
  return x - Reals<R>{};
}

namespace detail {

template <int by, class V, int... i>
inline V lanes_from(const V& a, const V& b, std::integer_sequence<int, i...>) {
  return __builtin_shufflevector(a, b, (by + i)...);
}

// Of two rows of a square, `apart` rows apart: swaps the blocks off the diagonal.
template <int apart, class V, int... i>
inline void swap_blocks(V& a, V& b, std::integer_sequence<int, i...>) {
  constexpr int width = sizeof...(i);
  const V x = a;
  a = __builtin_shufflevector(x, b, (i & apart ? width + i - apart : i)...);
  b = __builtin_shufflevector(x, b, (i & apart ? width + i : i + apart)...);
}

template <int apart, int width, class V>
inline void turn(V (&rows)[width]) {
  if constexpr (apart < width) {
    for (int i = 0; i < width; ++i)
      if (!(i & apart))
        swap_blocks<apart>(rows[i], rows[i + apart], std::make_integer_sequence<int, width>{});
    turn<2 * apart>(rows);
  }
}

}  // namespace detail

// x moved up by some lanes, the last ones of `first` in the lanes below; or down, the first ones of
// `last` above.
template <int by, class R>
inline Reals<R> moved_up(const Reals<R>& x, const Reals<R>& first) {
  constexpr int width = width_of<R>;
  return detail::lanes_from<width - by>(first, x, std::make_integer_sequence<int, width>{});
}
template <int by, class R>
inline Reals<R> moved_down(const Reals<R>& x, const Reals<R>& last) {
  return detail::lanes_from<by>(x, last, std::make_integer_sequence<int, width_of<R>>{});
}

// Lane j of row i becomes lane i of row j.
template <int width, class V>
inline void transpose(V (&rows)[width]) {
  detail::turn<1>(rows);
}

template <class V>
inline bool any_lane(const V& mask) {
  bool any = false;
  for (unsigned l = 0; l < sizeof(V) / sizeof(mask[0]); ++l) any |= mask[l] != 0;
  return any;
}

template <class R>
inline R least_lane(const Reals<R>& x) {
  R least = x[0];
  for (int l = 1; l < width_of<R>; ++l) least = x[l] < least ? x[l] : least;
  return least;
}

}  // namespace lesionkit::fronts
