// Fast marching from the zero level set of phi (Sethian, PNAS 93, 1996; SIAM Review 41, 1999).
//
// The tentative node of the least time becomes final, with all that have just this time; then the
// times of their neighbours are computed anew, from final ones only. At order 1 every axis with a
// final neighbour counts, as in scikit-fmm: this differs from the upwind rule only beside the
// front, where times are final from the start although a neighbour may be earlier. At order 2 an
// axis is left out where its neighbour would be later than the node (godunov.hpp). The second
// neighbour may lie across the front. What counts there is how far it is from the front, as a
// negative time at the first neighbour's speed: its own time is another speed's. Host only.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "common/interrupt.hpp"
#include "fronts/eikonal/godunov.hpp"
#include "fronts/marching/bucket_queue.hpp"
#include "fronts/marching/level_sweeps.hpp"
#include "fronts/marching/zero_level.hpp"

namespace lesionkit::fronts {

inline constexpr int MAX_AXES = 12;

// A node's time and state share a number, its key: a final time is its own bits; a tentative one
// has the sign bit too, so that as a whole number it is greater than any final one. The lesser of
// two keys is the lesser final time, if there is one.
inline constexpr uint64_t TENTATIVE = uint64_t{1} << 63;
inline constexpr uint64_t UNREACHED = TENTATIVE | uint64_t{0x7ff} << 52;  // minus infinity
inline constexpr uint64_t GHOST = UNREACHED + 1;                          // its node is not final
inline constexpr uint64_t CLOSED = UNREACHED + 2;

inline bool is_final(uint64_t key) { return key < TENTATIVE; }
inline bool is_open(uint64_t key) { return key >= TENTATIVE && key <= UNREACHED; }
inline double time_of(uint64_t key) {
  return is_final(key) ? std::bit_cast<double>(key) : std::numeric_limits<double>::infinity();
}

// The times, as they grow. The two sides of the front are marched at once. Neither needs a time of
// the other side that was not final from the start, but it may look at one in passing.
class Times {
 public:
  Times(const MarchProblem& problem, const ZeroLevel& level)
      : keys(large<uint64_t>(level.frame.size())),
        slowness(large<double>(problem.speed ? level.frame.size() : 0)),
        extended(large<double>(problem.carried ? level.frame.size() : 0)),
        level_(level),
        wraps_(problem.wraps()) {
    const Frame& frame = level.frame;
    frame.surround(keys.get(), CLOSED);
    frame.for_lines([&](int64_t, int64_t from, int64_t at) {
      for (int64_t x = 0; x < frame.width(); ++x) keys[at + x] = UNREACHED;
      if (problem.closed)
        for (int64_t x = 0; x < frame.width(); ++x)
          if (problem.closed[from + x]) keys[at + x] = CLOSED;
      if (problem.speed)
        for (int64_t x = 0; x < frame.width(); ++x) slowness[at + x] = 1 / problem.speed[from + x];
    });
    if (problem.wraps())
      frame.for_lines([&](int64_t, int64_t, int64_t at) {
        for (int64_t node = at; node < at + frame.width(); ++node)
          if (keys[node] != CLOSED)
            level.each_ghost(node, [&](int64_t ghost) { keys[ghost] = GHOST; });
      });
    for (const Start& start : level.front) {
      make_final(start.node, start.time);
      if (problem.carried) extend(start.node, start.carried);
    }
  }

  uint64_t key(int64_t node) const {
    return std::atomic_ref<uint64_t>(keys[node]).load(std::memory_order_relaxed);
  }
  void set_key(int64_t node, uint64_t key) {
    std::atomic_ref<uint64_t>(keys[node]).store(key, std::memory_order_relaxed);
  }

  void make_final(int64_t node, double time) {
    const auto bits = std::bit_cast<uint64_t>(time);
    set_key(node, bits);
    level_.each_ghost(node, [&](int64_t ghost) { set_key(ghost, bits); });
  }

  void extend(int64_t node, double speed) {
    extended[node] = speed;
    level_.each_ghost(node, [&](int64_t ghost) { extended[ghost] = speed; });
  }

