// Fast marching from a level set, for so many axes and of that order.

#include <vector>

#include "common/view.hpp"
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

}  // namespace lesionkit::fronts
