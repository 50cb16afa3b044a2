// Arrival times of order 2, or factored, in the order that times of order 1 give.
//
// A node's time is worked out once, when those of the earlier nodes beside it are known, as in fast
// marching; here by the same passes over tiles as at order 1, without a queue. What comes out does
// not depend on the order of the work. About a seed, within `reach` of it, slopes are factored
// (godunov.hpp); with several seeds, about the one whose front comes first. Host only.
#pragma once

#include "fronts/accurate/starts.hpp"
#include "fronts/eikonal/passes.hpp"

namespace lesionkit::fronts {

template <class R>
struct OrderedProblem {
  const R* first;  // times of order 1
  const Seed* seeds;
  int64_t count;          // of seeds
  const int32_t* labels;  // of each node, 1 + the number of its seed; nullptr: there is one seed
  bool factored;          // else slopes are not, about any seed
  R reach;                // of factoring, as spacing

  const Seed& seed_of(int64_t node) const {
    return seeds[labels == nullptr || labels[node] == 0 ? 0 : labels[node] - 1];
  }
};

template <class R, int strips, bool deep, bool second>
class Ordered {
 public:
  using Tiles = Tiling<R, strips>;
  static constexpr int halo = 2;

  Ordered(const Problem<R>& problem, const OrderedProblem<R>& ordered, const Tiles& tiles)
      : p_(problem), o_(ordered), tiles_(tiles) {}

  template <bool right>
  Change<R> visit(bool forward, int64_t plane, int64_t band, int64_t tile, bool) const {
    if (!waits<right>(plane, band, tile)) return {};
    return far(plane, band, tile) ? work_out<right, false>(forward, plane, band, tile)
                                  : work_out<right, true>(forward, plane, band, tile);
  }

 private:
  using V = typename Tiles::V;
  static constexpr int width = Tiles::width, lanes = Tiles::lanes, steps = Tiles::steps;
  static constexpr int axes = deep ? 3 : 2;
  static constexpr R never = Problem<R>::never;

  template <bool right, bool factored>
  Change<R> work_out(bool forward, int64_t plane, int64_t band, int64_t tile) const {
    const int64_t area = p_.grid.rows * p_.grid.columns, begin = plane * area;
    View<right> first, times;
    read(o_.first, plane, band, tile, first);
    read(p_.times, plane, band, tile, times);
    alignas(64) R slow[steps][lanes];
    tiles_.template read<right>(SpeedRows<R>{p_, begin}, band, tile, R(0), slow[0]);
    for (R* at = slow[0]; at < slow[0] + steps * lanes; at += width)
      store(at, broadcast<V>(p_.scale) / load<V>(at));
    const V none = broadcast<V>(never), reach = broadcast<V>(o_.reach);
    V spacing[axes], least = none;
    for (int d = 0; d < axes; ++d) spacing[d] = broadcast<V>(p_.spacing[2 - d]);
    Mask<V> changed[strips] = {};
    for (int i = 0; i < steps; ++i) {
      const int t = forward ? i : steps - 1 - i;
      for (int k = 0; k < strips; ++k) {
        Line<V> early[axes], now[axes];
        for (int d = 0; d < axes; ++d) {
          early[d] = first.line(d, t, k);
          now[d] = times.line(d, t, k);
        }
        Known<V> known[axes] = {};
        if constexpr (factored) about_seed<right>(plane, band, tile * steps + t, k, known);
        const V was = times.at(t, k);
        const V found = final_time<second, factored>(
            early, now, first.at(t, k), load<V>(&slow[t][k * width]), spacing, known, reach, none);
        const Mask<V> news = (was >= none) & (found < none);
        changed[k] |= news;
        least = min<V>(news ? found : none, least);
        store(&times.nodes.at[halo + t][k * width], news ? found : was);
      }
    }
    Mask<V> all = changed[0];
    for (int k = 1; k < strips; ++k) all |= changed[k];
    const Mask<V>&top = changed[0], &bottom = changed[strips - 1];
    const Change<R> change = {least_lane(least), (top[0] | top[1]) != 0,
                              (bottom[width - 1] | bottom[width - 2]) != 0, any(all)};
    if (change.any) tiles_.template write<right>(times.nodes, p_.times + begin, band, tile);
    return change;
  }

  // Whether a node of a tile has no time yet. Many a tile is asked after all of it is known: by
  // tiles that lean the other way.
  template <bool right>
  bool waits(int64_t plane, int64_t band, int64_t tile) const {
    bool found = false;
    tiles_.template runs<right>(band, tile, [&](int64_t row, int64_t column, int64_t n) {
      const int64_t begin = (plane * p_.grid.rows + row) * p_.grid.columns + column;
      const R *first = o_.first + begin, *times = p_.times + begin;
      bool any = false;
      for (int64_t i = 0; i < n; ++i) any |= (times[i] >= never) & (first[i] < never);
      found |= any;
    });
    return found;
  }

  // Whether no node of a tile is within reach of a seed.
  bool far(int64_t plane, int64_t band, int64_t tile) const {
    if (!o_.factored) return true;
    if (!(o_.reach < never)) return false;
    const int64_t first = tile * steps - lanes, row = band * lanes;
    const double low[3] = {1.0 * plane, 1.0 * row, 1.0 * first};
    const double high[3] = {1.0 * plane, 1.0 * (row + lanes), 1.0 * (first + lanes + steps)};
    for (int64_t s = 0; s < o_.count; ++s) {
      double square = 0.0;
      for (int d = 0; d < 3; ++d) {
        const double at = o_.seeds[s].at[d],
                     away = (std::clamp(at, low[d], high[d]) - at) * p_.spacing[d];
        square += away * away;
      }
      if (square <= static_cast<double>(o_.reach) * o_.reach) return false;
    }
    return true;
  }

