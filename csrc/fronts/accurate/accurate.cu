// Arrival times of order 2, or factored, on a GPU: in the order that times of order 1 give.
//
// A node's time is worked out once, when those of the earlier nodes beside it are known
// (godunov.hpp); what comes out does not depend on the order of the work. A block takes a tile that
// was asked for, with two nodes on each side of it, and works until nothing in it becomes known:
// of its nodes one third after the other, by the sum of their places, so that no two of a third lie
// within two steps along an axis. Then it asks for the tiles beside it. Tiles are red and black,
// and a launch takes those of one colour: no tile changes while another one reads its border.
#include "fronts/accurate/starts.hpp"
#include "fronts/eikonal/sweep.cu"

namespace lesionkit::fronts {

// Images of one size; mask may be nullptr.
template <class R>
struct Images {
  const R* speed;
  const uint8_t* mask;
  Grid grid;
  const R* spacing;
  R scale;

  HD Problem<R> problem(int64_t image) const {
    const int64_t begin = image * grid.size();
    return {grid,
            speed + begin,
            scale,
            mask ? mask + begin : nullptr,
            {spacing[0], spacing[1], spacing[2]},
            Problem<R>::never,
            nullptr};
  }
};

// As numbers that are not negative, so are their bits in order.
HD void lower(float* time, float to) {
  atomicMin(reinterpret_cast<uint32_t*>(time), bits_as<uint32_t>(to));
}
HD void lower(double* time, double to) {
  atomicMin(reinterpret_cast<uint64_t*>(time), bits_as<uint64_t>(to));
}

}  // namespace lesionkit::fronts

// reach: [images], of factoring
template <class R>
__global__ void find_reach(const R* speed, const uint8_t* mask, Grid grid, const R* spacing,
                           R scale, int64_t images, R* reach) {
  const Images<R> all = {speed, mask, grid, spacing, scale};
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < images; i += step)
    reach[i] = static_cast<R>(reach_of(all.problem(i)));
}

// first, times: [images][planes][rows][columns]; first: of order 1; times: lowered. nodes, at:
// [starts], numbered through all images. seeds: [images][count]; slowness: as these, 0 where times
// are not factored. factored: [images]
template <class R>
__global__ void start_fronts(const R* speed, const uint8_t* mask, Grid grid, const R* spacing,
                             R scale, int64_t images, const R* first, int64_t starts,
                             const int64_t* nodes, const R* at, int64_t count, const double* seeds,
                             const uint8_t* factored, R* slowness, R* times) {
  const Images<R> all = {speed, mask, grid, spacing, scale};
  const Seed* const seed = reinterpret_cast<const Seed*>(seeds);
  const int64_t step = int64_t{gridDim.x} * blockDim.x, points = images * count;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < points + starts; i += step) {
    const int64_t image = i < points ? i / count : 0, begin = image * grid.size();
    const auto start = [&](int64_t node, R time) {
      if (may_start(time, first[begin + node])) lower(times + begin + node, time);
    };
    if (i < points) {
      const bool known =
          start_about(all.problem(image), first + begin, seed[i], factored[image] != 0, start);
      slowness[i] = known ? static_cast<R>(seed[i].slowness) : R(0);
    } else {
      start(nodes[i - points], at[i - points]);
    }
  }
}

