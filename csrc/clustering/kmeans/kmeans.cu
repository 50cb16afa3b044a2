// k-means on a GPU. A pass is two launches: the sums, and one block that moves the centres and
// finds whether to stop. Once it does, launches return at once: the host need not look after each
// pass.
//
// Sums are whole numbers of a unit that is fine enough for all samples together, added by integer
// atomics: no order changes a bit. On a line they are those above each cut, as in kmeans/line.hpp;
// else a sample that changes its cluster takes its share from one sum to the other, exactly.
#include "clustering/kmeans/kmeans.hpp"

using namespace lesionkit;
using namespace lesionkit::clustering;

enum State { RUNNING, SETTLED, NEAR, EMPTY };  // EMPTY: a cluster has no sample; the host must help

// Where a run stands, in the GPU's memory.
struct Progress {
  int64_t state, passes;
  uint64_t moved;  // samples that changed their cluster in this pass
  double limit;    // stop once the squared shifts add up to this or less
};

inline constexpr int MAX_LINE_CLUSTERS = 8;  // clusters

// The centres in ascending order, each value once, and the cuts between them, all as float.
struct Line {
  float cut[MAX_LINE_CLUSTERS], centre[MAX_LINE_CLUSTERS];  // unused cuts: infinity
  int64_t cluster[MAX_LINE_CLUSTERS], used;
  uint64_t above[MAX_LINE_CLUSTERS];  // samples above each cut in the pass before
};

HD float infinite() { return bits_as<float>(0x7f800000u); }

HD uint64_t in_units(double value, double units) {
  return static_cast<uint64_t>(static_cast<int64_t>(rint(value * units)));
}
HD double from_units(uint64_t sum, double units) {
  return static_cast<double>(static_cast<int64_t>(sum)) / units;
}

// The largest float x with x <= middle, or, where a tie goes up, x < middle.
HD float cut_at(double middle, bool tie_goes_down) {
  float near = static_cast<float>(middle);
  if (tie_goes_down ? near > middle : near >= middle) near = nextafterf(near, -infinite());
  return near;
}

// Sorts k centres into the line. Of equal ones the lowest number has all samples.
HD void set_line(const double* centres, int64_t k, Line& line) {
  int64_t order[MAX_LINE_CLUSTERS];
  for (int64_t j = 0; j < k; ++j) {
    int64_t place = j;
    for (; place > 0 && centres[order[place - 1]] > centres[j]; --place)
      order[place] = order[place - 1];
    order[place] = j;
  }
  int64_t used = 0;
  bool same = true;
  for (int64_t i = 0; i < k; ++i) {
    const int64_t j = order[i];
    if (used > 0) {
      const int64_t below = line.cluster[used - 1];
      if (centres[j] == centres[below]) continue;
      line.cut[used - 1] = cut_at(centres[below] / 2 + centres[j] / 2, below < j);
    }
    same = same && used < line.used && line.cluster[used] == j;
    line.cluster[used] = j;
    line.centre[used++] = static_cast<float>(centres[j]);
  }
  for (int64_t m = used - 1; m < MAX_LINE_CLUSTERS; ++m) line.cut[m] = infinite();
  if (!same || used != line.used)
    for (uint64_t& above : line.above) above = ~0ull;
  line.used = used;
}

// Adds a number of each thread of the block to `total`: by warps, in the block, in the grid.
HD void add_to(uint64_t value, uint64_t* of_block, uint64_t* total) {
  for (int step = warpSize / 2; step > 0; step /= 2) value += __shfl_down_sync(~0u, value, step);
  if (threadIdx.x == 0) *of_block = 0;
  __syncthreads();  // the block's sum is clear
  if (threadIdx.x % warpSize == 0) atomicAdd(of_block, value);
  __syncthreads();  // the warps are added
  if (threadIdx.x == 0) atomicAdd(total, *of_block);
}

