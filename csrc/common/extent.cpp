#include "common/extent.hpp"

#include "common/reduce.hpp"

namespace lesionkit {

template <class T>
Extent parallel_extent(const T* x, int64_t n) {
  return reduce_in_any_order(n, int64_t{1} << 18, Extent{},
                             [&](int64_t begin, int64_t end, Extent& part) {
                               part.add(extent_of(x + begin, end - begin));
                             });
}

template Extent parallel_extent(const float*, int64_t);
template Extent parallel_extent(const double*, int64_t);

}  // namespace lesionkit
