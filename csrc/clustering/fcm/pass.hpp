// One pass of fuzzy c-means: from the centres, in one reading of the samples and without a matrix
// of memberships, the sums that give the next centres, and the objective.
//
// Fast: m = 2 and 2 to 8 centres. With g_j the product of the other distances, u_j = g_j / sum g:
// one division a sample. All distances are at most 1 (fcm/tile.hpp), so that products only shrink;
// where their sum is too small to be trusted, the tile is done again the other way.
// Careful: any m, any number of centres, by the ratios of fcm.hpp; in double it takes all there is.
#pragma once

#include "clustering/fcm/tile.hpp"

namespace lesionkit::clustering::fuzzy {

// What a pass adds up: for each centre its weight and its d moments; then the three below.
struct PassSums {
  PassSums(int64_t c, int64_t d) : stride(d + 1), sums(c * (d + 1) + 3) {}

  Simd<double>& weight(int64_t j) { return sums[j * stride]; }
  Simd<double>& moment(int64_t j, int64_t k) { return sums[j * stride + 1 + k]; }  // of x - centre
  Simd<double>& objective() { return sums[sums.size() - 3]; }
  Simd<double>& change() { return sums[sums.size() - 2]; }   // of (u - u_old)^2
  Simd<double>& lagging() { return sums[sums.size() - 1]; }  // of u_old^m D

  int64_t stride;
  std::vector<Simd<double>> sums;
};

template <class T>
struct PassTotals {  // of one tile, until they are widened
  Simd<T> objective{}, change{}, lagging{};

  void add_to(PassSums& sums) const {
    sums.objective() += to_double(objective);
    sums.change() += to_double(change);
    sums.lagging() += to_double(lagging);
  }
};

// Adds sum_i W_ij (x_i - v_j) for `c` centres from `first` on, W being [registers][all].
template <int c, class In, class T>
void add_moments(const Tile<In, T>& tile, const Centres<T>& centres, const Simd<T>* weights,
                 int64_t all, int64_t first, int64_t d, PassSums& sums) {
  using V = Simd<T>;
  for (int64_t k = 0; k < d; ++k) {
    V moment[c] = {};
    for (int r = 0; r < tile.used; ++r) {
      const V x = tile.x[k * tile.registers + r];
      for (int j = 0; j < c; ++j)
        moment[j] += weights[r * all + first + j] * centres.from(x, k * all + first + j);
    }
    for (int j = 0; j < c; ++j) sums.moment(first + j, k) += to_double(moment[j]);
  }
}

// The same for all c centres, and the sums of the weights.
template <class In, class T>
void add_moments(const Tile<In, T>& tile, const Centres<T>& centres, const Simd<T>* weights,
                 int64_t c, int64_t d, PassSums& sums) {
  for (int64_t j = 0; j < c; ++j) {
    Simd<T> weight{};
    for (int r = 0; r < tile.used; ++r) weight += weights[r * c + j];
    sums.weight(j) += to_double(weight);
  }
  int64_t j = 0;
  for (; j + 4 <= c; j += 4) add_moments<4>(tile, centres, weights, c, j, d, sums);
  for (; j < c; ++j) add_moments<1>(tile, centres, weights, c, j, d, sums);
}

template <class T, int c, bool pair>
class FastPass {
  using V = Simd<T>;

 public:
  using Input = T;

  FastPass(const Samples<T>& s, const double* centres, const double* old, int64_t, const Fuzziness&)
      : s_(s), centres_(s, centres, c), old_(s, pair ? old : centres, c), tile_(s.d) {}

