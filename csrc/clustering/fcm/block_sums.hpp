// Sums over the threads of a block of a GPU, in an order that depends on nothing but its size.
#pragma once

#include "common/portable.hpp"

namespace lesionkit::clustering {

// Calls give(v, sum of number(v, i) over i < n) for all v < count, by the whole block: in parts of
// their own, p, p + parts ..., then of these. shared: count * parts doubles.
template <class Number, class Give>
HD void sum_in_parts(int64_t count, int64_t n, int parts, double* shared, const Number& number,
                     const Give& give) {
  for (int64_t t = threadIdx.x; t < count * parts; t += blockDim.x) {
    double sum = 0.0;
    for (int64_t i = t % parts; i < n; i += parts) sum += number(t / parts, i);
    shared[t] = sum;
  }
  __syncthreads();  // the sums of parts are there
  for (int64_t v = threadIdx.x; v < count; v += blockDim.x) {
    double sum = 0.0;
    for (int p = 0; p < parts; ++p) sum += shared[v * parts + p];
    give(v, sum);
  }
}

enum Parts { BLOCK_PARTS = 8, GRID_PARTS = 32 };

// Writes the block's sum of each value to parts [entry][blocks], entry_of(v) being its entry, or
// negative: nowhere. shared: count * (blockDim + BLOCK_PARTS) doubles.
template <int count, class EntryOf>
HD void add_block(const double (&value)[count], double* shared, double* parts,
                  const EntryOf& entry_of) {
  for (int v = 0; v < count; ++v) shared[v * blockDim.x + threadIdx.x] = value[v];
  __syncthreads();  // the sums of threads are there
  sum_in_parts(
      count, blockDim.x, BLOCK_PARTS, shared + count * blockDim.x,
      [&](int64_t v, int64_t i) { return shared[v * blockDim.x + i]; },
      [&](int64_t v, double sum) {
        const int64_t entry = entry_of(v);
        if (entry >= 0) parts[entry * gridDim.x + blockIdx.x] = sum;
      });
}

}  // namespace lesionkit::clustering
