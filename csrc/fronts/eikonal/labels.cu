// Which front came first, on a GPU: each node points at the neighbour whose label it has, and then,
// again and again, at what that one points at, until all point at starts. Both read one array and
// write another, so that no round depends on who comes first.
#include "fronts/eikonal/godunov.hpp"

using namespace lesionkit;
using namespace lesionkit::fronts;

// times, label, parent: [images][planes][rows][columns] of `shape`; label: of starts that came
// first, else 0. A parent is a number of all images together; the node itself where there is none.
template <class R>
__global__ void front_parents(const R* times, Grid shape, int64_t images, const int32_t* label,
                              R never, int64_t* parent) {
  const int64_t size = shape.size(), step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < images * size; i += step) {
    const R* const image = times + i / size * size;
    const int64_t node = i % size;
    const R here = image[node];
    int64_t from = node;
    if (!label[i] && here < never) {
      const Earliest<R> first = earliest_beside(shape, image, node, never);
      // Of nodes of one time the greater follows the less; the less the greater where that does not
      // follow it.
      if (first.time < here ||
          (first.time == here &&
           (first.node < node || earliest_beside(shape, image, first.node, never).time < here)))
        from = first.node;
    }
    parent[i] = i - node + from;
  }
}

// next: of each parent, its parent. [count]; changed: how many, added up.
__global__ void parent_of_parent(int64_t count, const int64_t* parent, int64_t* next,
                                 uint32_t* changed) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    next[i] = parent[parent[i]];
    if (next[i] != parent[i]) atomicAdd(changed, 1);
  }
}
