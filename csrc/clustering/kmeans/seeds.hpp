// The greedy k-means++ of Arthur and Vassilvitskii (SODA 2007): a sample becomes the next centre
// with a probability in proportion to w d^2, d being its distance from the nearest centre so far;
// of a few that are drawn so, the one that leaves the least sum of w d^2 is taken.
#pragma once

#include <cmath>
#include <numeric>

#include "clustering/kmeans/block.hpp"
#include "clustering/kmeans/samples.hpp"
#include "common/parallel.hpp"

namespace lesionkit::clustering {

// Draws a place with a probability in proportion to a value, whose sums over chunks are known.
struct Law {
  int64_t n, grain;
  std::vector<double> chunk;

  Law(int64_t count, int64_t chunk_of)
      : n(count), grain(chunk_of), chunk((n + grain - 1) / grain) {}

  double total() const { return std::accumulate(chunk.begin(), chunk.end(), 0.0); }

  template <class Value>  // value(i) >= 0
  int64_t draw(double uniform, Value&& value) const {
    double rest = uniform * total();
    int64_t found = 0;
    for (int64_t c = 0; c < static_cast<int64_t>(chunk.size()); ++c) {
      if (!(chunk[c] > 0.0)) continue;
      found = c;
      if (rest < chunk[c]) break;
      rest -= chunk[c];
    }
    int64_t last = found * grain;  // with a value: where rounding leads past all of them
    for (int64_t i = last; i < std::min(n, (found + 1) * grain); ++i) {
      const double here = value(i);
      if (!(here > 0.0)) continue;
      last = i;
      if (rest < here) break;
      rest -= here;
    }
    return last;
  }
};

template <class X>
class Seeding {
 public:
  // `distance`: room for n numbers
  Seeding(const Samples<X>& samples, float* distance)
      : s_(samples),
        law_(s_.n, chunk_size(s_.n, int64_t{1} << 18, s_.d + 1, 1)),
        weight_law_(law_),
        distance_(distance),
        origin_(s_.d) {
    if (!s_.w) {
      for (int64_t c = 0; c * law_.grain < s_.n; ++c)
        weight_law_.chunk[c] = static_cast<double>(std::min(law_.grain, s_.n - c * law_.grain));
      return;
    }
    parallel_for(s_.n, law_.grain, [&](int64_t begin, int64_t end) {
      weight_law_.chunk[begin / law_.grain] = std::accumulate(s_.w + begin, s_.w + end, 0.0);
    });
  }

  // The places of k centres, from 1 + (k - 1) trials numbers in [0, 1); none if the samples are not
  // finite, or their distances are not.
  std::vector<int64_t> operator()(int64_t k, int64_t trials, const double* uniform) {
    std::vector<int64_t> seeds = {draw_by_weight(*uniform++)};
    std::copy_n(s_.x + seeds[0] * s_.d, s_.d, origin_.begin());
    if (!known()) return {};
    std::vector<int64_t> drawn(trials);
    for (int64_t j = 1; j < k; ++j) {
      take(seeds.back(), j == 1);
      const bool apart = law_.total() > 0.0;  // else all samples are centres already
      for (int64_t& place : drawn) {
        place = apart ? law_.draw(*uniform, [&](int64_t i) { return s_.weight(i) * distance_[i]; })
                      : draw_by_weight(*uniform);
        ++uniform;
      }
      seeds.push_back(best_of(drawn));
    }
    return seeds;
  }

 private:
  int64_t draw_by_weight(double uniform) const {
    if (!s_.w) return std::min(s_.n - 1, static_cast<int64_t>(uniform * static_cast<double>(s_.n)));
    return weight_law_.draw(uniform, [&](int64_t i) { return s_.w[i]; });
  }

  // Whether the samples are finite. Chooses the scale at which their squares are floats.
  bool known() {
    std::vector<double> reach(law_.chunk.size());
    parallel_for(s_.n, law_.grain, [&](int64_t begin, int64_t end) {
      double far = 0.0, nothing = 0.0;
      for (int64_t i = begin; i < end; ++i)
        for (int64_t e = 0; e < s_.d; ++e) {
          const double step = static_cast<double>(s_.x[i * s_.d + e]) - origin_[e];
          far = std::max(far, std::fabs(step));
          nothing += step - step;  // NaN for what is not finite
        }
      reach[begin / law_.grain] = far + nothing;
    });
    double far = 0.0;
    for (double r : reach) {
      if (!std::isfinite(r)) return false;
      far = std::max(far, r);
    }
    scale_ = scale_for(far, s_.x);
    return true;
  }

