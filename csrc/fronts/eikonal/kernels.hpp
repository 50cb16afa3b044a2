// Arrival times and paths: what the binding and the tests call. Python has checked shapes and
// values, and found the nodes where fronts start (fronts/arrival.py, fronts/paths.py). R: float or
// double.
#pragma once

#include <array>
#include <vector>

#include "common/view.hpp"

namespace lesionkit::fronts {

// Arguments: Batch of batch.hpp.
template <class R>
void arrival_times(View<const R> speed, Maybe<const uint8_t> mask, double scale,
                   std::array<double, 3> spacing, double stop, View<const int64_t> first,
                   View<const int64_t> nodes, View<const R> at, View<R> times);

// label_of: of each start, 1 + the number of its seed; labels: as times.
template <class R>
void front_labels(View<const R> times, View<const int64_t> first, View<const int64_t> nodes,
                  View<const R> at, View<const int32_t> label_of, View<int32_t> labels);

// The points of all paths one after the other (m, 3), and how many each has; or -1 where the time
// is not finite. times (planes, rows, columns), points (n, 3) of finite time, seeds (k, 3).
struct Paths {
  std::vector<double> points;
  std::vector<int64_t> counts;
};
template <class R>
Paths find_paths(View<const R> times, std::array<double, 3> spacing, View<const double> points,
                 View<const double> seeds, double step);

}  // namespace lesionkit::fronts
