// lesionkit.fronts, paths: from points back to where their fronts came from.
#include <pybind11/stl.h>

#include "common/arrays.hpp"
#include "common/parallel.hpp"
#include "fronts/paths.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::fronts;

namespace {

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
    py::gil_scoped_release release;
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

void bind_paths(py::module_ m) {
  using namespace py::literals;
  const auto bind = [&](auto function) {
    m.def("find_paths", function, "times"_a.noconvert(), "spacing"_a, "points"_a.noconvert(),
          "seeds"_a.noconvert(), "step"_a);
  };
  bind(find_paths<float>);
  bind(find_paths<double>);
}
