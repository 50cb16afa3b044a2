// Features of small regions on a GPU: a block for a region, a warp for an offset. There is no table
// of counts: each pair is compared with all pairs of its offset, which tells on how many of them
// its own levels, sum and difference fall; the sum of c log c over cells is that of log c over
// pairs. That is the square of the pairs, and yet little for regions of a few hundred pixels;
// levels do not matter, nothing is cleared, and no answer depends on who comes first.
#include "texture/rois/rois.hpp"

using namespace lesionkit;
using namespace lesionkit::texture::rois;

constexpr int WARP = 32;

template <class T>
HD T sum_of_warp(T value) {
  for (int step = WARP / 2; step > 0; step /= 2) value += __shfl_xor_sync(~0u, value, step);
  return value;
}

// The pairs of a region (planes, rows, columns) at an offset.
struct PairsAt {
  int64_t planes, rows, columns;            // how many there are along each axis
  int64_t row_stride, plane_stride, first;  // the first pixel of pair 0
  int64_t shift;                            // from the first to the second pixel of a pair

  HD PairsAt(const int64_t* shape, const int64_t* by)
      : planes(shape[0] - magnitude(by[0])),
        rows(shape[1] - magnitude(by[1])),
        columns(shape[2] - magnitude(by[2])),
        row_stride(shape[2]),
        plane_stride(shape[1] * shape[2]),
        first(start(by[0]) * plane_stride + start(by[1]) * row_stride + start(by[2])),
        shift(by[0] * plane_stride + by[1] * row_stride + by[2]) {}

  HD int64_t count() const {
    return planes > 0 && rows > 0 && columns > 0 ? planes * rows * columns : 0;
  }
  HD int64_t pixel(int64_t pair) const {
    const int64_t row = pair / columns;
    return first + row / rows * plane_stride + row % rows * row_stride + pair % columns;
  }
  HD static int64_t magnitude(int64_t step) { return step < 0 ? -step : step; }
  HD static int64_t start(int64_t step) { return step < 0 ? -step : 0; }
};

// Of `pairs` pairs with their sums and differences, this lane's share of PairSums.
HD PairSums sums_of_lane(const int32_t* sum, const int32_t* difference, int pairs, int lane,
                         int parts, const double* logs) {
  PairSums of = {};
  for (int p = lane; p < pairs; p += WARP) {
    const int64_t s = sum[p], d = difference[p];
    of.sum += s;
    of.sum_squared += s * s;
    of.difference += d;
    of.contrast += d * d;
    of.diagonal += d == 0;
    if (parts & INVERSE) of.inverse += 1.0 / (1.0 + static_cast<double>(d * d));
    if (!(parts & (JOINT | SUMS | DIFFERENCES))) continue;
    int like_sum = 0, like_difference = 0, like_both = 0;
    for (int q = 0; q < pairs; ++q) {
      const bool same_sum = sum[q] == s, same_difference = difference[q] == d;
      like_sum += same_sum;
      like_difference += same_difference;
      like_both += same_sum && same_difference;
    }
    of.sum_log += logs[like_sum];
    of.difference_log += logs[like_difference];
    of.joint_log += logs[like_both];
    of.joint_before += int64_t{like_both - 1} << (d == 0);
  }
  return of;
}