// One feature in float, no weights, k <= K clusters. totals: [K] samples above the cut below each
// place, [K] sums of their shifts.
template <int K>
__global__ void kmeans_line(const float* x, int64_t n, double units, const Line* line,
                            const Progress* progress, uint64_t* totals) {
  SHARED(uint64_t, of_block, 1);
  if (progress->state != RUNNING) return;
  float cut[K - 1], centre[K];
  for (int m = 0; m < K; ++m) {
    centre[m] = line->centre[m < line->used ? m : line->used - 1];
    if (m < K - 1) cut[m] = line->cut[m];
  }
  uint64_t count[K] = {}, shift[K] = {};
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  while (i < n) {
    uint32_t above[K] = {};
    float moment[K] = {};
    const auto take = [&](float here) {
      float own = centre[0];
      for (int m = 1; m < K; ++m) own = here > cut[m - 1] ? centre[m] : own;
      const float away = here - own;
      ++above[0];
      moment[0] += away;
      for (int m = 1; m < K; ++m) {
        above[m] += here > cut[m - 1];
        moment[m] += here > cut[m - 1] ? away : 0.0f;
      }
    };
    // 64 samples in float, read four at a time
    for (int turn = 0; turn < 16 && i + 3 * step < n; ++turn, i += 4 * step) {
      const float here[4] = {x[i], x[i + step], x[i + 2 * step], x[i + 3 * step]};
      for (int q = 0; q < 4; ++q) take(here[q]);
    }
    if (i + 3 * step >= n)
      for (; i < n; i += step) take(x[i]);
    for (int m = 0; m < K; ++m) {
      count[m] += above[m];
      shift[m] += in_units(moment[m], units);
    }
  }
  for (int m = 0; m < K; ++m) {
    add_to(count[m], of_block, &totals[m]);
    add_to(shift[m], of_block, &totals[K + m]);
  }
}

// Any k, and d <= D features. labels: of the pass before, below 0 at first. sums: [k] of d moments
// as seen from the origin, the weight, and how many samples have one.
template <class T, int D>
__global__ void kmeans_space(const T* x, const double* w, int64_t n, int64_t d, int64_t k,
                             const double* origin, double units, double weight_units,
                             const double* centres, int64_t in_shared, int32_t* labels,
                             Progress* progress, uint64_t* sums) {
  DYNAMIC_SHARED(uint64_t, of_block);
  SHARED(uint64_t, moved, 1);
  if (progress->state != RUNNING) return;
  const int64_t width = d + 2, size = k * width;
  for (int64_t e = threadIdx.x; in_shared && e < size; e += blockDim.x) of_block[e] = 0;
  if (threadIdx.x == 0) *moved = 0;
  __syncthreads();  // the sums are clear
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += step) {
    T here[D];
    UNROLL
    for (int e = 0; e < D; ++e) here[e] = e < d ? x[i * d + e] : T{0};
    double least = infinite();
    int32_t label = 0;
    for (int64_t j = 0; j < k; ++j) {
      double distance = 0.0;
      UNROLL
      for (int e = 0; e < D; ++e) {
        const double away = e < d ? here[e] - centres[j * d + e] : 0.0;
        distance += away * away;
      }
      if (distance < least) label = static_cast<int32_t>(j);
      least = distance < least ? distance : least;
    }
    const int32_t was = labels[i];
    if (was == label) continue;
    labels[i] = label;
    atomicAdd(moved, 1);
    const double weight = w ? w[i] : 1.0;
    for (int64_t e = 0; e < width; ++e) {
      double value = e == d ? weight * weight_units : weight > 0.0 ? 1.0 : 0.0;
      UNROLL
      for (int q = 0; q < D; ++q)
        if (q == e && e < d) value = weight * (here[q] - origin[q]) * units;
      const uint64_t share = in_units(value, 1.0);
      const auto add = [&](uint64_t* to) {
        atomicAdd(&to[label * width + e], share);
        if (was >= 0) atomicAdd(&to[was * width + e], 0 - share);
      };
      // Written out for each kind of memory: a pointer to either is slower to use.
      if (in_shared)
        add(of_block);
      else
        add(sums);
    }
  }
  __syncthreads();  // the block's sums are there
  for (int64_t e = threadIdx.x; in_shared && e < size; e += blockDim.x)
    if (of_block[e]) atomicAdd(&sums[e], of_block[e]);
  if (threadIdx.x == 0 && *moved) atomicAdd(&progress->moved, *moved);
}

