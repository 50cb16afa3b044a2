// lesionkit.fronts, marching: arrival times of order 1, and whose front came first.
#include <pybind11/stl.h>

#include "fronts/arrival.hpp"
#include "fronts/batch.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::fronts;

void bind_accurate(py::module_ m);
void bind_paths(py::module_ m);

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

}  // namespace

void bind_marching(py::module_ m) {
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
  bind_accurate(m);
  bind_paths(m);
}
