// Arrival times of order 1, and whose front came first; and paths, from points back to where their
// fronts came from.

#include "common/parallel.hpp"
#include "common/view.hpp"
#include "fronts/eikonal/arrival.hpp"
#include "fronts/eikonal/batch.hpp"
#include "fronts/eikonal/kernels.hpp"
#include "fronts/eikonal/paths.hpp"

namespace lesionkit::fronts {

template <class R>
void arrival_times(View<const R> speed, Maybe<const uint8_t> mask, double scale,
                   std::array<double, 3> spacing, double stop, View<const int64_t> first,
                   View<const int64_t> nodes, View<const R> at, View<R> times) {
  const Batch<R> batch = {speed, mask, scale, spacing, stop, first, nodes, at, times};
  batch.for_each([&](int64_t i, Pages& memory, bool parallel) {
    find_times(batch.problem(i), batch.starts(i), memory, parallel);
  });
}

template <class R>
void front_labels(View<const R> times, View<const int64_t> first, View<const int64_t> nodes,
                  View<const R> at, View<const int32_t> label_of, View<int32_t> labels) {
  const Grid grid = {times.shape(1), times.shape(2), times.shape(3)};
  parallel_for(times.shape(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t from = first.data()[i];
      const Starts<R> starts = {nodes.data() + from, at.data() + from, first.data()[i + 1] - from};
      find_labels(grid, times.data() + i * grid.size(), starts, label_of.data() + from,
                  labels.data() + i * grid.size());
    }
  });
}

template <class R>
Paths find_paths(View<const R> times, std::array<double, 3> spacing, View<const double> points,
                 View<const double> seeds, double step) {
  const Grid grid = {times.shape(0), times.shape(1), times.shape(2)};
  const int64_t n = points.shape(0);
  const auto* from = reinterpret_cast<const Point*>(points.data());
  const auto* to = reinterpret_cast<const Point*>(seeds.data());
  const PathFinder<R> finder(grid, times.data(), spacing, to, seeds.shape(0), step);
  std::vector<std::vector<Point>> paths(n);
  Paths found = {{}, std::vector<int64_t>(n, -1)};
  parallel_for(n, 1, [&](int64_t begin, int64_t end) {
    for (; begin < end; ++begin) {
      if (!finder.reached(from[begin])) continue;
      paths[begin] = finder.find(from[begin]);
      found.counts[begin] = static_cast<int64_t>(paths[begin].size());
    }
  });
  for (const auto& path : paths)
    for (const Point& point : path)
      found.points.insert(found.points.end(), point.begin(), point.end());
  return found;
}

#define TIMES(R)                                                                                  \
  template void arrival_times(View<const R>, Maybe<const uint8_t>, double, std::array<double, 3>, \
                              double, View<const int64_t>, View<const int64_t>, View<const R>,    \
                              View<R>);                                                           \
  template void front_labels(View<const R>, View<const int64_t>, View<const int64_t>,             \
                             View<const R>, View<const int32_t>, View<int32_t>);                  \
  template Paths find_paths(View<const R>, std::array<double, 3>, View<const double>,             \
                            View<const double>, double);
TIMES(float)
TIMES(double)

}  // namespace lesionkit::fronts
