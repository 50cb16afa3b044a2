// Arrival times of order 1 by a queue of buckets, each for a short span of time.
//
// Nodes are taken from the earliest bucket; each gives its neighbours a new time, and a node that
// came down is queued again, even one that was taken before: no node is ever final, and so the
// order within a bucket does not matter. The work is that of the nodes reached, whatever the way
// winds. It goes on from the times as they are, of which every one must be an upper bound.
// Compare Yatziv, Bartesaghi and Sapiro, "O(N) implementation of the fast marching algorithm",
// J. Comput. Phys. 212, 2006, whose untidy queue freezes nodes, and so depends on the order.
// Host only.
#pragma once

#include <algorithm>
#include <vector>

#include "fronts/eikonal/problem.hpp"

namespace lesionkit::fronts {

template <class R>
class Buckets {
 public:
  explicit Buckets(const Problem<R>& problem) : p_(problem), buckets_(ring) {}

  void run() {
    const int64_t n = p_.grid.size();
    const double slowness = SpeedSample<R>(p_).slowness;
    if (slowness > 0.0) width_ = static_cast<R>(slowness) * p_.spacing[2] / 2;
    for (int64_t i = 0; i < n; ++i)
      if (p_.times[i] < Problem<R>::never) push(i);
    for (; queued_ > 0; ++now_) {
      std::vector<int64_t>& bucket = buckets_[now_ % ring];
      for (size_t i = 0; i < bucket.size(); ++i) {  // it may grow
        const int64_t node = bucket[i], due = bucket_of(p_.times[node]);
        if (due > now_)
          push(node);  // it was too far ahead
        else if (due == now_ && p_.times[node] <= p_.stop)
          p_.grid.for_each_neighbour(node, [&](int64_t next) { update(next, p_.times[node]); });
      }
      queued_ -= static_cast<int64_t>(bucket.size());
      bucket.clear();
    }
  }

 private:
  static constexpr int64_t ring = 4096;

  int64_t bucket_of(R time) const {
    return static_cast<int64_t>(std::min<R>(time / width_, R(1e15)));
  }
  void push(int64_t node) {
    const int64_t due = std::clamp(bucket_of(p_.times[node]), now_, now_ + ring - 1);
    buckets_[due % ring].push_back(node);
    ++queued_;
  }

  void update(int64_t node, R later_than) {
    if (p_.times[node] <= later_than || !p_.open(node)) return;
    const int64_t area = p_.grid.rows * p_.grid.columns;
    const Offset at = p_.grid.place(node);
    const R* t = p_.times + node;
    const auto least = [&](int64_t i, int64_t n, int64_t away) {
      return min(i > 0 ? t[-away] : Problem<R>::never, i + 1 < n ? t[away] : Problem<R>::never);
    };
    const R around[3] = {least(at.plane, p_.grid.planes, area),
                         least(at.row, p_.grid.rows, p_.grid.columns),
                         least(at.column, p_.grid.columns, 1)};
    const R time = arrival(around, p_.spacing, p_.deep(), p_.even(), p_.scale / p_.speed[node]);
    if (time < *t) {
      p_.times[node] = time;
      push(node);
    }
  }

  const Problem<R> p_;
  R width_ = 1;  // of a bucket, in time
  std::vector<std::vector<int64_t>> buckets_;
  int64_t now_ = 0, queued_ = 0;
};

}  // namespace lesionkit::fronts
