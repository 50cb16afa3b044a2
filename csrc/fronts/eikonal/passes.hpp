// Passes over the tiles of an image, for a kind of work that spreads from node to node.
//
// A pass visits the tiles that lean one way, from one corner of the image to the opposite one, in
// the Gauss-Seidel order (Zhao, "A fast sweeping method for eikonal equations", Math. Comput. 74,
// 2005); 4 passes, or 8 in three dimensions, take every direction. Only those tiles are visited
// that a change has reached since, and of these only those whose earliest change is within a
// window of time, which moves on when nothing is left to do in it: so a rough speed, through which
// the front winds, costs a few visits of each tile and not a hundred passes. Of each tile it is
// known what was the earliest change in or beside it since its last visit (`due`); when none is
// due, all nodes agree with their neighbours.
// Bands of a pass run on several threads, each behind the one before it, as in the order of one
// thread: the same bits. A pass of little work is done by the caller alone, and so are all passes
// after it has waited too long for threads that the system does not run: on a busy machine. Host
// only.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "common/parallel.hpp"
#include "fronts/eikonal/tiles.hpp"

namespace lesionkit::fronts {

// What a visit of a tile changed.
template <class R>
struct Change {
  R least = Problem<R>::never;       // the earliest new time
  bool first = false, last = false;  // in the outer lanes: as many as `Work::halo`
  bool any = false;
};

// Work has the type Tiles, `halo` (how far apart nodes are that depend on each other), and
// visit<right>(forward, plane, band, tile, whether it is the first one of this tile) -> Change.
template <class R, class Work>
class Passes {
  using Tiles = typename Work::Tiles;
  static constexpr int lanes = Tiles::lanes, steps = Tiles::steps, halo = Work::halo;
  static constexpr R never = Problem<R>::never;

 public:
  // window: how far apart times may be that are worked on at once.
  Passes(Work& work, const Tiles& tiles, R window, R stop)
      : work_(work), tiles_(tiles), deep_(tiles.grid.planes > 1), window_(window), stop_(stop) {
    for (int lean = 0; lean < 2; ++lean) {
      due_[lean].assign(tiles_.count(), never);
      seen_[lean].assign(tiles_.count(), 0);
    }
  }

  // The front starts at this node, among others.
  void start(const Offset& at, R time) {
    for (int lean = 0; lean < 2; ++lean)
      for (int64_t r = std::max<int64_t>(0, at.row - halo); r <= at.row + halo; ++r)
        for (int64_t c = std::max<int64_t>(0, at.column - halo); c <= at.column + halo; ++c)
          for (int64_t z = at.plane - halo; z <= at.plane + halo; ++z) {
            const int64_t tile = Tiles::step(lean, c, r % lanes) / steps;
            mark(lean, z, r / lanes, tile, tile, time);
          }
  }

  // A part of the grid that holds all nodes which a front reached.
  Part reached() const {
    Part part = {{tiles_.grid.planes, tiles_.grid.rows, tiles_.grid.columns}, {0, 0, 0}};
    for (int lean = 0; lean < 2; ++lean)
      for (int64_t i = 0; i < tiles_.count(); ++i) {
        if (!seen_[lean][i]) continue;
        const int64_t line = i / tiles_.per_band, first = i % tiles_.per_band * steps;
        const int64_t plane = line / tiles_.bands, row = line % tiles_.bands * lanes;
        part.add({plane, row, std::max<int64_t>(0, first - lanes + 1)},
                 {plane + 1, std::min(row + lanes, tiles_.grid.rows),
                  std::min(first + steps, tiles_.grid.columns)});
      }
    return part;
  }

  // False where it takes far more visits than it should, and is not done.
  bool run(bool parallel) {
    const int64_t planes = tiles_.grid.planes, bands = tiles_.bands, tasks = planes * bands;
    // A band depends on the one before it and on that of the plane before: on an earlier diagonal.
    for (int64_t diagonal = 0; diagonal < planes + bands - 1; ++diagonal)
      for (int64_t z = std::max<int64_t>(0, diagonal - bands + 1);
           z <= std::min(diagonal, planes - 1); ++z)
        order_.push_back({z, diagonal - z});
    progress_ = std::vector<std::atomic<int64_t>>(tasks);
    const int64_t workers = parallel && tiles_.count() >= 64 ? get_threads() : 1;
    caller_ = std::this_thread::get_id();
    began_ = Clock::now();
    for (; plan(); ++pass_) {
      next_.store(0, std::memory_order_relaxed);
      const int64_t before = visits_;
      if (workers > 1 && worth_sharing() && patient())
        share(workers, tasks);
      else
        work(tasks);
      last_visits_ = visits_ - before;
    }
    return !exhausted_;
  }

