// What fast marching starts from: the nodes about the zero level set of phi, and their times.
//
// Where phi is 0 the time is 0. Where phi changes its sign towards a neighbour the front lies
// between, by linear interpolation; the distances l along the axes, the lesser of two sides, give
// 1 / sqrt(sum 1 / l^2) (Adalsteinsson and Sethian, J. Comput. Phys. 148, 1999), over the speed.
//
// A node's time and state share a number, its key: a final time is its own bits; a tentative one
// has the sign bit too, so that as a whole number it is greater than any final one. Periodic axes
// have ghosts of their first and last two nodes in the frame, which become final with their nodes.
// Host only.
#pragma once

#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "common/memory.hpp"
#include "fronts/frame.hpp"

namespace lesionkit::fronts {

// Arrays without a frame, of one shape; null where there is none.
struct MarchProblem {
  std::vector<int64_t> shape;
  std::vector<double> spacing;
  std::vector<bool> periodic;
  double narrow;           // later times are not wanted; infinite: all are
  const double* phi;       // finite, where not closed
  const double* speed;     // null: 1, and the answer has phi's sign
  const uint8_t* closed;   // not 0: no node
  double* times;           // the answer; NaN where the front does not come
  const double* carried;   // a speed at the front, to be extended from it
  const uint8_t* unknown;  // not 0: no such speed is known here
  double* extended;        // the second answer, if there is `carried`
};

inline constexpr uint64_t TENTATIVE = uint64_t{1} << 63;
inline constexpr uint64_t UNREACHED = TENTATIVE | uint64_t{0x7ff} << 52;  // minus infinity
inline constexpr uint64_t GHOST = UNREACHED + 1;                          // its node is not final
inline constexpr uint64_t CLOSED = UNREACHED + 2;

inline bool is_final(uint64_t key) { return key < TENTATIVE; }
inline bool is_open(uint64_t key) { return key >= TENTATIVE && key <= UNREACHED; }
inline double time_of(uint64_t key) {
  return is_final(key) ? std::bit_cast<double>(key) : std::numeric_limits<double>::infinity();
}

// The bits of a node's kind: its sign; whether it has ghosts; whether it is at the front, final
// from the start; whether such a node is beside it.
enum Kind : uint8_t { POSITIVE = 1, NEGATIVE = 2, SIGNS = 3, EDGE = 4, FRONT = 8, RIM = 16 };

class ZeroLevel {
 public:
  explicit ZeroLevel(const MarchProblem& problem)
      : p_(problem),
        plain_step_(problem.shape.size(), 1),
        frame(problem.shape, gaps(problem.periodic), 2),
        keys(large<uint64_t>(frame.size())),
        kinds(large<uint8_t>(frame.size())),
        slowness(large<double>(problem.speed ? frame.size() : 0)),
        extended(large<double>(problem.carried ? frame.size() : 0)) {
    for (int d = frame.axes() - 1; d > 0; --d) plain_step_[d - 1] = plain_step_[d] * frame.side(d);
    load();
    find_front();
  }

  // The two sides of the front are marched at once. Neither needs a time of the other side that was
  // not final from the start; but it may look at one in passing.
  uint64_t key(int64_t node) const {
    return std::atomic_ref<uint64_t>(keys[node]).load(std::memory_order_relaxed);
  }
  void set_key(int64_t node, uint64_t key) {
    std::atomic_ref<uint64_t>(keys[node]).store(key, std::memory_order_relaxed);
  }

  bool across(int64_t a, int64_t b) const { return ((kinds[a] | kinds[b]) & SIGNS) == SIGNS; }

  // The node that a ghost stands for.
  int64_t behind(int64_t ghost) const {
    int64_t node = ghost;
    for (int d = 0; d < frame.axes(); ++d) {
      const int64_t c = frame.coordinate(ghost, d), side = frame.side(d);
      node += ((c % side + side) % side - c) * frame.step(d);
    }
    return node;
  }