  // Ghosts have none of their own.
  double slowness_of(int64_t node) const { return slowness[wraps_ ? level_.behind(node) : node]; }

  // The answers without a frame.
  void store(const MarchProblem& problem) const {
    const Frame& frame = level_.frame;
    frame.for_lines([&](int64_t, int64_t to, int64_t at) {
      constexpr double never = std::numeric_limits<double>::quiet_NaN();
      for (int64_t x = 0; x < frame.width(); ++x) {
        const uint64_t key = keys[at + x];
        const double time = is_final(key) ? std::bit_cast<double>(key) : never;
        const bool minus = !problem.speed && level_.kinds[at + x] & NEGATIVE;
        problem.times[to + x] = minus ? -time : time;
      }
      if (problem.carried)
        for (int64_t x = 0; x < frame.width(); ++x)
          problem.extended[to + x] = is_final(keys[at + x]) ? extended[at + x] : never;
    });
  }

  const Large<uint64_t> keys;
  const Large<double> slowness, extended;

 private:
  const ZeroLevel& level_;
  const bool wraps_;
};

// One side of the front, where phi is positive or where it is negative. AXES of 0: as many as there
// are.
template <int AXES, bool SECOND>
class March {
 public:
  March(const MarchProblem& problem, const ZeroLevel& level, Times& times, Kind side)
      : p_(problem),
        level_(level),
        times_(times),
        keys_(times.keys.get()),
        kinds_(level.kinds.get()),
        slowness_(times.slowness.get()),
        extended_(times.extended.get()),
        side_(side),
        count_(AXES ? AXES : level.frame.axes()),
        queue_(guess_width(), {keys_}) {
    for (int d = 0; d < axes(); ++d) {
      const double weight = 1 / (p_.spacing[d] * p_.spacing[d]);
      weights_[d][0] = 0;
      weights_[d][1] = weight;
      weights_[d][2] = 2.25 * weight;
      for (int count : {1, 2}) lengths_[d][count] = 1 / std::sqrt(weights_[d][count]);
      step_[d] = level.frame.step(d);
    }
    for (int codes = 0; AXES && codes < static_cast<int>(inverses_.size()); ++codes) {
      double sum = 0;
      for (int d = AXES - 1, rest = codes; d >= 0; --d, rest /= 3) sum += weights_[d][rest % 3];
      inverses_[codes] = 1 / sum;
    }
  }

  void run() {
    for (const Start& start : level_.front)
      for (int d = 0; d < axes(); ++d)
        for (const int64_t step : {-step_[d], step_[d]}) {
          const int64_t n = start.node + step;
          if (kinds_[n] & side_) renew_open(keys_[n] == GHOST ? level_.behind(n) : n);
        }
    march();
  }

 private:
  struct Counts {
    const uint64_t* keys;
    bool operator()(double time, uint32_t node) const {
      return keys[node] == (TENTATIVE | std::bit_cast<uint64_t>(time));
    }
  };

  int axes() const { return AXES ? AXES : count_; }

  // Of a bucket: the front goes on by a node in about one step's time, and has at least as many
  // nodes as a face of the image.
  double guess_width() const {
    double speeds = 1, step = p_.spacing[0], face = static_cast<double>(level_.frame.pixels());
    if (p_.speed) {
      double sum = 0, count = 0;
      for (int64_t i = 0; i < level_.frame.pixels(); i += level_.frame.pixels() / 1024 + 1)
        if (!p_.closed || !p_.closed[i]) {
          sum += p_.speed[i];
          ++count;
        }
      if (count > 0) speeds = sum / count;
    }
    for (const double h : p_.spacing) step = std::min(step, h);
    face = std::pow(face, 1 - 1.0 / level_.frame.axes());
    const double nodes = std::max(face, static_cast<double>(level_.front.size()));
    return step / speeds * std::max(1 / nodes, 2.0 / BUCKETS);
  }