  // Calls use(squares, samples, first sample) for the squared distances of each block from sample
  // `from`; the sums of what it returns, by chunk.
  template <class Use>
  void each_distance(const int64_t* from, int64_t count, std::vector<double>& sums, Use&& use) {
    constexpr int64_t size = 256;
    sums.assign(law_.chunk.size() * count, 0.0);
    struct State {
      std::vector<float> spread, squares, centres;
    };
    const auto make = [&] {
      State state = {std::vector<float>(size * s_.d), std::vector<float>(size), {}};
      state.centres.resize(count * s_.d);
      for (int64_t c = 0; c < count; ++c)
        spread(s_.x + from[c] * s_.d, 1, s_.d, s_.d, origin_.data(), scale_,
               state.centres.data() + c * s_.d, 1);
      return state;
    };
    parallel_for_with(s_.n, law_.grain, make, [&](State& state, int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i += size) {
        const int64_t n = std::min(size, end - i);
        spread(s_.x + i * s_.d, n, s_.d, (s_.n - i) * s_.d, origin_.data(), scale_,
               state.spread.data(), size);
        for (int64_t c = 0; c < count; ++c) {
          float* squares = state.squares.data();
          std::fill_n(squares, size, 0.0f);
          for (int64_t e = 0; e < s_.d; ++e) {
            const float centre = state.centres[c * s_.d + e];
            const float* x = state.spread.data() + e * size;
            for (int64_t r = 0; r < size; ++r) squares[r] += (x[r] - centre) * (x[r] - centre);
          }
          sums[begin / law_.grain * count + c] += use(squares, n, i);
        }
      }
    });
  }

  // The sum of w y over a block, in several lanes.
  double weighted(const float* y, int64_t n, int64_t first) const {
    using V = Simd<double>;
    V lanes = {};
    const int64_t whole = n - n % lane_count<double>;
    if (s_.w)
      for (int64_t i = 0; i < whole; i += lane_count<double>)
        lanes += load<V>(s_.w + first + i) * load<V>(y + i);
    else
      for (int64_t i = 0; i < whole; i += lane_count<double>) lanes += load<V>(y + i);
    double total = sum(lanes);
    for (int64_t i = whole; i < n; ++i) total += s_.weight(first + i) * y[i];
    return total;
  }

  void take(int64_t seed, bool first) {
    each_distance(&seed, 1, law_.chunk, [&](float* squares, int64_t n, int64_t i) {
      float* distance = distance_ + i;
      for (int64_t r = 0; r < n; ++r)
        distance[r] = !first && distance[r] < squares[r] ? distance[r] : squares[r];
      return weighted(distance, n, i);
    });
  }

  int64_t best_of(const std::vector<int64_t>& drawn) {
    const int64_t count = static_cast<int64_t>(drawn.size());
    std::vector<double> sums, left(count);
    each_distance(drawn.data(), count, sums, [&](float* squares, int64_t n, int64_t i) {
      const float* distance = distance_ + i;
      for (int64_t r = 0; r < n; ++r)
        squares[r] = distance[r] < squares[r] ? distance[r] : squares[r];
      return weighted(squares, n, i);
    });
    for (size_t i = 0; i < sums.size(); ++i) left[i % count] += sums[i];
    return drawn[std::min_element(left.begin(), left.end()) - left.begin()];
  }

  Samples<X> s_;
  Law law_, weight_law_;        // of w d^2 and of w
  float* distance_;             // squared, from the nearest centre
  std::vector<double> origin_;  // the first centre
  double scale_ = 1.0;
};

inline constexpr int64_t MAX_ORDERED_SAMPLES = 4096;

// As Seeding, but draws along the samples in ascending order, equal ones as one: what is drawn
// depends neither on the order of the samples nor on whether one is repeated or has a weight. For
// no more than MAX_ORDERED_SAMPLES samples.
template <class X>
std::vector<int64_t> seeds_in_order(const Samples<X>& s, int64_t k, int64_t trials,
                                    const double* uniform, float* distance) {
  std::vector<int64_t> order(s.n), first;
  std::iota(order.begin(), order.end(), 0);
  const auto row = [&](int64_t i) { return s.x + i * s.d; };
  for (int64_t i = 0; i < s.n * s.d; ++i)
    if (!std::isfinite(s.x[i])) return {};
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    const int less = std::lexicographical_compare(row(a), row(a) + s.d, row(b), row(b) + s.d);
    return less || (a < b && std::equal(row(a), row(a) + s.d, row(b)));
  });
  std::vector<X> x;
  std::vector<double> w;
  for (int64_t i : order) {
    if (s.weight(i) == 0.0) continue;
    if (!first.empty() && std::equal(row(i), row(i) + s.d, row(first.back()))) {
      w.back() += s.weight(i);
      continue;
    }
    first.push_back(i);
    x.insert(x.end(), row(i), row(i) + s.d);
    w.push_back(s.weight(i));
  }
  const Samples<X> distinct = {x.data(), w.data(), static_cast<int64_t>(w.size()), s.d};
  std::vector<int64_t> seeds = Seeding<X>(distinct, distance)(k, trials, uniform);
  for (int64_t& seed : seeds) seed = first[seed];
  return seeds;
}

}  // namespace lesionkit::clustering
