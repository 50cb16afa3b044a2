// The nearest centres of samples of any number of features.
//
// A block of samples is spread out so that a register holds one feature of several samples, and
// scores |c|^2 - 2 x c, which order the centres as the distances do, are computed in float. A
// sample whose two best scores are closer than their rounding can be is decided in double: labels
// are those of double arithmetic, at the speed of float.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "clustering/kmeans/block.hpp"
#include "clustering/kmeans/kmeans.hpp"
#include "clustering/kmeans/samples.hpp"

namespace lesionkit::clustering {

inline constexpr int centres_at_once = 4;
inline constexpr int registers_at_once = lane_count<double> == 8 ? 4 : 2;

// The centres as the loops below read them.
struct Panel {
  int64_t k, d, tiles;
  std::vector<double> offset, exact;  // d; [feature][centre, to a whole number of registers]
  int64_t row;                        // of `exact`
  std::vector<float> tile;            // [tile][feature and, last, |c|^2][centre]
  double scale;
  float slack, base;  // a gap above slack |x|^2 + base is sure

  // Of centres (k x d), for samples of type X.
  template <class X>
  Panel(const double* centres, int64_t clusters, int64_t features, const X* samples)
      : k(clusters), d(features) {
    constexpr int J = centres_at_once;
    tiles = (k + J - 1) / J;
    row = (k + lane_count<double> - 1) / lane_count<double> * lane_count<double>;
    offset.resize(d);
    exact.assign(d * row, 0.0);
    double far = 0.0;
    for (int64_t e = 0; e < d; ++e) {
      for (int64_t j = 0; j < k; ++j) offset[e] += centres[j * d + e] / static_cast<double>(k);
      offset[e] = static_cast<double>(static_cast<X>(offset[e]));
      for (int64_t j = 0; j < k; ++j) {
        exact[e * row + j] = centres[j * d + e];
        far = std::max(far, std::fabs(centres[j * d + e] - offset[e]));
      }
    }
    scale = scale_for(far, samples);
    tile.assign(tiles * (d + 1) * J, 0.0f);
    double longest = 0.0;
    for (int64_t j = 0; j < tiles * J; ++j) {
      float* column = tile.data() + j / J * (d + 1) * J + j % J;
      if (j >= k) {
        column[d * J] = std::numeric_limits<float>::infinity();
        continue;
      }
      double squares = 0.0;
      for (int64_t e = 0; e < d; ++e) {
        const double c = (centres[j * d + e] - offset[e]) * scale;
        column[e * J] = static_cast<float>(-2.0 * c);
        squares += c * c;
      }
      column[d * J] = static_cast<float>(squares);
      longest = std::max(longest, squares);
    }
    // A score is off by at most (d + 2) 2^-24 (|c|^2 + 2 |x||c|): d fused steps, and the rounding
    // of x, c and |c|^2; and 2 |x||c| <= |x|^2 + |c|^2. A gap is off by twice as much.
    slack = static_cast<float>(2.1 * static_cast<double>(d + 2) * 0x1p-24);
    base = static_cast<float>(2.0 * longest) * slack + 1e-30f;
  }

  // The squared distances from all centres, in double; `to` has `row` numbers.
  template <class X>
  void squares(const X* x, double* to) const {
    std::fill_n(to, row, 0.0);
    for (int64_t e = 0; e < d; ++e) {
      const double here = x[e];
      const double* c = exact.data() + e * row;
      for (int64_t j = 0; j < row; ++j) to[j] += (here - c[j]) * (here - c[j]);
    }
  }

  template <class X>
  int32_t nearest(const X* x, double* work) const {
    squares(x, work);
    int32_t best = 0;
    for (int64_t j = 1; j < k; ++j)
      if (work[j] < work[best]) best = static_cast<int32_t>(j);
    return best;
  }
};

// Finds the clusters of a block of samples, as numbers of type L; one for each thread.
template <class L>
class BlockLabels {
 public:
  explicit BlockLabels(const Panel& panel)
      : p_(panel),
        size_(panel.d <= 32 ? 256 : 64),
        spread_(size_ * panel.d),
        exact_(panel.row),
        labels_(size_),
        doubtful_(size_) {}

