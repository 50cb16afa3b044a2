// Distances: fast marching from a level set, and the distance transform.

#include <limits>
#include <vector>

#include "common/parallel.hpp"
#include "common/view.hpp"
#include "fronts/marching/distance_transform.hpp"
#include "fronts/marching/fast_marching.hpp"
#include "fronts/marching/kernels.hpp"

namespace lesionkit::fronts {
namespace {

template <int AXES>
bool run(const MarchProblem& problem, int order) {
  return order == 2 ? fronts::march<AXES, true>(problem) : fronts::march<AXES, false>(problem);
}

}  // namespace

bool march_level(View<const double> phi, Maybe<const double> speed, Maybe<const uint8_t> closed,
                 std::vector<double> spacing, std::vector<bool> periodic, int order, double narrow,
                 View<double> times, Maybe<const double> carried, Maybe<const uint8_t> unknown,
                 Maybe<double> extended) {
  const MarchProblem problem = {{phi.shape(), phi.shape() + phi.ndim()},
                                std::move(spacing),
                                std::move(periodic),
                                narrow,
                                phi.data(),
                                data_or_null(speed),
                                data_or_null(closed),
                                times.data(),
                                data_or_null(carried),
                                data_or_null(unknown),
                                data_or_null(extended)};
  switch (phi.ndim()) {
    case 2:
      return run<2>(problem, order);
    case 3:
      return run<3>(problem, order);
    default:
      return run<0>(problem, order);
  }
}

template <class R, class Label>
void distance_transform(View<const Label> mask, std::vector<double> spacing, bool both,
                        View<R> out) {
  distance_transform<R, Label>({{mask.shape(), mask.shape() + mask.ndim()},
                                std::move(spacing),
                                mask.data(),
                                both,
                                out.data()});
}

template void distance_transform(View<const uint8_t>, std::vector<double>, bool, View<float>);
template void distance_transform(View<const uint8_t>, std::vector<double>, bool, View<double>);
template void distance_transform(View<const int32_t>, std::vector<double>, bool, View<float>);
template void distance_transform(View<const int32_t>, std::vector<double>, bool, View<double>);

}  // namespace lesionkit::fronts
