// Arrival times of order 2, or factored, in one pass over the nodes in the order of their times of
// order 1.
//
// When a node's turn comes its earlier neighbours are final, as in fast marching, and no queue is
// needed. Order 2 uses only these. About a seed, within `reach` of it, slopes are factored
// (godunov.hpp); every node has the seed of the neighbour that came first. Close to a seed in a
// smooth speed the times are those of a straight ray, by the trapezium rule: there the differences
// would be of order 1, and their error would be carried everywhere. Host only.
#pragma once

#include <cstring>
#include <vector>

#include "fronts/arrival.hpp"

namespace lesionkit::fronts {

// A point that the front starts from.
struct Seed {
  double at[3];     // plane, row, column; a part of one too
  double slowness;  // there
};

struct Accuracy {
  bool second;   // order 2
  double reach;  // of factoring, as spacing; 0: none
};

// Where the speed is smooth, everywhere; else within 20 nodes of the seed.
template <class R>
double reach_of(const Problem<R>& p) {
  const R spacing = std::max({p.spacing[p.deep() ? 0 : 1], p.spacing[1], p.spacing[2]});
  return Look<R>(p).rough() ? 20.0 * spacing : Problem<double>::never;
}

// Nodes with finite times, earliest first; equal times in the order of nodes. A radix sort.
template <class R>
std::vector<uint32_t> in_order_of_time(const R* times, int64_t n) {
  R last = 0;
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i)
    if (times[i] < Problem<R>::never) {
      last = std::max(last, times[i]);
      ++count;
    }
  struct Entry {
    uint32_t key, node;
  };
  std::vector<Entry> entries(count), sorted(count);
  const double scale = last > 0 ? 4294967295.0 / static_cast<double>(last) : 0.0;
  std::vector<int64_t> places(3 << 11);
  int64_t k = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (!(times[i] < Problem<R>::never)) continue;
    const uint32_t key = static_cast<uint32_t>(static_cast<double>(times[i]) * scale);
    entries[k++] = {key, static_cast<uint32_t>(i)};
    for (int digit = 0; digit < 3; ++digit) ++places[(digit << 11) + (key >> 11 * digit & 2047)];
  }
  for (int digit = 0; digit < 3; ++digit) {
    int64_t sum = 0;
    for (int i = 0; i < 2048; ++i) sum += std::exchange(places[(digit << 11) + i], sum);
    for (const Entry& entry : entries)
      sorted[places[(digit << 11) + (entry.key >> 11 * digit & 2047)]++] = entry;
    entries.swap(sorted);
  }
  std::vector<uint32_t> nodes(count);
  for (int64_t i = 0; i < count; ++i) nodes[i] = entries[i].node;
  return nodes;
}

template <class R>
class OrderedPass {
 public:
  // seed_of: of each start, 1 + the number of its seed.
  OrderedPass(const Problem<R>& problem, const Starts<R>& starts, const int32_t* seed_of,
              const Seed* seeds, int64_t count, const Accuracy& accuracy)
      : p_(problem),
        starts_(starts),
        seed_of_(seed_of),
        seeds_(seeds),
        count_(count),
        a_(accuracy) {}

  // p.times: of order 1, replaced.
  void run() {
    const int64_t n = p_.grid.size();
    const std::vector<uint32_t> order = in_order_of_time(p_.times, n);
    std::fill(p_.times, p_.times + n, Problem<R>::never);
    if (count_ > 1) nearest_.assign(n, 0);
    for (int64_t i = 0; i < starts_.count; ++i)
      begin(starts_.nodes[i], starts_.times[i], seed_of_[i]);
    for (int64_t s = 0; s < count_; ++s) fill_ball(seeds_[s], static_cast<int32_t>(s + 1));
    for (const uint32_t node : order)
      if (!(p_.times[node] < Problem<R>::never)) solve_node(node);
  }

 private:
  void begin(int64_t node, R time, int32_t seed) {
    if (!(time < p_.times[node])) return;
    p_.times[node] = time;
    if (count_ > 1) nearest_[node] = seed;
  }

  // Of a node from a seed, along each axis.
  void away(const Place& at, const Seed& seed, double (&x)[3]) const {
    const int64_t place[3] = {at.plane, at.row, at.column};
    for (int d = 0; d < 3; ++d) x[d] = (static_cast<double>(place[d]) - seed.at[d]) * p_.spacing[d];
  }

  // Times within 3 nodes of a seed, if no wall is there and the speed hardly changes.
  void fill_ball(const Seed& seed, int32_t number) {
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
          for (int64_t x = low[2]; x <= high[2]; ++x) take(Place{z, y, x});
    };
    double slowest = 0.0, fastest = Problem<double>::never;
    bool open = true;
    for_each([&](const Place& at) {
      const int64_t node = p_.node(at);
      open = open && p_.open(node);
      slowest = std::max(slowest, 1.0 / p_.speed[node]);
      fastest = std::min(fastest, 1.0 / p_.speed[node]);
    });
    if (!open || !(slowest < 1.1 * fastest)) return;
    for_each([&](const Place& at) {
      const int64_t node = p_.node(at);
      double x[3], nodes = 0.0;
      away(at, seed, x);
      for (int d = 0; d < 3; ++d) nodes += x[d] / p_.spacing[d] * (x[d] / p_.spacing[d]);
      const double r = std::sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]);
      if (nodes <= radius * radius)
        begin(node, static_cast<R>(r * (seed.slowness + 1.0 / p_.speed[node]) / 2), number);
    });
  }

  void solve_node(int64_t node) {
    const Place at = p_.place(node);
    const int64_t index[3] = {at.column, at.row, at.plane};
    const int64_t size[3] = {p_.grid.columns, p_.grid.rows, p_.grid.planes};
    const R* t = p_.times + node;
    Slope<R> slopes[3];
    int count = 0;
    R first = Problem<R>::never;
    int32_t label = 1;
    int64_t stride = 1;
    int axis_of[3];
    for (int d = 0; d < 3; stride *= size[d++]) {
      if (size[d] == 1) continue;
      const auto time = [&](int64_t steps) {
        const int64_t i = index[d] + steps;
        return i < 0 || i >= size[d] ? Problem<R>::never : t[steps * stride];
      };
      const Slope<R> slope =
          slope_of<R>(time(-2), time(-1), time(1), time(2), p_.spacing[2 - d], a_.second);
      if (!(slope.from < Problem<R>::never)) continue;
      if (slope.from < first) {
        first = slope.from;
        if (count_ > 1) label = nearest_[node - slope.side * stride];
      }
      axis_of[count] = 2 - d;
      slopes[count++] = slope;
    }
    if (count == 0) return;
    if (a_.reach > 0.0) {
      const Seed& seed = seeds_[label - 1];
      double x[3];
      away(at, seed, x);
      const double r = std::sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]);
      if (r <= a_.reach)
        for (int i = 0; i < count; ++i)
          factor<R>(slopes[i], static_cast<R>(seed.slowness), static_cast<R>(r),
                    static_cast<R>(x[axis_of[i]]), p_.spacing[axis_of[i]]);
    }
    p_.times[node] = solve(slopes, count, 1 / p_.speed[node]);
    if (count_ > 1) nearest_[node] = label;
  }

  const Problem<R> p_;
  const Starts<R> starts_;
  const int32_t* seed_of_;
  const Seed* seeds_;
  const int64_t count_;
  const Accuracy a_;
  std::vector<int32_t> nearest_;  // of each node, 1 + the number of its seed
};

}  // namespace lesionkit::fronts
