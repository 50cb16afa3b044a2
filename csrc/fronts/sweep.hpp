// Arrival times of order 1 by sweeps over tiles, a register of nodes at a step.
//
// A pass visits the tiles that lean one way, from one corner of the image to the opposite one, in
// the Gauss-Seidel order (Zhao, "A fast sweeping method for eikonal equations", Math. Comput. 74,
// 2005); 4 passes, or 8 in three dimensions, take every direction. Only those tiles are visited
// that a change has reached since, and of these only those whose earliest change is within a
// window of time, which moves on when nothing is left to do in it: so a rough speed, through which
// the front winds, costs a few visits of each tile and not a hundred passes. A tile knows the
// earliest change at its border or in itself (`due`); when none is due the times are a fixed point:
// each is the least of what its start and its neighbours give it.
// Bands of a pass run on several threads, each behind the one before it, as in the order of one
// thread: the same bits. Host only.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "common/parallel.hpp"
#include "fronts/godunov.hpp"
#include "fronts/pages.hpp"
#include "fronts/tiles.hpp"

namespace lesionkit::fronts {

template <class R, int strips, bool deep, bool even>
class Sweep {
  using Tiles = Tiling<R, strips>;
  using V = typename Tiles::V;
  static constexpr int width = Tiles::width, lanes = Tiles::lanes, steps = Tiles::steps;
  static constexpr R never = Problem<R>::never;

 public:
  // window: how far apart times may be that are worked on at once.
  Sweep(const Problem<R>& problem, R window, Pages& memory)
      : p_(problem), tiles_(problem.grid), window_(window) {
    const int64_t size = tiles_.count() * steps * lanes;
    memory.reserve(2 * size * static_cast<int64_t>(sizeof(R)), problem.stop == never);
    for (int lean = 0; lean < 2; ++lean) {
      slow_[lean] = memory.as<R>() + lean * size;
      due_[lean].assign(tiles_.count(), never);
      read_[lean].assign(tiles_.count(), 0);
    }
    for (int d = 0; d < 3; ++d)
      sides_[d] = {V{}, all_lanes(p_.spacing[d]), all_lanes(1 / (p_.spacing[d] * p_.spacing[d]))};
  }

  // The front starts at this node, among others.
  void start(int64_t node) {
    const Place at = p_.place(node);
    for (int lean = 0; lean < 2; ++lean)
      for (int64_t r = std::max<int64_t>(0, at.row - 1); r <= at.row + 1; ++r)
        for (int64_t c = std::max<int64_t>(0, at.column - 1); c <= at.column + 1; ++c)
          for (int64_t z = at.plane - 1; z <= at.plane + 1; ++z) {
            const int64_t tile = Tiles::step(lean, c, r % lanes) / steps;
            mark(lean, z, r / lanes, tile, tile, p_.times[node]);
          }
  }

  // A part of the grid that holds all nodes which a front reached.
  Part reached() const {
    Part part = {{p_.grid.planes, p_.grid.rows, p_.grid.columns}, {0, 0, 0}};
    for (int lean = 0; lean < 2; ++lean)
      for (int64_t i = 0; i < tiles_.count(); ++i) {
        if (!read_[lean][i]) continue;
        const int64_t line = i / tiles_.per_band, first = i % tiles_.per_band * steps;
        const int64_t plane = line / tiles_.bands, row = line % tiles_.bands * lanes;
        part.add({plane, row, std::max<int64_t>(0, first - lanes + 1)},
                 {plane + 1, std::min(row + lanes, p_.grid.rows),
                  std::min(first + steps, p_.grid.columns)});
      }
    return part;
  }

  // False where it takes far more visits than it should: the times are then upper bounds only.
  bool run(bool parallel) {
    const int64_t tasks = p_.grid.planes * tiles_.bands;
    progress_ = std::vector<std::atomic<int64_t>>(tasks);
    plan();
    const int64_t workers = parallel && tiles_.count() >= 64 ? get_threads() : 1;
    parallel_for(workers, 1, [&](int64_t begin, int64_t end) {
      for (; begin < end; ++begin) work(tasks);
    });
    return !exhausted_;
  }

