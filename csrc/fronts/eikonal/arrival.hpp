// One way in to all solvers of order 1: sweeps, and buckets where sweeps take too long. Host only.
#pragma once

#include <algorithm>
#include <vector>

#include "common/memory.hpp"
#include "fronts/eikonal/godunov.hpp"
#include "fronts/eikonal/problem.hpp"

namespace lesionkit::fronts {

// What the front takes to cross a tile or two; a smooth speed needs no window.
template <class R>
R window_of(const Problem<R>& p, int64_t rows) {
  const SpeedSample<R> sample(p);
  const double side = static_cast<double>(rows) * p.spacing[1];
  return sample.rough() ? static_cast<R>(1.2 * side * sample.slowness) : Problem<R>::never;
}

// Makes times after p.stop infinite.
template <class R>
void forget_late(const Problem<R>& p, const Part& part) {
  for (int64_t z = part.begin.plane; z < part.end.plane; ++z)
    for (int64_t y = part.begin.row; y < part.end.row; ++y) {
      R* times = p.times + p.grid.index({z, y, 0});
      for (int64_t x = part.begin.column; x < part.end.column; ++x)
        times[x] = times[x] > p.stop ? Problem<R>::never : times[x];
    }
}

// Fills p.times; those after p.stop are infinite. `memory` may be used again for another image. R:
// float or double (arrival.cpp).
template <class R>
void find_times(const Problem<R>& p, const Starts<R>& starts, Pages& memory, bool parallel);

// Whose front came first, as label_of its start; 0 where none did. Each node has the label of the
// neighbour that came first.
template <class R>
void find_labels(const Grid& grid, const R* times, const Starts<R>& starts, const int32_t* label_of,
                 int32_t* labels) {
  std::fill(labels, labels + grid.size(), 0);
  std::vector<int64_t> queue;
  for (int64_t i = 0; i < starts.count; ++i) {
    const int64_t node = starts.nodes[i];
    if (times[node] != starts.times[i] || labels[node]) continue;
    labels[node] = label_of[i];
    queue.push_back(node);
  }
  for (size_t i = 0; i < queue.size(); ++i) {
    const R time = times[queue[i]];
    grid.for_each_neighbour(queue[i], [&](int64_t next) {
      if (labels[next] || !(times[next] < Problem<R>::never) || times[next] < time) return;
      if (earliest_beside(grid, times, next, Problem<R>::never).time < time) return;
      labels[next] = labels[queue[i]];
      queue.push_back(next);
    });
  }
}

}  // namespace lesionkit::fronts