  int64_t size() const { return size_; }

  // Of n <= size() samples from x on; `readable` numbers may be read.
  template <class X>
  const L* operator()(const X* x, int64_t n, int64_t readable) {
    if (p_.k == 1) return labels_.data();
    spread(x, n, p_.d, readable, p_.offset.data(), p_.scale, spread_.data(), size_);
    constexpr int step = registers_at_once * lane_count<float>;
    const int64_t ahead = size_ * p_.d, line = 64 / sizeof(X);
    bool any = false;
    for (int64_t i = 0; i < n; i += step) {
      for (int64_t o = ahead + i * p_.d; o < std::min(readable, ahead + (i + step) * p_.d);
           o += line)
        __builtin_prefetch(x + o);  // for the next block
      any |= few(i);
    }
    if (any)
      for (int64_t i = 0; i < n; ++i)
        if (doubtful_[i]) labels_[i] = static_cast<L>(p_.nearest(x + i * p_.d, exact_.data()));
    return labels_.data();
  }

 private:
  bool few(int64_t i) {
    switch (p_.d) {
      case 1:
        return few_of<1>(i);
      case 2:
        return few_of<2>(i);
      case 3:
        return few_of<3>(i);
      case 4:
        return few_of<4>(i);
      default:
        return few_of<0>(i);
    }
  }

  // D: the number of features, or 0 for any. True if one of these is doubtful.
  template <int D>
  bool few_of(int64_t i) {
    using V = Simd<float>;
    constexpr int R = registers_at_once, J = centres_at_once, W = lane_count<float>;
    const int64_t d = D ? D : p_.d;
    const float* x = spread_.data() + i;
    V best[R], second[R];
    Mask<V> label[R] = {}, number = {};
    for (int v = 0; v < R; ++v)
      best[v] = second[v] = broadcast<V>(std::numeric_limits<float>::infinity());
    const float* tile = p_.tile.data();
    for (int64_t t = 0; t < p_.tiles; ++t, tile += (d + 1) * J) {
      V score[J][R];
#pragma GCC unroll 8
      for (int j = 0; j < J; ++j)
#pragma GCC unroll 8
        for (int v = 0; v < R; ++v) score[j][v] = broadcast<V>(tile[d * J + j]);
#pragma GCC unroll 4
      for (int64_t e = 0; e < d; ++e) {
        V here[R];
#pragma GCC unroll 8
        for (int v = 0; v < R; ++v) here[v] = load<V>(x + e * size_ + v * W);
#pragma GCC unroll 8
        for (int j = 0; j < J; ++j) {
          const V c = broadcast<V>(tile[e * J + j]);
#pragma GCC unroll 8
          for (int v = 0; v < R; ++v) score[j][v] += here[v] * c;
        }
      }
#pragma GCC unroll 8
      for (int j = 0; j < J; ++j) {
#pragma GCC unroll 8
        for (int v = 0; v < R; ++v) {
          const V s = score[j][v];
          const Mask<V> less = s < best[v];
          const V worse = less ? best[v] : s;
          second[v] = worse < second[v] ? worse : second[v];
          best[v] = less ? s : best[v];
          label[v] = less ? number : label[v];
        }
        number += 1;
      }
    }
    Mask<V> doubts = {};
#pragma GCC unroll 8
    for (int v = 0; v < R; ++v) {
      V squares = {};
      for (int64_t e = 0; e < d; ++e) {
        const V here = load<V>(x + e * size_ + v * W);
        squares += here * here;
      }
      const Mask<V> sure = second[v] - best[v] > squares * p_.slack + p_.base;
      const Mask<V> doubt = ~sure;
      doubts |= doubt;
      store(labels_.data() + i + v * W, label[v]);
      store(doubtful_.data() + i + v * W, doubt);
    }
    return any(doubts);
  }

  const Panel& p_;
  int64_t size_;
  std::vector<float> spread_;
  std::vector<double> exact_;
  std::vector<L> labels_;
  std::vector<int32_t> doubtful_;
};

}  // namespace lesionkit::clustering
