// Seeds of the accurate mode, and where its front starts.
//
// It starts where it does at order 1, and, close to a seed in a smooth speed, at the times of a
// straight ray by the trapezium rule. There differences are of order 1, for want of a second
// neighbour, and their errors would be carried everywhere. About a seed between nodes whose speeds
// are not alike, the nodes beside its cell start at their times of order 1: their second neighbours
// lie across the seed, and say nothing about their side.
#pragma once

#include "fronts/eikonal/problem.hpp"

namespace lesionkit::fronts {

// A point that a front starts from.
struct Seed {
  double at[3];     // plane, row, column; a part of one too
  double slowness;  // there

  HD bool is_node() const {
    return at[0] == floor(at[0]) && at[1] == floor(at[1]) && at[2] == floor(at[2]);
  }
};

// How far from its seed a front is factored: where the speed is smooth, everywhere; else within 20
// nodes.
template <class R>
HD double reach_of(const Problem<R>& p) {
  const R spacing = max(max(p.deep() ? p.spacing[0] : p.spacing[1], p.spacing[1]), p.spacing[2]);
  return SpeedSample<R>(p).rough() ? 20.0 * spacing : Problem<double>::never;
}

// A front that came from elsewhere before is not held up. first: the node's time of order 1
template <class R>
HD bool may_start(R time, R first) {
  return time < R(1.1) * first || time <= first;
}

// Calls start(node, time) for the nodes within 3 of a seed, if no wall is there and the speed is
// nearly the same. False where nothing is known about times on the other side of the seed: it lies
// between nodes whose speeds are not alike, or times are not factored. first: times of order 1
template <class R, class Start>
HD bool start_about(const Problem<R>& p, const R* first, const Seed& seed, bool factored,
                    Start&& start) {
  constexpr int64_t radius = 3;
  const int64_t size[3] = {p.grid.planes, p.grid.rows, p.grid.columns};
  int64_t low[3], high[3];
  for (int d = 0; d < 3; ++d) {
    const auto at = static_cast<int64_t>(floor(seed.at[d]));
    low[d] = max<int64_t>(0, at - radius);
    high[d] = min<int64_t>(size[d] - 1, at + radius + 1);
  }
  const auto for_each = [&](auto&& take) {
    for (int64_t z = low[0]; z <= high[0]; ++z)
      for (int64_t y = low[1]; y <= high[1]; ++y)
        for (int64_t x = low[2]; x <= high[2]; ++x) take(Offset{z, y, x});
  };
  double slowest = 0.0, fastest = Problem<double>::never;
  bool open = true;
  for_each([&](const Offset& at) {
    const int64_t node = p.grid.index(at);
    open = open && p.open(node);
    if (!p.open(node)) return;
    slowest = max(slowest, p.slowness(node));
    fastest = min(fastest, p.slowness(node));
  });
  const bool even = slowest < 1.5 * fastest, between = !seed.is_node();
  if (!open || !even) {
    if (between && !(even && factored))
      for (int corner = 0; corner < 8; ++corner) {  // one step along an axis from the seed's cell
        int64_t at[3];
        for (int d = 0; d < 3; ++d)
          at[d] = static_cast<int64_t>(corner >> d & 1 ? ceil(seed.at[d]) : floor(seed.at[d]));
        p.grid.for_each_neighbour(p.grid.index({at[0], at[1], at[2]}),
                                  [&](int64_t node) { start(node, first[node]); });
      }
    return even || !between;
  }
  for_each([&](const Offset& at) {
    const double away[3] = {static_cast<double>(at.plane) - seed.at[0],
                            static_cast<double>(at.row) - seed.at[1],
                            static_cast<double>(at.column) - seed.at[2]};
    double square = 0.0, nodes = 0.0;
    for (int d = 0; d < 3; ++d) {
      nodes += away[d] * away[d];
      square += away[d] * p.spacing[d] * away[d] * p.spacing[d];
    }
    const int64_t node = p.grid.index(at);
    if (nodes <= radius * radius)
      start(node, static_cast<R>(root(square) * (seed.slowness + p.slowness(node)) / 2));
  });
  return true;
}

// What is known of a node by its seed; index: its column, row, plane, as the axes of final_time.
template <class R, int axes, class Index>
HD void about_seed(const Seed& seed, R slowness, const Index& index, const R (&spacing)[axes],
                   Known<R> (&known)[axes]) {
  R square = 0;
  for (int d = 0; d < axes; ++d) {
    known[d].along = static_cast<R>(static_cast<double>(index[d]) - seed.at[2 - d]) * spacing[d];
    square += known[d].along * known[d].along;
  }
  for (int d = 0; d < axes; ++d) {
    known[d].distance = root(square);
    known[d].slowness = slowness;
  }
}

}  // namespace lesionkit::fronts
