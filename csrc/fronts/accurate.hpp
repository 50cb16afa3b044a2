// The accurate mode: from times of order 1 to those of order 2, or factored. Host only.
#pragma once

#include <vector>

#include "fronts/arrival.hpp"
#include "fronts/ordered.hpp"

namespace lesionkit::fronts {

struct Accuracy {
  bool second;   // order 2
  double reach;  // of factoring, as spacing; 0: none

  bool first_order() const { return !second && reach == 0.0; }
};

// Where the speed is smooth, everywhere; else within 20 nodes of the seed.
template <class R>
double reach_of(const Problem<R>& p) {
  const R spacing = std::max({p.spacing[p.deep() ? 0 : 1], p.spacing[1], p.spacing[2]});
  return Look<R>(p).rough() ? 20.0 * spacing : Problem<double>::never;
}

// Where the front starts at order 2: where it does at order 1, and, close to a seed in a smooth
// speed, at the times of a straight ray by the trapezium rule. There differences are of order 1,
// for want of a second neighbour, and their errors would be carried everywhere.
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

  // The nodes within 3 of a seed, if no wall is there and the speed is nearly the same.
  void add_ball(const Seed& seed) {
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
      slowest = std::max(slowest, p_.slowness(node));
      fastest = std::min(fastest, p_.slowness(node));
    });
    if (!open || !(slowest < 1.5 * fastest)) return;
    for_each([&](const Place& at) {
      const double away[3] = {at.plane - seed.at[0], at.row - seed.at[1], at.column - seed.at[2]};
      double square = 0.0, nodes = 0.0;
      for (int d = 0; d < 3; ++d) {
        nodes += away[d] * away[d];
        square += away[d] * p_.spacing[d] * away[d] * p_.spacing[d];
      }
      const int64_t node = p_.node(at);
      if (nodes <= radius * radius)
        add(node, static_cast<R>(std::sqrt(square) * (seed.slowness + p_.slowness(node)) / 2));
    });
  }

  std::vector<int64_t> nodes;

 private:
  const Problem<R>& p_;
  const R* first_;
};

// p.times: of order 1 up to a time beyond p.stop, replaced. seed_of: of each start, 1 + its seed.
template <class R>
void make_accurate(const Problem<R>& p, const Starts<R>& starts, const int32_t* seed_of,
                   const Seed* seeds, int64_t count, const Accuracy& accuracy, bool parallel) {
  const int64_t n = p.grid.size();
  const std::vector<R> first(p.times, p.times + n);
  std::vector<int32_t> labels;
  if (count > 1 && accuracy.reach > 0.0) {
    labels.resize(n);
    find_labels(p, starts, seed_of, labels.data());
  }
  std::fill(p.times, p.times + n, Problem<R>::never);
  AccurateStarts<R> from(p, first.data());
  for (int64_t i = 0; i < starts.count; ++i) from.add(starts.nodes[i], starts.times[i]);
  for (int64_t s = 0; s < count; ++s) from.add_ball(seeds[s]);

  const OrderedProblem<R> ordered = {first.data(), seeds, count,
                                     labels.empty() ? nullptr : labels.data(),
                                     static_cast<R>(accuracy.reach)};
  const auto run = [&]<bool deep, bool second, bool factored>() {
    using Work = Ordered<R, 2, deep, second, factored>;
    const typename Work::Tiles tiles(p.grid);
    Work work(p, ordered, tiles);
    Passes<R, Work> passes(work, tiles, window_of(p, tiles.lanes), Problem<R>::never);
    for (const int64_t node : from.nodes) passes.start(p.place(node), p.times[node]);
    passes.run(parallel);
  };
  const auto of_kind = [&]<bool deep>() {
    if (!accuracy.second)
      run.template operator()<deep, false, true>();
    else if (accuracy.reach > 0.0)
      run.template operator()<deep, true, true>();
    else
      run.template operator()<deep, true, false>();
  };
  if (p.deep())
    of_kind.template operator()<true>();
  else
    of_kind.template operator()<false>();
}

}  // namespace lesionkit::fronts