// The end of a pass, by one thread.
HD void finish(Progress& progress, bool empty, double shift) {
  ++progress.passes;
  progress.state = empty                     ? EMPTY
                   : progress.moved == 0     ? SETTLED
                   : shift <= progress.limit ? NEAR
                                             : RUNNING;
  progress.moved = 0;
}

// Moves the centres of a line, and clears the totals. One thread.
__global__ void move_on_line(int64_t k, int64_t places, double units, double* centres, Line* line,
                             Progress* progress, uint64_t* totals) {
  if (progress->state != RUNNING) return;
  double shift = 0.0;
  for (int64_t m = 0; m < line->used; ++m) {
    const bool last = m + 1 == line->used;
    const uint64_t count = totals[m] - (last ? 0 : totals[m + 1]);
    const uint64_t moment = totals[places + m] - (last ? 0 : totals[places + m + 1]);
    progress->moved += line->above[m] != totals[m];
    line->above[m] = totals[m];
    if (count == 0) {
      finish(*progress, true, 0.0);
      return;
    }
    double& centre = centres[line->cluster[m]];
    const double moved = line->centre[m] + from_units(moment, units) / static_cast<double>(count);
    shift += (moved - centre) * (moved - centre);
    centre = moved;
  }
  finish(*progress, line->used < k, shift);
  for (int64_t e = 0; e < 2 * places; ++e) totals[e] = 0;
  set_line(centres, k, *line);
}

// Moves the centres (k, d): a thread for each cluster, in one block.
__global__ void move_in_space(int64_t k, int64_t d, const double* origin, double units,
                              double weight_units, const uint64_t* sums, double* centres,
                              Progress* progress) {
  DYNAMIC_SHARED(double, shifts);  // [threads], below 0 where a cluster is empty
  if (progress->state != RUNNING) return;
  double mine = 0.0;
  for (int64_t j = threadIdx.x; j < k; j += blockDim.x) {
    const uint64_t* sum = sums + j * (d + 2);
    if (sum[d + 1] == 0) {
      mine = -1.0;
      break;
    }
    const double weight = from_units(sum[d], weight_units);
    for (int64_t e = 0; e < d; ++e) {
      const double moved = origin[e] + from_units(sum[e], units) / weight;
      mine += (moved - centres[j * d + e]) * (moved - centres[j * d + e]);
      centres[j * d + e] = moved;
    }
  }
  shifts[threadIdx.x] = mine;
  __syncthreads();  // the shifts are there
  if (threadIdx.x != 0) return;
  double shift = 0.0;
  bool empty = false;
  for (unsigned t = 0; t < blockDim.x; ++t) {
    shift += shifts[t];
    empty = empty || shifts[t] < 0.0;
  }
  finish(*progress, empty, shift);
}

// The first line, before any pass. One thread.
__global__ void start_line(const double* centres, int64_t k, Line* line) {
  line->used = 0;
  set_line(centres, k, *line);
}

// Labels for these centres; inertia: of each thread of the grid.
template <class T>
__global__ void kmeans_labels(const T* x, const double* w, int64_t n, int64_t d, int64_t k,
                              const double* centres, int32_t* labels, double* inertia) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  const int64_t first = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  double sum = 0.0;
  for (int64_t i = first; i < n; i += step) {
    double least = infinite();
    int32_t label = 0;
    for (int64_t j = 0; j < k; ++j) {
      const double distance = squared_distance(x + i * d, centres + j * d, d, 1);
      if (distance < least) label = static_cast<int32_t>(j);
      least = distance < least ? distance : least;
    }
    labels[i] = label;
    sum += (w ? w[i] : 1.0) * least;
  }
  inertia[first] = sum;
}

// out: [n][k]
template <class T>
__global__ void kmeans_distances(const T* x, int64_t n, int64_t d, int64_t k, const double* centres,
                                 T* out) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n * k; i += step)
    out[i] = static_cast<T>(sqrt(squared_distance(x + i / k * d, centres + i % k * d, d, 1)));
}
