// Images of one size, with the nodes where fronts start.
#pragma once

#include <array>
#include <memory>

#include "common/memory.hpp"
#include "common/parallel.hpp"
#include "common/view.hpp"
#include "fronts/eikonal/problem.hpp"

namespace lesionkit::fronts {

template <class R>
struct Batch {
  View<const R> speed;  // (images, planes, rows, columns), as are mask and times
  Maybe<const uint8_t> mask;
  double scale;
  std::array<double, 3> spacing;  // of planes, rows, columns
  double stop;
  View<const int64_t> first;  // image i: starts first[i] to first[i + 1] - 1
  View<const int64_t> nodes;  // numbered within the image
  View<const R> at;           // when
  View<R> times;

  int64_t images() const { return speed.shape(0); }
  int64_t size() const { return speed.shape(1) * speed.shape(2) * speed.shape(3); }

  Problem<R> problem(int64_t image) const {
    const int64_t begin = image * size();
    return {{speed.shape(1), speed.shape(2), speed.shape(3)},
            speed.data() + begin,
            static_cast<R>(scale),
            mask ? mask->data() + begin : nullptr,
            {static_cast<R>(spacing[0]), static_cast<R>(spacing[1]), static_cast<R>(spacing[2])},
            static_cast<R>(stop),
            times.data() + begin};
  }
  Starts<R> starts(int64_t image) const {
    const int64_t begin = first.data()[image];
    return {nodes.data() + begin, at.data() + begin, first.data()[image + 1] - begin};
  }

  // Calls solve(image, memory, whether it may use threads) for each.
  template <class Solve>
  void for_each(Solve&& solve) const {
    if (images() == 1) {
      Pages memory;
      solve(0, memory, true);
      return;
    }
    parallel_for_with(
        images(), 1, [] { return std::make_unique<Pages>(); },
        [&](std::unique_ptr<Pages>& memory, int64_t begin, int64_t end) {
          for (; begin < end; ++begin) solve(begin, *memory, false);
        });
  }
};

}  // namespace lesionkit::fronts