 private:
  struct Pass {
    bool right, forward, up;  // up: planes in ascending order
  };
  static constexpr int directions = deep ? 8 : 4;

  static Pass direction(int64_t pass) {
    const int i = static_cast<int>(pass % directions), n = directions / 2;
    return {i / n == 1, i % 2 == (i / n), !deep || (i % n < 2) == (i % 2 == 0)};
  }

  // ---- Passes

  // Decides about the pass number pass_: nothing runs meanwhile.
  void plan() {
    const auto& due = due_[direction(pass_).right];
    const R least = *std::min_element(due.begin(), due.end());
    exhausted_ = visits_.load(std::memory_order_relaxed) > 200 * (touched_ + 100);
    over_ = least == never || least > p_.stop || exhausted_;
    if (least >= until_) until_ = least + window_;
    left_ = static_cast<int64_t>(progress_.size());
    open_.store(over_ ? std::numeric_limits<int64_t>::max() : pass_, std::memory_order_release);
  }

  // Takes bands in the order of the passes until all is done. A band waits only for earlier ones.
  void work(int64_t tasks) {
    for (;;) {
      const int64_t ticket = next_.fetch_add(1, std::memory_order_relaxed), pass = ticket / tasks;
      wait([&] { return open_.load(std::memory_order_acquire) >= pass; });
      if (over_) return;
      const Pass way = direction(pass);
      const int64_t place = ticket % tasks, z = place / tiles_.bands, b = place % tiles_.bands;
      const bool down = way.right != way.forward;
      const int64_t plane = way.up ? z : p_.grid.planes - 1 - z,
                    band = down ? b : tiles_.bands - 1 - b;
      if (way.right)
        way.forward ? run_band<true, true>(pass, plane, band, way.up)
                    : run_band<true, false>(pass, plane, band, way.up);
      else
        way.forward ? run_band<false, true>(pass, plane, band, way.up)
                    : run_band<false, false>(pass, plane, band, way.up);
      if (std::atomic_ref(left_).fetch_sub(1, std::memory_order_acq_rel) == 1) {
        ++pass_;
        plan();
      }
    }
  }

  template <bool right, bool forward>
  void run_band(int64_t pass, int64_t plane, int64_t band, bool up) {
    const int64_t n = tiles_.per_band, base = pass * (n + 1);
    std::atomic<int64_t>& mine = progress_[plane * tiles_.bands + band];
    const int64_t before = right != forward ? band - 1 : band + 1,
                  below = up ? plane - 1 : plane + 1;
    if (deep && below >= 0 && below < p_.grid.planes) wait_for(below, band, base + n);
    for (int64_t i = 0; i < n; ++i) {
      const int64_t j = forward ? i : n - 1 - i;
      if (before >= 0 && before < tiles_.bands) {
        const int64_t ahead = forward ? (j * steps + steps + lanes - 2) / steps + 1
                                      : n - std::max<int64_t>(0, j * steps - lanes + 1) / steps;
        wait_for(plane, before, base + std::min(ahead, n));
      }
      const R due = std::atomic_ref(due_[right][tiles_.index(plane, band, j)])
                        .load(std::memory_order_relaxed);
      if (due < until_) visit<right, forward>(plane, band, j);
      mine.store(base + i + 1, std::memory_order_release);
    }
  }

  template <class Ready>
  static void wait(Ready&& ready) {
    for (int turn = 0; !ready(); ++turn)
      if (turn > 200) std::this_thread::yield();
  }
  void wait_for(int64_t plane, int64_t band, int64_t progress) const {
    const auto& its = progress_[plane * tiles_.bands + band];
    wait([&] { return its.load(std::memory_order_acquire) >= progress; });
  }

  // ---- A tile

  // The rows of a plane of an array.
  struct Rows {
    const R* plane;
    int64_t columns;

    bool direct() const { return true; }
    const R* at(int64_t row) const { return plane + row * columns; }
    void copy(int64_t row, int64_t column, int64_t n, R* to) const {
      std::copy_n(at(row) + column, n, to);
    }
  };
  // Speeds, 0 where there is a wall.
  struct Speeds {
    const Problem<R>& p;
    int64_t first;  // node