// times, first, speed, labels: [images][planes][rows][columns]; labels: 1 + the number of the
// node's seed, or nullptr: there is one. asked: [tiles of all images], how often; reach: [images],
// below 0 where nothing is factored; second: of order 2; progress: tiles that changed, added up.
template <class R, int axes>
__global__ void follow_order(const R* speed, const R* first, TiledGrid grid, const R* spacing,
                             R scale, int64_t tiles, int64_t colour, int64_t second, int64_t count,
                             const double* seeds, const R* slowness, const R* reach,
                             const int32_t* labels, uint32_t* asked, uint32_t* progress, R* times) {
  DYNAMIC_SHARED(R, nodes);
  SHARED(uint32_t, changed, 3);
  SHARED(uint32_t, faces, 6);
  constexpr R never = Problem<R>::never;
  const Grid shape = {grid.size[0], grid.size[1], grid.size[2]};
  const int64_t of_image = grid.tiles(0) * grid.tiles(1) * grid.tiles(2);
  const int thread = threadIdx.x, threads = blockDim.x;
  R steps[axes];
  for (int d = 0; d < axes; ++d) steps[d] = spacing[2 - d];
  for (int i = 0; i < 6 && thread == 0; ++i) faces[i] = 0;

  for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    const int64_t of_plane = grid.tiles(1) * grid.tiles(2);
    const int64_t sum = tile / of_plane % grid.tiles(0) + tile / grid.tiles(2) % grid.tiles(1) +
                        tile % grid.tiles(2);
    if (sum % 2 != colour) continue;
    const bool wanted = asked[tile] != 0;
    __syncthreads();  // all know whether it is asked for
    if (!wanted) continue;
    if (thread == 0) asked[tile] = 0;
    const TileNodes<R, 2> t(grid, tile, nodes);
    R* const early = nodes + t.count_all();  // times of order 1, in the same places
    for (int i = thread; i < 3; i += threads) changed[i] = 0;
    for (int i = thread; i < t.count_all(); i += threads) {
      int at[3];
      t.place_all(i, at);
      const bool used = t.inside(at) && !t.corner(at);
      nodes[i] = used ? times[t.global(at)] : never;
      early[i] = used ? first[t.global(at)] : never;
    }
    __syncthreads();  // the tile is there

    const int64_t image = tile / of_image;
    for (int turn = 0;; ++turn) {
      bool mine = false;
      for (int third = 0; third < 3; ++third) {
        for (int i = thread; i < t.count(); i += threads) {
          int at[3];
          t.place(i, at);
          if ((at[0] + at[1] + at[2]) % 3 != third || !t.inside(at)) continue;
          R* const here = t.shared(at);
          const R* const order = here + t.count_all();
          if (*here < never || !(*order < never)) continue;
          Line<R> before[axes], now[axes];
          for (int d = 0; d < axes; ++d) {
            const int away = t.stride[2 - d];
            const R before2 = second ? order[-2 * away] : never;  // nobody's, at order 1
            const R after2 = second ? order[2 * away] : never;
            before[d] = {before2, order[-away], order[away], after2};
            now[d] = {here[-2 * away], here[-away], here[away], here[2 * away]};
          }
          const int64_t node = t.global(at);
          const int64_t own = labels && labels[node] ? labels[node] - 1 : 0;
          const Offset place = shape.place(node - image * shape.size());
          const int64_t index[3] = {place.column, place.row, place.plane};
          const int64_t k = image * count + own;
          Known<R> known[axes];
          about_seed(reinterpret_cast<const Seed*>(seeds)[k], slowness[k], index, steps, known);
          const R time = final_time<true, true>(before, now, *order, scale / speed[node], steps,
                                                known, reach[image], never);
          if (!(time < never)) continue;
          *here = time;
          mine = true;
        }
        if (third < 2) __syncthreads();  // a third is done
      }
      if (thread == 0) changed[(turn + 1) % 3] = 0;
      if (mine) atomicAdd(&changed[turn % 3], 1);
      __syncthreads();  // the last third is done
      if (changed[turn % 3] == 0) break;
    }

    for (int i = thread; i < t.count(); i += threads) {
      int at[3];
      t.place(i, at);
      if (!t.inside(at)) continue;
      R& was = times[t.global(at)];
      const R time = *t.shared(at);
      if (!(time < was)) continue;
      was = time;
      for (int d = 0; d < 3; ++d) {
        if (at[d] < 2) atomicAdd(&faces[2 * d], 1);
        if (at[d] >= t.edge[d] - 2) atomicAdd(&faces[2 * d + 1], 1);
      }
    }
    __syncthreads();  // the faces are known
    if (thread == 0) {
      int64_t away = 1;
      for (int d = 2; d >= 0; away *= grid.tiles(d--))
        for (int side = 0; side < 2; ++side) {
          const bool beside = side ? t.high[d] > t.edge[d] : t.low[d] < 0;
          const bool told = faces[2 * d + side] != 0;
          faces[2 * d + side] = 0;  // by the thread that reads it: the others may go on
          if (!told || !beside) continue;
          atomicAdd(&asked[tile + (side ? away : -away)], 1);
          atomicAdd(progress, 1);
        }
    }
  }
}
