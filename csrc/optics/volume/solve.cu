// Fields and readings of many systems on a GPU, as solve.cpp and block.hpp have them, with another
// smoother: a sweep of Gauss and Seidel takes row after row, so here it is two steps of Jacobi
// that shrink errors together (lanes.hpp).
//
//   solve_columns  a round of conjugate gradients: a block of threads for W right-hand sides of a
//                  system, a warp for a row, a thread for one number of it. Sums go over the rows
//                  of a warp, then over the warps, in their order.
//   read_pairs     a warp for a detector and the sources of a block: readings, corrected, and what
//                  the preconditioner says is left of the error
#include "optics/volume/lanes.hpp"

namespace lesionkit::optics {

// The thread's rows of `count`.
template <class Work>
HD void for_rows(int64_t count, Work&& work) {
  for (int64_t i = threadIdx.x / W; i < count; i += blockDim.x / W) work(i);
}

// The same where others read what is written next.
template <class Work>
HD void phase(int64_t count, Work&& work) {
  for_rows(count, work);
  __syncthreads();  // all rows are done
}

// The preconditioner: one V-cycle, as in cycle.hpp.
struct DeviceCycle {
  const int64_t* record;
  const int32_t* table;
  const float* number;
  int64_t levels;               // and the coarsest, which is solved by its inverse
  const float *value, *weight;  // of the system's own matrix, the first level's
  float *other, *room;          // in which coarser levels have their vectors

  HD int64_t part(int64_t l, LevelPart which) const { return record[l * PARTS + which]; }
  HD DeviceRows<float> rows(int64_t l, LevelPart first) const {
    return {table + part(l, first), table + record[l * PARTS + first + 1],
            number + record[l * PARTS + first + 2]};
  }
  HD float* vector(int64_t l, int which) const {
    return room + (part(l, ROOM) + which * part(l, NODES)) * W;
  }
  HD DeviceLevel level(int64_t l, const float* r, float* z) const {
    DeviceLevel made = {part(l, NODES),
                        rows(l, START),
                        rows(l, UP_START),
                        rows(l, DOWN_START),
                        l == 0 ? weight : number + part(l, WEIGHT),
                        l == 0 ? r : vector(l, 0),
                        l == 0 ? z : vector(l, 1),
                        l == 0 ? other : vector(l, 2)};
    if (l == 0) made.matrix.value = value;
    return made;
  }

  // z = an approximate solution for r; visit(row) of each row of z when it is done.
  template <class Visit>
  HD void run(const float* r, float* z, Visit&& visit) const {
    for (int64_t l = 0; l < levels; ++l) {
      const DeviceLevel here = level(l, r, z);
      phase(here.nodes, [&](int64_t i) {
        here.other[i * W] = FIRST_STEP * here.weight[i] * here.right[i * W];
      });
      phase(here.nodes,
            [&](int64_t i) { here.answer[i * W] = here.smoothed(i, here.other, SECOND_STEP); });
      phase(here.nodes, [&](int64_t i) { here.other[i * W] = here.left(i, here.answer); });
      float* below = vector(l + 1, 0);
      phase(part(l + 1, NODES),
            [&](int64_t i) { below[i * W] = here.down.product(i, here.other); });
    }
    const int64_t count = part(levels, NODES);
    const float *inverse = number + part(levels, VALUE), *right = vector(levels, 0);
    float* coarsest = vector(levels, 1);
    phase(count, [&](int64_t i) {
      float sum = 0;
      for (int64_t j = 0; j < count; ++j) sum += inverse[i * count + j] * right[j * W];
      coarsest[i * W] = sum;
    });
    for (int64_t l = levels - 1; l >= 0; --l) {
      const DeviceLevel here = level(l, r, z);
      const float* below = vector(l + 1, 1);
      phase(here.nodes, [&](int64_t i) { here.answer[i * W] += here.up.product(i, below); });
      phase(here.nodes,
            [&](int64_t i) { here.other[i * W] = here.smoothed(i, here.answer, SECOND_STEP); });
      phase(here.nodes, [&](int64_t i) {
        here.answer[i * W] = here.smoothed(i, here.other, FIRST_STEP);
        if (l == 0) visit(i);
      });
    }
  }
};

// Products of two vectors, of the thread's column with itself and, if light is modulated, with the
// other part of the same number.
struct LaneDots {
  LaneSum same, cross;
};

// Of all rows: a product that is not conjugated, and one that is, which is real.
struct Totals {
  ColumnNumber bilinear;
  double hermitian;
};

// The numbers that the block's warps share: [2][warps][W].
struct Shared {
  double* numbers;
  bool modulated;