  void make_final(int64_t node, double time) {
    const auto bits = std::bit_cast<uint64_t>(time);
    set_key(node, bits);
    if (kinds[node] & EDGE) each_ghost(node, [&](int64_t ghost) { set_key(ghost, bits); });
  }

  void extend(int64_t node, double value) {
    extended[node] = value;
    if (kinds[node] & EDGE) each_ghost(node, [&](int64_t ghost) { extended[ghost] = value; });
  }

  // The answers without a frame.
  void store() const {
    frame.for_lines([&](int64_t, int64_t to, int64_t at) {
      constexpr double never = std::numeric_limits<double>::quiet_NaN();
      for (int64_t x = 0; x < frame.width(); ++x) {
        const uint64_t key = keys[at + x];
        const double time = is_final(key) ? std::bit_cast<double>(key) : never;
        const bool minus = !p_.speed && kinds[at + x] & NEGATIVE;
        p_.times[to + x] = minus ? -time : time;
      }
      if (p_.carried)
        for (int64_t x = 0; x < frame.width(); ++x)
          p_.extended[to + x] = is_final(keys[at + x]) ? extended[at + x] : never;
    });
  }

 private:
  const MarchProblem& p_;
  std::vector<int64_t> plain_step_;

 public:
  const Frame frame;
  const Large<uint64_t> keys;
  const Large<uint8_t> kinds;
  const Large<double> slowness, extended;
  std::vector<uint32_t> front;  // nodes that are final from the start

 private:
  static std::vector<int64_t> gaps(const std::vector<bool>& periodic) {
    std::vector<int64_t> gaps;
    for (const bool wraps : periodic) gaps.push_back(wraps ? 4 : 1);
    return gaps;
  }

  void load() {
    frame.surround(keys.get(), CLOSED);
    frame.surround(kinds.get(), uint8_t{0});
    frame.for_lines([&](int64_t, int64_t from, int64_t at) {
      for (int64_t x = 0; x < frame.width(); ++x) {
        const double phi = p_.phi[from + x];
        const bool closed = p_.closed && p_.closed[from + x];
        keys[at + x] = closed ? CLOSED : UNREACHED;
        kinds[at + x] = closed ? 0 : phi > 0 ? POSITIVE : phi < 0 ? NEGATIVE : 0;
      }
      if (p_.speed)
        for (int64_t x = 0; x < frame.width(); ++x) slowness[at + x] = 1 / p_.speed[from + x];
    });
    for (int d = 0; d < frame.axes(); ++d)
      if (p_.periodic[d]) mark_edge(d);
    frame.for_lines([&](int64_t, int64_t, int64_t at) {
      for (int64_t node = at; node < at + frame.width(); ++node)
        if (kinds[node] & EDGE)
          each_ghost(node, [&](int64_t ghost) {
            keys[ghost] = GHOST;
            kinds[ghost] = kinds[node] & SIGNS;
          });
    });
  }

  void mark_edge(int axis) {
    const int64_t width = frame.width(), side = frame.side(axis);
    const auto mark = [&](int64_t node) {
      if (keys[node] != CLOSED) kinds[node] |= EDGE;
    };
    frame.for_lines([&](int64_t, int64_t, int64_t at) {
      const int64_t c = frame.coordinate(at, axis);
      if (axis == frame.axes() - 1) {
        for (int64_t x = 0; x < std::min<int64_t>(2, width); ++x) {
          mark(at + x);
          mark(at + width - 1 - x);
        }
      } else if (c < 2 || c >= side - 2) {
        for (int64_t x = 0; x < width; ++x) mark(at + x);
      }
    });
  }

  // Calls body for the places in the frame that stand for a node.
  template <class Body>
  void each_ghost(int64_t node, Body&& body) const {
    for (int d = 0; d < frame.axes(); ++d) {
      if (!p_.periodic[d]) continue;
      const int64_t c = frame.coordinate(node, d), side = frame.side(d);
      for (int64_t turns = -2; turns <= 2; ++turns) {
        const int64_t moved = c + turns * side;
        if (turns != 0 && moved >= -2 && moved < side + 2)
          body(node + turns * side * frame.step(d));
      }
    }
  }

