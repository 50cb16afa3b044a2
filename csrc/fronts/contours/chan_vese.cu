// Contours without edges on a GPU: one launch for each iteration, that steps every pixel and sums
// what the next one needs. Each block adds up the sums of all blocks of the last launch, always in
// the same order; so each knows the means, and whether the level set still moves. Once it does not,
// launches leave everything as it is: the host need not sample.
//
// Blocks have whole warps of threads.
#include "fronts/contours/chan_vese.hpp"

using namespace lesionkit;
using namespace lesionkit::fronts::contours;

struct Shape {
  int64_t volume, planes, rows, columns;  // volume 0: a picture, of one plane
};

// The sum over the block, in all its threads. buffer: a number for each warp
HD double block_sum(double value, double* buffer) {
  for (int lanes = warpSize / 2; lanes > 0; lanes /= 2) value += __shfl_xor_sync(~0u, value, lanes);
  if (threadIdx.x % warpSize == 0) buffer[threadIdx.x / warpSize] = value;
  __syncthreads();  // the sums of warps are there
  double sum = 0.0;
  for (unsigned w = 0; w < blockDim.x / warpSize; ++w) sum += buffer[w];
  __syncthreads();  // they are read
  return sum;
}

template <class T, int axes>
HD Around<T, axes> around_of(const T* phi, const uint8_t* mask, const Shape& shape, int64_t i) {
  const int64_t line = i / shape.columns;
  const int64_t places[3] = {i % shape.columns, line % shape.rows, line / shape.rows};
  const int64_t counts[3] = {shape.columns, shape.rows, shape.planes};
  const int64_t steps[3] = {1, shape.columns, shape.rows * shape.columns};
  Around<T, axes> a;
  a.here = phi[i];
  for (int d = 0; d < axes; ++d) {
    const int64_t behind = i + (places[d] + 1 < counts[d] ? steps[d] : 0);
    const int64_t before = i - (places[d] > 0 ? steps[d] : 0);
    a.behind[d] = !mask || mask[behind] ? phi[behind] : a.here;
    a.before[d] = !mask || mask[before] ? phi[before] : a.here;
  }
  return a;
}

// work(around, its number of axes) for pixel i.
template <class T, class Work>
HD auto with_around(const T* phi, const uint8_t* mask, const Shape& shape, int64_t i,
                    const Work& work) {
  return shape.volume ? work(around_of<T, 3>(phi, mask, shape, i))
                      : work(around_of<T, 2>(phi, mask, shape, i));
}

// sums, next_sums: [blocks][2 channels + 2]: of each channel inside and outside, pixels inside, and
// squares of the changes. Iteration -1 only sums. done[0]: iterations that were made.
// Shared: 2 channels + 2 doubles, and one for each warp.
template <class T>
__global__ void chan_vese(const T* image, const uint8_t* mask, Shape shape, int64_t channels,
                          double counted, const T* lambdas, ChanVeseRule<T> rule, double tol,
                          int64_t iteration, const double* sums, double* next_sums, const T* phi,
                          T* next, int64_t* done) {
  DYNAMIC_SHARED(double, totals);
  const int64_t kinds = 2 * channels + 2, size = shape.planes * shape.rows * shape.columns;
  const int64_t first = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  double* const buffer = totals + kinds;
  const bool only_sums = iteration < 0;
  double changes = 0.0, inside = 0.0;
  if (!only_sums) {
    for (int64_t k = 0; k < kinds; ++k) {
      double part = 0.0;
      for (int64_t b = threadIdx.x; b < gridDim.x; b += blockDim.x) part += sums[b * kinds + k];
      const double sum = block_sum(part, buffer);
      if (threadIdx.x == 0) totals[k] = sum;
    }
    __syncthreads();  // the totals are there
    if (iteration > 0 && !(sqrt(totals[kinds - 1] / counted) > tol)) {
      for (int64_t k = threadIdx.x; k < kinds; k += blockDim.x)
        next_sums[blockIdx.x * kinds + k] = sums[blockIdx.x * kinds + k];
      return;
    }
    if (first == 0) done[0] = iteration + 1;
  }
  for (int64_t i = first; i < size; i += step) {
    T value = phi[i];
    if (!only_sums && (!mask || mask[i])) {
      T force = 0;
      for (int64_t c = 0; c < channels; ++c) {
        T means[2];
        for (int side = 0; side < 2; ++side) {
          const double n = side ? counted - totals[2 * channels] : totals[2 * channels];
          means[side] = static_cast<T>(n > 0.0 ? totals[2 * c + side] / n : 0.0);
        }
        force += chan_vese_force(image[c * size + i], means, lambdas + 2 * c);
      }
      force /= static_cast<T>(channels);
      value = with_around(phi, mask, shape, i,
                          [&](const auto& around) { return chan_vese_step(around, force, rule); });
      const double change = value - phi[i];
      changes += change * change;
    }
    if (!only_sums) next[i] = value;
    inside += value > 0;
  }
  const T* const now = only_sums ? phi : next;  // a thread reads what it has written
  double* const row = next_sums + blockIdx.x * kinds;
  for (int64_t c = 0; c < channels; ++c) {
    double sum[2] = {0.0, 0.0};
    for (int64_t i = first; i < size; i += step) sum[!(now[i] > 0)] += image[c * size + i];
    for (int side = 0; side < 2; ++side) {
      const double all = block_sum(sum[side], buffer);
      if (threadIdx.x == 0) row[2 * c + side] = all;
    }
  }
  inside = block_sum(inside, buffer);
  changes = block_sum(changes, buffer);
  if (threadIdx.x == 0) {
    row[kinds - 2] = inside;
    row[kinds - 1] = changes;
  }
}

// sums: [blocks][energy_kinds(channels)]. Shared: a double for each warp.
template <class T>
__global__ void chan_vese_energy(const T* image, const uint8_t* mask, Shape shape, int64_t channels,
                                 const T* phi, double* sums) {
  DYNAMIC_SHARED(double, buffer);
  const int64_t size = shape.planes * shape.rows * shape.columns;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  double* const row = sums + blockIdx.x * energy_kinds(channels);
  for (int64_t c = 0; c < channels; ++c) {
    double sum[energy_kinds(1)] = {};
    for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < size; i += step) {
      if (mask && !mask[i]) continue;
      const double inside = chan_vese_inside(phi[i]), value = image[c * size + i];
      sum[0] += inside;
      sum[1] += with_around(phi, mask, shape, i,
                            [](const auto& around) { return chan_vese_length(around); });
      for (int kind = 0; kind < 4; ++kind)
        sum[2 + kind] += chan_vese_spread_term(kind, kind < 2 ? inside : 1.0 - inside, value);
    }
    for (int64_t k = c ? 2 : 0; k < energy_kinds(1); ++k) {
      const double all = block_sum(sum[k], buffer);
      if (threadIdx.x == 0) row[k < 2 ? k : k + 4 * c] = all;
    }
  }
}
