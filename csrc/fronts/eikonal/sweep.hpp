// Arrival times of order 1 by sweeps over tiles, a register of nodes at a step: each time becomes
// the least of what it is and what its neighbours give it, until nothing changes. Host only.
#pragma once

#include "common/memory.hpp"
#include "fronts/eikonal/passes.hpp"

namespace lesionkit::fronts {

template <class R, int strips, bool deep, bool even>
class Sweep {
 public:
  using Tiles = Tiling<R, strips>;
  static constexpr int halo = 1;

  Sweep(const Problem<R>& problem, const Tiles& tiles, Pages& memory) : p_(problem), tiles_(tiles) {
    const int64_t size = tiles_.count() * steps * lanes;
    memory.reserve(2 * size * static_cast<int64_t>(sizeof(R)), problem.stop == never);
    for (int lean = 0; lean < 2; ++lean) slow_[lean] = memory.as<R>() + lean * size;
    for (int d = 0; d < 3; ++d)
      sides_[d] = {V{}, broadcast<V>(p_.spacing[d]),
                   broadcast<V>(1 / (p_.spacing[d] * p_.spacing[d]))};
  }

  template <bool right>
  Change<R> visit(bool forward, int64_t plane, int64_t band, int64_t tile, bool fresh) const {
    const int64_t index = tiles_.index(plane, band, tile), area = p_.grid.rows * p_.grid.columns;
    R* slow = slow_[right] + index * steps * lanes;
    if (fresh) {
      const V one = broadcast<V>(even ? p_.scale * p_.spacing[2] : p_.scale),
              none = broadcast<V>(never), zero = {};
      tiles_.template read<right>(SpeedRows<R>{p_, plane * area}, band, tile, R(0), slow);
      for (int i = 0; i < steps * lanes; i += width) {
        const V speed = load<V>(slow + i);
        store(slow + i, speed > zero ? one / speed : none);
      }
    }
    R* times = p_.times + plane * area;
    typename Tiles::template Nodes<1> nodes;
    Around around;
    tiles_.template read_around<right>(times, band, tile, never, nodes);
    const int64_t first = tile * steps;
    tiles_.read_row(times, band * lanes - 1, Tiles::column(right, first, 0), steps, never,
                    around.above);
    tiles_.read_row(times, band * lanes + lanes, Tiles::column(right, first, lanes - 1), steps,
                    never, around.below);
    if constexpr (deep) {
      const R* a = plane > 0 ? times - area : times + area;
      const R* b = plane + 1 < p_.grid.planes ? times + area : a;
      tiles_.template read<right>(BesideRows<R>{a, b, p_.grid.columns}, band, tile, never,
                                  around.beside[0]);
    }
    const Change<R> change = forward ? sweep<right, true>(slow, nodes, around)
                                     : sweep<right, false>(slow, nodes, around);
    if (change.any) tiles_.template write<right>(nodes, times, band, tile);
    return change;
  }

 private:
  using V = typename Tiles::V;
  static constexpr int width = Tiles::width, lanes = Tiles::lanes, steps = Tiles::steps;
  static constexpr R never = Problem<R>::never;

  struct Around {
    alignas(64) R above[steps], below[steps];  // nodes over lane 0, and under the last one
    alignas(64) R beside[deep ? steps : 1][lanes];
  };

  // Part of visit, whose arrays are its own: no store may be thought to change another of them.
  template <bool right, bool forward>
  IN_LOOP Change<R> sweep(const R* slow, typename Tiles::template Nodes<1>& nodes,
                          const Around& around) const {
    constexpr int last = strips - 1;
    const V none = broadcast<V>(never);
    Mask<V> changed[strips] = {};
    V least[strips], before[strips], here[strips], after[strips];
    const auto get = [&](V(&to)[strips], int t) {
      for (int k = 0; k < strips; ++k) to[k] = load<V>(&nodes.at[t][k * width]);
    };
    for (int k = 0; k < strips; ++k) least[k] = none;
    const auto step = [&](int t) {
      V time[strips];
      for (int k = 0; k < strips; ++k) {
        // The rows above and below were, or will be, a step earlier or later.
        const V(&high)[strips] = right ? after : before;
        const V(&low)[strips] = right ? before : after;
        const V above =
            moved_up<1>(high[k], k > 0 ? high[k > 0 ? k - 1 : 0] : broadcast<V>(around.above[t]));
        const V below = moved_down<1>(
            low[k], k < last ? low[k < last ? k + 1 : 0] : broadcast<V>(around.below[t]));
        const V a = min(before[k], after[k]), b = min(above, below);
        V c = {};
        if constexpr (deep) c = load<V>(&around.beside[t][k * width]);
        const V found = update(a, b, c, load<V>(slow + t * lanes + k * width));
        const Mask<V> less = found < here[k];
        changed[k] |= less;
        time[k] = less ? found : here[k];
        least[k] = min<V>(less ? found : none, least[k]);
        store(&nodes.at[1 + t][k * width], time[k]);
      }
      for (int k = 0; k < strips; ++k) {
        (forward ? before : after)[k] = time[k];
        here[k] = (forward ? after : before)[k];
      }
    };
    get(before, forward ? 0 : steps - 1);
    get(here, forward ? 1 : steps);
    get(after, forward ? 2 : steps + 1);
    for (int i = 0; i < steps; ++i) {
      const int t = forward ? i : steps - 1 - i;
      if (forward)
        get(after, t + 2);
      else
        get(before, t);
      step(t);
    }
    Mask<V> all = changed[0];
    for (int k = 1; k < strips; ++k) {
      all |= changed[k];
      least[0] = min(least[k], least[0]);
    }
    return {least_lane(least[0]), changed[0][0] != 0, changed[last][width - 1] != 0, any(all)};
  }

  V update(const V& x, const V& y, const V& z, const V& slow) const {
    if constexpr (even && deep) return arrival(x, y, z, slow);
    if constexpr (even && !deep) return arrival(x, y, slow);
    const Side<V> a = {x, sides_[2].h, sides_[2].weight}, b = {y, sides_[1].h, sides_[1].weight};
    if constexpr (deep)
      return arrival(a, b, {z, sides_[0].h, sides_[0].weight}, slow);
    else
      return arrival(a, b, slow);
  }

  const Problem<R>& p_;
  const Tiles& tiles_;
  R* slow_[2];  // spacing / speed, or 1 / speed, in the order of the tiles
  Side<V> sides_[3];
};

}  // namespace lesionkit::fronts