  HD static int column() { return threadIdx.x % W; }
  HD static int across() { return (column() + W / 2) % W; }
  HD void put(int part, double mine) const {
    numbers[(part * (blockDim.x / W) + threadIdx.x / W) * W + column()] = mine;
  }
  template <class Combine>
  HD double get(int part, int of, Combine&& combine) const {
    const int warps = blockDim.x / W;
    double found = 0;
    for (int w = 0; w < warps; ++w) found = combine(found, numbers[(part * warps + w) * W + of]);
    return found;
  }
  // The largest of the column; of both its parts if light is modulated.
  HD double largest(double mine) const {
    const auto larger = [](double a, double b) { return a > b ? a : b; };
    put(0, mine);
    __syncthreads();  // the largest of warps are there
    const double own = get(0, column(), larger);
    return modulated ? larger(own, get(0, across(), larger)) : own;
  }
  HD Totals totals(LaneDots& dots) const {
    const auto sum = [](double a, double b) { return a + b; };
    dots.same.flush();
    dots.cross.flush();
    put(0, dots.same.total);
    if (modulated) put(1, dots.cross.total);
    __syncthreads();  // the sums of warps are there
    const double own = get(0, column(), sum);
    if (!modulated) return {{own, 0}, own};
    const double other = get(0, across(), sum);
    const double crossed = get(1, column(), sum) + get(1, across(), sum);
    return {{column() < W / 2 ? own - other : other - own, crossed}, own + other};
  }
};

// x * factor of the thread's column, x complex if light is modulated.
struct LaneFactor {
  float same, cross;
  int64_t across;  // from the column to its number's other part

  HD LaneFactor(const ColumnNumber& factor, bool modulated)
      : same(static_cast<float>(factor.re)),
        cross(static_cast<float>(Shared::column() < W / 2 ? -factor.im : factor.im)),
        across(modulated ? Shared::across() - Shared::column() : 0) {}
  HD float times(const float* x) const {
    return across == 0 ? same * *x : same * *x + cross * x[across];
  }
};

// Whether any lane of the warp says so.
HD bool any_lane(bool mine) {
  int found = mine;
  for (int mask = W / 2; mask > 0; mask /= 2) found |= __shfl_xor_sync(~0u, found, mask);
  return found != 0;
}

// What is kept of a round: [W] each.
enum State { SCALE, ENERGY_BEFORE, ENERGY, ITERATIONS, STATES };

}  // namespace lesionkit::optics

using namespace lesionkit::optics;

// For the blocks of the `count` systems that `open` names: conjugate gradients from 0 for what
// `exact` has left over, until the energy of every column is down by its system's `target`.
//   real, real_float   [system][entry]; imaginary, imaginary_float: [entry], or null
//   weight             [system][node]
//   field, exact       [system][block][node][W]: the fields, and what they leave over
//   solved             [system][block][node][W]: what the preconditioner makes of the last
//   residual,
//                      times 1 / SCALE
//   scratch            [gridDim.x][size]: five vectors, then those of coarser levels
//   state              [system][block][STATES][W]
// Shared memory: 2 W numbers for each warp.
__global__ void __launch_bounds__(512)
    solve_columns(const int64_t* __restrict__ record, const int32_t* __restrict__ table,
                  const float* __restrict__ number, int64_t levels, const double* __restrict__ real,
                  const float* __restrict__ real_float, const double* __restrict__ imaginary,
                  const float* __restrict__ imaginary_float, const float* __restrict__ weight,
                  const double* __restrict__ target, const int64_t* __restrict__ open,
                  int64_t count, int64_t blocks, int64_t size, float* scratch, double* field,
                  double* exact, float* solved, double* state) {
  DYNAMIC_SHARED(double, numbers);
  const Shared shared = {numbers, imaginary != nullptr};
  const bool modulated = shared.modulated;
  const int c = Shared::column();
  const int64_t n = record[NODES];
  const int64_t across = modulated ? Shared::across() - c : 0;
  const DevicePattern matrix = {table + record[START], table + record[COLUMN], across};
  const int64_t entries = matrix.start[n];
  float* const mine = scratch + blockIdx.x * size + c;
  float *const r = mine, *const p = r + n * W, *const q = p + n * W, *const e = q + n * W,
               *const other = e + n * W;
  for (int64_t item = blockIdx.x; item < count * blocks; item += gridDim.x) {
    const int64_t system = open[item / blocks], block = system * blocks + item % blocks;
    double *const x = field + block * n * W + c, *const left = exact + block * n * W + c;
    float* const z = solved + block * n * W + c;
    const DeviceCycle cycle = {
        record, table,        number, levels, real_float + system * entries, weight + system * n,
        other,  other + n * W};
    const auto precondition = [&] {
      LaneDots dots;
      cycle.run(r, z, [&](int64_t i) {
        dots.same.add(r[i * W], z[i * W]);
        if (modulated) dots.cross.add(r[i * W + across], z[i * W]);
      });
      return shared.totals(dots);
    };

    double largest = 0;
    for_rows(n, [&](int64_t i) {
      const double here = fabs(left[i * W]);
      largest = here > largest ? here : largest;
    });
    largest = shared.largest(largest);
    const double scale = largest > 0 ? largest : 1;
    for_rows(n, [&](int64_t i) {
      r[i * W] = static_cast<float>(left[i * W] / scale);
      p[i * W] = e[i * W] = 0;
    });
    double* const kept = state + block * STATES * W + c;  // one warp writes, all have the same
    const auto keep = [&](State what, double number) {
      if (threadIdx.x < W) kept[what * W] = number;
    };
    const auto energy = [&](double squared) { return squared > 0 ? scale * sqrt(squared) : 0; };
    ColumnNumber before{};
    double goal = 0;
    int done = 0;
    for (;; ++done) {
      const Totals now = precondition();
      if (done == 0) {
        goal = target[system] * target[system] * fabs(now.hermitian);
        keep(SCALE, scale);
        keep(ENERGY_BEFORE, energy(now.hermitian));
      } else if (done == MOST || !any_lane(fabs(now.hermitian) > goal)) {
        keep(ENERGY, energy(now.hermitian));
        keep(ITERATIONS, done);
        break;
      }
      const LaneFactor turn(ratio(now.bilinear, before, modulated), modulated);
      phase(n, [&](int64_t i) {
        const float next = z[i * W] + turn.times(p + i * W);
        __syncwarp();  // both parts are read
        p[i * W] = next;
      });
      LaneDots dots;
      for_rows(n, [&](int64_t i) {
        q[i * W] = matrix.product(real_float + system * entries, imaginary_float, i, p);
        dots.same.add(p[i * W], q[i * W]);
        if (modulated) dots.cross.add(p[i * W + across], q[i * W]);
      });
      const ColumnNumber bottom = shared.totals(dots).bilinear;
      const LaneFactor step(ratio(now.bilinear, bottom, modulated), modulated);
      for_rows(n, [&](int64_t i) {
        e[i * W] += step.times(p + i * W);
        r[i * W] -= step.times(q + i * W);
      });
      before = now.bilinear;
    }
    phase(n, [&](int64_t i) {
      x[i * W] += scale * static_cast<double>(e[i * W]);
      left[i * W] -= scale * matrix.product(real + system * entries, imaginary, i, e);
    });
  }
}

