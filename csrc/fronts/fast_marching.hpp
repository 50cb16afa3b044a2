// Fast marching from the zero level set of phi (Sethian, PNAS 93, 1996; SIAM Review 41, 1999).
//
// The tentative node of the least time becomes final, with all that have just this time; then the
// times of their neighbours are computed anew, from final ones only. At order 1 every axis with a
// final neighbour counts, as in scikit-fmm: this differs from the upwind rule only beside the
// front, where times are final from the start although a neighbour may be earlier. At order 2 an
// axis is left out where its neighbour would be later than the node (godunov.hpp). Across the front
// times count as negative: the second neighbour may lie there. Host only.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "fronts/godunov.hpp"
#include "fronts/ladder.hpp"
#include "fronts/zero_level.hpp"

namespace lesionkit::fronts {

inline constexpr int MOST_AXES = 12;

// AXES of 0: as many as there are.
template <int AXES, bool SECOND>
class March : ZeroLevel {
 public:
  explicit March(const MarchProblem& problem)
      : ZeroLevel(problem), count_(AXES ? AXES : frame_.axes()), queue_(guess_width()) {
    for (int d = 0; d < axes(); ++d) {
      weight_[d] = 1 / (p_.spacing[d] * p_.spacing[d]);
      step_[d] = frame_.step(d);
    }
  }

  // False, and no answer, if phi has no zero level set.
  bool run() {
    if (front_.empty()) return false;
    for (const uint32_t node : front_) spread(node);
    march();
    store();
    return true;
  }

 private:
  int axes() const { return AXES ? AXES : count_; }

  // Of a bucket: the front goes on by a node in about one step's time, and has at least as many
  // nodes as a face of the image.
  double guess_width() const {
    double speeds = 1, step = p_.spacing[0], face = static_cast<double>(frame_.pixels());
    if (p_.speed) {
      double sum = 0, count = 0;
      for (int64_t i = 0; i < frame_.pixels(); i += frame_.pixels() / 1024 + 1)
        if (!p_.closed || !p_.closed[i]) {
          sum += p_.speed[i];
          ++count;
        }
      if (count > 0) speeds = sum / count;
    }
    for (const double h : p_.spacing) step = std::min(step, h);
    face = std::pow(face, 1 - 1.0 / frame_.axes());
    return 4 * step / speeds / std::max(face, static_cast<double>(front_.size()));
  }

  void march() {
    std::vector<uint32_t> now;
    while (const Ladder::Entry* first = queue_.top()) {
      const double time = first->time;
      if (time > p_.narrow) break;
      now.clear();
      for (; first != nullptr && first->time == time; first = queue_.top()) {
        const uint32_t node = first->node;
        queue_.pop();
        if (keys_[node] != (TENTATIVE | std::bit_cast<uint64_t>(time))) continue;
        make_final(node, time);
        if (p_.carried) extend(node, carried(node));
        now.push_back(node);
      }
      for (const uint32_t node : now) spread(node);
    }
  }

  // A node has become final: those about it have new times.
  void spread(int64_t node) {
    const uint64_t key = keys_[node];
    for (int d = 0; d < axes(); ++d)
      for (const int64_t step : {-step_[d], step_[d]}) {
        const int64_t n = node + step;
        if (is_open(keys_[n])) {
          if (keys_[n + step] >= key) renew(n);  // else the other side counts, as before
        } else if (keys_[n] == GHOST) {
          renew(behind(n));
        } else if (SECOND && keys_[n] >= key && is_final(keys_[n])) {  // now a second neighbour
          if (is_open(keys_[n + step])) renew(n + step);
          if (keys_[n + step] == GHOST) renew(behind(n + step));
        }
      }
  }

  void renew(int64_t node) {
    const double slowness = p_.speed ? slowness_[node] : 1;
    const double time = SECOND ? second_order(node, slowness) : first_order(node, slowness);
    const uint64_t key = TENTATIVE | std::bit_cast<uint64_t>(time);
    if (key == keys_[node]) return;
    keys_[node] = key;
    queue_.push(time, static_cast<uint32_t>(node));
  }