    bool direct() const { return p.mask == nullptr; }
    const R* at(int64_t row) const { return p.speed + first + row * p.grid.columns; }
    void copy(int64_t row, int64_t column, int64_t n, R* to) const {
      const int64_t node = first + row * p.grid.columns + column;
      for (int64_t i = 0; i < n; ++i)
        to[i] = !p.mask || p.mask[node + i] ? p.speed[node + i] : R(0);
    }
  };
  // The lesser times of the planes on either side.
  struct Beside {
    const R *a, *b;
    int64_t columns;

    bool direct() const { return false; }
    const R* at(int64_t) const { return nullptr; }
    void copy(int64_t row, int64_t column, int64_t n, R* to) const {
      for (int64_t i = row * columns + column, end = i + n; i < end; ++i)
        *to++ = lesser(a[i], b[i]);
    }
  };

  struct Around {
    alignas(64) R above[steps], below[steps];  // nodes over lane 0, and under the last one
    alignas(64) R beside[deep ? steps : 1][lanes];
  };
  struct Change {
    R least = never;                   // the earliest new time
    bool first = false, last = false;  // in the first or last lane
    bool any = false;
  };

  template <bool right, bool forward>
  void visit(int64_t plane, int64_t band, int64_t tile) {
    const int64_t index = tiles_.index(plane, band, tile), area = p_.grid.rows * p_.grid.columns;
    R* slow = slow_[right] + index * steps * lanes;
    if (!read_[right][index]) {
      read_[right][index] = 1;
      const V one = all_lanes(even ? p_.spacing[2] : R(1)), none = all_lanes(never), zero = {};
      tiles_.template read<right>(
          Speeds{p_, plane * area}, band, tile, R(0), [&](int t, int k, const V& speed) {
            store<R>(slow + t * lanes + k * width, speed > zero ? one / speed : none);
          });
      std::atomic_ref(touched_).fetch_add(1, std::memory_order_relaxed);
    }
    visits_.fetch_add(1, std::memory_order_relaxed);

    R* times = p_.times + plane * area;
    alignas(64) typename Tiles::Tile nodes;
    Around around;
    tiles_.template read<right>(
        Rows{times, p_.grid.columns}, band, tile, never,
        [&](int t, int k, const V& time) { store<R>(&nodes[1 + t][k * width], time); });
    const int64_t first = tile * steps;
    tiles_.read_step(times, right, band, first - 1, never, nodes[0]);
    tiles_.read_step(times, right, band, first + steps, never, nodes[steps + 1]);
    tiles_.read_row(times, band * lanes - 1, Tiles::column(right, first, 0), never, around.above);
    tiles_.read_row(times, band * lanes + lanes, Tiles::column(right, first, lanes - 1), never,
                    around.below);
    if constexpr (deep) {
      const R* a = plane > 0 ? times - area : times + area;
      const R* b = plane + 1 < p_.grid.planes ? times + area : a;
      tiles_.template read<right>(
          Beside{a, b, p_.grid.columns}, band, tile, never,
          [&](int t, int k, const V& time) { store<R>(&around.beside[t][k * width], time); });
    }
    Change change;
    std::atomic_ref(due_[right][index]).store(never, std::memory_order_relaxed);
    sweep<right, forward>(slow, nodes, around, change);
    if (!change.any) return;
    tiles_.template write<right>(nodes, times, band, tile);
    tell<right>(plane, band, tile, change);
  }