// Readings d'x + y'(q - A x), y the detector's own field, and in `left` what the preconditioner B
// says is left of the error, (d - A y)' B (q - A x), which is added. readings, left:
// [system][source][detector], of one number or two. start, node, value: the detectors' rows.
__global__ void read_pairs(int64_t nodes, int64_t sources, int64_t detectors, int64_t modulated,
                           const int32_t* __restrict__ start, const int32_t* __restrict__ node,
                           const double* __restrict__ value, const int64_t* __restrict__ open,
                           int64_t count, const double* __restrict__ field,
                           const double* __restrict__ exact, const float* __restrict__ solved,
                           const double* __restrict__ state, double* readings, double* left) {
  const int c = threadIdx.x % W, half = W / 2, across = (c + half) % W - c;
  const int64_t width = modulated ? half : W, optodes = sources + detectors;
  const int64_t blocks = (optodes + width - 1) / width, first = sources / width;
  const int64_t of_sources = (sources + width - 1) / width, each = (blocks - first) * width;
  const double sign = c < half ? -1 : 1;
  const int64_t step = int64_t{gridDim.x} * (blockDim.x / W);
  for (int64_t i = int64_t{blockIdx.x} * (blockDim.x / W) + threadIdx.x / W;
       i < count * of_sources * each; i += step) {
    const int64_t system = open[i / (of_sources * each)], a = i / each % of_sources;
    const int64_t o = first * width + i % each, s = a * width + c % width;
    if (o < sources || o >= optodes || s >= sources) continue;
    const int64_t j = o % width, source = system * blocks + a,
                  detector = system * blocks + o / width;
    const double* x = field + source * nodes * W + c;
    const double* x_left = exact + source * nodes * W + c;
    const float* z = solved + source * nodes * W + c;
    const double* y = field + detector * nodes * W + j;
    const double* y_left = exact + detector * nodes * W + j;
    double found = 0, along = 0, both = 0;
    for (int32_t k = start[o - sources]; k < start[o - sources + 1]; ++k)
      found += value[k] * x[int64_t{node[k]} * W];
    for (int64_t row = 0; row < nodes * W; row += W) {
      along += y[row] * x_left[row];
      both += y_left[row] * static_cast<double>(z[row]);
      if (modulated) {
        along += sign * y[row + half] * x_left[row + across];
        both += sign * y_left[row + half] * static_cast<double>(z[row + across]);
      }
    }
    both *= state[source * STATES * W + SCALE * W + c];
    const int64_t pair = (system * sources + s) * detectors + o - sources;
    const int64_t place = modulated ? 2 * pair + c / half : pair;
    readings[place] = found + along + both;
    left[place] = both;
  }
}
