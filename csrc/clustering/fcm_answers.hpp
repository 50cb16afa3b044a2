// What is asked of fitted centres: memberships, distances and labels of samples, written once.
#pragma once

#include <cmath>

#include "clustering/fcm_tile.hpp"
#include "common/parallel.hpp"

namespace lesionkit::clustering {

constexpr int64_t answers_grain = int64_t{1} << 15;  // samples

// Calls answer(tile, D [registers][c], first, count) for all tiles. False from it means that the
// numbers are too small for T: then once more in double.
template <class In, class Answer>
void for_each_tile(const Samples<In>& s, const double* centres, int64_t c, const Answer& answer) {
  parallel_for(s.n, answers_grain, [&](int64_t begin, int64_t end) {
    const auto run = [&]<class T>(T, int64_t from, int64_t to, const auto& otherwise) {
      const Centres<T> high_low(s, centres, c);
      Tile<In, T> tile(s.d);
      std::vector<Register<T>> distances(tile.registers * c);
      for (int64_t first = from; first < to; first += tile.most) {
        const int64_t count = std::min(to - first, tile.most);
        tile.fill(s, first, count);
        tile_distances(tile, high_low, c, s.d, distances.data());
        if (!answer(tile, distances.data(), first, count)) otherwise(first, first + count);
      }
    };
    const auto never = [](int64_t, int64_t) {};
    run(In{}, begin, end, [&](int64_t from, int64_t to) { run(double{}, from, to, never); });
  });
}

// The j-th of c planes that stand as [registers][c] goes to out[count], a number each `stride`.
template <class T, class Out>
void store(const Register<T>* planes, int64_t c, int64_t j, int64_t count, Out* out,
           int64_t stride) {
  const T* from = reinterpret_cast<const T*>(planes + j);
  for (int64_t i = 0; i < count; i += width<T>)
    for (int64_t l = 0; l < std::min<int64_t>(width<T>, count - i); ++l)
      out[(i + l) * stride] = static_cast<Out>(from[i * c + l]);
}

// out [n][c], or, of class `plane` >= 0 alone, [n].
template <class In>
void write_memberships(const Samples<In>& s, const double* centres, int64_t c, const Fuzziness& f,
                       int64_t plane, In* out) {
  for_each_tile(
      s, centres, c,
      [&]<class T>(const Tile<In, T>& tile, Register<T>* u, int64_t first, int64_t count) {
        const int classes = static_cast<int>(c);
        Register<T> least = all_of<Register<T>>(1);
        for (int r = 0; r < tile.used; ++r) least = smaller(least_of(u + r * c, classes), least);
        if (sizeof(T) < sizeof(double) &&
            !(all_above<T>(least, trusted<T>) && f.power <= most_power_in_float))
          return false;
        for (int r = 0; r < tile.used; ++r) memberships(u + r * c, classes, f, u + r * c);
        if (plane >= 0) {
          store<T>(u, c, plane, count, out + first, 1);
        } else {
          for (int64_t j = 0; j < c; ++j) store<T>(u, c, j, count, out + first * c + j, c);
        }
        return true;
      });
}

// out [n][c]
template <class In>
void write_distances(const Samples<In>& s, const double* centres, int64_t c, In* out) {
  const double scale = s.scale;
  for_each_tile(
      s, centres, c,
      [&]<class T>(const Tile<In, T>& tile, Register<T>* d, int64_t first, int64_t count) {
        T* all = reinterpret_cast<T*>(d);
        for (int64_t i = 0; i < tile.used * c * width<T>; ++i)
          all[i] = static_cast<T>(std::sqrt(all[i]) / static_cast<T>(scale));
        for (int64_t j = 0; j < c; ++j) store<T>(d, c, j, count, out + first * c + j, c);
        return true;
      });
}

// The nearest centre of each sample, the first of several that are equally near.
template <class In>
void write_labels(const Samples<In>& s, const double* centres, int64_t c, int32_t* out) {
  for_each_tile(
      s, centres, c,
      [&]<class T>(const Tile<In, T>& tile, const Register<T>* d, int64_t first, int64_t count) {
        for (int r = 0; r < tile.used; ++r) {
          Register<T> least = d[r * c], label{};
          for (int64_t j = 1; j < c; ++j) {
            const auto nearer = d[r * c + j] < least;
            label = nearer ? all_of<Register<T>>(static_cast<T>(j)) : label;
            least = nearer ? d[r * c + j] : least;
          }
          const int64_t at = int64_t{r} * width<T>;
          store<T>(&label, 1, 0, std::min<int64_t>(width<T>, count - at), out + first + at, 1);
        }
        return true;
      });
}

// The same of one channel, exactly: labels change at points, which are compared in double or with
// the greatest T that is not above.
template <class In>
void write_labels_of_line(const In* x, int64_t n, const double* centres, int64_t c, int32_t* out) {
  // Centres in ascending order, of equal ones only the first.
  std::vector<int32_t> order(c);
  for (int64_t j = 0; j < c; ++j) order[j] = static_cast<int32_t>(j);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return centres[a] < centres[b]; });
  order.erase(std::unique(order.begin(), order.end(),
                          [&](int32_t a, int32_t b) { return centres[a] == centres[b]; }),
              order.end());
  const size_t steps = order.size() - 1;
  std::vector<In> last(steps);  // with the label below
  std::vector<int32_t> rise(steps);
  for (size_t k = 0; k < steps; ++k) {
    const double middle = centres[order[k]] / 2 + centres[order[k + 1]] / 2;
    rise[k] = order[k + 1] - order[k];
    last[k] = static_cast<In>(middle);  // rounded
    const bool here = rise[k] > 0 ? last[k] <= middle : last[k] < middle;
    if (!here) last[k] = std::nextafter(last[k], -std::numeric_limits<In>::infinity());
  }
  parallel_for(n, answers_grain, [&](int64_t begin, int64_t end) {
    constexpr int64_t block = 256;
    int32_t label[block];
    for (int64_t first = begin; first < end; first += block) {
      const int64_t count = std::min(end - first, block);
      std::fill_n(label, count, order[0]);
      for (size_t k = 0; k < steps; ++k) {
        const In at = last[k];
        const int32_t step = rise[k];
        for (int64_t i = 0; i < count; ++i) label[i] += x[first + i] > at ? step : 0;
      }
      std::copy_n(label, count, out + first);
    }
  });
}

}  // namespace lesionkit::clustering
