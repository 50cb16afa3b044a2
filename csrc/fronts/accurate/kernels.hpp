// The accurate mode of arrival times: what the binding calls. Python has checked shapes and values,
// and found the nodes where fronts start (fronts/arrival.py). R: float or double.
#pragma once

#include <array>

#include "common/view.hpp"

namespace lesionkit::fronts {

// Arguments: Batch of eikonal/batch.hpp; seed_of: of each start, 1 + the number of its seed; seeds
// (images, k, 4): Seed. Factored up to `reach` from a seed, or, if that is less than 0, as the
// speed is. times: of order 1, replaced.
template <class R>
void make_accurate(View<const R> speed, Maybe<const uint8_t> mask, double scale,
                   std::array<double, 3> spacing, double stop, View<const int64_t> first,
                   View<const int64_t> nodes, View<const R> at, View<R> times, int order,
                   double reach, View<const int32_t> seed_of, View<const double> seeds);

}  // namespace lesionkit::fronts
