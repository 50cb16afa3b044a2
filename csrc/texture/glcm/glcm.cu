// Co-occurrence on a GPU, in the arrays of count_pairs.cpp and marginals.cpp. Pairs are counted
// with atomics: in a table of the block's own in shared memory where it fits, else in the answer.
// A line of a matrix is summed by one thread, so that sums have an order.
#include "texture/glcm/glcm.hpp"

using namespace lesionkit;
using namespace lesionkit::texture;

// Volumes of levels, and not 0 where a voxel counts (nullptr: everywhere).
struct Volumes {
  const uint16_t* levels;
  const uint8_t* mask;
  Grid shape;

  // Calls take(a, b) for the pairs of volume `b` and one offset that fall to a thread: from number
  // `first` on, each `step`.
  template <class Take>
  HD void for_each_pair(int64_t b, Offset offset, int64_t first, int64_t step, Take&& take) const {
    const auto [planes, rows, columns] = shape;
    const Pairs pairs(planes, rows, columns, offset);
    const int64_t away = (offset.plane * rows + offset.row) * columns + offset.column;
    for (int64_t i = first; i < pairs.size(); i += step) {
      const int64_t line = i / pairs.columns.size();
      const int64_t plane = pairs.planes.begin + line / pairs.rows.size();
      const int64_t row = pairs.rows.begin + line % pairs.rows.size();
      const int64_t here = ((b * planes + plane) * rows + row) * columns + pairs.columns.begin +
                           i % pairs.columns.size();
      if (!mask || (mask[here] && mask[here + away])) take(levels[here], levels[here + away]);
    }
  }
};

// counts: [batch][n][levels][levels]; a row of blocks (blockIdx.y) does one table at a time.
template <class C>
__global__ void count_pairs_shared(const uint16_t* data, const uint8_t* mask, Grid shape,
                                   const Offset* offsets, int64_t n, int64_t tables, int64_t levels,
                                   int64_t symmetric, C* counts) {
  DYNAMIC_SHARED(uint32_t, table);
  const Volumes image = {data, mask, shape};
  const int64_t size = levels * levels;
  for (int64_t slot = blockIdx.y; slot < tables; slot += gridDim.y) {
    for (int64_t cell = threadIdx.x; cell < size; cell += blockDim.x) table[cell] = 0;
    __syncthreads();  // the table is clear
    image.for_each_pair(slot / n, offsets[slot % n], int64_t{blockIdx.x} * blockDim.x + threadIdx.x,
                        int64_t{gridDim.x} * blockDim.x,
                        [&](int64_t a, int64_t b) { atomicAdd(&table[a * levels + b], 1); });
    __syncthreads();  // the pairs are counted
    for (int64_t cell = threadIdx.x; cell < size; cell += blockDim.x) {
      C count = table[cell];
      if (symmetric) count += table[cell % levels * levels + cell / levels];
      if (count) atomicAdd(&counts[slot * size + cell], count);
    }
    __syncthreads();  // the table is read
  }
}

// The same where the table does not fit.
template <class C>
__global__ void count_pairs(const uint16_t* data, const uint8_t* mask, Grid shape,
                            const Offset* offsets, int64_t n, int64_t tables, int64_t levels,
                            int64_t symmetric, C* counts) {
  const Volumes image = {data, mask, shape};
  const int64_t size = levels * levels;
  for (int64_t slot = blockIdx.y; slot < tables; slot += gridDim.y)
    image.for_each_pair(slot / n, offsets[slot % n], int64_t{blockIdx.x} * blockDim.x + threadIdx.x,
                        int64_t{gridDim.x} * blockDim.x, [&](int64_t a, int64_t b) {
                          C* table = counts + slot * size;
                          atomicAdd(&table[a * levels + b], 1);
                          if (symmetric) atomicAdd(&table[b * levels + a], 1);
                        });
}

// lines: [n][5 levels - 1]; rows: [n][levels][3], of each row the sums of c^2 and c ln c and the
// largest c.
template <class T>
__global__ void marginals(const T* counts, int64_t n, int64_t levels, double* lines, double* rows) {
  const int64_t length = lines_of(levels), step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n * length; i += step) {
    const int64_t matrix = i / length, line = i % length;
    const T* c = counts + matrix * levels * levels;
    double sum = 0.0, squares = 0.0, logs = 0.0, largest = 0.0;
    for_each_cell(line, levels, [&](int64_t cell) {
      const double value = static_cast<double>(c[cell]);
      sum += value;
      if (line < levels) {
        squares += value * value;
        logs += c_log_c(value);
        largest = value > largest ? value : largest;
      }
    });
    lines[i] = sum;
    if (line < levels) {
      double* row = rows + 3 * (matrix * levels + line);
      row[0] = squares;
      row[1] = logs;
      row[2] = largest;
    }
  }
}
