// The accurate mode, of order 2 or factored, from times of order 1.
#include "fronts/accurate/accurate.hpp"

#include "fronts/accurate/kernels.hpp"
#include "fronts/eikonal/batch.hpp"

namespace lesionkit::fronts {

template <class R>
void make_accurate(View<const R> speed, Maybe<const uint8_t> mask, double scale,
                   std::array<double, 3> spacing, double stop, View<const int64_t> first,
                   View<const int64_t> nodes, View<const R> at, View<R> times, int order,
                   double reach, View<const int32_t> seed_of, View<const double> seeds) {
  const Batch<R> batch = {speed, mask, scale, spacing, stop, first, nodes, at, times};
  const int64_t count = seeds.shape(1);
  batch.for_each([&](int64_t i, Pages&, bool parallel) {
    const Problem<R> p = batch.problem(i);
    const SeedPoints points = {reinterpret_cast<const Seed*>(seeds.data()) + i * count, count,
                               seed_of.data() + first.data()[i]};
    find_accurate_times(p, batch.starts(i), points, {order == 2, reach < 0.0 ? reach_of(p) : reach},
                        parallel);
  });
}

#define ACCURATE(R)                                                                               \
  template void make_accurate(View<const R>, Maybe<const uint8_t>, double, std::array<double, 3>, \
                              double, View<const int64_t>, View<const int64_t>, View<const R>,    \
                              View<R>, int, double, View<const int32_t>, View<const double>);
ACCURATE(float)
ACCURATE(double)

}  // namespace lesionkit::fronts