 private:
  struct Pass {
    bool right, forward, up;  // up: planes in ascending order
  };
  Pass direction(int64_t pass) const {
    const int n = deep_ ? 4 : 2, i = static_cast<int>(pass % (2 * n));
    return {i / n == 1, i % 2 == i / n, !deep_ || (i % n < 2) == (i % 2 == 0)};
  }

  // Decides about the pass number pass_; false where nothing is left to do.
  bool plan() {
    const auto& due = due_[direction(pass_).right];
    const R least = *std::min_element(due.begin(), due.end());
    exhausted_ = visits_ > 200 * (touched_ + 100);
    if (least == never || least > stop_ || exhausted_) return false;
    if (least >= until_)  // past it in any case, however short the window
      until_ = std::max(least + window_, std::nextafter(least, never));
    return true;
  }

  // ---- Threads

  using Clock = std::chrono::steady_clock;

  // A smooth speed is passed through at once, however few tiles are due at first.
  bool worth_sharing() const {
    constexpr int64_t nodes = 1 << 15;  // some 0.2 ms
    if (window_ == never) return true;
    const auto& due = due_[direction(pass_).right];
    const int64_t now = std::count_if(due.begin(), due.end(), [&](R d) { return d < until_; });
    return std::max(now, last_visits_) * lanes * steps >= nodes;
  }

  // Whether the caller has lost no more than a fifth of its time waiting, and some more.
  bool patient() const {
    return lost_ < (Clock::now() - began_) / 5 + std::chrono::microseconds(200);
  }

  void share(int64_t workers, int64_t tasks) {
    Clock::time_point done = Clock::now();
    parallel_for(workers, 1, [&](int64_t begin, int64_t end) {
      try {
        for (; begin < end; ++begin) work(tasks);
      } catch (...) {
        stopped_.store(true, std::memory_order_relaxed);  // nobody waits for this band
        throw;
      }
      if (std::this_thread::get_id() == caller_) done = Clock::now();
    });
    lost_ += Clock::now() - done;  // for those that had begun
  }

  // Takes bands in the order of the pass until all are taken. A band waits only for earlier ones,
  // which somebody has begun.
  void work(int64_t tasks) {
    const Pass way = direction(pass_);
    while (!stopped_.load(std::memory_order_relaxed)) {
      const int64_t ticket = next_.fetch_add(1, std::memory_order_relaxed);
      if (ticket >= tasks) return;
      const auto [z, b] = order_[ticket];
      const bool down = way.right != way.forward;
      const int64_t plane = way.up ? z : tiles_.grid.planes - 1 - z,
                    band = down ? b : tiles_.bands - 1 - b;
      if (way.right)
        run_band<true>(way, plane, band);
      else
        run_band<false>(way, plane, band);
    }
  }

  template <class Ready>
  void wait(Ready&& ready) {
    for (int turn = 0; turn < 200; ++turn)
      if (ready()) return;
    const auto begin = Clock::now();
    while (!ready() && !stopped_.load(std::memory_order_relaxed)) std::this_thread::yield();
    if (std::this_thread::get_id() == caller_) lost_ += Clock::now() - begin;
  }
  void wait_for(int64_t plane, int64_t band, int64_t progress) {
    const auto& its = progress_[plane * tiles_.bands + band];
    wait([&] { return its.load(std::memory_order_acquire) >= progress; });
  }

