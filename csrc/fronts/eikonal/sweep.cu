// Arrival times of order 1 on a GPU: tiles of nodes in shared memory.
//
// A block takes a tile and works on it until nothing in it changes: red nodes, then black ones,
// whose neighbours are all of the other colour. Then it queues the tiles beside it whose border it
// changed. Tiles too are red and black, and a launch takes those of one colour: no tile changes
// while another one reads its border, and the result is the same in every run. Lists of tiles stay
// on the GPU: in round r a launch works through list r mod 3, fills the next one, and clears the
// last one. Where an image is one tile, as small ones of a batch are, one launch does it all.
#include "fronts/eikonal/godunov.hpp"

using namespace lesionkit;
using namespace lesionkit::fronts;

struct TiledGrid {
  int64_t size[3];  // planes, rows, columns of an image
  int64_t tile[3];  // of a tile

  HD int64_t tiles(int axis) const { return (size[axis] + tile[axis] - 1) / tile[axis]; }
};

// A tile of an image, and its nodes in shared memory, with a border, `beyond` nodes wide.
template <class R, int beyond>
struct TileNodes {
  HD TileNodes(const TiledGrid& grid, int64_t tile, R* nodes)
      : nodes(nodes), first(0), columns(grid.size[2]), area(grid.size[1] * columns) {
    const int64_t global_stride[3] = {area, columns, 1};
    for (int d = 2; d >= 0; --d) {
      const int64_t index = tile % grid.tiles(d), left = grid.size[d] - index * grid.tile[d];
      tile /= grid.tiles(d);
      first += index * grid.tile[d] * global_stride[d];
      edge[d] = static_cast<int>(grid.tile[d]);
      low[d] = index > 0 ? -beyond : 0;
      high[d] = static_cast<int>(lesionkit::min<int64_t>(left, edge[d] + beyond));
    }
    first += tile * grid.size[0] * area;
    deep = grid.size[0] > 1;
    stride[2] = 1;
    stride[1] = edge[2] + 2 * beyond;
    stride[0] = (edge[1] + 2 * beyond) * stride[1];
  }

  // The nodes of the tile, by number.
  HD int count() const { return edge[0] * edge[1] * edge[2]; }
  HD void place(int i, int (&at)[3]) const {
    at[2] = i % edge[2];
    at[1] = i / edge[2] % edge[1];
    at[0] = i / edge[2] / edge[1];
  }
  // Those with the border.
  HD int count_all() const { return (edge[0] + (deep ? 2 * beyond : 0)) * stride[0]; }
  HD void place_all(int i, int (&at)[3]) const {
    at[2] = i % stride[1] - beyond;
    at[1] = i / stride[1] % (edge[1] + 2 * beyond) - beyond;
    at[0] = i / stride[0] - (deep ? beyond : 0);
  }

  HD bool inside(const int (&at)[3]) const {
    for (int d = 0; d < 3; ++d)
      if (at[d] < low[d] || at[d] >= high[d]) return false;
    return true;
  }
  // Nodes of the border that no node of the tile has beside it belong to tiles of its own colour.
  HD bool corner(const int (&at)[3]) const {
    int outside = 0;
    for (int d = 0; d < 3; ++d) outside += at[d] < 0 || at[d] >= edge[d];
    return outside > 1;
  }
  HD int64_t global(const int (&at)[3]) const {
    return first + at[0] * area + at[1] * columns + at[2];
  }
  HD R* shared(const int (&at)[3]) const {
    return nodes + (at[0] + (deep ? beyond : 0)) * stride[0] + (at[1] + beyond) * stride[1] +
           at[2] + beyond;
  }

  R* nodes;
  int64_t first, columns, area;
  int edge[3], stride[3];
  int low[3], high[3];  // of what is inside the image, the border included
  bool deep;
};

// times, speed [images][planes][rows][columns]; mask: as speed, or nullptr. Slowness is scale /
// speed. queue [3][tiles of all images]; queued: as queue, how often a tile was asked for; counts
// [3].
template <class R>
__global__ void relax_tiles(const R* speed, const uint8_t* mask, TiledGrid grid, const R* spacing,
                            int64_t even, R scale, R stop, R never, int64_t tiles, int64_t round,
                            int64_t* queue, uint32_t* queued, uint32_t* counts, R* times) {
  DYNAMIC_SHARED(R, nodes);
  SHARED(uint32_t, changed, 3);
  SHARED(uint32_t, faces, 6);
  const int64_t list = round % 3, next = (round + 1) % 3;
  const R steps[3] = {spacing[0], spacing[1], spacing[2]};
  const int thread = threadIdx.x, threads = blockDim.x;
  if (blockIdx.x == 0 && thread == 0) counts[(round + 2) % 3] = 0;
  for (int i = 0; i < 6 && thread == 0; ++i) faces[i] = 0;

  for (int64_t k = blockIdx.x; k < counts[list]; k += gridDim.x) {
    const int64_t tile = queue[list * tiles + k];
    const TileNodes<R, 1> t(grid, tile, nodes);
    if (thread == 0) queued[list * tiles + tile] = 0;
    for (int i = thread; i < 3; i += threads) changed[i] = 0;
    for (int i = thread; i < t.count_all(); i += threads) {
      int at[3];
      t.place_all(i, at);
      nodes[i] = t.inside(at) && !t.corner(at) ? times[t.global(at)] : never;
    }
    __syncthreads();  // the tile is there

    for (int turn = 0;; ++turn) {
      bool mine = false;
      for (int colour = 0; colour < 2; ++colour) {
        for (int i = thread; i < t.count(); i += threads) {
          int at[3];
          t.place(i, at);
          if (((at[0] + at[1] + at[2]) & 1) != colour || !t.inside(at)) continue;
          const int64_t node = t.global(at);
          if (!(speed[node] > 0) || (mask && !mask[node])) continue;
          R* const here = t.shared(at);
          R least[3] = {never, never, never};
          for (int d = 0; d < 3; ++d)
            if (d > 0 || t.deep) least[d] = lesionkit::min(here[-t.stride[d]], here[t.stride[d]]);
          const R time = arrival(least, steps, t.deep, even != 0, scale / speed[node]);
          if (!(time < *here)) continue;
          *here = time;
          mine = true;
        }
        if (colour == 0) __syncthreads();  // red nodes are done
      }
      if (thread == 0) changed[(turn + 1) % 3] = 0;
      if (mine) atomicAdd(&changed[turn % 3], 1);
      __syncthreads();  // black nodes are done
      if (changed[turn % 3] == 0) break;
    }

    for (int i = thread; i < t.count(); i += threads) {
      int at[3];
      t.place(i, at);
      if (!t.inside(at)) continue;
      const R time = *t.shared(at);
      R& was = times[t.global(at)];
      if (!(time < was)) continue;
      was = time;
      for (int d = 0; d < 3 && time <= stop; ++d) {
        if (at[d] == 0) atomicAdd(&faces[2 * d], 1);
        if (at[d] == t.edge[d] - 1) atomicAdd(&faces[2 * d + 1], 1);
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
          const int64_t other = tile + (side ? away : -away);
          if (atomicAdd(&queued[next * tiles + other], 1) == 0)
            queue[next * tiles + atomicAdd(&counts[next], 1)] = other;
        }
    }
  }
}