  void march() {
    std::vector<uint32_t> now;
    InterruptCounter interrupts;
    while (const Due* first = queue_.top()) {
      interrupts();
      const double time = first->time;
      if (!(time <= p_.narrow)) break;  // or no number: somebody wrote to the speeds
      now.clear();
      for (; first != nullptr && first->time == time; first = queue_.top()) {
        const uint32_t node = first->node;
        queue_.pop(first);
        if (p_.carried) times_.extend(node, carried(node, time));
        times_.make_final(node, time);
        now.push_back(node);
      }
      for (const uint32_t node : now) spread(node);
    }
  }

  // A node has become final: those about it have new times. Most of these are final too: it is
  // quicker to find the others first, a bit for each.
  void spread(int64_t node) {
    const uint64_t key = keys_[node];
    uint32_t open = 0, rare = 0;
    for (int k = 0; k < 2 * axes(); ++k) {
      const int64_t step = k % 2 ? step_[k / 2] : -step_[k / 2];
      const uint64_t near = keys_[node + step], other = times_.key(node + 2 * step);
      // Where the node beyond is earlier, that side counts, as before.
      open |= static_cast<uint32_t>(is_open(near) & (other >= key)) << k;
      // A ghost's node; or this has become the second neighbour of the node beyond.
      rare |= static_cast<uint32_t>((near == GHOST) |
                                    (SECOND && is_final(near) & (near >= key) & (other >= key)))
              << k;
    }
    for (; open != 0; open &= open - 1) {
      const int k = std::countr_zero(open);
      renew(node + (k % 2 ? step_[k / 2] : -step_[k / 2]));
    }
    for (; rare != 0; rare &= rare - 1) {
      const int k = std::countr_zero(rare);
      const int64_t step = k % 2 ? step_[k / 2] : -step_[k / 2];
      const int64_t n = keys_[node + step] == GHOST ? node + step : node + 2 * step;
      const int64_t renewed = keys_[n] == GHOST ? level_.behind(n) : n;
      renew_open(renewed);
    }
  }

  void renew_open(int64_t node) {
    if (is_open(keys_[node])) renew(node);
  }

  void renew(int64_t node) {
    const double slowness = p_.speed ? slowness_[node] : 1;
    if (SECOND && kinds_[node] & RIM) return put(node, beside_front(node, slowness));
    double from[MAX_AXES], at[MAX_AXES], base = 0, high = 0;
    int code[MAX_AXES], codes = 0, axes_with = 0;  // of an axis: how many neighbours count
    uint64_t due = CLOSED;  // the first that is, on an axis without a final neighbour
    int64_t due_node = node;
    for (int d = 0; d < axes(); ++d) {
      const uint64_t before = keys_[node - step_[d]], after = keys_[node + step_[d]];
      const int64_t step = before <= after ? -step_[d] : step_[d];
      const uint64_t one = std::min(before, after);
      const uint64_t two = SECOND ? keys_[node + 2 * step] : 0;
      const bool counts = is_final(one), second = SECOND & counts & (two <= one);
      from[d] = std::bit_cast<double>(counts ? one : 0);
      at[d] = second ? from[d] + (from[d] - std::bit_cast<double>(two)) * (1.0 / 3) : from[d];
      code[d] = counts + second;
      codes = 3 * codes + code[d];
      axes_with += counts;
      base = counts ? at[d] : base;
      high = std::max(high, from[d]);
      const bool first_due = !counts & (one < due);
      due = first_due ? one : due;
      due_node = first_due ? node + step : due_node;
    }
    double time;
    if (axes_with == 1) {
      double step = 0;
      for (int d = 0; d < axes(); ++d) step = code[d] ? lengths_[d][code[d]] : step;
      time = base + step * slowness;
    } else {
      double sum = 0, moment = 0, square = 0;
      for (int d = 0; d < axes(); ++d) {
        const double w = weights_[d][code[d]], e = at[d] - base;
        sum += w;
        moment += w * e;
        square += w * e * e;
      }
      const double left = moment * moment - sum * (square - slowness * slowness);
      const double inverse = AXES ? inverses_[codes] : 1 / sum;
      time = base + (moment + std::sqrt(SECOND ? left : std::max(left, 0.0))) * inverse;
      if (SECOND && !(time >= high)) [[unlikely]]  // or no number
        time = solve_fewer(from, at, code, slowness);
    }
    // Where one is due no later on such an axis, this node will be renewed before it can be final,
    // and need not wait in the queue. At order 1, and beside the front, times may still rise, where
    // they are not upwind: no promise there.
    const uint64_t key = TENTATIVE | std::bit_cast<uint64_t>(time);
    if (!SECOND || due > key || kinds_[due_node] & RIM)
      put(node, time);
    else if (keys_[node] < key)
      times_.set_key(node, UNREACHED);
  }