// rois: [count][planes][rows][columns]; offsets: [offset_count][3]; logs: of 0, 1, ... pixels;
// out: [count][offset_count][feature_count]. Shared memory: for each warp FEATURES doubles, then
// for each region its levels, then for each warp sums and differences, as many as pixels (int32).
template <class T>
__global__ void roi_features(const T* rois, int64_t count, int64_t planes, int64_t rows,
                             int64_t columns, const int64_t* offsets, int64_t offset_count,
                             const int32_t* features, int64_t feature_count, double per_nat,
                             const double* logs, double* out) {
  DYNAMIC_SHARED(double, memory);
  const int warps = blockDim.x / WARP, warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
  const int64_t shape[3] = {planes, rows, columns}, pixels = planes * rows * columns;
  double* const feature = memory + warp * FEATURES;
  int32_t* const level = reinterpret_cast<int32_t*>(memory + warps * FEATURES);
  int32_t* const sum = level + (1 + 2 * warp) * pixels;
  int32_t* const difference = sum + pixels;
  int parts = 0;
  for (int64_t f = 0; f < feature_count; ++f) parts |= parts_of(features[f]);

  for (int64_t roi = blockIdx.x; roi < count; roi += gridDim.x) {
    for (int64_t i = threadIdx.x; i < pixels; i += blockDim.x) level[i] = rois[roi * pixels + i];
    __syncthreads();  // levels are there
    for (int64_t o = warp; o < offset_count; o += warps) {
      const PairsAt at(shape, offsets + 3 * o);
      const int pairs = static_cast<int>(at.count());
      for (int p = lane; p < pairs; p += WARP) {
        const int64_t pixel = at.pixel(p);
        const int32_t a = level[pixel], b = level[pixel + at.shift];
        sum[p] = a + b;
        difference[p] = a < b ? b - a : a - b;
      }
      __syncwarp();  // keys are there
      PairSums of = sums_of_lane(sum, difference, pairs, lane, parts, logs);
      of.pairs = pairs;
      of.diagonal = sum_of_warp(of.diagonal);
      of.sum = sum_of_warp(of.sum);
      of.sum_squared = sum_of_warp(of.sum_squared);
      of.difference = sum_of_warp(of.difference);
      of.contrast = sum_of_warp(of.contrast);
      // over pairs, c - 1 stands c times: twice c (c - 1) / 2
      of.joint_before = sum_of_warp(of.joint_before) / 2;
      of.joint_log = sum_of_warp(of.joint_log);
      of.sum_log = sum_of_warp(of.sum_log);
      of.difference_log = sum_of_warp(of.difference_log);
      of.inverse = sum_of_warp(of.inverse);
      if (lane == 0 && pairs > 0) features_of(of, logs[pairs], per_nat, feature);
      __syncwarp();  // features are there, and keys have been read
      const double nothing = bits_as<double>(uint64_t{0x7ff8000000000000});
      double* const row = out + (roi * offset_count + o) * feature_count;
      for (int64_t f = lane; f < feature_count; f += WARP)
        row[f] = pairs > 0 ? feature[features[f]] : nothing;
    }
    __syncthreads();  // levels have been read
  }
}

// rois: [count][pixels] -> level: [count][pixels]. Shared memory: one region's values.
__global__ void quantise(const double* rois, int64_t count, int64_t pixels, int64_t levels,
                         int64_t normalise, unsigned short* level) {
  DYNAMIC_SHARED(double, value);
  SHARED(Quantiser, quantiser, 1);
  SHARED(double, nearest, 4);
  for (int64_t roi = blockIdx.x; roi < count; roi += gridDim.x) {
    for (int64_t i = threadIdx.x; i < pixels; i += blockDim.x) value[i] = rois[roi * pixels + i];
    __syncthreads();  // values are there
    if (normalise & PERCENTILE) {
      const Percentile low(0.01, pixels), high(0.99, pixels);
      const int64_t rank[4] = {low.below, low.above, high.below, high.above};
      for (int64_t i = threadIdx.x; i < pixels; i += blockDim.x) {
        int64_t before = 0;  // the place of value i among all, in order
        for (int64_t j = 0; j < pixels; ++j)
          before += value[j] < value[i] || (value[j] == value[i] && j < i);
        for (int k = 0; k < 4; ++k)
          if (before == rank[k]) nearest[k] = value[i];
      }
      __syncthreads();  // the four are found
      if (threadIdx.x == 0)
        quantiser[0] = quantiser_between(low.between(nearest[0], nearest[1]),
                                         high.between(nearest[2], nearest[3]),
                                         static_cast<double>(levels), static_cast<int>(normalise));
    } else if (threadIdx.x == 0) {
      quantiser[0] =
          three_sigma(value, pixels, static_cast<double>(levels), static_cast<int>(normalise));
    }
    __syncthreads();  // the range is known
    const Quantiser step = quantiser[0];
    for (int64_t i = threadIdx.x; i < pixels; i += blockDim.x)
      level[roi * pixels + i] = static_cast<unsigned short>(step(value[i]));
  }
}
