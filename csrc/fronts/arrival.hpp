// One way in to all solvers of order 1: sweeps, and buckets where sweeps take too long. Host only.
#pragma once

#include <vector>

#include "fronts/buckets.hpp"
#include "fronts/sweep.hpp"

namespace lesionkit::fronts {

// Where fronts start: nodes, and when.
template <class R>
struct Starts {
  const int64_t* nodes;
  const R* times;
  int64_t count;
};

// Fills p.times. Later times than p.stop may be missing or too large.
template <class R>
void find_times(const Problem<R>& p, const Starts<R>& starts, bool parallel) {
  R* times = p.times;
  const int64_t n = p.grid.size();
  if (parallel)
    parallel_for(n, int64_t{1} << 18, [=](int64_t begin, int64_t end) {
      std::fill(times + begin, times + end, Problem<R>::never);
    });
  else
    std::fill(times, times + n, Problem<R>::never);
  for (int64_t i = 0; i < starts.count; ++i)
    times[starts.nodes[i]] = std::min(times[starts.nodes[i]], starts.times[i]);

  const Look<R> look(p);
  const auto sweep = [&]<int strips, bool deep, bool even>() {
    // What the front takes to cross a tile or two; a smooth speed needs no window.
    const double side = Tiling<R, strips>::lanes * static_cast<double>(p.spacing[1]);
    const R window = look.rough() ? static_cast<R>(1.2 * side * look.slowness) : Problem<R>::never;
    Sweep<R, strips, deep, even> sweeps(p, window);
    for (int64_t i = 0; i < starts.count; ++i) sweeps.start(starts.nodes[i]);
    return sweeps.run(parallel);
  };
  const auto of_shape = [&]<bool deep>() {
    if (!p.even()) return sweep.template operator()<2, deep, false>();
    if (p.grid.rows < 200) return sweep.template operator()<2, deep, true>();
    return sweep.template operator()<4, deep, true>();
  };
  const bool done =
      p.deep() ? of_shape.template operator()<true>() : of_shape.template operator()<false>();
  if (!done) Buckets<R>(p).run();
}

// Whose front came first, as 1 + its number; 0 where none did. Each node has the label of its
// neighbour with the least time. Starts have labels of their own.
template <class R>
void find_labels(const Problem<R>& p, const Starts<R>& starts, const int32_t* seed_of,
                 int32_t* labels) {
  std::fill(labels, labels + p.grid.size(), 0);
  std::vector<int64_t> queue;
  for (int64_t i = 0; i < starts.count; ++i) {
    const int64_t node = starts.nodes[i];
    if (p.times[node] != starts.times[i] || labels[node]) continue;
    labels[node] = seed_of[i];
    queue.push_back(node);
  }
  for (size_t i = 0; i < queue.size(); ++i) {
    const R time = p.times[queue[i]];
    p.for_each_neighbour(queue[i], [&](int64_t next) {
      if (labels[next] || !(p.times[next] < Problem<R>::never) || p.times[next] < time) return;
      bool first = true;
      p.for_each_neighbour(next, [&](int64_t other) { first &= !(p.times[other] < time); });
      if (!first) return;
      labels[next] = labels[queue[i]];
      queue.push_back(next);
    });
  }
}

}  // namespace lesionkit::fronts
