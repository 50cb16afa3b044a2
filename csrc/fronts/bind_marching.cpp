// lesionkit.fronts, marching: arrival times. Python has checked shapes and values, and found the
// nodes where fronts start (fronts/arrival.py).
#include <pybind11/stl.h>

#include <array>
#include <optional>

#include "common/arrays.hpp"
#include "fronts/arrival.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::fronts;

namespace {

// speed, mask, times (images, planes, rows, columns); spacing of planes, rows, columns. Image i
// starts at the nodes of starts first[i] to first[i + 1] - 1, numbered within their image; nodes of
// times after `stop` become infinite. labels: of each start, and as times; or nothing.
template <class R>
void arrival_times(const Array<R>& speed, const std::optional<Array<uint8_t>>& mask,
                   std::array<double, 3> spacing, double stop, const Array<int64_t>& first,
                   const Array<int64_t>& nodes, const Array<R>& at, const Array<int32_t>& label_of,
                   Array<R>& times, std::optional<Array<int32_t>>& labels) {
  const int64_t images = speed.shape(0);
  const Grid grid = {speed.shape(1), speed.shape(2), speed.shape(3)};
  const auto solve = [&](int64_t i, bool parallel) {
    const int64_t begin = first.data()[i], begins = i * grid.size();
    Problem<R> p = {
        grid,
        speed.data() + begins,
        mask ? mask->data() + begins : nullptr,
        {static_cast<R>(spacing[0]), static_cast<R>(spacing[1]), static_cast<R>(spacing[2])},
        static_cast<R>(stop),
        times.mutable_data() + begins};
    const Starts<R> starts = {nodes.data() + begin, at.data() + begin, first.data()[i + 1] - begin};
    find_times(p, starts, parallel);
    if (p.stop < Problem<R>::never)
      for (int64_t k = 0; k < grid.size(); ++k)
        if (p.times[k] > p.stop) p.times[k] = Problem<R>::never;
    if (labels) find_labels(p, starts, label_of.data() + begin, labels->mutable_data() + begins);
  };
  if (images == 1)
    solve(0, true);
  else
    parallel_for(images, 1, [&](int64_t begin, int64_t end) {
      for (; begin < end; ++begin) solve(begin, false);
    });
}

}  // namespace

void bind_marching(py::module_ m) {
  using namespace py::literals;
  const auto bind = [&](auto function) {
    m.def("arrival_times", function, "speed"_a.noconvert(), "mask"_a.noconvert(), "spacing"_a,
          "stop"_a, "first"_a.noconvert(), "nodes"_a.noconvert(), "at"_a.noconvert(),
          "label_of"_a.noconvert(), "times"_a.noconvert(), "labels"_a.noconvert(), ReleaseGil());
  };
  bind(arrival_times<float>);
  bind(arrival_times<double>);
}
