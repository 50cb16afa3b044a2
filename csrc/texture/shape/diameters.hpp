// The longest distance between vertices of a surface, exactly, without looking at all pairs.
//
// Of the points on a line only the two ends can be farthest from anything, and of the points in a
// plane only the corners of their convex hull (distance is convex): vertices are reduced to the
// ends of their grid lines, and those to the hulls of their grid planes. Pairs of corners are then
// looked for in a tree of boxes, where two boxes are left alone if no two points in them can be as
// far apart as two that are known.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/grid.hpp"

namespace lesionkit::texture {

// The first and the last place of what lies on a grid line; first > last: nothing.
struct Ends {
  int32_t first = INT32_MAX, last = INT32_MIN;

  void add(int32_t low, int32_t high) {
    first = std::min(first, low);
    last = std::max(last, high);
  }
  bool empty() const { return first > last; }
};

struct PlanePoint {
  int64_t across, along;  // which line, and the place on it
};

// The corners of the hull of the ends of `count` lines, `stride` apart: first those of one side,
// then those of the other; the outermost may occur twice.
inline void hull_of(const Ends* lines, int64_t count, int64_t stride,
                    std::vector<PlanePoint>& corners) {
  corners.clear();
  for (const int side : {1, -1}) {
    const size_t start = corners.size();
    for (int64_t k = 0; k < count; ++k) {
      const Ends& line = lines[k * stride];
      if (line.empty()) continue;
      const PlanePoint p = {k, side > 0 ? line.first : line.last};
      while (corners.size() >= start + 2) {
        const PlanePoint &a = corners[corners.size() - 2], &b = corners.back();
        const int64_t turn = (b.across - a.across) * (p.along - a.along) -
                             (b.along - a.along) * (p.across - a.across);
        if (side * turn > 0) break;
        corners.pop_back();
      }
      corners.push_back(p);
    }
  }
}

using Point = std::array<double, 3>;  // mm

inline double squared_distance(const Point& a, const Point& b) {
  const double z = a[0] - b[0], y = a[1] - b[1], x = a[2] - b[2];
  return z * z + y * y + x * x;
}

// The longest squared distance between two of some points.
class FarthestPair {
 public:
  explicit FarthestPair(std::vector<Point> points) : points_(std::move(points)) {}

  double squared() {
    if (points_.size() < 2) return 0.0;
    Point from = points_[0];
    for (int walk = 0; walk < 4; ++walk) {  // a long one to begin with
      const auto far =
          std::max_element(points_.begin(), points_.end(), [&](const Point& a, const Point& b) {
            return squared_distance(from, a) < squared_distance(from, b);
          });
      best_ = std::max(best_, squared_distance(from, *far));
      from = *far;
    }
    make_node(0, points_.size());
    search(0, 0);
    return best_;
  }

 private:
  static constexpr size_t LEAF = 8;
  struct Node {
    size_t begin, end;
    Point low, high;
    size_t left = 0, right = 0;  // 0: a leaf
  };

  size_t make_node(size_t begin, size_t end) {
    Node node = {begin, end, points_[begin], points_[begin]};
    for (size_t i = begin; i < end; ++i)
      for (int k = 0; k < 3; ++k) {
        node.low[k] = std::min(node.low[k], points_[i][k]);
        node.high[k] = std::max(node.high[k], points_[i][k]);
      }
    const size_t number = nodes_.size();
    nodes_.push_back(node);
    if (end - begin <= LEAF) return number;
    int axis = 0;
    for (int k = 1; k < 3; ++k)
      if (node.high[k] - node.low[k] > node.high[axis] - node.low[axis]) axis = k;
    const size_t middle = begin + (end - begin) / 2;
    std::nth_element(points_.begin() + begin, points_.begin() + middle, points_.begin() + end,
                     [axis](const Point& a, const Point& b) { return a[axis] < b[axis]; });
    const size_t left = make_node(begin, middle), right = make_node(middle, end);
    nodes_[number].left = left;
    nodes_[number].right = right;
    return number;
  }

  // No point of one box is farther from one of the other.
  static double bound(const Node& a, const Node& b) {
    double sum = 0.0;
    for (int k = 0; k < 3; ++k) {
      const double most = std::max(a.high[k] - b.low[k], b.high[k] - a.low[k]);
      sum += most * most;
    }
    return sum;
  }

  void search(size_t one, size_t other) {
    const Node &a = nodes_[one], &b = nodes_[other];
    if (bound(a, b) <= best_) return;
    if (a.left == 0 && b.left == 0) {
      for (size_t i = a.begin; i < a.end; ++i)
        for (size_t j = b.begin; j < b.end; ++j)
          best_ = std::max(best_, squared_distance(points_[i], points_[j]));
      return;
    }
    const bool split_a = b.left == 0 || (a.left != 0 && a.end - a.begin >= b.end - b.begin);
    const size_t left = split_a ? a.left : b.left, right = split_a ? a.right : b.right;
    const size_t rest = split_a ? other : one;
    if (bound(nodes_[left], nodes_[rest]) >= bound(nodes_[right], nodes_[rest])) {
      search(left, rest);
      search(right, rest);
    } else {
      search(right, rest);
      search(left, rest);
    }
  }

  std::vector<Point> points_;
  std::vector<Node> nodes_;
  double best_ = 0.0;
};

}  // namespace lesionkit::texture
