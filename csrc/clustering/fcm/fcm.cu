// Fuzzy c-means on a GPU: the formulas of fcm.hpp, a thread for a sample. A pass is two launches:
// the sums of each block, then one block that adds them up, moves the centres, and finds whether
// they hold still. Once they do, launches return at once: the host need not look after each pass.
//
// Sums are added in an order that depends on nothing but the grid.
#include "clustering/fcm/block_sums.hpp"
#include "clustering/fcm/fcm.hpp"

using namespace lesionkit;
using namespace lesionkit::clustering;

enum State { RUNNING, DONE, UNTRUSTED };

// Where the fit stands, in the GPU's memory.
struct Progress {
  int64_t state, passes;
  int64_t still;       // the centres are: what is left is the objective
  uint64_t untrusted;  // samples whose products are too small: float cannot do it
  double objective;
};

// One channel of float, m = 2, no weights, by products.
template <int c>
__global__ void fcm_line(const float* x, int64_t n, double scale, const double* centres,
                         Progress* progress, double* parts) {
  DYNAMIC_SHARED(double, shared);
  if (progress->state != RUNNING) return;
  float high[c], low[c];
  for (int j = 0; j < c; ++j) {
    high[j] = static_cast<float>(centres[j] * scale);
    low[j] = static_cast<float>(centres[j] * scale - high[j]);
  }
  const float scale_of = static_cast<float>(scale);
  double sums[2 * c + 1] = {};
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  while (i < n) {
    float weight[c] = {}, moment[c] = {}, objective = 0.0f, least = 1.0f;
    const auto take = [&](float value) {
      const float here = value * scale_of;
      float from[c], distance[c], u[c];
      for (int j = 0; j < c; ++j) {
        from[j] = (here - high[j]) - low[j];
        distance[j] = from[j] * from[j];
      }
      const float sum = products(distance, u), inverse = quick_inverse(sum);
      least = sum < least ? sum : least;
      for (int j = 0; j < c; ++j) {
        u[j] *= inverse;
        const float w = u[j] * u[j];
        weight[j] += w;
        moment[j] += w * from[j];
      }
      objective += distance[0] * u[0];
    };
    // 64 samples in float, read four at a time
    for (int turn = 0; turn < 16 && i + 3 * step < n; ++turn, i += 4 * step) {
      const float here[4] = {x[i], x[i + step], x[i + 2 * step], x[i + 3 * step]};
      for (int q = 0; q < 4; ++q) take(here[q]);
    }
    if (i + 3 * step >= n)
      for (; i < n; i += step) take(x[i]);
    if (!(least > trusted<float>)) atomicAdd(&progress->untrusted, 1);
    for (int j = 0; j < c; ++j) {
      sums[2 * j] += weight[j];
      sums[2 * j + 1] += moment[j];
    }
    sums[2 * c] += objective;
  }
  add_block(sums, shared, parts, [](int64_t v) { return v; });
}

// Samples [n][d] of float or of double: the other is nullptr.
struct Input {
  const float* single;
  const double* both;

  HD double operator[](int64_t at) const { return single ? single[at] : both[at]; }
};

// s = sum g_j of a sample, and the least distance, from its distance(j) to c centres.
struct Sum {
  double least, inverse;

  template <class Distance>
  HD Sum(int64_t c, const Fuzziness& f, const Distance& distance) : least(distance(0)) {
    UNROLL_FOR_CPU_ONLY
    for (int64_t j = 1; j < c; ++j) {
      const double other = distance(j);
      least = other < least ? other : least;
    }
    double sum = 0.0;
    UNROLL_FOR_CPU_ONLY
    for (int64_t j = 0; j < c; ++j) sum += part_of(ratio_of(least, distance(j)), f);
    inverse = 1.0 / sum;
  }
};

// Any m, weights, c centres, and d <= D features, in double. A row of blocks (blockIdx.y) adds up
// for `group` centres. With `old` centres also the change of memberships since them.
template <int D, int group>
__global__ void fcm_pass(const float* single, const double* both, const double* weight, int64_t n,
                         int64_t d, int64_t c, double m, double scale, double weight_scale,
                         const double* centres, const double* old, Progress* progress,
                         double* parts) {
  DYNAMIC_SHARED(double, shared);
  if (progress->state != RUNNING) return;
  const Input x = {single, both};
  const Fuzziness f(m);
  const bool pair = old && progress->passes > 0 && blockIdx.y == 0;
  double* const before = shared + c * D;
  for (int64_t e = threadIdx.x; e < c * D; e += blockDim.x) {
    const int64_t at = e / D * d + e % D;
    shared[e] = e % D < d ? centres[at] * scale : 0.0;
    before[e] = pair && e % D < d ? old[at] * scale : 0.0;
  }
  __syncthreads();  // the centres are there
  const int64_t first = int64_t{blockIdx.y} * group;
  double sums[group * (D + 1) + 2] = {};
  double &objective = sums[group * (D + 1)], &change = sums[group * (D + 1) + 1];
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += step) {
    double here[D];
    for (int k = 0; k < D; ++k) here[k] = k < d ? x[i * d + k] * scale : 0.0;
    const auto to = [&](const double* all) {
      return [all, &here](int64_t j) {
        double sum = 0.0;
        for (int k = 0; k < D; ++k) {
          const double t = here[k] - all[j * D + k];
          sum += t * t;
        }
        return sum;
      };
    };
    const auto now = to(shared), then = to(before);
    const double w = weight ? weight[i] * weight_scale : 1.0;
    const Sum sum(c, f, now);
    const double flat = flatness_of(sum.inverse, f);
    objective += w * sum.least * flat;
    for (int q = 0; q < group; ++q) {
      const int64_t j = first + q;
      if (j >= c) break;
      const double r = ratio_of(sum.least, now(j));
      const double part = w * (r * part_of(r, f) * (sum.inverse * flat));
      sums[q * (D + 1)] += part;
      for (int k = 0; k < D; ++k) sums[q * (D + 1) + 1 + k] += part * (here[k] - shared[j * D + k]);
    }
    if (!pair) continue;
    const Sum old_sum(c, f, then);
    UNROLL_FOR_CPU_ONLY
    for (int64_t j = 0; j < c; ++j) {
      const double u = part_of(ratio_of(sum.least, now(j)), f) * sum.inverse;
      const double u_old = part_of(ratio_of(old_sum.least, then(j)), f) * old_sum.inverse;
      change += w * (u - u_old) * (u - u_old);
    }
  }
  add_block(sums, shared + 2 * c * D, parts, [&](int64_t v) -> int64_t {
    const int64_t j = first + v / (D + 1), k = v % (D + 1);
    if (v >= group * (D + 1)) return first == 0 ? c * (d + 1) + v - group * (D + 1) : -1;
    return j < c && k <= d ? j * (d + 1) + k : -1;
  });
}

