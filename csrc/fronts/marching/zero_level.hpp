// What fast marching starts from: the nodes about the zero level set of phi, and their times.
//
// Where phi is 0 the time is 0. Where phi changes its sign towards a neighbour the front lies
// between, by linear interpolation; the distances l along the axes, the lesser of two sides, give
// 1 / sqrt(sum 1 / l^2) (Adalsteinsson and Sethian, J. Comput. Phys. 148, 1999), over the speed.
// At order 2 the slope of phi at the node counts along each axis on which phi is smooth, in the
// place of that towards the crossing (or of none): a contour then stays where it is when its
// distances are taken again (compare Russo and Smereka, J. Comput. Phys. 163, 2000).
// These times are final. Periodic axes have ghosts of their first and last two nodes in the frame.
// Host only.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "common/memory.hpp"
#include "common/parallel.hpp"
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

  bool wraps() const { return std::find(periodic.begin(), periodic.end(), true) != periodic.end(); }
};

// The bits of a node's kind: its sign; whether it has ghosts; whether it is at the front; whether a
// node at the front is beside it. Ghosts have their node's sign, and whether it is at the front.
enum Kind : uint8_t { POSITIVE = 1, NEGATIVE = 2, SIGNS = 3, EDGE = 4, FRONT = 8, RIM = 16 };

// A node at the front.
struct Start {
  uint32_t node;
  int64_t index;  // in an array without a frame
  double time, carried;
};

