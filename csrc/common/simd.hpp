// SIMD in one vocabulary. Simd<T> is a register full of T: with it as the type of a number, a
// formula written for one item (system, phantom, sample, node ...) runs on as many at once as a
// register has lanes. GCC's and Clang's vectors do arithmetic, comparisons and a < b ? x : y.
#pragma once

#include "common/portable.hpp"

#if !defined(__CUDACC__)  // a GPU's thread holds one item
#include <cstring>
#include <type_traits>
#include <utility>
#endif

namespace lesionkit {

// ---- Of a vector or of a plain number, on every compiler.

// One number of V: the element of a vector, or V itself.
template <class V>
struct ElementOf {
  using Type = V;
};
template <class V>
  requires requires(V x) { x[0]; }
struct ElementOf<V> {
  template <class T>
  static T plain(const T&);
  using Type = decltype(plain(V{}[0]));
};
template <class V>
using Element = typename ElementOf<V>::Type;

// `value` in every lane.
template <class V>
HD V broadcast(Element<V> value) {
  return value - V{};
}

// In each lane; b where either is NaN.
template <class V>
HD V min(const V& a, const V& b) {
  return a < b ? a : b;
}
template <class V>
HD V max(const V& a, const V& b) {
  return a > b ? a : b;
}

template <class V>
HD V root(const V& x) {
  if constexpr (requires { x[0]; }) {
    V y = x;
    for (unsigned l = 0; l < sizeof(V) / sizeof(x[0]); ++l) y[l] = root<Element<V>>(x[l]);
    return y;
  } else if constexpr (sizeof(V) == sizeof(float)) {
    return sqrtf(x);
  } else {
    return sqrt(x);
  }
}

#if !defined(__CUDACC__)

// ---- Of vectors.

#if defined(__AVX512F__)
inline constexpr int REGISTER = 64;  // bytes
#elif defined(__AVX__)
inline constexpr int REGISTER = 32;
#else
inline constexpr int REGISTER = 16;
#endif

template <class T, int lanes>
struct VectorOf {
  typedef T Type __attribute__((vector_size(lanes * sizeof(T))));
  typedef T Unaligned
      __attribute__((vector_size(lanes * sizeof(T)), may_alias, aligned(sizeof(T))));
};
template <class T, int lanes>
using Vector = typename VectorOf<T, lanes>::Type;

template <class T>
inline constexpr int lane_count = REGISTER / static_cast<int>(sizeof(T));
template <class T>
using Simd = Vector<T, lane_count<T>>;

template <class V>
inline constexpr int lanes_of = sizeof(V) / sizeof(V{}[0]);

// What a comparison of two vectors gives: -1 or 0 in each lane.
template <class V>
using Mask = decltype(V{} < V{});

// As many numbers as V has, from memory of any alignment, of V's type or of another. (Not by
// memcpy: GCC then takes a loop over a few registers for too long to unroll it.)
template <class V, class From>
inline V load(const From* from) {
  if constexpr (std::is_same_v<V, From>) {
    return *from;
  } else {
    using Given = VectorOf<From, lanes_of<V>>;
    const typename Given::Type given = *reinterpret_cast<const typename Given::Unaligned*>(from);
    if constexpr (std::is_same_v<Element<V>, From>)
      return given;
    else
      return __builtin_convertvector(given, V);
  }
}

template <class To, class V>
inline void store(To* to, const V& value) {
  using Unaligned = typename VectorOf<To, lanes_of<V>>::Unaligned;
  if constexpr (std::is_same_v<Element<V>, To>)
    *reinterpret_cast<Unaligned*>(to) = value;
  else
    *reinterpret_cast<Unaligned*>(to) = __builtin_convertvector(value, Vector<To, lanes_of<V>>);
}

// The first `count` lanes; the others become 0. Count: int64_t, or Constant where it is known.
template <class V, class Count>
inline V load_some(const Element<V>* from, Count count) {
  if constexpr (std::is_same_v<Count, Constant<lanes_of<V>>>) {
    return load<V>(from);
  } else {
    V value{};
    std::memcpy(&value, from, count * sizeof(Element<V>));
    return value;
  }
}

template <class V, class Count>
inline void store_some(Element<V>* to, const V& value, Count count) {
  if constexpr (std::is_same_v<Count, Constant<lanes_of<V>>>)
    store(to, value);
  else
    std::memcpy(to, &value, count * sizeof(Element<V>));
}

// 1 in the first `count` lanes, 0 in the others.
template <class V, class Count>
inline V ones(Count count) {
  V value{};
  for (int64_t l = 0; l < count; ++l) value[l] = Element<V>(1);
  return value;
}

// Calls body(i, count) for i = 0, lane_count<T>, 2 lane_count<T> ... below n, where `count` lanes
// hold something: lane_count<T> as a Constant, but the last time perhaps fewer.
template <class T, class Body>
inline void for_each_register(int64_t n, Body&& body) {
  int64_t i = 0;
  for (; i + lane_count<T> <= n; i += lane_count<T>) body(i, Constant<lane_count<T>>{});
  if (i < n) body(i, n - i);
}

// Whether some lane of a mask is set; whether all are.
template <class M>
inline bool any(const M& mask) {
  bool found = false;
  for (int l = 0; l < lanes_of<M>; ++l) found |= mask[l] != 0;
  return found;
}
template <class M>
inline bool all(const M& mask) {
  bool found = true;
  for (int l = 0; l < lanes_of<M>; ++l) found &= mask[l] != 0;
  return found;
}

// The lanes from first to last added up: always in this order.
inline double sum(const Simd<double>& x) {
  double total = 0.0;
  for (int l = 0; l < lane_count<double>; ++l) total += x[l];
  return total;
}

template <class V>
inline Element<V> least_lane(const V& x) {
  Element<V> least = x[0];
  for (int l = 1; l < lanes_of<V>; ++l) least = x[l] < least ? x[l] : least;
  return least;
}

// The lower and the upper half of the lanes, in double.
struct Halves {
  Simd<double> low, high;
};
inline Halves halves(const Simd<float>& x) {
  Vector<float, lane_count<double>> half[2];
  std::memcpy(half, &x, sizeof x);
  return {__builtin_convertvector(half[0], Simd<double>),
          __builtin_convertvector(half[1], Simd<double>)};
}

// For sums: the lanes in double; those of floats are added by twos, one of either half.
inline Simd<double> to_double(const Simd<float>& x) {
  const Halves wide = halves(x);
  return wide.low + wide.high;
}
inline Simd<double> to_double(const Simd<double>& x) { return x; }

// ---- Lanes in another order.

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

#endif

}  // namespace lesionkit
