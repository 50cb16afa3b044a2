// Zones on a GPU, by labels that spread: a voxel's label is a voxel of its zone that comes no later
// than itself, at first itself. A round takes the least label of the neighbours of the same level,
// then the label of that label, which doubles the way that a label has gone. Both read one array
// and write another, so that no round depends on who comes first. When a round changes nothing,
// every label is the first voxel of its zone.
#include "texture/region/zone_rule.hpp"

using namespace lesionkit;
using namespace lesionkit::texture;

// padded, label, next: of `size`, border included. changed: how many labels, added up.
template <class T>
__global__ void least_labels(const T* padded, Grid size, int64_t connectivity, const int32_t* label,
                             int32_t* next, uint32_t* changed) {
  const int64_t row = size.columns, slice = size.rows * row, step = int64_t{gridDim.x} * blockDim.x;
  const int64_t high = size.rows == 1 ? 0 : 1;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < size.size(); i += step) {
    const T level = padded[i];
    int32_t least = label[i];
    for (int64_t z = -1; level != 0 && z <= 1; ++z)
      for (int64_t y = -high; y <= high; ++y)
        for (int64_t x = -1; x <= 1; ++x) {
          if (!joined({z, y, x}, connectivity)) continue;
          const int64_t other = i + z * slice + y * row + x;
          if (padded[other] == level && label[other] < least) least = label[other];
        }
    next[i] = least;
    if (least != label[i]) atomicAdd(changed, 1);
  }
}

// next: of each label, its label. [count]
__global__ void label_of_label(int64_t count, const int32_t* label, int32_t* next) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step)
    next[i] = label[label[i]];
}