class ZeroLevel {
 public:
  ZeroLevel(const MarchProblem& problem, bool second)
      : p_(problem),
        second_(second),
        frame(problem.shape, gaps(problem.periodic), 2),
        kinds(large<uint8_t>(frame.size())),
        plain_step_(problem.shape.size(), 1) {
    for (int d = frame.axes() - 1; d > 0; --d) plain_step_[d - 1] = plain_step_[d] * frame.side(d);
    find_signs();
    find_front();
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

  // Calls body for the places in the frame that stand for a node.
  template <class Body>
  void each_ghost(int64_t node, Body&& body) const {
    if (!(kinds[node] & EDGE)) return;
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

 private:
  const MarchProblem& p_;
  const bool second_;

 public:
  const Frame frame;
  const Large<uint8_t> kinds;
  std::vector<Start> front;

 private:
  static std::vector<int64_t> gaps(const std::vector<bool>& periodic) {
    std::vector<int64_t> gaps;
    for (const bool wraps : periodic) gaps.push_back(wraps ? 4 : 1);
    return gaps;
  }

  void find_signs() {
    frame.surround(kinds.get(), uint8_t{0});
    frame.for_lines([&](int64_t, int64_t from, int64_t at) {
      const double* phi = p_.phi + from;
      for (int64_t x = 0; x < frame.width(); ++x)
        kinds[at + x] =
            static_cast<uint8_t>((phi[x] > 0 ? POSITIVE : 0) | (phi[x] < 0 ? NEGATIVE : 0));
      if (p_.closed)
        for (int64_t x = 0; x < frame.width(); ++x)
          kinds[at + x] = p_.closed[from + x] ? 0 : kinds[at + x];
    });
    if (!p_.wraps()) return;
    for (int d = 0; d < frame.axes(); ++d)
      if (p_.periodic[d]) mark_edge(d);
    frame.for_lines([&](int64_t, int64_t, int64_t at) {
      for (int64_t node = at; node < at + frame.width(); ++node)
        each_ghost(node, [&](int64_t ghost) { kinds[ghost] = kinds[node] & SIGNS; });
    });
  }

  void mark_edge(int axis) {
    const int64_t width = frame.width(), side = frame.side(axis);
    frame.for_lines([&](int64_t, int64_t, int64_t at) {
      const int64_t c = frame.coordinate(at, axis);
      if (axis == frame.axes() - 1) {
        for (int64_t x = 0; x < std::min<int64_t>(2, width); ++x) {
          kinds[at + x] |= EDGE;
          kinds[at + width - 1 - x] |= EDGE;
        }
      } else if (c < 2 || c >= side - 2) {
        for (int64_t x = 0; x < width; ++x) kinds[at + x] |= EDGE;
      }
    });
  }

  void find_front() {
    const int64_t width = frame.width(), lines = frame.lines();
    const int64_t grain = (int64_t{1} << 17) / std::max<int64_t>(width, 1) + 1;
    std::vector<std::vector<Start>> found((lines + grain - 1) / grain);
    parallel_for_with(
        lines, grain, [&] { return std::vector<uint8_t>(width); },
        [&](std::vector<uint8_t>& meets, int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) {
            const int64_t at = frame.line(i);
            find_meetings(at, meets.data());
            for (int64_t x = 0; x < width; ++x) {
              const int64_t index = i * width + x;
              if (meets[x] && !(p_.closed && p_.closed[index]))
                found[begin / grain].push_back(start_of(at + x, index));
            }
          }
        });
    for (const auto& part : found) front.insert(front.end(), part.begin(), part.end());
    for (const Start& start : front) {
      kinds[start.node] |= FRONT;
      each_ghost(start.node, [&](int64_t ghost) { kinds[ghost] |= FRONT; });
      for (int d = 0; d < frame.axes(); ++d)
        for (const int64_t step : {-frame.step(d), frame.step(d)}) {
          const int64_t n = start.node + step;
          kinds[p_.periodic[d] ? behind(n) : n] |= RIM;
        }
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

  Start start_of(int64_t node, int64_t index) const {
    Start start = {static_cast<uint32_t>(node), index, 0, p_.carried ? p_.carried[index] : 0};
    if ((kinds[node] & SIGNS) == 0) return start;
    double sum = 0, moment = 0, least = std::numeric_limits<double>::infinity();
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
      least = std::min(least, l);
      sum += weight;
      if (p_.carried) moment += weight * carried_between(index, other, part);
    }
    const double distance = second_ ? std::min(smooth_distance(index), least) : std::sqrt(1 / sum);
    start.time = distance / (p_.speed ? p_.speed[index] : 1);
    start.carried = moment / sum;
    return start;
  }

  // phi over its slope, at a node where it is not 0: along an axis on which the slopes before and
  // behind the node are alike their mean, else that towards the nearer crossing, if there is one.
  double smooth_distance(int64_t index) const {
    constexpr double alike = 0.5;  // of the greatest slope
    const int axes = frame.axes();
    double greatest = 0, sum = 0;
    const auto slopes_along = [&](int d, auto&& take) {
      for (const int sign : {-1, 1}) {
        const int64_t other = beside(index, d, sign);
        if (other >= 0) take(sign, (p_.phi[other] / p_.phi[index] - 1) / p_.spacing[d]);
      }
    };
    for (int d = 0; d < axes; ++d)
      slopes_along(d, [&](int, double slope) { greatest = std::max(greatest, std::abs(slope)); });
    for (int d = 0; d < axes; ++d) {
      double up[2] = {}, crossing = 0;
      int count = 0;
      slopes_along(d, [&](int sign, double slope) {
        up[count++] = sign * slope;
        if (slope < -1 / p_.spacing[d]) crossing = std::max(crossing, -slope);
      });
      const double apart = std::abs(up[1] - up[0]);
      const bool smooth = count == 2 && apart <= alike * greatest &&
                          apart < std::numeric_limits<double>::infinity();
      const double slope = smooth ? (up[0] + up[1]) / 2 : crossing;
      sum += slope * slope;
    }
    return std::sqrt(1 / sum);
  }

  // The neighbour of a node, in an array without a frame; -1: there is none.
  int64_t beside(int64_t index, int d, int sign) const {
    const int64_t side = frame.side(d), at = index / plain_step_[d] % side;
    int64_t to = at + sign;
    if (p_.periodic[d]) to = (to + side) % side;
    if (to < 0 || to >= side || to == at) return -1;
    const int64_t other = index + (to - at) * plain_step_[d];
    return p_.closed && p_.closed[other] ? -1 : other;
  }

  double carried_between(int64_t a, int64_t b, double part) const {
    const double* speed = p_.carried;
    if (p_.unknown[a]) return speed[b];
    return p_.unknown[b] ? speed[a] : speed[a] + part * (speed[b] - speed[a]);
  }

  // Where a node is in an array without a frame.
  int64_t plain(int64_t node) const {
    int64_t index = 0;
    for (int d = 0; d < frame.axes(); ++d) index += frame.coordinate(node, d) * plain_step_[d];
    return index;
  }

  std::vector<int64_t> plain_step_;
};

}  // namespace lesionkit::fronts
