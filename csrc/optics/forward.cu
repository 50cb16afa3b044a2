// The diffusion forward model on a GPU: a block of threads works on one system at a time.
//
// The plan is that of the CPU (forward.hpp), flattened (device_plan.hpp): the same fronts, the same
// stack of panels, which lies in shared memory where it fits. Threads divide a front's rows, tiles
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

// A block's threads at work on the fronts of one system.
template <class T>
struct DeviceFront {
  static constexpr int N = 4;  // columns that are eliminated together
  static constexpr int M = 2;  // rows of a tile of the update

  FrontShape shape;
  T* panel;
  T* inverse;  // 1 / D of the front's pivots
  T* block;    // [N][N], the block on the diagonal before it is factored
  int thread, threads;

  HD T* row(int i) const { return panel + row_start(i, shape.pivots); }

  HD void eliminate() const {
    for (int j = 0; j < shape.pivots; j += N) {
      const int columns = shape.pivots - j < N ? shape.pivots - j : N;
      with_constant<N>(columns, [&](auto n) { change_columns<n>(j); });
      __syncthreads();
      with_constant<N>(columns, [&](auto n) { finish_columns<n>(j); });
      __syncthreads();
    }
  }

  // Subtract from the columns from j on, of each row, what the pivots before j change in them.
  template <int columns>
  HD void change_columns(int j) const {
    const T* l[columns];
    for (int n = 0; n < columns; ++n) l[n] = row(j + n);
    for (int i = j + thread; i < shape.rows(); i += threads) {
      const int last = i - j;  // a pivot's row ends on the diagonal
      T* const w = row(i);
      T sum[columns];  // in registers: in the panel each step would wait for the one before
      for (int n = 0; n < columns; ++n) sum[n] = n <= last ? w[j + n] : T{};
      for (int p = 0; p < j; ++p) {
        const T x = w[p] * inverse[p];
        for (int n = 0; n < columns; ++n) sum[n] = minus_product(sum[n], x, l[n][p]);
      }
      for (int n = 0; n < columns; ++n)
        if (n <= last) w[j + n] = sum[n];
      for (int n = 0; n < columns; ++n)
        if (n <= last && last < columns) block[last * N + n] = sum[n];
    }
  }

  // Every thread that has a row factors the small block for itself: it is shorter than to wait for
  // another one.
  template <int columns>
  HD void finish_columns(int j) const {
    if (j + thread >= shape.rows()) return;
    T factored[columns][columns], lower[columns][columns], inverses[columns];
    for (int m = 0; m < columns; ++m)
      for (int n = 0; n <= m; ++n) factored[m][n] = block[m * N + n];
    factor_block(factored, lower, inverses);
    for (int i = j + thread; i < shape.rows(); i += threads) {
      T* entries = row(i) + j;
      if (i >= j + columns) {
        T sum[1][columns];
        for (int n = 0; n < columns; ++n) sum[0][n] = entries[n];
        eliminate_rows(sum, lower);
        for (int n = 0; n < columns; ++n) entries[n] = sum[0][n];
      } else {
        for (int m = 0; m < columns; ++m)
          for (int n = 0; n <= m; ++n)
            if (m == i - j) entries[n] = factored[m][n];
      }
    }
    if (thread == 0)
      for (int n = 0; n < columns; ++n) inverse[j + n] = inverses[n];
  }

