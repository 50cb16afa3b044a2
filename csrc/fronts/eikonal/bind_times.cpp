// lesionkit.fronts, arrival times: of order 1, and whose front came first; the accurate mode, of
// order 2 or factored, from those of order 1; and paths, from points back to where their fronts
// came from.
#include <pybind11/stl.h>

#include "common/arrays.hpp"
#include "common/parallel.hpp"
#include "fronts/eikonal/accurate.hpp"
#include "fronts/eikonal/arrival.hpp"
#include "fronts/eikonal/batch.hpp"
#include "fronts/eikonal/paths.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::fronts;

namespace {

// Arguments: Batch.
template <class R>
void arrival_times(const Array<R>& speed, const std::optional<Array<uint8_t>>& mask, double pace,
                   std::array<double, 3> spacing, double stop, const Array<int64_t>& first,
                   const Array<int64_t>& nodes, const Array<R>& at, Array<R>& times) {
  const Batch<R> batch = {speed, mask, pace, spacing, stop, first, nodes, at, times};
  batch.for_each([&](int64_t i, Pages& memory, bool parallel) {
    find_times(batch.problem(i), batch.starts(i), memory, parallel);
  });
}

// label_of: of each start, 1 + the number of its seed; labels: as times.
template <class R>
void front_labels(const Array<R>& times, const Array<int64_t>& first, const Array<int64_t>& nodes,
                  const Array<R>& at, const Array<int32_t>& label_of, Array<int32_t>& labels) {
  const Grid grid = {times.shape(1), times.shape(2), times.shape(3)};
  parallel_for(times.shape(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t from = first.data()[i];
      const Starts<R> starts = {nodes.data() + from, at.data() + from, first.data()[i + 1] - from};
      find_labels(grid, times.data() + i * grid.size(), starts, label_of.data() + from,
                  labels.mutable_data() + i * grid.size());
    }
  });
}

// Arguments: Batch; seed_of: of each start, 1 + the number of its seed; seeds (images, k, 4): Seed.
// Factored up to `reach` from a seed, or, if that is less than 0, as the speed is. times: of order
// 1, replaced.
template <class R>
void make_accurate(const Array<R>& speed, const std::optional<Array<uint8_t>>& mask, double pace,
                   std::array<double, 3> spacing, double stop, const Array<int64_t>& first,
                   const Array<int64_t>& nodes, const Array<R>& at, Array<R>& times, int order,
                   double reach, const Array<int32_t>& seed_of, const Array<double>& seeds) {
  const Batch<R> batch = {speed, mask, pace, spacing, stop, first, nodes, at, times};
  const int64_t count = seeds.shape(1);
  batch.for_each([&](int64_t i, Pages&, bool parallel) {
    const Problem<R> p = batch.problem(i);
    const SeedPoints points = {reinterpret_cast<const Seed*>(seeds.data()) + i * count, count,
                               seed_of.data() + first.data()[i]};
    find_accurate_times(p, batch.starts(i), points, {order == 2, reach < 0.0 ? reach_of(p) : reach},
                        parallel);
  });
}

// times (planes, rows, columns), points (n, 3) of finite time, seeds (k, 3): the points of all
// paths one after the other (m, 3), and how many each has (n,); or -1 where the time is not finite.
template <class R>
std::pair<Array<double>, Array<int64_t>> find_paths(const Array<R>& times, const Point& spacing,
                                                    const Array<double>& points,
                                                    const Array<double>& seeds, double step) {
  const Grid grid = {times.shape(0), times.shape(1), times.shape(2)};
  const int64_t n = points.shape(0);
  const auto* from = reinterpret_cast<const Point*>(points.data());
  const auto* to = reinterpret_cast<const Point*>(seeds.data());
  const PathFinder<R> finder(grid, times.data(), spacing, to, seeds.shape(0), step);
  std::vector<std::vector<Point>> paths(n);
  std::vector<int64_t> counts(n, -1);
  {
    lesionkit::WithoutGil release;
    parallel_for(n, 1, [&](int64_t begin, int64_t end) {
      for (; begin < end; ++begin) {
        if (!finder.reached(from[begin])) continue;
        paths[begin] = finder.find(from[begin]);
        counts[begin] = static_cast<int64_t>(paths[begin].size());
      }
    });
  }
  int64_t all = 0;
  for (const auto& path : paths) all += static_cast<int64_t>(path.size());
  Array<double> out({all, int64_t{3}});
  Point* at = reinterpret_cast<Point*>(out.mutable_data());
  for (const auto& path : paths) at = std::copy(path.begin(), path.end(), at);
  return {out, Array<int64_t>(n, counts.data())};
}

}  // namespace

void bind_times(py::module_ m) {
  using namespace py::literals;
  const auto bind = [&](auto times, auto labels) {
    m.def("arrival_times", times, "speed"_a.noconvert(), "mask"_a.noconvert(), "pace"_a,
          "spacing"_a, "stop"_a, "first"_a.noconvert(), "nodes"_a.noconvert(), "at"_a.noconvert(),
          "times"_a.noconvert(), ReleaseGil());
    m.def("front_labels", labels, "times"_a.noconvert(), "first"_a.noconvert(),
          "nodes"_a.noconvert(), "at"_a.noconvert(), "label_of"_a.noconvert(),
          "labels"_a.noconvert(), ReleaseGil());
  };
  bind(arrival_times<float>, front_labels<float>);
  bind(arrival_times<double>, front_labels<double>);
  const auto bind_accurate = [&](auto function) {
    m.def("make_accurate", function, "speed"_a.noconvert(), "mask"_a.noconvert(), "pace"_a,
          "spacing"_a, "stop"_a, "first"_a.noconvert(), "nodes"_a.noconvert(), "at"_a.noconvert(),
          "times"_a.noconvert(), "order"_a, "reach"_a, "seed_of"_a.noconvert(),
          "seeds"_a.noconvert(), ReleaseGil());
  };
  bind_accurate(make_accurate<float>);
  bind_accurate(make_accurate<double>);
  const auto bind_paths = [&](auto function) {
    m.def("find_paths", function, "times"_a.noconvert(), "spacing"_a, "points"_a.noconvert(),
          "seeds"_a.noconvert(), "step"_a);
  };
  bind_paths(find_paths<float>);
  bind_paths(find_paths<double>);
}
