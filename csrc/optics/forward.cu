// The diffusion forward model on a GPU: `assemble` works out the entries of many systems' matrices,
// an entry a thread; in `measure` a block of threads then works on one system at a time.
//
// The plan is that of the CPU (forward.hpp), flattened (device_plan.hpp): the same fronts, the same
// panels, which lie in shared memory as far as they fit. Threads divide a front's rows, tiles
// and readings among themselves; every entry is written by one thread, and sums run in a fixed
// order, so the bits do not depend on how blocks are scheduled. Elements are gathered by the
// entries they add to, which needs no atomics.
#include "common/complex.hpp"
#include "common/portable.hpp"
#include "optics/device_plan.hpp"
#include "optics/element.hpp"
#include "optics/factor.hpp"
#include "optics/properties.hpp"

namespace lesionkit::optics {

HD void set_entry(double& entry, double real, double) { entry = real; }
HD void set_entry(Complex<double>& entry, double real, double imaginary) {
  entry = {real, imaginary};
}

// What the properties of one system add to an entry, and what no property changes.
template <class T, int P, class Input>
HD T gathered(const DevicePlan& plan, const Input& input, int64_t system, int entry) {
  double real = plan.fixed()[entry], imaginary = 0.0;
  for (int c = plan.contribution_start()[entry]; c < plan.contribution_start()[entry + 1]; ++c) {
    const int index = plan.contribution()[c];
    const int element = index / plan.pairs(), pair = index % plan.pairs();
    const int mass = plan.mass_kind()[element] * plan.pairs() + pair;
    const double area = plan.area()[element];
    double kappa[P], weight[P];
    for (int p = 0; p < P; ++p) {
      const Optical tissue = input.at(system, plan.property()[element * P + p]);
      kappa[p] = diffusion(tissue.absorption, tissue.scattering);
      weight[p] = area * tissue.absorption;
    }
    real += element_entry<P>(plan.stiffness() + int64_t{index} * P, plan.mass() + mass * P, kappa,
                             weight);
    imaginary += area * plan.imaginary_mass()[mass];
  }
  T value;
  set_entry(value, real, imaginary);
  return value;
}

// A block's threads at work on one front of one system.
template <class T>
struct DeviceFront {
  static constexpr int N = DeviceTile::columns;  // columns that are eliminated together
  static constexpr int M = DeviceTile::rows;
  // For a GPU's registers: turns of a loop over pivots at once, columns of a tile that are added.
  static constexpr int turns = 32 / sizeof(T), together = turns == N ? N : 1;

  FrontShape shape;
  T* panel;
  T* inverse;  // 1 / D of the front's pivots
  T* block;    // [N][N], the block on the diagonal before it is factored
  int thread, threads;

  HD T* row(int i) const { return panel + row_start(i, shape.pivots); }

  HD void eliminate() const {
    for (int j = 0; j < shape.pivots; j += N) {
      const int columns = shape.pivots - j < N ? shape.pivots - j : N;
      with_constant<N>(columns, [&](auto n) { eliminate_columns<n>(j); });
    }
  }

  // A thread's first row waits in registers while the block on the diagonal is passed round. Every
  // thread factors that small block for itself: it is shorter than to wait for another one.
  template <int columns>
  HD void eliminate_columns(int j) const {
    int i = j + thread;
    T sum[1][columns] = {};
    if (i < shape.rows()) {
      change(sum[0], i, j);
      if (i < j + columns)
        for (int n = 0; n < columns; ++n) block[(i - j) * N + n] = sum[0][n];
    }
    __syncthreads();
    if (i < shape.rows()) {
      T factored[columns][columns], lower[columns][columns], inverses[columns];
      UNROLL for (int m = 0; m < columns; ++m) UNROLL for (int n = 0; n <= m; ++n) factored[m][n] =
          block[m * N + n];
      factor_block(factored, lower, inverses);
      if (thread == 0)
        for (int n = 0; n < columns; ++n) inverse[j + n] = inverses[n];
      if (i < j + columns) {
        T* entries = row(i) + j;
        UNROLL for (int m = 0; m < columns; ++m) UNROLL for (int n = 0; n <= m; ++n) if (m == i - j)
            entries[n] = factored[m][n];
        i += threads;
        if (i < shape.rows()) change(sum[0], i, j);
      }
      while (i < shape.rows()) {
        T* entries = row(i) + j;
        eliminate_rows(sum, lower);
        for (int n = 0; n < columns; ++n) entries[n] = sum[0][n];
        i += threads;
        if (i < shape.rows()) change(sum[0], i, j);
      }
    }
    __syncthreads();
  }

