// Powers of numbers in (0, 1], for memberships: log2 and exp2 without a branch or a table, so that
// a register of numbers goes as one does. T is float, double, or a vector of them (GCC's
// vector_size).
//
// log2: the series of artanh about the nearest power of two, where |(a - 1) / (a + 1)| <= 0.172.
// exp2: the series of exp about the nearest integer, |x ln 2| <= 0.347. Both are good to a few ulp.
#pragma once

#include "common/simd.hpp"

namespace lesionkit::clustering {

template <class T>
inline constexpr bool is_double = sizeof(Element<T>) == 8;

// The bits of T as integers.
template <class T>
struct BitsOf {
  using type = decltype(T{} < T{});  // of vectors: integers of the same size
};
template <>
struct BitsOf<float> {
  using type = int32_t;
};
template <>
struct BitsOf<double> {
  using type = int64_t;
};

template <class T, bool of_double = is_double<T>>
struct Layout {
  using Bits = typename BitsOf<T>::type;
  using Integer = int32_t;
  static constexpr int mantissa = 23;
  static constexpr int32_t root_half = 0x3f3504f3;  // the bits of sqrt(1/2)
  static constexpr float min_normal = 0x1p-126f;    // normal number
  static constexpr float rounder =
      0x1.8p23f;  // x + rounder has the nearest integer in its low bits
};
template <class T>
struct Layout<T, true> {
  using Bits = typename BitsOf<T>::type;
  using Integer = int64_t;
  static constexpr int mantissa = 52;
  static constexpr int64_t root_half = 0x3fe6a09e667f3bcc;
  static constexpr double min_normal = 0x1p-1022;
  static constexpr double rounder = 0x1.8p52;
};

// log2(x) of a normal x > 0; relatively accurate near 1 too.
template <class T>
HD T log2_of(T x) {
  using L = Layout<T>;
  using R = Element<T>;
  using Bits = typename L::Bits;
  constexpr auto fraction = (static_cast<typename L::Integer>(1) << L::mantissa) - 1;
  const Bits shifted = bits_as<Bits>(x) - L::root_half;
  const T a = bits_as<T>((shifted & fraction) + L::root_half);  // from sqrt(1/2) to sqrt(2)
  const Bits exponent = (shifted >> L::mantissa) + bits_as<typename L::Integer>(L::rounder);
  const T s = (a - R(1)) / (a + R(1)), z = s * s;
  T sum;  // of z^k / (2 k + 1), times 2 / ln 2
  if constexpr (is_double<T>) {
    sum = broadcast<T>(R(0.1373995277037108007));
    sum = sum * z + R(0.15186263588304877972);
    sum = sum * z + R(0.16972882833987804792);
    sum = sum * z + R(0.19235933878519512098);
    sum = sum * z + R(0.22195308321368667806);
    sum = sum * z + R(0.26230818925253880134);
  } else {
    sum = broadcast<T>(R(0.26230818925253880134));
  }
  sum = sum * z + R(0.32059889797532520164);
  sum = sum * z + R(0.4121985831111324021);
  sum = sum * z + R(0.57707801635558536294);
  sum = sum * z + R(0.96179669392597560491);
  sum = sum * z + R(2.8853900817779268147);
  return s * sum + (bits_as<T>(exponent) - L::rounder);
}

// 2^x for x <= 0; for all that is smaller than 2^-126 (double: 2^-1022) that.
template <class T>
HD T exp2_of(T x) {
  using L = Layout<T>;
  using R = Element<T>;
  using Bits = typename L::Bits;
  const T lowest = broadcast<T>(is_double<T> ? R(-1022) : R(-126));
  x = x < lowest ? lowest : x;
  const T shifted = x + L::rounder, t = x - (shifted - L::rounder);
  T sum;  // of (t ln 2)^k / k!
  if constexpr (is_double<T>) {
    sum = broadcast<T>(R(1.3691488853904128881e-12));
    sum = sum * t + R(2.5678435993488205142e-11);
    sum = sum * t + R(4.4455382718708114976e-10);
    sum = sum * t + R(7.0549116208011233299e-9);
    sum = sum * t + R(1.0178086009239699728e-7);
    sum = sum * t + R(1.3215486790144309488e-6);
    sum = sum * t + R(1.5252733804059840280e-5);
  } else {
    sum = broadcast<T>(R(1.5252733804059840280e-5));
  }
  sum = sum * t + R(1.5403530393381609954e-4);
  sum = sum * t + R(1.3333558146428443423e-3);
  sum = sum * t + R(9.6181291076284771620e-3);
  sum = sum * t + R(5.5504108664821579953e-2);
  sum = sum * t + R(0.24022650695910071233);
  sum = sum * t + R(0.69314718055994530942);
  sum = sum * t + R(1);
  const Bits power = bits_as<Bits>(shifted) - bits_as<typename L::Integer>(L::rounder);
  return bits_as<T>(bits_as<Bits>(sum) + (power << L::mantissa));
}

}  // namespace lesionkit::clustering