  // Subtract W L' of the update and optode rows from the panels of the ancestors, tile by tile.
  HD void update(const int32_t* column_rows, const int32_t* column, const int32_t* target_row,
                 T* stack) const {
    const int first = shape.pivots, below = shape.rows() - first;
    const int tiles_down = (below + M - 1) / M, tiles_across = (shape.update + N - 1) / N;
    for (int tile = thread; tile < tiles_down * tiles_across; tile += threads) {
      const int i = tile % tiles_down * M, j = tile / tiles_down * N;
      if (i + M <= j) continue;  // right of the diagonal
      // Past the edges the tile repeats the last row or column and its sums are not used.
      const T *w[M], *l[N];
      for (int m = 0; m < M; ++m) w[m] = row(first + (i + m < below ? i + m : below - 1));
      for (int n = 0; n < N; ++n)
        l[n] = row(first + (j + n < shape.update ? j + n : shape.update - 1));
      T sum[M][N] = {};
      for (int p = 0; p < first; ++p) {
        for (int m = 0; m < M; ++m) {
          const T x = w[m][p] * inverse[p];
          for (int n = 0; n < N; ++n) sum[m][n] = minus_product(sum[m][n], x, l[n][p]);
        }
      }
      for (int n = 0; n < N; ++n)
        for (int m = 0; m < M; ++m)
          if (j + n < shape.update && i + m < below && i + m >= j + n)
            stack[target_row[column_rows[j + n] + i + m] + column[j + n]] += sum[m][n];
    }
  }

  // readings[source][detector] += this front's part of b_s' A^-1 b_d.
  HD void read(const int32_t* source, const int32_t* detector, int stride, T* readings) const {
    for (int k = thread; k < shape.sources * shape.detectors; k += threads) {
      const int s = k / shape.detectors, d = k % shape.detectors;
      const T* a = row(shape.columns() + s);
      const T* b = row(shape.columns() + shape.sources + d);
      T sum{};
      for (int p = 0; p < shape.pivots; ++p) sum = minus_product(sum, a[p], b[p] * inverse[p]);
      readings[source[s] * stride + detector[d]] -= sum;
    }
  }
};

// Solves one system; `stack` holds plan.size() entries, `inverse` plan.max_pivots(), `block` 16.
template <class T, int P, class Input>
HD void solve(const DevicePlan& plan, const Input& input, int64_t system, T* stack, T* inverse,
              T* block, T* readings, int thread, int threads) {
  for (int k = thread; k < plan.sources() * plan.detectors(); k += threads) readings[k] = T{};
  for (int f = 0; f < plan.fronts(); ++f) {
    const int32_t* s = plan.shapes() + 4 * f;
    const DeviceFront<T> front = {
        {s[0], s[1], s[2], s[3]}, stack + plan.panel()[f], inverse, block, thread, threads};
    for (int i = plan.open_from()[f] + thread; i < plan.open_to()[f]; i += threads) stack[i] = T{};
    __syncthreads();
    for (int g = plan.gather_start()[f] + thread; g < plan.gather_start()[f + 1]; g += threads)
      stack[plan.gather_entry()[g]] += gathered<T, P>(plan, input, system, g);
    __syncthreads();
    front.eliminate();
    const int column = plan.column_start()[f];
    front.update(plan.column_rows() + column, plan.column() + column, plan.target_row(), stack);
    front.read(plan.source() + plan.source_start()[f], plan.detector() + plan.detector_start()[f],
               plan.detectors(), readings);
    __syncthreads();
  }
}

}  // namespace lesionkit::optics

using namespace lesionkit;
using namespace lesionkit::optics;

// out: [systems][sources][detectors]. Panels lie in the launch's shared memory if `scratch` is
// null, else there, plan.size() entries a block. Blocks take one system after the other.
template <class T, int P, class Input>
__global__ void measure(const int32_t* header, const int32_t* table, const double* values,
                        const double* first, const double* second, const double* third,
                        int64_t materials, int64_t systems, T* scratch, T* out) {
  const DevicePlan plan = {header, table, values};
  const Input input = {first, second, third, materials, plan.properties()};
  DYNAMIC_SHARED(T, shared);
  T* const inverse = shared;
  T* const block = inverse + plan.max_pivots();
  const auto work = [&](T* stack) {
    for (int64_t system = blockIdx.x; system < systems; system += gridDim.x)
      solve<T, P>(plan, input, system, stack, inverse, block,
                  out + system * plan.sources() * plan.detectors(), threadIdx.x, blockDim.x);
  };
  // Written out for each kind of memory: a pointer to either is slower to use.
  if (scratch)
    work(scratch + int64_t{blockIdx.x} * plan.size());
  else
    work(block + 16);
}
