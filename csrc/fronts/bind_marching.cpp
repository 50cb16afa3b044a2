// lesionkit.fronts, marching: arrival times. Python has checked shapes and values, and found the
// nodes where fronts start (fronts/arrival.py).
#include <pybind11/stl.h>

#include <array>
#include <memory>
#include <optional>

#include "common/arrays.hpp"
#include "fronts/accurate.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::fronts;

namespace {

// Which nodes an image's fronts start at, numbered within the image, and when; and its seeds.
template <class R>
struct Fronts {
  const Array<int64_t>& first;  // image i: starts first[i] to first[i + 1] - 1
  const Array<int64_t>& nodes;
  const Array<R>& at;
  const Array<int32_t>& seed_of;  // 1 + number of the seed within the image
  const Array<double>& seeds;     // (images, k, 4): Seed

  Starts<R> starts(int64_t image) const {
    const int64_t begin = first.data()[image];
    return {nodes.data() + begin, at.data() + begin, first.data()[image + 1] - begin};
  }
  const int32_t* seed(int64_t image) const { return seed_of.data() + first.data()[image]; }
};

template <class R>
void solve(const Problem<R>& p, const Fronts<R>& fronts, int64_t image, const Accuracy& accuracy,
           int32_t* labels, Pages& memory, bool parallel) {
  const Starts<R> starts = fronts.starts(image);
  Problem<R> first = p;  // of order 1, whose times are up to 21 % too late, close to a seed
  if (!accuracy.first_order()) first.stop *= R(1.25);
  find_times(first, starts, memory, parallel);
  if (!accuracy.first_order()) {
    const int64_t count = fronts.seeds.shape(1);
    const auto* seeds = reinterpret_cast<const Seed*>(fronts.seeds.data()) + image * count;
    make_accurate(p, starts, fronts.seed(image), seeds, count, accuracy, parallel);
    if (p.stop < Problem<R>::never)
      forget_late(p, {{0, 0, 0}, {p.grid.planes, p.grid.rows, p.grid.columns}});
  }
  if (labels) find_labels(p, starts, fronts.seed(image), labels);
}

// speed, mask, times, labels (images, planes, rows, columns); spacing of planes, rows, columns;
// times after `stop` become infinite; factored up to `reach` from a seed, or, if that is less than
// 0, as the speed is.
template <class R>
void arrival_times(const Array<R>& speed, const std::optional<Array<uint8_t>>& mask, double pace,
                   std::array<double, 3> spacing, double stop, int order, double reach,
                   const Array<int64_t>& first, const Array<int64_t>& nodes, const Array<R>& at,
                   const Array<int32_t>& seed_of, const Array<double>& seeds, Array<R>& times,
                   std::optional<Array<int32_t>>& labels) {
  const int64_t images = speed.shape(0);
  const Grid grid = {speed.shape(1), speed.shape(2), speed.shape(3)};
  const Fronts<R> fronts = {first, nodes, at, seed_of, seeds};
  const auto one = [&](int64_t i, Pages& memory, bool parallel) {
    const int64_t begin = i * grid.size();
    const Problem<R> p = {
        grid,
        speed.data() + begin,
        static_cast<R>(pace),
        mask ? mask->data() + begin : nullptr,
        {static_cast<R>(spacing[0]), static_cast<R>(spacing[1]), static_cast<R>(spacing[2])},
        static_cast<R>(stop),
        times.mutable_data() + begin};
    const double to = reach >= 0.0 ? reach : reach_of(p);
    solve(p, fronts, i, {order == 2, to}, labels ? labels->mutable_data() + begin : nullptr, memory,
          parallel);
  };
  if (images == 1) {
    Pages memory;
    one(0, memory, true);
  } else {
    parallel_for_with(
        images, 1, [] { return std::make_unique<Pages>(); },
        [&](std::unique_ptr<Pages>& memory, int64_t begin, int64_t end) {
          for (; begin < end; ++begin) one(begin, *memory, false);
        });
  }
}

}  // namespace

void bind_marching(py::module_ m) {
  using namespace py::literals;
  const auto bind = [&](auto function) {
    m.def("arrival_times", function, "speed"_a.noconvert(), "mask"_a.noconvert(), "pace"_a,
          "spacing"_a, "stop"_a, "order"_a, "reach"_a, "first"_a.noconvert(), "nodes"_a.noconvert(),
          "at"_a.noconvert(), "seed_of"_a.noconvert(), "seeds"_a.noconvert(), "times"_a.noconvert(),
          "labels"_a.noconvert(), ReleaseGil());
  };
  bind(arrival_times<float>);
  bind(arrival_times<double>);
}
