// Samples as the passes of fuzzy c-means read them: a tile of 16 registers, feature by feature.
//
// Samples are multiplied by a power of two that puts the range of the data within 1, which is
// exact, so that float does not overflow in a square. A centre is high + low in T, so that
// differences of float samples from it are as good as if it were a double.
#pragma once

#include <algorithm>
#include <vector>

#include "clustering/fcm/fcm.hpp"
#include "common/simd.hpp"

namespace lesionkit::clustering::fuzzy {

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
  Simd<T> from(const Simd<T>& x, int64_t at) const {
    if constexpr (sizeof(T) == sizeof(double)) return x - high[at];
    return (x - high[at]) - low[at];
  }
};

template <class In, class T>
struct Tile {
  static constexpr int registers = 16;
  static constexpr int64_t capacity = registers * lane_count<T>;

  explicit Tile(int64_t d) : x(d * registers) {}

  // Reads samples [first, first + count), count <= capacity; those past the last repeat it, and
  // weigh nothing. `used` is how many registers hold any, `weighted` whether weights are to be
  // used.
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
    used = static_cast<int>((count + lane_count<T> - 1) / lane_count<T>);
    const int64_t filled = int64_t{used} * lane_count<T>;
    for (int64_t k = 0; k < s.d; ++k)
      std::fill(to + k * capacity + count, to + k * capacity + filled,
                to[k * capacity + count - 1]);
    weighted = s.weight || count < filled;
    if (!weighted) return;
    T* w = reinterpret_cast<T*>(weight);
    for (int64_t i = 0; i < count; ++i)
      w[i] = s.weight ? static_cast<T>(s.weight[first + i] * s.weight_scale) : T(1);
    std::fill(w + count, w + filled, T(0));
  }

  std::vector<Simd<T>> x;  // [d][registers]
  Simd<T> weight[registers];
  int used = 0;
  bool weighted = false;

 private:
  template <class Features>
  static void transpose(const In* from, T* to, int64_t count, Features d, T scale) {
    for (int64_t i = 0; i < count; ++i)
      for (int k = 0; k < d; ++k) to[k * capacity + i] = static_cast<T>(from[i * d + k]) * scale;
  }
};

// Above this power of a ratio float keeps too few digits of it.
inline constexpr double MAX_POWER_IN_FLOAT = 8.0;

// Squared distances of a tile's samples to all centres, [registers][c].
template <class In, class T, class Features>
void distances_of(const Tile<In, T>& tile, const Centres<T>& centres, int64_t c, Features d,
                  Simd<T>* to) {
  for (int r = 0; r < tile.used; ++r)
    for (int64_t j = 0; j < c; ++j) {
      Simd<T> sum{};
      for (int k = 0; k < d; ++k) {
        const Simd<T> t = centres.from(tile.x[k * tile.registers + r], k * c + j);
        sum += t * t;
      }
      to[r * c + j] = sum;
    }
}

template <class In, class T>
void tile_distances(const Tile<In, T>& tile, const Centres<T>& centres, int64_t c, int64_t d,
                    Simd<T>* to) {
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
