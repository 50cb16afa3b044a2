// k-means of any number of features and clusters.
//
// A label is a byte (four, for many clusters). Sums are not taken anew: a sample that changes its
// cluster takes its weight and its moment, in double, from one sum to the other.
#pragma once

#include <memory>

#include "clustering/kmeans/lloyd.hpp"
#include "clustering/kmeans/nearest.hpp"

namespace lesionkit::clustering {

// Sums of clusters in double: of each, d moments as seen from an origin, the weight, and how many
// samples have a weight. D: the number of features, or 0 for any.
template <class X, int D>
struct Moments {
  const Samples<X>& s;
  const double* origin;

  int64_t features() const { return D ? D : s.d; }
  int64_t width() const { return features() + 2; }

  // Adds sample i to a cluster's sums, or takes it away (sign -1).
  void add(int64_t i, double sign, double* sums) const {
    const int64_t d = features();
    const double w = sign * s.weight(i);
    const X* x = s.x + i * d;
    for (int64_t e = 0; e < d; ++e) sums[e] += w * (x[e] - origin[e]);
    sums[d] += w;
    sums[d + 1] += w != 0.0 ? sign : 0.0;
  }

  // Adds all samples from `begin` on, with n labels. Neighbours are often in one cluster: several
  // copies of the sums, of `size` numbers each, so that one addition need not wait for the last.
  template <class L>
  void enter(const L* labels, int64_t begin, int64_t n, double* copies, int64_t count,
             int64_t size) const {
    for (int64_t r = 0; r < n; ++r)
      add(begin + r, 1.0, copies + r % count * size + labels[r] * width());
  }

  // Moves the samples whose new labels are not the old, which become the new; whether there are
  // any.
  template <class L>
  bool move(const L* found, L* labels, int64_t begin, int64_t n, double* sums) const {
    constexpr int64_t group = 8 / sizeof(L);
    bool any = false;
    for (int64_t r = 0; r < n; r += group) {
      uint64_t was, is;
      if (r + group <= n) {  // most are as they were: several are looked at together
        std::memcpy(&was, labels + r, 8);
        std::memcpy(&is, found + r, 8);
        if (was == is) continue;
      }
      for (int64_t i = r; i < std::min(n, r + group); ++i) {
        if (labels[i] == found[i]) continue;
        add(begin + i, -1.0, sums + labels[i] * width());
        add(begin + i, 1.0, sums + found[i] * width());
        labels[i] = found[i];
        any = true;
      }
    }
    return any;
  }
};

// Calls f(the number of features, compiled in if they are few, else 0).
template <class F>
void with_features(int64_t d, F&& f) {
  switch (d) {
    case 2:
      return f(Constant<2>{});
    case 3:
      return f(Constant<3>{});
    case 4:
      return f(Constant<4>{});
    default:
      return f(Constant<0>{});
  }
}

// The passes over the samples; L: the type that holds a label.
template <class X, class L>
class SpaceKMeans {
 public:
  SpaceKMeans(const Samples<X>& samples, int64_t k)
      : s_(samples),
        k_(k),
        width_(s_.d + 2),
        size_(k * width_),
        copies_(size_ <= 1024 ? 4 : 1),
        grain_(chunk_size(s_.n, int64_t{1} << 23, k * (s_.d + 4), size_)),
        origin_(s_.x, s_.x + s_.d),
        sums_(size_),
        heaviest_(k) {}

  double variance() const { return mean_variance(s_); }