  template <bool right>
  void run_band(const Pass& way, int64_t plane, int64_t band) {
    const bool forward = way.forward;
    const int64_t n = tiles_.per_band, base = pass_ * (n + 1);
    std::atomic<int64_t>& mine = progress_[plane * tiles_.bands + band];
    const int64_t before = right != forward ? band - 1 : band + 1,
                  below = way.up ? plane - 1 : plane + 1;
    if (below >= 0 && below < tiles_.grid.planes) wait_for(below, band, base + n);
    int64_t visits = 0, touched = 0;
    for (int64_t i = 0; i < n; ++i) {
      const int64_t j = forward ? i : n - 1 - i;
      if (before >= 0 && before < tiles_.bands) {
        const int64_t beyond = lanes - 1 + 2 * (halo - 1);
        const int64_t ahead = forward ? (j * steps + steps - 1 + beyond) / steps + 1
                                      : n - std::max<int64_t>(0, j * steps - beyond) / steps;
        wait_for(plane, before, base + std::min(ahead, n));
      }
      const int64_t index = tiles_.index(plane, band, j);
      std::atomic_ref due(due_[right][index]);
      if (due.load(std::memory_order_relaxed) < until_) {
        due.store(never, std::memory_order_relaxed);
        const bool first = !seen_[right][index];
        seen_[right][index] = 1;
        const Change<R> change = work_.template visit<right>(forward, plane, band, j, first);
        if (change.any) tell<right>(plane, band, j, change);
        ++visits;
        touched += first;
      }
      mine.store(base + i + 1, std::memory_order_release);
    }
    visits_ += visits;
    touched_ += touched;
  }

  // ---- What a change reaches

  template <bool right>
  void tell(int64_t plane, int64_t band, int64_t tile, const Change<R>& change) {
    const int64_t first = tile * steps, end = first + steps - 1;
    const R time = change.least;
    // The tiles that lean the same way: this one and the next in the band, and in other bands
    // those that hold the columns of the outer lanes.
    mark(right, plane, band, tile - 1, tile + 1, time);
    const auto at = [&](bool lean, int64_t there, int64_t lane, int64_t from_lane) {
      const int64_t a = Tiles::step(lean, Tiles::column(right, first, from_lane), lane);
      const int64_t b = Tiles::step(lean, Tiles::column(right, end, from_lane), lane);
      mark(lean, plane, there, floor(a - 2 * halo + 2), floor(b + 2 * halo - 2), time);
    };
    for (const bool lean : {right, !right}) {
      if (change.first) at(lean, band - 1, lanes - 1, 0);
      if (change.last) at(lean, band + 1, 0, lanes - 1);
    }
    // And those that lean the other way: lane r is there at a step 2 r - (lanes - 1) off.
    const int64_t a = floor(first - lanes + 1 - halo), b = floor(end + lanes - 1 + halo);
    mark(!right, plane, band, a, b, time);
    for (int64_t z = plane - halo; z <= plane + halo; ++z) {
      if (z == plane) continue;
      mark(right, z, band, tile, tile, time);
      mark(!right, z, band, a, b, time);
    }
  }

  static int64_t floor(int64_t step) { return step < 0 ? -1 : step / steps; }

  void mark(bool lean, int64_t plane, int64_t band, int64_t begin, int64_t end, R time) {
    if (plane < 0 || plane >= tiles_.grid.planes || band < 0 || band >= tiles_.bands) return;
    begin = std::max<int64_t>(begin, 0);
    end = std::min(end, tiles_.per_band - 1);
    for (int64_t i = tiles_.index(plane, band, begin), last = i + end - begin; i <= last; ++i) {
      std::atomic_ref due(due_[lean][i]);
      R was = due.load(std::memory_order_relaxed);
      while (time < was && !due.compare_exchange_weak(was, time, std::memory_order_relaxed)) {
      }
    }
  }

  Work& work_;
  const Tiles tiles_;
  const bool deep_;
  const R window_, stop_;
  std::vector<uint8_t> seen_[2];
  std::vector<R> due_[2];  // infinite: nothing to do
  R until_ = 0;            // the end of the window
  bool exhausted_ = false;
  std::atomic<bool> stopped_{false};
  int64_t pass_ = 0, last_visits_ = 0;
  std::atomic<int64_t> visits_{0}, touched_{0}, next_{0};
  std::thread::id caller_;
  Clock::time_point began_;
  Clock::duration lost_{};                          // of the caller's time
  std::vector<std::pair<int64_t, int64_t>> order_;  // planes and bands, as a pass comes to them
  std::vector<std::atomic<int64_t>> progress_;
};

}  // namespace lesionkit::fronts