  // Adds samples [first, first + count); false, and nothing added, where it cannot be trusted.
  bool add(int64_t first, int64_t count, PassSums& sums) {
    tile_.fill(s_, first, count);
    PassTotals<T> totals;
    V weight_of[c] = {}, least = broadcast<V>(1);
    for (int r = 0; r < tile_.used; ++r) {
      V distance[c], u[c];
      distances(centres_, r, distance);
      const V sum = products(distance, u), inverse = T(1) / sum;
      least = min(sum, least);
      for (int j = 0; j < c; ++j) u[j] *= inverse;
      const V sample = tile_.weighted ? tile_.weight[r] : broadcast<V>(1);
      totals.objective += sample * (distance[0] * u[0]);  // all u_j D_j are the same
      if constexpr (pair) {
        V before[c], u_old[c];
        distances(old_, r, before);
        const V sum_old = products(before, u_old), inverse_old = T(1) / sum_old;
        least = min(sum_old, least);
        for (int j = 0; j < c; ++j) {
          u_old[j] *= inverse_old;
          totals.change += sample * ((u[j] - u_old[j]) * (u[j] - u_old[j]));
          totals.lagging += sample * (u_old[j] * u_old[j] * distance[j]);
        }
      }
      for (int j = 0; j < c; ++j) {
        const V w = sample * (u[j] * u[j]);
        weight_of[j] += w;
        weights_[r * c + j] = w;
      }
    }
    if (!all(least > trusted<T>)) return false;
    totals.add_to(sums);
    for (int j = 0; j < c; ++j) sums.weight(j) += to_double(weight_of[j]);
    add_moments<c>(tile_, centres_, weights_, c, 0, s_.d, sums);
    return true;
  }

  static constexpr int64_t capacity = Tile<T, T>::capacity;

 private:
  void distances(const Centres<T>& centres, int r, V (&distance)[c]) const {
    for (int64_t k = 0; k < s_.d; ++k) {
      const V x = tile_.x[k * tile_.registers + r];
      for (int j = 0; j < c; ++j) {
        const V t = centres.from(x, k * c + j);
        distance[j] = k == 0 ? t * t : distance[j] + t * t;
      }
    }
  }

  const Samples<T>& s_;
  Centres<T> centres_, old_;
  Tile<T, T> tile_;
  V weights_[Tile<T, T>::registers * c];
};

template <class In, class T, bool pair>
class CarefulPass {
  using V = Simd<T>;

 public:
  using Input = In;

  CarefulPass(const Samples<In>& s, const double* centres, const double* old, int64_t c,
              const Fuzziness& f)
      : s_(s),
        centres_(s, centres, c),
        old_(s, pair ? old : centres, c),
        tile_(s.d),
        c_(c),
        f_(f),
        weights_(tile_.registers * c),
        before_(pair ? tile_.registers * c : 0),
        u_(c),
        u_old_(c) {}

  bool add(int64_t first, int64_t count, PassSums& sums) {
    tile_.fill(s_, first, count);
    const int c = static_cast<int>(c_);
    PassTotals<T> totals;
    V least = broadcast<V>(1);
    tile_distances(tile_, centres_, c_, s_.d, weights_.data());
    if constexpr (pair) tile_distances(tile_, old_, c_, s_.d, before_.data());
    for (int r = 0; r < tile_.used; ++r) {
      const V sample = tile_.weighted ? tile_.weight[r] : broadcast<V>(1);
      V* weights = weights_.data() + r * c;
      least = min(least_of(weights, c), least);
      if constexpr (pair) {
        V* before = before_.data() + r * c;
        least = min(least_of(before, c), least);
        memberships(weights, c, f_, u_.data());
        memberships(before, c, f_, u_old_.data());
        weights_of_centres(before, c, f_, before);
        for (int j = 0; j < c; ++j) {
          const V change = u_[j] - u_old_[j];
          totals.change += sample * (change * change);
          totals.lagging += sample * (before[j] * weights[j]);
        }
      }
      totals.objective += sample * weights_of_centres(weights, c, f_, weights);
      for (int j = 0; j < c; ++j) weights[j] *= sample;
    }
    if (sizeof(T) < sizeof(double) && !all(least > trusted<T>)) return false;
    totals.add_to(sums);
    add_moments(tile_, centres_, weights_.data(), c_, s_.d, sums);
    return true;
  }

  static constexpr int64_t capacity = Tile<In, T>::capacity;

 private:
  const Samples<In>& s_;
  Centres<T> centres_, old_;
  Tile<In, T> tile_;
  int64_t c_;
  Fuzziness f_;
  std::vector<V> weights_, before_;  // [registers][c], first the distances
  std::vector<V> u_, u_old_;
};

}  // namespace lesionkit::clustering::fuzzy