  // sum = the entries of row i from column j on, less what the pivots before j change in them. A
  // pivot's row ends on the diagonal: beyond it stand sums that nobody uses.
  template <int columns>
  HD void change(T (&sum)[columns], int i, int j) const {
    const T *w = row(i), *l[columns];
    for (int n = 0; n < columns; ++n) {
      l[n] = row(j + n);
      sum[n] = n <= i - j ? w[j + n] : T{};
    }
    UNROLL_TURNS
    for (int p = 0; p < j; ++p) {
      const T x = w[p] * inverse[p];
      for (int n = 0; n < columns; ++n) sum[n] = minus_product(sum[n], x, l[n][p]);
    }
  }

  // Subtract W L' of the update and optode rows from the panels of the ancestors, tile by tile.
  HD void update(const DeviceTile* tiles, int count, DeviceTile tile, T* near, T* far) const {
    const int pivots = shape.pivots, below = shape.rows() - pivots;
    for (int t = thread; t < count; t += threads) {
      if (t >= threads) tile = tiles[t];
      // Past the edges the tile repeats the last row or column and its sums are not used.
      const T *w[M], *l[N];
      for (int m = 0; m < M; ++m) {
        const int i = tile.row + m * tile.apart;
        w[m] = row(pivots + (i < below ? i : below - 1));
      }
      for (int n = 0; n < N; ++n) {
        const int j = tile.column + n;
        l[n] = row(pivots + (j < shape.update ? j : shape.update - 1));
      }
      T sum[M][N] = {};
      UNROLL_TURNS
      for (int p = 0; p < pivots; ++p) {
        T scaled[M];
        for (int m = 0; m < M; ++m) scaled[m] = w[m][p] * inverse[p];
        for (int n = 0; n < N; ++n) {
          const T x = l[n][p];
          for (int m = 0; m < M; ++m) sum[m][n] = minus_product(sum[m][n], scaled[m], x);
        }
      }
      // Read together before any is written: no two places of a tile are the same.
      for (int first = 0; first < N; first += together) {
        T before[together][M];
        for (int n = 0; n < together; ++n)
          for (int m = 0; m < M; ++m) {
            const int place = tile.place[first + n][m];
            if (place >= 0) before[n][m] = near[place];
            if (place < -1) before[n][m] = far[-2 - place];
          }
        for (int n = 0; n < together; ++n)
          for (int m = 0; m < M; ++m) {
            const int place = tile.place[first + n][m];
            if (place >= 0) near[place] = before[n][m] += sum[m][first + n];
            if (place < -1) far[-2 - place] = before[n][m] += sum[m][first + n];
          }
      }
    }
  }

  // readings[source][detector] += this front's part of b_s' A^-1 b_d.
  HD void read(const int32_t* source, const int32_t* detector, int stride, T* readings) const {
    for (int k = thread; k < shape.sources * shape.detectors; k += threads) {
      const int s = k / shape.detectors, d = k % shape.detectors;
      const int place = source[s] * stride + detector[d];
      const T* a = row(shape.columns() + s);
      const T* b = row(shape.columns() + shape.sources + d);
      T sum{};
      UNROLL_TURNS
      for (int p = 0; p < shape.pivots; ++p) sum = minus_product(sum, a[p], b[p] * inverse[p]);
      readings[place] -= sum;
    }
  }
};

// What a thread takes from the GPU's memory for a front, read while it works on the one before.
template <class T>
struct Coming {
  int entry = 0;
  T value{};          // of the first entry that it adds
  DeviceTile tile{};  // the first

