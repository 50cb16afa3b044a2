// One way in to all solvers of order 1: sweeps, and buckets where sweeps take too long. Host only.
#pragma once

#include <vector>

#include "fronts/eikonal/buckets.hpp"
#include "fronts/eikonal/sweep.hpp"

namespace lesionkit::fronts {

// What the front takes to cross a tile or two; a smooth speed needs no window.
template <class R>
R window_of(const Problem<R>& p, int64_t rows) {
  const Look<R> look(p);
  const double side = static_cast<double>(rows) * p.spacing[1];
  return look.rough() ? static_cast<R>(1.2 * side * look.slowness) : Problem<R>::never;
}

// Makes times after p.stop infinite.
template <class R>
void forget_late(const Problem<R>& p, const Part& part) {
  for (int64_t z = part.begin.plane; z < part.end.plane; ++z)
    for (int64_t y = part.begin.row; y < part.end.row; ++y) {
      R* times = p.times + p.grid.node({z, y, 0});
      for (int64_t x = part.begin.column; x < part.end.column; ++x)
        times[x] = times[x] > p.stop ? Problem<R>::never : times[x];
    }
}

// Fills p.times; those after p.stop are infinite. `memory` may be used again for another image.
template <class R>
void find_times(const Problem<R>& p, const Starts<R>& starts, Pages& memory, bool parallel) {
  const auto fill = [=](int64_t begin, int64_t end) {
    std::fill(p.times + begin, p.times + end, Problem<R>::never);
  };
  const int64_t n = p.grid.size();
  if (parallel)
    parallel_for(n, int64_t{1} << 18, fill);
  else
    fill(0, n);
  for (int64_t i = 0; i < starts.count; ++i)
    p.times[starts.nodes[i]] = std::min(p.times[starts.nodes[i]], starts.times[i]);

  const auto sweep = [&]<int strips, bool deep, bool even>() {
    using Work = Sweep<R, strips, deep, even>;
    const typename Work::Tiles tiles(p.grid);
    Work work(p, tiles, memory);
    Passes<R, Work> passes(work, tiles, window_of(p, tiles.lanes), p.stop);
    for (int64_t i = 0; i < starts.count; ++i)
      passes.start(p.grid.place(starts.nodes[i]), p.times[starts.nodes[i]]);
    const bool done = passes.run(parallel);
    if (!done) Buckets<R>(p).run();
    const Part all = {{0, 0, 0}, {p.grid.planes, p.grid.rows, p.grid.columns}};
    if (p.stop < Problem<R>::never) forget_late(p, done ? passes.reached() : all);
  };
  const auto of_shape = [&]<bool deep>() {
    if (!p.even())
      sweep.template operator()<2, deep, false>();
    else if (p.grid.rows < 200)
      sweep.template operator()<2, deep, true>();
    else
      sweep.template operator()<4, deep, true>();
  };
  if (p.deep())
    of_shape.template operator()<true>();
  else
    of_shape.template operator()<false>();
}

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
      bool first = true;
      grid.for_each_neighbour(next, [&](int64_t other) { first &= !(times[other] < time); });
      if (!first) return;
      labels[next] = labels[queue[i]];
      queue.push_back(next);
    });
  }
}

}  // namespace lesionkit::fronts