  // A tile and two nodes on each side of it.
  template <bool right>
  struct View {
    typename Tiles::template Nodes<halo> nodes;
    // Two rows above lane 0, the nearer one first, from a step before the tile to one after it; and
    // two below the last lane.
    R above[halo][steps + 2], below[halo][steps + 2];
    alignas(64) R planes[deep ? 4 : 1][steps][lanes];

    V at(int t, int k) const { return load<V>(&nodes.at[halo + t][k * width]); }

    Line<V> line(int axis, int t, int k) const {
      if (axis == 0) return {at(t - 2, k), at(t - 1, k), at(t + 1, k), at(t + 2, k)};
      if (axis == 1) return across(t, k);
      const auto beside = [&](int i) { return load<V>(&planes[deep ? i : 0][t][k * width]); };
      return {beside(0), beside(1), beside(2), beside(3)};
    }

    // A row up is a step back and a lane up; in tiles that lean right, a step on.
    Line<V> across(int t, int k) const {
      constexpr int up = right ? 1 : -1;
      V over = {}, over2 = {}, under = {}, under2 = {};
      if (k > 0) {
        over = at(t + up, k - 1);
        over2 = at(t + 2 * up, k - 1);
      } else {
        over[width - 1] = above[0][1 + t];
        over2[width - 1] = above[0][1 + t + up];
        over2[width - 2] = above[1][1 + t];
      }
      if (k < strips - 1) {
        under = at(t - up, k + 1);
        under2 = at(t - 2 * up, k + 1);
      } else {
        under[0] = below[0][1 + t];
        under2[0] = below[0][1 + t - up];
        under2[1] = below[1][1 + t];
      }
      return {moved_up<2>(at(t + 2 * up, k), over2), moved_up<1>(at(t + up, k), over),
              moved_down<1>(at(t - up, k), under), moved_down<2>(at(t - 2 * up, k), under2)};
    }
  };

  template <bool right>
  void read(const R* values, int64_t plane, int64_t band, int64_t tile, View<right>& view) const {
    const int64_t area = p_.grid.rows * p_.grid.columns, first = tile * steps - 1;
    const R* here = values + plane * area;
    tiles_.template read_around<right>(here, band, tile, never, view.nodes);
    for (int i = 0; i < halo; ++i) {
      tiles_.read_row(here, band * lanes - 1 - i, Tiles::column(right, first, 0), steps + 2, never,
                      view.above[i]);
      tiles_.read_row(here, band * lanes + lanes + i, Tiles::column(right, first, lanes - 1),
                      steps + 2, never, view.below[i]);
    }
    if constexpr (deep)
      for (int i = 0; i < 4; ++i) {
        const int64_t z = plane + (i < 2 ? i - 2 : i - 1);
        if (z < 0 || z >= p_.grid.planes)
          std::fill_n(view.planes[i][0], steps * lanes, never);
        else
          tiles_.template read<right>(PlaneRows<R>{values + z * area, p_.grid.columns}, band, tile,
                                      never, view.planes[i][0]);
      }
  }

  // The way from the seed to the nodes of a register.
  template <bool right>
  void about_seed(int64_t plane, int64_t band, int64_t step, int k, Known<V> (&known)[axes]) const {
    const int64_t row = band * lanes + k * width, column = Tiles::column(right, step, k * width);
    constexpr int way = right ? 1 : -1;
    V x[3], slowness;
    if (o_.labels == nullptr) {
      const Seed& seed = o_.seeds[0];
      V lane;
      for (int l = 0; l < width; ++l) lane[l] = l;
      x[0] = (static_cast<R>(column - seed.at[2]) + way * lane) * p_.spacing[2];
      x[1] = (static_cast<R>(row - seed.at[1]) + lane) * p_.spacing[1];
      x[2] = broadcast<V>(static_cast<R>(plane - seed.at[0]) * p_.spacing[0]);
      slowness = broadcast<V>(static_cast<R>(seed.slowness));
    } else {
      for (int l = 0; l < width; ++l) {
        const Seed& seed = seed_of(plane, row + l, column + way * l);
        x[0][l] = static_cast<R>(column + way * l - seed.at[2]) * p_.spacing[2];
        x[1][l] = static_cast<R>(row + l - seed.at[1]) * p_.spacing[1];
        x[2][l] = static_cast<R>(plane - seed.at[0]) * p_.spacing[0];
        slowness[l] = static_cast<R>(seed.slowness);
      }
    }
    V square = x[0] * x[0] + x[1] * x[1];
    if constexpr (deep) square += x[2] * x[2];
    const V distance = root(square);
    for (int d = 0; d < axes; ++d) known[d] = {slowness, distance, x[d]};
  }
  const Seed& seed_of(int64_t plane, int64_t row, int64_t column) const {
    if (row >= p_.grid.rows || column < 0 || column >= p_.grid.columns) return o_.seeds[0];
    return o_.seed_of(p_.grid.index({plane, row, column}));
  }

  const Problem<R>& p_;
  const OrderedProblem<R>& o_;
  const Tiles& tiles_;
};

}  // namespace lesionkit::fronts
