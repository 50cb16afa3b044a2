// The way back to where a front came from: down the gradient of the arrival times. Host only.
//
// At a node the gradient is that of central differences, or, where no front reached one of the
// neighbours, of the difference to the other one, if that is earlier; in between it is
// interpolated. A step goes some way down it, by the midpoint rule. Where this does not lead to an
// earlier time (beside a wall, across the crest where two fronts meet) the step goes to the
// earliest node at hand instead: so the times of a path fall, and it ends. It ends at a seed that
// is no more than a node away, or at a node that has no earlier neighbour.
#pragma once

#include <array>
#include <vector>

#include "common/interrupt.hpp"
#include "fronts/eikonal/problem.hpp"

namespace lesionkit::fronts {

using Point = std::array<double, 3>;  // plane, row, column; between nodes too

template <class R>
class PathFinder {
 public:
  PathFinder(const Grid& grid, const R* times, const Point& spacing, const Point* seeds,
             int64_t count, double step)
      : grid_(grid),
        times_(times),
        spacing_(spacing),
        seeds_(seeds),
        count_(count),
        size_{grid.planes, grid.rows, grid.columns} {
    double least = Problem<double>::never;
    for (int d = 0; d < 3; ++d)
      if (size_[d] > 1) least = std::min(least, spacing[d]);
    step_ = step * least;
  }

  // From `at` on, which comes first; of finite time.
  std::vector<Point> find(const Point& from) const {
    std::vector<Point> path = {from};
    double time = time_at(from);
    InterruptCounter interrupts;
    for (;;) {
      interrupts();
      const Point& here = path.back();
      if (const Point* seed = seed_beside(here)) {
        if (*seed != here) path.push_back(*seed);
        return path;
      }
      Point next;
      double then = time;
      if (down(here, next)) then = time_at(next);
      if (!(then < time)) {
        next = earliest_beside(here);
        then = time_at(next);
        if (!(then < time)) {
          if (next != here && then == time) path.push_back(next);
          return path;
        }
      }
      path.push_back(next);
      time = then;
    }
  }

  bool reached(const Point& at) const { return time_at(at) < Problem<double>::never; }

 private:
  int64_t node(const std::array<int64_t, 3>& at) const {
    return grid_.index({at[0], at[1], at[2]});
  }

  // Calls take(node, weight) for the corners of the cell that count at this point.
  template <class Take>
  void for_each_corner(const Point& at, Take&& take) const {
    std::array<int64_t, 3> first;
    Point part;
    for (int d = 0; d < 3; ++d) {
      first[d] =
          std::clamp<int64_t>(static_cast<int64_t>(at[d]), 0, std::max<int64_t>(0, size_[d] - 2));
      part[d] = at[d] - static_cast<double>(first[d]);
    }
    for (int corner = 0; corner < 8; ++corner) {
      std::array<int64_t, 3> place = first;
      double weight = 1.0;
      for (int d = 0; d < 3; ++d) {
        const bool far = corner >> d & 1;
        place[d] += far;
        weight *= far ? part[d] : 1.0 - part[d];
      }
      if (weight > 0.0 && times_[node(place)] < Problem<R>::never) take(place, weight);
    }
  }

  double time_at(const Point& at) const {
    double sum = 0.0, weights = 0.0;
    for_each_corner(at, [&](const std::array<int64_t, 3>& place, double weight) {
      sum += weight * times_[node(place)];
      weights += weight;
    });
    return weights > 0.0 ? sum / weights : Problem<double>::never;
  }

  // Towards later times, of length 1; false where there is no such way.
  bool gradient(const Point& at, Point& up) const {
    up = {0.0, 0.0, 0.0};
    const int64_t stride[3] = {size_[1] * size_[2], size_[2], 1};
    for_each_corner(at, [&](const std::array<int64_t, 3>& place, double weight) {
      const R* here = times_ + node(place);
      for (int d = 0; d < 3; ++d) {
        const R before = place[d] > 0 ? here[-stride[d]] : Problem<R>::never;
        const R after = place[d] + 1 < size_[d] ? here[stride[d]] : Problem<R>::never;
        const bool both = before < Problem<R>::never && after < Problem<R>::never;
        if (both)
          up[d] += weight * (static_cast<double>(after) - before) / (2.0 * spacing_[d]);
        else if (std::min(before, after) < *here)  // towards a wall it is 0
          up[d] += weight * (before < after ? *here - before : after - *here) / spacing_[d];
      }
    });
    const double length = std::sqrt(up[0] * up[0] + up[1] * up[1] + up[2] * up[2]);
    for (double& u : up) u /= length;
    return length > 0.0;
  }

  Point moved(const Point& at, const Point& up, double far) const {
    Point to;
    for (int d = 0; d < 3; ++d)
      to[d] = std::clamp(at[d] - far * up[d] / spacing_[d], 0.0, static_cast<double>(size_[d] - 1));
    return to;
  }
  bool down(const Point& at, Point& next) const {
    Point up, half;
    if (!gradient(at, up)) return false;
    half = moved(at, up, step_ / 2);
    if (!gradient(half, up)) return false;
    next = moved(at, up, step_);
    return true;
  }

  // Of the nodes of the cell and those beside them.
  Point earliest_beside(const Point& at) const {
    Point best = at;
    R least = Problem<R>::never;
    const auto look = [&](const std::array<int64_t, 3>& place) {
      const R time = times_[node(place)];
      if (!(time < least)) return;
      least = time;
      for (int d = 0; d < 3; ++d) best[d] = static_cast<double>(place[d]);
    };
    for_each_corner(at, [&](const std::array<int64_t, 3>& place, double) {
      look(place);
      for (int d = 0; d < 3; ++d)
        for (const int64_t side : {-1, 1}) {
          std::array<int64_t, 3> beside = place;
          beside[d] += side;
          if (beside[d] >= 0 && beside[d] < size_[d]) look(beside);
        }
    });
    return best;
  }

  const Point* seed_beside(const Point& at) const {
    for (int64_t s = 0; s < count_; ++s) {
      double far = 0.0;
      for (int d = 0; d < 3; ++d) far = std::max(far, std::abs(at[d] - seeds_[s][d]));
      if (far <= 1.0) return &seeds_[s];
    }
    return nullptr;
  }

  const Grid grid_;
  const R* times_;
  const Point spacing_;
  const Point* seeds_;
  const int64_t count_;
  const int64_t size_[3];
  double step_;
};

}  // namespace lesionkit::fronts
