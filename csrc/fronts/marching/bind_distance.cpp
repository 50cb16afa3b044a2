// lesionkit.fronts, distances: fast marching from a level set. Python has checked shapes and values
// (fronts/distance.py).
#include <pybind11/stl.h>

#include <limits>
#include <optional>
#include <vector>

#include "common/arrays.hpp"
#include "common/parallel.hpp"
#include "fronts/marching/distance_transform.hpp"
#include "fronts/marching/fast_marching.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::fronts;

namespace {

template <class T>
const T* data_or_null(const std::optional<Array<T>>& array) {
  return array ? array->data() : nullptr;
}

template <int AXES>
bool run(const MarchProblem& problem, int order) {
  return order == 2 ? fronts::march<AXES, true>(problem) : fronts::march<AXES, false>(problem);
}

// All arrays have one shape, of at most MOST_AXES axes; `extended` is given with `carried`. NaN
// stands where the front does not come. False, and no answer, if phi has no zero level set.
bool march_level(const Array<double>& phi, const std::optional<Array<double>>& speed,
                 const std::optional<Array<uint8_t>>& closed, std::vector<double> spacing,
                 std::vector<bool> periodic, int order, double narrow, Array<double>& times,
                 const std::optional<Array<double>>& carried,
                 const std::optional<Array<uint8_t>>& unknown,
                 std::optional<Array<double>>& extended) {
  const MarchProblem problem = {{phi.shape(), phi.shape() + phi.ndim()},
                                std::move(spacing),
                                std::move(periodic),
                                narrow,
                                phi.data(),
                                data_or_null(speed),
                                data_or_null(closed),
                                times.mutable_data(),
                                data_or_null(carried),
                                data_or_null(unknown),
                                extended ? extended->mutable_data() : nullptr};
  switch (phi.ndim()) {
    case 2:
      return run<2>(problem, order);
    case 3:
      return run<3>(problem, order);
    default:
      return run<0>(problem, order);
  }
}

// mask (the class of each pixel, 0 outside) and out, of one shape. `both`: distances outside too,
// and inside as negative numbers.
template <class R, class Label>
void distance_transform_of(const Array<Label>& mask, std::vector<double> spacing, bool both,
                           Array<R>& out) {
  distance_transform<R, Label>({{mask.shape(), mask.shape() + mask.ndim()},
                                std::move(spacing),
                                mask.data(),
                                both,
                                out.mutable_data()});
}

}  // namespace

void bind_distance(py::module_ m) {
  using namespace py::literals;
  m.def("march", march_level, "phi"_a.noconvert(), "speed"_a.noconvert().none(true),
        "closed"_a.noconvert().none(true), "spacing"_a, "periodic"_a, "order"_a, "narrow"_a,
        "times"_a.noconvert(), "carried"_a.noconvert().none(true),
        "unknown"_a.noconvert().none(true), "extended"_a.noconvert().none(true), ReleaseGil());
  const auto bind_transform = [&](auto function) {
    m.def("distance_transform", function, "mask"_a.noconvert(), "spacing"_a, "both"_a,
          "out"_a.noconvert(), ReleaseGil());
  };
  bind_transform(distance_transform_of<float, uint8_t>);
  bind_transform(distance_transform_of<double, uint8_t>);
  bind_transform(distance_transform_of<float, int32_t>);
  bind_transform(distance_transform_of<double, int32_t>);
}
