#include "common/extent.hpp"

#include <mutex>

#include "common/parallel.hpp"

namespace lesionkit {

template <class T>
Extent parallel_extent(const T* x, int64_t n) {
  Extent whole;
  std::mutex adding;
  parallel_for(n, int64_t{1} << 18, [&](int64_t begin, int64_t end) {
    const Extent part = extent_of(x + begin, end - begin);
    std::lock_guard guard(adding);
    whole.add(part);
  });
  return whole;
}

template Extent parallel_extent(const float*, int64_t);
template Extent parallel_extent(const double*, int64_t);

}  // namespace lesionkit