  // sum of weight (T - at)^2 = slowness^2 over all axes with a final neighbour; where no T does,
  // the weighted mean of their times.
  double first_order(int64_t node, double slowness) const {
    double at[MOST_AXES], low = never;
    for (int d = 0; d < axes(); ++d) {
      at[d] = time_of(std::min(keys_[node - step_[d]], keys_[node + step_[d]]));
      low = std::min(low, at[d]);
    }
    double sum = 0, moment = 0, square = 0;
    for (int d = 0; d < axes(); ++d) {
      const bool counts = at[d] < never;
      const double w = counts ? weight_[d] : 0, e = counts ? at[d] - low : 0;
      sum += w;
      moment += w * e;
      square += w * e * e;
    }
    const double left = moment * moment - sum * (square - slowness * slowness);
    return low + (moment + std::sqrt(std::max(left, 0.0))) / sum;
  }

  double second_order(int64_t node, double slowness) const {
    const bool rim = kinds_[node] & RIM;
    double from[MOST_AXES], at[MOST_AXES], weight[MOST_AXES], low = never, high = 0;
    for (int d = 0; d < axes(); ++d) {
      const int64_t step = keys_[node - step_[d]] <= keys_[node + step_[d]] ? -step_[d] : step_[d];
      const double one = time_of(keys_[node + step]), two = second_time(node, step, rim);
      const bool second = two <= one && one < never;
      from[d] = one;
      at[d] = second ? one + (one - two) / 3 : one;
      weight[d] = second ? 2.25 * weight_[d] : weight_[d];
      low = std::min(low, at[d]);
      high = one < never ? std::max(high, one) : high;
    }
    double sum = 0, moment = 0, square = 0;
    for (int d = 0; d < axes(); ++d) {
      const bool counts = at[d] < never;
      const double w = counts ? weight[d] : 0, e = counts ? at[d] - low : 0;
      sum += w;
      moment += w * e;
      square += w * e * e;
    }
    const double left = moment * moment - sum * (square - slowness * slowness);
    const double time = low + (moment + std::sqrt(left)) / sum;
    if (time >= high) return time;  // not where it is NaN
    Slope<double> slopes[MOST_AXES];
    for (int d = 0; d < axes(); ++d)
      slopes[d] = {from[d], at[d], std::sqrt(weight[d]), 1, weight[d] > weight_[d]};
    return solve(slopes, axes(), slowness);
  }

  // The time of the node two steps away; across the front it is negative. Infinite if not final.
  double second_time(int64_t node, int64_t step, bool rim) const {
    const int64_t n = node + 2 * step;
    const double time = time_of(keys_[n]);
    return rim && across(node, n) && time < never ? -time : time;
  }

  // The speed with no gradient along the time's: the mean of the neighbours', each by how much
  // later the node is. Of two neighbours on an axis the earlier one counts, as for the time; but
  // at order 1, where phi is positive, the later one, as in scikit-fmm.
  double carried(int64_t node) const {
    const double time = time_of(keys_[node]);
    const double sign = !SECOND && kinds_[node] & POSITIVE ? 1 : -1;
    double sum = 0, moment = 0, all = 0;
    int count = 0;
    for (int d = 0; d < axes(); ++d) {
      double by = 0, speed = 0;
      for (const int64_t step : {-step_[d], step_[d]}) {
        const int64_t n = node + step;
        if (!is_final(keys_[n])) continue;
        all += extended_[n];
        ++count;
        const double here = sign * (time - time_of(keys_[n]));
        if (std::abs(here) <= std::numeric_limits<double>::epsilon()) continue;
        if (by == 0 || here < by) {
          by = here;
          speed = extended_[n];
        }
      }
      sum += std::abs(by) * weight_[d];
      moment += std::abs(by) * weight_[d] * speed;
    }
    return sum > 0 ? moment / sum : all / count;
  }

  static constexpr double never = std::numeric_limits<double>::infinity();
  const int count_;
  Ladder queue_;
  std::array<double, MOST_AXES> weight_;
  std::array<int64_t, MOST_AXES> step_;
};

}  // namespace lesionkit::fronts
