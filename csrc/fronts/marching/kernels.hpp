// Distances: what the binding and the tests call. Python has checked shapes and values
// (fronts/distance.py, fronts/transform.py).
#pragma once

#include <vector>

#include "common/view.hpp"

namespace lesionkit::fronts {

// All arrays have one shape, of at most MAX_AXES axes; `extended` is given with `carried`. NaN
// stands where the front does not come. False, and no answer, if phi has no zero level set.
bool march_level(View<const double> phi, Maybe<const double> speed, Maybe<const uint8_t> closed,
                 std::vector<double> spacing, std::vector<bool> periodic, int order, double narrow,
                 View<double> times, Maybe<const double> carried, Maybe<const uint8_t> unknown,
                 Maybe<double> extended);

// mask (the class of each pixel, 0 outside; uint8_t or int32_t) and out (float or double), of one
// shape. `both`: distances outside too, and inside as negative numbers.
template <class R, class Label>
void distance_transform(View<const Label> mask, std::vector<double> spacing, bool both,
                        View<R> out);

}  // namespace lesionkit::fronts