  void put(int64_t node, double time) {
    const uint64_t key = TENTATIVE | std::bit_cast<uint64_t>(time);
    if (key == keys_[node]) return;
    times_.set_key(node, key);
    queue_.push(time, static_cast<uint32_t>(node));
  }

  // Order 2 where the node two steps away may lie across the front.
  double beside_front(int64_t node, double slowness) const {
    double from[MAX_AXES], at[MAX_AXES];
    int code[MAX_AXES];
    for (int d = 0; d < axes(); ++d) {
      const uint64_t before = keys_[node - step_[d]], after = keys_[node + step_[d]];
      const int64_t step = before <= after ? -step_[d] : step_[d], two = node + 2 * step;
      const bool across = level_.across(node, two);  // only what was final from the start
      const double time = !across || kinds_[two] & FRONT ? time_of(times_.key(two)) : never;
      from[d] = time_of(std::min(before, after));
      const double second = across && time < never ? time_across(node + step, two, time) : time;
      const bool counts = from[d] < never;
      code[d] = counts + (counts && second <= from[d]);
      at[d] = code[d] == 2 ? from[d] + (from[d] - second) * (1.0 / 3) : from[d];
    }
    return solve_fewer(from, at, code, slowness);
  }

  // When a front of the speed at `one` would have been at `two`, which another reached at `time`.
  double time_across(int64_t one, int64_t two, double time) const {
    return p_.speed ? -(time / times_.slowness_of(two)) * times_.slowness_of(one) : -time;
  }

  double solve_fewer(const double* from, const double* at, const int* code, double slowness) const {
    Slope<double> slopes[MAX_AXES];
    for (int d = 0; d < axes(); ++d)
      slopes[d] = {code[d] ? from[d] : never, at[d], std::sqrt(weights_[d][code[d]]), 1,
                   code[d] == 2};
    return solve(slopes, axes(), slowness);
  }

  // The speed with no gradient along the time's: the mean of the neighbours', each by how much
  // later the node is. Of two neighbours on an axis the earlier one counts, as for the time; but
  // at order 1, where phi is positive, the later one, as in scikit-fmm.
  double carried(int64_t node, double time) const {
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
      sum += std::abs(by) * weights_[d][1];
      moment += std::abs(by) * weights_[d][1] * speed;
    }
    return sum > 0 ? moment / sum : all / count;
  }

  static constexpr double never = std::numeric_limits<double>::infinity();
  const MarchProblem& p_;
  const ZeroLevel& level_;
  Times& times_;
  const uint64_t* const keys_;
  const uint8_t* const kinds_;
  const double *const slowness_, *const extended_;
  const Kind side_;
  const int count_;
  BucketQueue<Counts> queue_;
  double lengths_[MAX_AXES][3];
  double weights_[MAX_AXES][3];      // of an axis, by how many neighbours count
  std::array<double, 27> inverses_;  // of sums of weights, by the same
  std::array<int64_t, MAX_AXES> step_;
};

// False, and no answer, if phi has no zero level set.
template <int AXES, bool SECOND>
bool march(const MarchProblem& problem) {
  const ZeroLevel level(problem, SECOND);
  if (level.front.empty()) return false;
  if (!SECOND && by_sweeps(problem, level)) return true;
  Times times(problem, level);
  parallel_for(2, 1, [&](int64_t begin, int64_t end) {
    for (int64_t side = begin; side < end; ++side)
      March<AXES, SECOND>(problem, level, times, side == 0 ? POSITIVE : NEGATIVE).run();
  });
  times.store(problem);
  return true;
}

}  // namespace lesionkit::fronts