  void find_front() {
    const int64_t width = frame.width(), lines = frame.lines();
    const int64_t grain = (int64_t{1} << 17) / std::max<int64_t>(width, 1) + 1;
    struct Start {
      uint32_t node;
      double time, extended;
    };
    std::vector<std::vector<Start>> found((lines + grain - 1) / grain);
    parallel_for_with(
        lines, grain, [&] { return std::vector<uint8_t>(width); },
        [&](std::vector<uint8_t>& meets, int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) {
            const int64_t at = frame.line(i);
            find_meetings(at, meets.data());
            for (int64_t x = 0; x < width; ++x) {
              if (!meets[x] || keys[at + x] == CLOSED) continue;
              Start start = {static_cast<uint32_t>(at + x), 0, 0};
              start_from(at + x, i * width + x, start.time, start.extended);
              found[begin / grain].push_back(start);
            }
          }
        });
    for (const auto& part : found)
      for (const Start& start : part) {
        front.push_back(start.node);
        kinds[start.node] |= FRONT;
        if (kinds[start.node] & EDGE)
          each_ghost(start.node, [&](int64_t ghost) { kinds[ghost] |= FRONT; });
        make_final(start.node, start.time);
        if (p_.carried) extend(start.node, start.extended);
      }
    for (const uint32_t node : front)
      for (int d = 0; d < frame.axes(); ++d)
        for (const int64_t step : {-frame.step(d), frame.step(d)}) {
          const int64_t n = node + step;
          kinds[keys[n] == GHOST ? behind(n) : n] |= RIM;
        }
  }

  // Which nodes of a line are 0, or have a neighbour of the other sign.
  void find_meetings(int64_t at, uint8_t* meets) const {
    const uint8_t* kind = kinds.get() + at;
    const int64_t width = frame.width();
    for (int64_t x = 0; x < width; ++x) meets[x] = (kind[x] & SIGNS) == 0;
    for (int d = 0; d < frame.axes(); ++d) {
      const uint8_t *before = kind - frame.step(d), *after = kind + frame.step(d);
      for (int64_t x = 0; x < width; ++x)
        meets[x] |=
            ((kind[x] | before[x]) & SIGNS) == SIGNS || ((kind[x] | after[x]) & SIGNS) == SIGNS;
    }
  }

  // The time of a node at the front, and the speed that it carries.
  void start_from(int64_t node, int64_t index, double& time, double& carried) const {
    const double* speeds = p_.carried;
    if ((kinds[node] & SIGNS) == 0) {
      time = 0;
      carried = speeds ? speeds[index] : 0;
      return;
    }
    double sum = 0, moment = 0;
    for (int d = 0; d < frame.axes(); ++d) {
      double part = 2;  // of the way to the neighbour
      int64_t other = index;
      for (const int sign : {-1, 1}) {
        const int64_t n = node + sign * frame.step(d);
        if (!across(node, n)) continue;
        const int64_t there = kinds[node] & EDGE ? plain(behind(n)) : index + sign * plain_step_[d];
        const double here = 1 / (1 - p_.phi[there] / p_.phi[index]);
        if (here < part) {
          part = here;
          other = there;
        }
      }
      if (part > 1) continue;
      const double l = p_.spacing[d] * part, weight = 1 / l / l;
      sum += weight;
      if (!speeds) continue;
      const double between = p_.unknown[index] ? speeds[other]
                             : p_.unknown[other]
                                 ? speeds[index]
                                 : speeds[index] + part * (speeds[other] - speeds[index]);
      moment += weight * between;
      carried = moment / sum;
    }
    time = std::sqrt(1 / sum) / (p_.speed ? p_.speed[index] : 1);
  }

  // Where a node is in an array without a frame.
  int64_t plain(int64_t node) const {
    int64_t index = 0;
    for (int d = 0; d < frame.axes(); ++d) index += frame.coordinate(node, d) * plain_step_[d];
    return index;
  }
};

}  // namespace lesionkit::fronts
