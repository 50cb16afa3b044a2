// The accurate mode: from times of order 1 to those of order 2, or factored. Host only.
#pragma once

#include <algorithm>
#include <vector>

#include "fronts/accurate/ordered.hpp"
#include "fronts/accurate/starts.hpp"
#include "fronts/eikonal/arrival.hpp"

namespace lesionkit::fronts {

struct Accuracy {
  bool second;   // order 2
  double reach;  // of factoring, as spacing; 0: none
};

// Where the front starts (starts.hpp).
template <class R>
class AccurateStarts {
 public:
  // times, infinite; first: of order 1
  AccurateStarts(const Problem<R>& problem, const R* first) : p_(problem), first_(first) {}

  void add(int64_t node, R time) {
    if (!may_start(time, first_[node]) || !(time < p_.times[node])) return;
    p_.times[node] = time;
    nodes.push_back(node);
  }

  bool add_about(const Seed& seed, bool factored) {
    return start_about(p_, first_, seed, factored, [&](int64_t node, R time) { add(node, time); });
  }

  std::vector<int64_t> nodes;

 private:
  const Problem<R>& p_;
  const R* first_;
};

// Seeds, and of each start 1 + the number of its seed.
struct SeedPoints {
  const Seed* seeds;
  int64_t count;
  const int32_t* seed_of;
};

// As Ordered does it, node by node, in the order in which nodes can be worked out: for a way that
// winds so much that passes take too long.
template <class R, bool deep, bool second, bool factored>
void finish_by_queue(const Problem<R>& p, const OrderedProblem<R>& ordered) {
  constexpr int axes = deep ? 3 : 2;
  constexpr R never = Problem<R>::never;
  const Grid& grid = p.grid;
  const int64_t stride[3] = {1, grid.columns, grid.rows * grid.columns};
  const int64_t size[3] = {grid.columns, grid.rows, grid.planes};
  R spacing[axes];
  for (int d = 0; d < axes; ++d) spacing[d] = p.spacing[2 - d];
  const auto time_of = [&](int64_t node) {
    const Offset place = grid.place(node);
    const int64_t index[3] = {place.column, place.row, place.plane};
    Line<R> first[axes], times[axes];
    for (int d = 0; d < axes; ++d) {
      const auto line = [&](const R* values) {
        const auto at = [&](int64_t i) {
          const bool inside = index[d] + i >= 0 && index[d] + i < size[d];
          return inside ? values[node + i * stride[d]] : never;
        };
        return Line<R>{at(-2), at(-1), at(1), at(2)};
      };
      first[d] = line(ordered.first);
      times[d] = line(p.times);
    }
    Known<R> known[axes] = {};
    if constexpr (factored) {
      const Seed& seed = ordered.seed_of(node);
      about_seed(seed, static_cast<R>(seed.slowness), index, spacing, known);
    }
    return final_time<second, factored>(first, times, ordered.first[node], p.scale / p.speed[node],
                                        spacing, known, ordered.reach, never);
  };
  std::vector<int64_t> queue;
  for (int64_t node = 0; node < grid.size(); ++node)
    if (p.times[node] < never) queue.push_back(node);
  for (size_t i = 0; i < queue.size(); ++i) {
    const Offset place = grid.place(queue[i]);
    const int64_t index[3] = {place.column, place.row, place.plane};
    for (int d = 0; d < axes; ++d)
      for (const int64_t away : {-2, -1, 1, 2}) {
        if (index[d] + away < 0 || index[d] + away >= size[d]) continue;
        const int64_t node = queue[i] + away * stride[d];
        if (p.times[node] < never || !(ordered.first[node] < never)) continue;
        p.times[node] = time_of(node);
        if (p.times[node] < never) queue.push_back(node);
      }
  }
}

// p.times: of order 1, up to p.stop and somewhat beyond it, replaced.
template <class R>
void find_accurate_times(const Problem<R>& p, const Starts<R>& starts, const SeedPoints& points,
                         const Accuracy& accuracy, bool parallel) {
  const int64_t n = p.grid.size();
  std::vector<R> first(n);
  std::vector<int32_t> labels;
  if (points.count > 1 && accuracy.reach > 0.0) {
    labels.resize(n);
    find_labels(p.grid, p.times, starts, points.seed_of, labels.data());
  }
  std::vector<Seed> seeds(points.seeds, points.seeds + points.count);
  const bool factored = !accuracy.second || accuracy.reach > 0.0;
  const OrderedProblem<R> ordered = {first.data(), seeds.data(),
                                     points.count, labels.empty() ? nullptr : labels.data(),
                                     factored,     static_cast<R>(accuracy.reach)};
  const auto run = [&]<bool deep, bool second>() {
    using Work = Ordered<R, 2, deep, second>;
    const typename Work::Tiles tiles(p.grid);
    const R window = window_of(p, tiles.lanes);
    // A second time in the order that the first has found: there rays run where they should.
    for (int round = window < Problem<R>::never ? 1 : 2; round > 0; --round) {
      first.assign(p.times, p.times + n);
      std::fill(p.times, p.times + n, Problem<R>::never);
      AccurateStarts<R> from(p, first.data());
      for (int64_t i = 0; i < starts.count; ++i) from.add(starts.nodes[i], starts.times[i]);
      for (int64_t s = 0; s < points.count; ++s)
        if (!from.add_about(points.seeds[s], factored)) seeds[s].slowness = 0;  // not factored
      Work work(p, ordered, tiles);
      Passes<R, Work> passes(work, tiles, window, Problem<R>::never);
      for (const int64_t node : from.nodes) passes.start(p.grid.place(node), p.times[node]);
      if (passes.run(parallel)) continue;
      factored ? finish_by_queue<R, deep, second, true>(p, ordered)
               : finish_by_queue<R, deep, second, false>(p, ordered);
    }
  };
  if (p.deep())
    accuracy.second ? run.template operator()<true, true>()
                    : run.template operator()<true, false>();
  else
    accuracy.second ? run.template operator()<false, true>()
                    : run.template operator()<false, false>();
  if (p.stop < Problem<R>::never)
    forget_late(p, {{0, 0, 0}, {p.grid.planes, p.grid.rows, p.grid.columns}});
}

}  // namespace lesionkit::fronts
