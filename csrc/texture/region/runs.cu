// Run lengths on a GPU: a thread for each voxel and direction, that walks the run which starts
// there, if one does, and counts it with an atomic. `padded` and `table` are those of
// tables.cpp; cells of level or length 0 stay as they are.
#include "texture/region/runs.hpp"

using namespace lesionkit;
using namespace lesionkit::texture;

// size: border included. table: [count][levels + 1][longest + 1], zeros at first
template <class T>
__global__ void run_lengths(const T* padded, Grid size, int64_t border, const Offset* directions,
                            int64_t count, int64_t levels, int64_t longest, uint32_t* table) {
  const Volume<T> volume = volume_of(padded, size.planes, size.rows, size.columns, border);
  const RunTable cells = {levels, longest};
  const int64_t voxels = volume.depth * volume.height * volume.width;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count * voxels; i += step) {
    const int64_t k = i / voxels, line = i % voxels / volume.width;
    const T* voxel = volume.at(line / volume.height, line % volume.height) + i % volume.width;
    const int64_t length = run_from(voxel, volume.step(directions[k]));
    if (length) atomicAdd(&table[cells.cell(k, *voxel, length)], 1);
  }
}
