// lesionkit.fronts, accurate mode: arrival times of order 2, or factored, from those of order 1.
#include <pybind11/stl.h>

#include "fronts/accurate.hpp"
#include "fronts/batch.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::fronts;

namespace {

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

}  // namespace

void bind_accurate(py::module_ m) {
  using namespace py::literals;
  const auto bind = [&](auto function) {
    m.def("make_accurate", function, "speed"_a.noconvert(), "mask"_a.noconvert(), "pace"_a,
          "spacing"_a, "stop"_a, "first"_a.noconvert(), "nodes"_a.noconvert(), "at"_a.noconvert(),
          "times"_a.noconvert(), "order"_a, "reach"_a, "seed_of"_a.noconvert(),
          "seeds"_a.noconvert(), ReleaseGil());
  };
  bind(make_accurate<float>);
  bind(make_accurate<double>);
}