  void pass(const double* centres, Means& to) {
    const Panel panel(centres, k_, s_.d, s_.x);
    const bool first = !labels_;
    if (first) labels_ = std::make_unique_for_overwrite<L[]>(s_.n);
    struct State {
      BlockLabels<L> find;
      std::vector<double> copies;
    };
    const auto make = [&] {
      return State{BlockLabels<L>(panel), std::vector<double>(copies_ * size_)};
    };
    with_features(s_.d, [&](auto features) {
      const Moments<X, features> moments = {s_, origin_.data()};
      to.moved = sum_in_order(
          s_.n, grain_, sums_, make, [&](State& state, int64_t begin, int64_t end, double* sums) {
            bool moved = first;
            std::fill(state.copies.begin(), state.copies.end(), 0.0);
            each_block(state.find, begin, end, [&](const L* found, int64_t i, int64_t n) {
              L* labels = labels_.get() + i;
              if (first) {
                std::copy_n(found, n, labels);
                moments.enter(labels, i, n, state.copies.data(), copies_, size_);
              } else {
                moved |= moments.move(found, labels, i, n, sums);
              }
            });
            for (int64_t i = 0; first && i < copies_ * size_; ++i)
              sums[i % size_] += state.copies[i];
            return moved;
          });
    });
    if (lost_digits()) sum_again();
    to.finite = std::all_of(sums_.begin(), sums_.end(), [](double x) { return std::isfinite(x); });
    for (int64_t j = 0; j < k_; ++j) {
      const double* sums = sums_.data() + j * width_;
      to.weight[j] = sums[s_.d + 1] > 0.0 ? sums[s_.d] : 0.0;
      for (int64_t e = 0; e < s_.d && to.weight[j] > 0.0; ++e)
        to.mean[j * s_.d + e] = origin_[e] + sums[e] / to.weight[j];
    }
  }

  // Writes the labels for these centres.
  Fit label(const double* centres, int32_t* labels) const {
    const Panel panel(centres, k_, s_.d, s_.x);
    return reduce_in_order(
        s_.n, grain_, Fit(k_), [&] { return BlockLabels<int32_t>(panel); },
        [&](BlockLabels<int32_t>& find, int64_t begin, int64_t end, Fit& part) {
          std::vector<double> squares(s_.d);
          each_block(find, begin, end, [&](const int32_t* found, int64_t i, int64_t n) {
            std::copy_n(found, n, labels + i);
            for (int64_t r = 0; r < n; ++r) {
              const double w = s_.weight(i + r);
              const X* x = s_.x + (i + r) * s_.d;
              const double* c = centres + found[r] * s_.d;
              for (int64_t e = 0; e < s_.d; ++e) squares[e] += w * (x[e] - c[e]) * (x[e] - c[e]);
              ++part.counts[found[r]];
            }
          });
          part.inertia = std::accumulate(squares.begin(), squares.end(), 0.0);
        });
  }

 private:
  template <class Find, class Take>
  void each_block(Find& find, int64_t begin, int64_t end, Take&& take) const {
    for (int64_t i = begin; i < end; i += find.size()) {
      const int64_t n = std::min(find.size(), end - i);
      take(find(s_.x + i * s_.d, n, (s_.n - i) * s_.d), i, n);
    }
  }

  // A cluster that was far heavier has the rounding of what it was in its sums.
  bool lost_digits() {
    bool lost = false;
    for (int64_t j = 0; j < k_; ++j) {
      const double weight = sums_[j * width_ + s_.d];
      heaviest_[j] = std::max(heaviest_[j], weight);
      lost = lost || weight < 1e-3 * heaviest_[j];
    }
    return lost;
  }

  void sum_again() {
    std::fill(sums_.begin(), sums_.end(), 0.0);
    with_features(s_.d, [&](auto features) {
      const Moments<X, features> moments = {s_, origin_.data()};
      sum_in_order(s_.n, grain_, sums_, [&](int64_t begin, int64_t end, double* sums) {
        moments.enter(labels_.get() + begin, begin, end - begin, sums, 1, size_);
      });
    });
    for (int64_t j = 0; j < k_; ++j) heaviest_[j] = sums_[j * width_ + s_.d];
  }

  Samples<X> s_;
  int64_t k_, width_, size_, copies_, grain_;
  std::vector<double> origin_, sums_, heaviest_;
  std::unique_ptr<L[]> labels_;
};

}  // namespace lesionkit::clustering
