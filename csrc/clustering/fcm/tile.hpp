// Samples as the passes of fuzzy c-means read them: a tile of 16 registers, feature by feature.
//
// Samples are multiplied by a power of two that puts the range of the data within 1, which is
// exact, so that float does not overflow in a square. A centre is high + low in T, so that
// differences of float samples from it are as good as if it were a double.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "clustering/fcm/fcm.hpp"
#include "common/lanes.hpp"

namespace lesionkit::clustering::fuzzy {

template <class T>
struct RegisterOf {
  typedef T type __attribute__((vector_size(lane_count * sizeof(double))));
};
template <class T>
using Register = typename RegisterOf<T>::type;
template <class T>
inline constexpr int width = sizeof(Register<T>) / sizeof(T);

template <class T>
Register<T> load(const T* from) {
  Register<T> value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

// The doubles of a register of floats, in two halves: their sum.
inline Lanes widened(const Register<double>& value) { return value; }
inline Lanes widened(const Register<float>& value) {
  typedef float Half __attribute__((vector_size(sizeof(Lanes) / 2)));
  Half half[2];
  std::memcpy(half, &value, sizeof(value));
  return __builtin_convertvector(half[0], Lanes) + __builtin_convertvector(half[1], Lanes);
}

inline double total(const Lanes& value) {
  double sum = 0.0;
  for (int l = 0; l < lane_count; ++l) sum += value[l];
  return sum;
}

template <class V>
V smaller(const V& a, const V& b) {
  return a < b ? a : b;
}

template <class T>
bool all_above(const Register<T>& value, T limit) {
  bool all = true;
  for (int l = 0; l < width<T>; ++l) all &= value[l] > limit;
  return all;
}

// What every pass over the samples is given.
template <class In>
struct Samples {
  const In* x;           // [n][d]
  const double* weight;  // [n], or null: 1
  int64_t n, d;
  double scale;         // a power of two
  double weight_scale;  // what weights are multiplied by, so that the largest is about 1
};

// Centres [c][d] in units of 1 / scale, stored [d][c].
template <class T>
struct Centres {
  std::vector<T> high, low;

  template <class In>
  Centres(const Samples<In>& s, const double* centres, int64_t c) : high(s.d * c), low(s.d * c) {
    for (int64_t j = 0; j < c; ++j)
      for (int64_t k = 0; k < s.d; ++k) {
        const double value = centres[j * s.d + k] * s.scale;
        const T rounded = static_cast<T>(value);
        high[k * c + j] = rounded;
        low[k * c + j] = static_cast<T>(value - rounded);
      }
  }

  // x - centre
  Register<T> from(const Register<T>& x, int64_t at) const {
    if constexpr (sizeof(T) == sizeof(double)) return x - high[at];
    return (x - high[at]) - low[at];
  }
};

template <class In, class T>
struct Tile {
  static constexpr int registers = 16;
  static constexpr int64_t most = registers * width<T>;

  explicit Tile(int64_t d) : x(d * registers) {}

  // Reads samples [first, first + count), count <= most; those past the last repeat it, and weigh
  // nothing. `used` is how many registers hold any, `weighted` whether weights are to be used.
  void fill(const Samples<In>& s, int64_t first, int64_t count) {
    const In* from = s.x + first * s.d;
    T* to = reinterpret_cast<T*>(x.data());
    const T scale = static_cast<T>(s.scale);
    switch (s.d) {
      case 1:
        transpose(from, to, count, Constant<1>{}, scale);
        break;
      case 2:
        transpose(from, to, count, Constant<2>{}, scale);
        break;
      case 3:
        transpose(from, to, count, Constant<3>{}, scale);
        break;
      case 4:
        transpose(from, to, count, Constant<4>{}, scale);
        break;
      default:
        transpose(from, to, count, static_cast<int>(s.d), scale);
    }
    used = static_cast<int>((count + width<T> - 1) / width<T>);
    const int64_t filled = int64_t{used} * width<T>;
    for (int64_t k = 0; k < s.d; ++k)
      std::fill(to + k * most + count, to + k * most + filled, to[k * most + count - 1]);
    weighted = s.weight || count < filled;
    if (!weighted) return;
    T* w = reinterpret_cast<T*>(weight);
    for (int64_t i = 0; i < count; ++i)
      w[i] = s.weight ? static_cast<T>(s.weight[first + i] * s.weight_scale) : T(1);
    std::fill(w + count, w + filled, T(0));
  }

  std::vector<Register<T>> x;  // [d][registers]
  Register<T> weight[registers];
  int used = 0;
  bool weighted = false;

 private:
  template <class Features>
  static void transpose(const In* from, T* to, int64_t count, Features d, T scale) {
    for (int64_t i = 0; i < count; ++i)
      for (int k = 0; k < d; ++k) to[k * most + i] = static_cast<T>(from[i * d + k]) * scale;
  }
};

// Above this power of a ratio float keeps too few digits of it.
inline constexpr double most_power_in_float = 8.0;

// Squared distances of a tile's samples to all centres, [registers][c].
template <class In, class T, class Features>
void distances_of(const Tile<In, T>& tile, const Centres<T>& centres, int64_t c, Features d,
                  Register<T>* to) {
  for (int r = 0; r < tile.used; ++r)
    for (int64_t j = 0; j < c; ++j) {
      Register<T> sum{};
      for (int k = 0; k < d; ++k) {
        const Register<T> t = centres.from(tile.x[k * tile.registers + r], k * c + j);
        sum += t * t;
      }
      to[r * c + j] = sum;
    }
}

template <class In, class T>
void tile_distances(const Tile<In, T>& tile, const Centres<T>& centres, int64_t c, int64_t d,
                    Register<T>* to) {
  switch (d) {
    case 1:
      return distances_of(tile, centres, c, Constant<1>{}, to);
    case 2:
      return distances_of(tile, centres, c, Constant<2>{}, to);
    case 3:
      return distances_of(tile, centres, c, Constant<3>{}, to);
    case 4:
      return distances_of(tile, centres, c, Constant<4>{}, to);
    default:
      return distances_of(tile, centres, c, static_cast<int>(d), to);
  }
}

}  // namespace lesionkit::clustering::fuzzy
