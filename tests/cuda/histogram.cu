// A kernel of the tests: shared memory, barriers, atomics in a block and between blocks, shuffles.
// What test_net.py breaks in it must be noticed.
#include "common/portable.hpp"

// counts[v] += how many of the n values are v, for v < BINS; sum[0] += the sum of all values.
template <int BINS>
__global__ void histogram(const int32_t* values, int64_t n, int32_t* counts, int32_t* sum) {
  SHARED(int32_t, mine, BINS);
  DYNAMIC_SHARED(int32_t, warp_sum);
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  for (int i = thread; i < BINS; i += threads) mine[i] = 0;
  __syncthreads();
  int32_t part = 0;
  for (int64_t i = int64_t{blockIdx.x} * threads + thread; i < n; i += gridDim.x * threads) {
    part += values[i];
    if (values[i] < BINS) atomicAdd(&mine[values[i]], 1);
  }
  for (int step = 16; step > 0; step /= 2) part += __shfl_xor_sync(~0u, part, step);
  if (thread % 32 == 0) warp_sum[thread / 32] = part;
  __syncthreads();
  for (int i = thread; i < BINS; i += threads) atomicAdd(&counts[i], mine[i]);
  if (thread == 0)
    for (int w = 0; w < threads / 32; ++w) atomicAdd(sum, warp_sum[w]);
}