// What a block of one does with the sums of all blocks. pairs: stop by the change of memberships,
// else by the shift of centres, below tol.
__global__ void fcm_update(const double* parts, int64_t blocks, int64_t c, int64_t d, double scale,
                           double weight_scale, double total_weight, int64_t max_iter, double tol,
                           int64_t pairs, double* centres, double* old, Progress* progress) {
  DYNAMIC_SHARED(double, totals);  // [c (d + 1) + 2], then [c] shifts, then sums of parts
  const Progress before = *progress;
  if (before.state != RUNNING) return;
  const int64_t entries = c * (d + 1) + 2;
  double* const shifts = totals + entries;
  sum_in_parts(
      entries, blocks, GRID_PARTS, shifts + c,
      [&](int64_t e, int64_t b) { return parts[e * blocks + b]; },
      [&](int64_t e, double sum) { totals[e] = sum; });
  __syncthreads();  // the totals are there, and all have read the progress
  const double change =
      sqrt(totals[entries - 1] / weight_scale / (total_weight * static_cast<double>(c)));
  const bool settled = pairs && before.passes > 0 && change < tol;
  const bool last = before.still || before.passes == max_iter || settled || before.untrusted;
  if (threadIdx.x == 0 && last) {
    progress->objective = totals[entries - 2] / weight_scale / scale / scale;
    progress->state = before.untrusted ? UNTRUSTED : DONE;
  }
  if (last) return;
  for (int64_t j = threadIdx.x; j < c; j += blockDim.x) {
    for (int64_t k = 0; k < d; ++k) old[j * d + k] = centres[j * d + k];
    shifts[j] = move_centre(totals + j * (d + 1), d, scale, centres + j * d);
  }
  __syncthreads();  // the shifts are there
  double shift = 0.0;
  for (int64_t j = 0; j < c; ++j) shift = shifts[j] > shift ? shifts[j] : shift;
  if (threadIdx.x != 0) return;
  progress->passes = before.passes + 1;
  progress->still = shift <= (pairs ? 0.0 : tol);
}

enum Answer { LABELS, DISTANCES, MEMBERSHIPS };

// LABELS: the nearest centre, the first of several, to labels [n]. Else to one of the outputs:
// [n][c], or, of class `only` >= 0 alone, [n]. Squares are in units of the spread of the centres.
__global__ void fcm_answer(int64_t what, const float* single, const double* both, int64_t n,
                           int64_t d, int64_t c, double scale, const double* centres, double m,
                           int64_t only, int32_t* labels, float* to_single, double* to_both) {
  const Input x = {single, both};
  const Fuzziness f(m);
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += step) {
    const auto distance = [&](int64_t j) {
      double sum = 0.0;
      UNROLL_FOR_CPU_ONLY
      for (int64_t k = 0; k < d; ++k) {
        const double t = (x[i * d + k] - centres[j * d + k]) * scale;
        sum += t * t;
      }
      return sum;
    };
    if (what == LABELS) {
      int64_t label = 0;
      double least = distance(0);
      UNROLL_FOR_CPU_ONLY
      for (int64_t j = 1; j < c; ++j) {
        const double other = distance(j);
        label = other < least ? j : label;
        least = other < least ? other : least;
      }
      labels[i] = static_cast<int32_t>(label);
      continue;
    }
    const Sum sum(what == MEMBERSHIPS ? c : 1, f, distance);
    const int64_t first = only < 0 ? 0 : only, last = only < 0 ? c : only + 1;
    for (int64_t j = first; j < last; ++j) {
      const double square = distance(j);
      const double value = what == DISTANCES
                               ? sqrt(square) / scale
                               : part_of(ratio_of(sum.least, square), f) * sum.inverse;
      const int64_t at = only < 0 ? i * c + j : i;
      if (to_single)
        to_single[at] = static_cast<float>(value);
      else
        to_both[at] = value;
    }
  }
}