  HD Coming(const DevicePlan& plan, const T* entries, const DeviceFrontRecord& front,
            const DeviceFrontRecord& next, int thread) {
    if (front.gather + thread < next.gather) {
      entry = plan.gather_entry()[front.gather + thread];
      value = entries[front.gather + thread];
    }
    if (front.tile + thread < next.tile) tile = plan.tiles()[front.tile + thread];
  }
};

// A block's memory. near: plan.near() entries; far: plan.far(); inverse: plan.max_pivots(); block:
// 16; readings: [source][detector].
template <class T>
struct Workplace {
  T *near, *far, *inverse, *block, *readings;
};

// Solves one system, whose `entries` are assembled. in_shared: a panel that is far comes near.
template <bool in_shared, class T>
HD void solve(const DevicePlan& plan, const T* entries, const Workplace<T>& at, int thread,
              int threads) {
  for (int k = thread; k < plan.sources() * plan.detectors(); k += threads) at.readings[k] = T{};
  for (int k = thread; k < plan.far(); k += threads) at.far[k] = T{};
  const int fronts = plan.fronts();
  DeviceFrontRecord here = plan.records()[0], next = plan.records()[1];
  Coming<T> coming(plan, entries, here, next, thread);
  for (int f = 0; f < fronts; ++f) {
    const DeviceFrontRecord after = plan.records()[f + 2 < fronts ? f + 2 : fronts];
    const Coming<T> mine = coming;
    const FrontShape shape = here.shape();
    T* panel = at.far + here.panel;
    if constexpr (in_shared) {
      panel = at.near + (here.far ? 0 : here.panel);
      for (int i = here.open_from + thread; i < here.open_to; i += threads) at.near[i] = T{};
      for (int i = thread; here.far && i < shape.size(); i += threads)
        panel[i] = at.far[here.panel + i];
    }
    __syncthreads();
    if (here.gather + thread < next.gather) panel[mine.entry] += mine.value;
    for (int g = here.gather + thread + threads; g < next.gather; g += threads)
      panel[plan.gather_entry()[g]] += entries[g];
    coming = Coming<T>(plan, entries, next, after, thread);
    __syncthreads();
    const DeviceFront<T> front = {shape, panel, at.inverse, at.block, thread, threads};
    front.eliminate();
    front.update(plan.tiles() + here.tile, next.tile - here.tile, mine.tile, at.near, at.far);
    front.read(plan.source() + here.source, plan.detector() + here.detector, plan.detectors(),
               at.readings);
    __syncthreads();
    here = next;
    next = after;
  }
}

}  // namespace lesionkit::optics

using namespace lesionkit;
using namespace lesionkit::optics;

// entries: [systems][plan.gathered()], what elements and constants add to each entry.
template <class T, int P, class Input>
__global__ void assemble(const int32_t* __restrict__ header, const int32_t* __restrict__ table,
                         const double* __restrict__ values, const double* first,
                         const double* second, const double* third, int64_t materials,
                         int64_t systems, T* entries) {
  const DevicePlan plan = {header, table, values};
  const Input input = {first, second, third, materials, plan.properties()};
  const int64_t each = plan.gathered(), step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < systems * each; i += step)
    entries[i] = gathered<T, P>(plan, input, i / each, static_cast<int>(i % each));
}

// out: [systems][sources][detectors]. scratch: plan.far() entries a block. in_shared: panels that
// are near, and readings, lie in the launch's shared memory; else all panels are far. Blocks take
// one system after the other.
template <class T, bool in_shared>
__global__ void measure(const int32_t* __restrict__ header, const int32_t* __restrict__ table,
                        const T* __restrict__ entries, int64_t systems, T* scratch, T* out) {
  const DevicePlan plan = {header, table, nullptr};
  DYNAMIC_SHARED(T, shared);
  const int pairs = plan.sources() * plan.detectors();
  Workplace<T> at;
  at.block = shared;  // these two are read 16 bytes at a time
  at.inverse = at.block + 16;
  at.readings = at.inverse + plan.max_pivots();
  at.far = scratch + int64_t{blockIdx.x} * plan.far();
  at.near = at.readings + pairs;
  for (int64_t system = blockIdx.x; system < systems; system += gridDim.x) {
    const T* const of_system = entries + system * plan.gathered();
    T* const answer = out + system * pairs;
    if constexpr (!in_shared) at.readings = answer;
    solve<in_shared>(plan, of_system, at, threadIdx.x, blockDim.x);
    for (int k = threadIdx.x; in_shared && k < pairs; k += blockDim.x) answer[k] = at.readings[k];
  }
}