  template <bool right, bool forward>
  void sweep(const R* slow, typename Tiles::Tile& nodes, const Around& around,
             Change& change) const {
    constexpr int last = strips - 1;
    using Mask = decltype(V{} < V{});
    const V none = all_lanes(never);
    Mask changed[strips] = {};
    V least[strips], before[strips], here[strips], after[strips];
    const auto get = [&](V(&to)[strips], int t) {
      for (int k = 0; k < strips; ++k) to[k] = load(&nodes[t][k * width]);
    };
    for (int k = 0; k < strips; ++k) least[k] = none;
    const auto step = [&](int t) {
      V time[strips];
      for (int k = 0; k < strips; ++k) {
        // The rows above and below were, or will be, a step earlier or later.
        const V(&high)[strips] = right ? after : before;
        const V(&low)[strips] = right ? before : after;
        const V above =
            moved_up<R>(high[k], k > 0 ? high[k > 0 ? k - 1 : 0] : all_lanes(around.above[t]));
        const V below = moved_down<R>(
            low[k], k < last ? low[k < last ? k + 1 : 0] : all_lanes(around.below[t]));
        const V a = lesser(before[k], after[k]), b = lesser(above, below);
        V c = {};
        if constexpr (deep) c = load(&around.beside[t][k * width]);
        const V found = update(a, b, c, load(slow + t * lanes + k * width));
        const Mask less = found < here[k];
        changed[k] |= less;
        time[k] = less ? found : here[k];
        least[k] = lesser<V>(less ? found : none, least[k]);
        store<R>(&nodes[1 + t][k * width], time[k]);
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
    Mask all = changed[0];
    for (int k = 1; k < strips; ++k) {
      all |= changed[k];
      least[0] = lesser(least[k], least[0]);
    }
    change = {least_lane<R>(least[0]), changed[0][0] != 0, changed[last][width - 1] != 0,
              any_lane(all)};
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

  // ---- What a change reaches

  template <bool right>
  void tell(int64_t plane, int64_t band, int64_t tile, const Change& change) {
    const int64_t first = tile * steps, end = first + steps - 1;
    const R time = change.least;
    // The tiles that lean the same way: this one and the next in the band, and in other bands
    // those that hold the columns of the outer lanes.
    mark(right, plane, band, tile - 1, tile + 1, time);
    const auto at = [&](bool lean, int64_t there, int64_t lane, int64_t from_lane) {
      const int64_t a = Tiles::step(lean, Tiles::column(right, first, from_lane), lane);
      const int64_t b = Tiles::step(lean, Tiles::column(right, end, from_lane), lane);
      mark(lean, plane, there, floor(a), floor(b), time);
    };
    for (const bool lean : {right, !right}) {
      if (change.first) at(lean, band - 1, lanes - 1, 0);
      if (change.last) at(lean, band + 1, 0, lanes - 1);
    }
    // And those that lean the other way: lane r is there at a step 2 r - (lanes - 1) off.
    const int64_t a = floor(first - lanes), b = floor(end + lanes);
    mark(!right, plane, band, a, b, time);
    if constexpr (deep)
      for (int64_t z = plane - 1; z <= plane + 1; z += 2) {
        mark(right, z, band, tile, tile, time);
        mark(!right, z, band, a, b, time);
      }
  }

  static int64_t floor(int64_t step) { return step < 0 ? -1 : step / steps; }

  void mark(bool lean, int64_t plane, int64_t band, int64_t begin, int64_t end, R time) {
    if (plane < 0 || plane >= p_.grid.planes || band < 0 || band >= tiles_.bands) return;
    begin = std::max<int64_t>(begin, 0);
    end = std::min(end, tiles_.per_band - 1);
    for (int64_t i = tiles_.index(plane, band, begin), last = i + end - begin; i <= last; ++i) {
      std::atomic_ref due(due_[lean][i]);
      R was = due.load(std::memory_order_relaxed);
      while (time < was && !due.compare_exchange_weak(was, time, std::memory_order_relaxed)) {
      }
    }
  }

  const Problem<R> p_;
  const Tiles tiles_;
  const R window_;
  R* slow_[2];  // spacing / speed, or 1 / speed, in the order of the tiles
  std::vector<uint8_t> read_[2];
  std::vector<R> due_[2];  // infinite: nothing to do
  Side<V> sides_[3];
  R until_ = 0;  // the end of the window
  bool over_ = false, exhausted_ = false;
  int64_t pass_ = 0, left_ = 0, touched_ = 0;
  std::atomic<int64_t> visits_{0}, next_{0}, open_{-1};
  std::vector<std::atomic<int64_t>> progress_;
};

}  // namespace lesionkit::fronts
