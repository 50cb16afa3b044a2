// What is asked of fitted centres: memberships, distances and labels of samples, written once.
#pragma once

#include <cmath>
#include <numeric>
#include <type_traits>

#include "clustering/fcm/tile.hpp"
#include "common/parallel.hpp"
#include "common/simd.hpp"

namespace lesionkit::clustering::fuzzy {

constexpr int64_t answers_grain = int64_t{1} << 16;  // samples

// Squares are of differences in units of the centres' own spread: far samples, and such as lie on a
// centre, may leave the range of float and are then taken in double. What leaves the range of
// double is so far away that all centres are equally far.
template <class T>
bool within_range(const Simd<T>* distances, int64_t count) {
  Simd<T> least = distances[0], most = distances[0];
  for (int64_t i = 1; i < count; ++i) {
    least = min(distances[i], least);
    most = max(distances[i], most);
  }
  return all(least > trusted<T>) && all(most < 1 / trusted<T>);
}

// Calls answer(tile, D [registers][c], first, count) for all tiles.
template <class In, class Answer>
void for_each_tile(const Samples<In>& s, const double* centres, int64_t c, bool in_double,
                   const Answer& answer) {
  parallel_for(s.n, answers_grain, [&](int64_t begin, int64_t end) {
    const auto run = [&]<class T>(T, int64_t from, int64_t to, const auto& otherwise) {
      const Centres<T> high_low(s, centres, c);
      Tile<In, T> tile(s.d);
      std::vector<Simd<T>> distances(tile.registers * c);
      for (int64_t first = from; first < to; first += tile.capacity) {
        const int64_t count = std::min(to - first, tile.capacity);
        tile.fill(s, first, count);
        tile_distances(tile, high_low, c, s.d, distances.data());
        if (sizeof(T) < sizeof(double) && !within_range<T>(distances.data(), tile.used * c))
          otherwise(first, first + count);
        else
          answer(tile, distances.data(), first, count);
      }
    };
    const auto again = [&](int64_t from, int64_t to) {
      run(double{}, from, to, [](int64_t, int64_t) {});
    };
    if (in_double)
      again(begin, end);
    else
      run(In{}, begin, end, again);
  });
}

// Where the number of sample i and class j goes: out[i sample + j plane].
struct Strides {
  int64_t sample, plane;
};

// The j-th of c planes that stand as [registers][c] goes to out[count], a number each `stride`.
template <class T, class Out>
void store_plane(const Simd<T>* planes, int64_t c, int64_t j, int64_t count, Out* out,
                 int64_t stride) {
  const T* from = reinterpret_cast<const T*>(planes + j);
  for (int64_t i = 0; i < count; i += lane_count<T>)
    for (int64_t l = 0; l < std::min<int64_t>(lane_count<T>, count - i); ++l)
      out[(i + l) * stride] = static_cast<Out>(from[i * c + l]);
}

// The lanes of a and b in turn: of their lower halves, or of the higher.
template <bool high, class V, int... l>
V in_turn(const V& a, const V& b, std::integer_sequence<int, l...>) {
  constexpr int w = sizeof...(l);
  return shuffle<((high ? w : 0) + l) / 2 + (l & 1) * w...>(a, b);
}

// Writes registers of c planes, a power of two, as their rows: the first lanes of all, the second
// lanes ...
template <int steps, class T, int... j>
void store_in_turn(const Simd<T> (&from)[sizeof...(j)], T* out,
                   std::integer_sequence<int, j...> planes) {
  constexpr int w = lane_count<T>, c = sizeof...(j);
  if constexpr (steps > 0) {
    constexpr std::make_integer_sequence<int, w> lanes;
    store_in_turn<steps - 1, T>({in_turn<(j & 1) != 0>(from[j / 2], from[j / 2 + c / 2], lanes)...},
                                out, planes);
  } else {
    (store(out + j * w, from[j]), ...);
  }
}

// All c planes to the rows out[count][c]. Where a row fills registers, g++ gathers its numbers one
// at a time, which takes several times as long as to shuffle them.
template <int c, class T, class Out>
void store_rows(const Simd<T>* planes, int64_t count, Out* out) {
  constexpr int w = lane_count<T>;
  const auto row = [&](int64_t l) {
    const T* from = reinterpret_cast<const T*>(planes);
    for (int j = 0; j < c; ++j) out[l * c + j] = static_cast<Out>(from[j * w + l]);
  };
  constexpr bool shuffles = std::is_same_v<T, Out> && w >= 4;
  for (; count >= w; count -= w, planes += c, out += c * w)
    if constexpr (shuffles && c == 4)
      store_in_turn<2, T>({planes[0], planes[1], planes[2], planes[3]}, out,
                          std::make_integer_sequence<int, 4>{});
    else if constexpr (shuffles && c == 8)
      store_in_turn<3, T>(
          {planes[0], planes[1], planes[2], planes[3], planes[4], planes[5], planes[6], planes[7]},
          out, std::make_integer_sequence<int, 8>{});
    else
      for (int l = 0; l < w; ++l) row(l);
  for (int64_t l = 0; l < count; ++l) row(l);
}

// The memberships with m = 2 by products (fcm.hpp): one division a sample. D is [registers][c], and
// so is u; false where a product has left the range.
template <int c, class T>
bool by_products(const Simd<T>* distances, int registers, Simd<T>* u) {
  using V = Simd<T>;
  V least = broadcast<V>(1), most = broadcast<V>(1);
  for (int r = 0; r < registers; ++r) {
    V distance[c], g[c];
    std::copy_n(distances + r * c, c, distance);
    const V sum = products(distance, g), inverse = T(1) / sum;
    least = min(sum, least);
    most = max(sum, most);
    for (int j = 0; j < c; ++j) u[r * c + j] = g[j] * inverse;
  }
  return all(least > trusted<T>) && all(most < 1 / trusted<T>);
}

// Calls write(Constant<c>) for 2 to 8 classes; false for any other number.
template <class Write>
bool for_few(int64_t c, const Write& write) {
  switch (c) {
    case 2:
      return write(Constant<2>{}), true;
    case 3:
      return write(Constant<3>{}), true;
    case 4:
      return write(Constant<4>{}), true;
    case 5:
      return write(Constant<5>{}), true;
    case 6:
      return write(Constant<6>{}), true;
    case 7:
      return write(Constant<7>{}), true;
    case 8:
      return write(Constant<8>{}), true;
    default:
      return false;
  }
}

// Of class `only`, where that is not negative, out[n] alone.
template <class In>
void write_memberships(const Samples<In>& s, const double* centres, int64_t c, const Fuzziness& f,
                       int64_t only, Strides strides, In* out) {
  const int classes = static_cast<int>(c);
  const bool rows = only < 0 && strides.plane == 1;
  for_each_tile(
      s, centres, c, f.power > MAX_POWER_IN_FLOAT,
      [&]<class T>(const Tile<In, T>& tile, Simd<T>* distances, int64_t first, int64_t count) {
        Simd<T> few[Tile<In, T>::registers * 8];
        Simd<T>* u = distances;
        bool done = false;
        if (f.two)
          for_few(c, [&](auto k) {
            done = by_products<k, T>(distances, tile.used, few);
            if (done) u = few;
          });
        if (!done)
          for (int r = 0; r < tile.used; ++r) memberships(u + r * c, classes, f, u + r * c);
        In* to = out + first * strides.sample;
        if (rows && for_few(c, [&](auto k) { store_rows<k, T>(u, count, to); })) return;
        for (int64_t j = std::max<int64_t>(only, 0); j < (only < 0 ? c : only + 1); ++j)
          store_plane<T>(u, c, j, count, to + (only < 0 ? j * strides.plane : 0), strides.sample);
      });
}

template <class In>
void write_distances(const Samples<In>& s, const double* centres, int64_t c, Strides strides,
                     In* out) {
  for_each_tile(s, centres, c, false,
                [&]<class T>(const Tile<In, T>& tile, Simd<T>* d, int64_t first, int64_t count) {
                  T* all = reinterpret_cast<T*>(d);
                  for (int64_t i = 0; i < tile.used * c * lane_count<T>; ++i)
                    all[i] = std::sqrt(all[i]) / static_cast<T>(s.scale);
                  for (int64_t j = 0; j < c; ++j)
                    store_plane<T>(d, c, j, count, out + first * strides.sample + j * strides.plane,
                                   strides.sample);
                });
}

// The nearest centre of each sample, the first of several that are equally near.
template <class In>
void write_labels(const Samples<In>& s, const double* centres, int64_t c, int32_t* out) {
  for_each_tile(
      s, centres, c, false,
      [&]<class T>(const Tile<In, T>& tile, const Simd<T>* d, int64_t first, int64_t count) {
        Simd<T> label[Tile<In, T>::registers];
        for (int r = 0; r < tile.used; ++r) {
          Simd<T> least = d[r * c];
          label[r] = Simd<T>{};
          for (int64_t j = 1; j < c; ++j) {
            const auto nearer = d[r * c + j] < least;
            label[r] = nearer ? broadcast<Simd<T>>(static_cast<T>(j)) : label[r];
            least = nearer ? d[r * c + j] : least;
          }
        }
        store_plane<T>(label, 1, 0, count, out + first, 1);
      });
}

// out[i] += the changes of label, from order[k] to order[k + 1], that lie below x[i].
template <class In, class Number, int changes>
void add_changes(const In* x, int64_t count, const Number* last, const int32_t* order,
                 Constant<changes>, int32_t* out) {
  Number at[changes];
  int32_t step[changes];
  for (int k = 0; k < changes; ++k) {
    at[k] = last[k];
    step[k] = order[k + 1] - order[k];
  }
  for (int64_t i = 0; i < count; ++i) {
    int32_t label = out[i];
    for (int k = 0; k < changes; ++k) label += x[i] > at[k] ? step[k] : 0;
    out[i] = label;
  }
}

// The same of one channel, exactly: labels change at points halfway between two centres, and of
// these the greatest number of the samples' kind that has the lower label is looked for.
template <class In>
void write_labels_of_line(const In* x, int64_t n, const double* centres, int64_t c, int32_t* out) {
  using Number = std::conditional_t<std::is_integral_v<In>, int32_t, In>;
  // Centres in ascending order, of equal ones only the first.
  std::vector<int32_t> order(static_cast<size_t>(c));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return centres[a] < centres[b]; });
  order.erase(std::unique(order.begin(), order.end(),
                          [&](int32_t a, int32_t b) { return centres[a] == centres[b]; }),
              order.end());
  std::vector<Number> last(order.size() - 1);  // with the label below
  for (size_t k = 0; k < last.size(); ++k) {
    const double middle = centres[order[k]] / 2 + centres[order[k + 1]] / 2;
    const bool included = order[k] < order[k + 1];
    if constexpr (std::is_integral_v<In>) {
      const double floor = std::floor(std::clamp(middle, -1e9, 1e9));
      last[k] = static_cast<Number>(floor == middle && !included ? floor - 1 : floor);
    } else {
      last[k] = static_cast<Number>(middle);  // rounded
      if (included ? last[k] > middle : last[k] >= middle)
        last[k] = std::nextafter(last[k], -std::numeric_limits<Number>::infinity());
    }
  }
  parallel_for(n, int64_t{1} << 18, [&](int64_t begin, int64_t end) {
    // A few changes at a time, of as many samples as are still in the nearest cache.
    constexpr int64_t block = 1024;
    for (int64_t first = begin; first < end; first += block) {
      const int64_t count = std::min(end - first, block);
      std::fill_n(out + first, count, order[0]);
      size_t k = 0;
      for (; k + 3 <= last.size(); k += 3)
        add_changes(x + first, count, &last[k], &order[k], Constant<3>{}, out + first);
      for (; k < last.size(); ++k)
        add_changes(x + first, count, &last[k], &order[k], Constant<1>{}, out + first);
    }
  });
}

}  // namespace lesionkit::clustering::fuzzy
