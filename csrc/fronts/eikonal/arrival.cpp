// Arrival times of order 1: by sweeps, and by buckets where sweeps take too long.
#include "fronts/eikonal/arrival.hpp"

#include "fronts/eikonal/buckets.hpp"
#include "fronts/eikonal/sweep.hpp"

namespace lesionkit::fronts {

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

template void find_times(const Problem<float>&, const Starts<float>&, Pages&, bool);
template void find_times(const Problem<double>&, const Starts<double>&, Pages&, bool);

}  // namespace lesionkit::fronts
