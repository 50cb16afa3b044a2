// The accurate mode: from times of order 1 to those of order 2, or factored. Host only.
#pragma once

#include <vector>

#include "fronts/eikonal/arrival.hpp"
#include "fronts/eikonal/ordered.hpp"

namespace lesionkit::fronts {

struct Accuracy {
  bool second;   // order 2
  double reach;  // of factoring, as spacing; 0: none
};

// Where the speed is smooth, everywhere; else within 20 nodes of the seed.
template <class R>
double reach_of(const Problem<R>& p) {
  const R spacing = std::max({p.spacing[p.deep() ? 0 : 1], p.spacing[1], p.spacing[2]});
  return SpeedSample<R>(p).rough() ? 20.0 * spacing : Problem<double>::never;
}

// Where the front starts at order 2: where it does at order 1, and, close to a seed in a smooth
// speed, at the times of a straight ray by the trapezium rule. There differences are of order 1,
// for want of a second neighbour, and their errors would be carried everywhere. About a seed
// between nodes whose speeds are not alike, the nodes beside its cell start at their times of order
// 1: their second neighbours lie across the seed, and say nothing about their side.
template <class R>
class AccurateStarts {
 public:
  // times, infinite; first: of order 1
  AccurateStarts(const Problem<R>& problem, const R* first) : p_(problem), first_(first) {}

  // A front that came from elsewhere before is not held up.
  void add(int64_t node, R time) {
    if (!(time < R(1.1) * first_[node] || time <= first_[node]) || !(time < p_.times[node])) return;
    p_.times[node] = time;
    nodes.push_back(node);
  }

  // The nodes within 3 of a seed, if no wall is there and the speed is nearly the same. False where
  // nothing is known about times on the other side of the seed: it lies between nodes whose speeds
  // are not alike, or times are not factored.
  bool add_ball(const Seed& seed, bool factored) {
    constexpr int64_t radius = 3;
    const int64_t size[3] = {p_.grid.planes, p_.grid.rows, p_.grid.columns};
    int64_t low[3], high[3];
    for (int d = 0; d < 3; ++d) {
      const auto at = static_cast<int64_t>(std::floor(seed.at[d]));
      low[d] = std::max<int64_t>(0, at - radius);
      high[d] = std::min(size[d] - 1, at + radius + 1);
    }
    const auto for_each = [&](auto&& take) {
      for (int64_t z = low[0]; z <= high[0]; ++z)
        for (int64_t y = low[1]; y <= high[1]; ++y)
          for (int64_t x = low[2]; x <= high[2]; ++x) take(Offset{z, y, x});
    };
    double slowest = 0.0, fastest = Problem<double>::never;
    bool open = true;
    for_each([&](const Offset& at) {
      const int64_t node = p_.grid.index(at);
      open = open && p_.open(node);
      if (!p_.open(node)) return;
      slowest = std::max(slowest, p_.slowness(node));
      fastest = std::min(fastest, p_.slowness(node));
    });
    const bool even = slowest < 1.5 * fastest, between = !is_node(seed);
    if (!open || !even) {
      if (between && !(even && factored)) add_beside_cell(seed);
      return even || !between;
    }
    for_each([&](const Offset& at) {
      const double away[3] = {at.plane - seed.at[0], at.row - seed.at[1], at.column - seed.at[2]};
      double square = 0.0, nodes = 0.0;
      for (int d = 0; d < 3; ++d) {
        nodes += away[d] * away[d];
        square += away[d] * p_.spacing[d] * away[d] * p_.spacing[d];
      }
      const int64_t node = p_.grid.index(at);
      if (nodes <= radius * radius)
        add(node, static_cast<R>(std::sqrt(square) * (seed.slowness + p_.slowness(node)) / 2));
    });
    return true;
  }

  std::vector<int64_t> nodes;

 private:
  static bool is_node(const Seed& seed) {
    return std::all_of(seed.at, seed.at + 3, [](double at) { return at == std::floor(at); });
  }

  // The nodes one step along an axis away from the corners of the seed's cell.
  void add_beside_cell(const Seed& seed) {
    for (int corner = 0; corner < 8; ++corner) {
      Offset at;
      int64_t* const index[3] = {&at.plane, &at.row, &at.column};
      for (int d = 0; d < 3; ++d)
        *index[d] =
            static_cast<int64_t>(corner >> d & 1 ? std::ceil(seed.at[d]) : std::floor(seed.at[d]));
      p_.grid.for_each_neighbour(p_.grid.index(at), [&](int64_t node) { add(node, first_[node]); });
    }
  }

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
      R square = 0;
      for (int d = 0; d < axes; ++d) {
        known[d].along = static_cast<R>(index[d] - seed.at[2 - d]) * spacing[d];
        square += known[d].along * known[d].along;
      }
      for (auto& k : known) {
        k.distance = root(square);
        k.slowness = static_cast<R>(seed.slowness);
      }
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
        if (!from.add_ball(points.seeds[s], factored)) seeds[s].slowness = 0;  // not factored
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
