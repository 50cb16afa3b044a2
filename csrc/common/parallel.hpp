// parallel_for: the only way to several threads. They come from a pool (thread_pool.hpp) that
// survives a fork: a forked process may call any kernel.
//
// Work is cut into chunks of `grain` items, whatever the number of threads; each chunk is done by
// one thread, in order, so sums kept per chunk have the same bits with 1 thread or 64. A grain
// should be worth 10 microseconds or more: work of a single chunk asks for no worker at all.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>

#include "common/interrupt.hpp"
#include "common/thread_pool.hpp"

namespace lesionkit {

inline std::atomic<int> thread_limit{0};  // 0: as many as the processor offers

inline int get_threads() {
  int limit = thread_limit.load(std::memory_order_relaxed);
  return limit > 0 ? limit : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

inline void set_threads(int count) { thread_limit.store(count, std::memory_order_relaxed); }

// The numbers 0 to count - 1, each given out once. Every thread has a range of neighbours of its
// own, and when that is done helps with the others': threads that fill fresh memory do not meet in
// one large page, which the system would clear for each of them.
class WorkQueue {
 public:
  WorkQueue(int64_t count, int64_t threads) : ranges_(std::clamp<int64_t>(threads, 1, MAX_RANGES)) {
    for (int64_t r = 0; r < ranges_; ++r) {
      range_[r].next.store(count * r / ranges_, std::memory_order_relaxed);
      range_[r].end = count * (r + 1) / ranges_;
    }
  }

  // The range with which a thread begins.
  int64_t first_range() { return taken_.fetch_add(1, std::memory_order_relaxed) % ranges_; }

  // The next number for a thread at this range, which moves on; -1: there are no more.
  int64_t next(int64_t& range) {
    for (int64_t tried = 0; tried < ranges_; ++tried, range = (range + 1) % ranges_) {
      if (range_[range].next.load(std::memory_order_relaxed) >= range_[range].end) continue;
      const int64_t number = range_[range].next.fetch_add(1, std::memory_order_relaxed);
      if (number < range_[range].end) return number;
    }
    return -1;
  }

  void stop() {
    for (int64_t r = 0; r < ranges_; ++r)
      range_[r].next.store(range_[r].end, std::memory_order_relaxed);
  }

 private:
  static constexpr int64_t MAX_RANGES = 64;
  struct alignas(64) Range {  // a cache line each
    std::atomic<int64_t> next;
    int64_t end;
  };

  int64_t ranges_;
  std::atomic<int64_t> taken_{0};
  Range range_[MAX_RANGES];
};

// Calls work(queue) on this thread and on workers, with a queue of the numbers of `chunks`. The
// first exception is thrown again here, after all threads have stopped.
class ChunkRun {
 public:
  using Work = void (*)(void* context, WorkQueue& queue);

  ChunkRun(int64_t chunks, Work work, void* context)
      : threads_(std::min<int64_t>(get_threads(), chunks)),
        queue_(chunks, threads_),
        work_(work),
        context_(context) {}

  void run() {
    if (threads_ > 1) {
      Job job{[](void* run) { static_cast<ChunkRun*>(run)->on_this_thread(); }, this, threads_ - 1};
      ThreadPool::here().run(job);
    } else {
      on_this_thread();
    }
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void on_this_thread() {
    try {
      work_(context_, queue_);
    } catch (...) {
      std::lock_guard guard(failure_lock_);
      if (!failure_) failure_ = std::current_exception();
      queue_.stop();
    }
  }

  int64_t threads_;
  WorkQueue queue_;
  Work work_;
  void* context_;
  std::exception_ptr failure_;
  std::mutex failure_lock_;
};

// Calls body(state, begin, end) once for each chunk of [0, n); each thread that finds work makes
// one state for itself (its buffers). The first exception is thrown again here, after all threads
// have stopped.
template <class MakeState, class Body>
void parallel_for_with(int64_t n, int64_t grain, MakeState&& make_state, Body&& body) {
  auto work = [&](WorkQueue& queue) {
    int64_t range = queue.first_range(), chunk = queue.next(range);
    if (chunk < 0) return;
    auto state = make_state();
    for (; chunk >= 0; chunk = queue.next(range)) {
      body(state, chunk * grain, std::min(n, (chunk + 1) * grain));
      check_interrupt();
    }
  };
  const auto call = [](void* context, WorkQueue& queue) {
    (*static_cast<decltype(work)*>(context))(queue);
  };
  ChunkRun((n + grain - 1) / grain, call, &work).run();
}

// The same without a state: body(begin, end).
template <class Body>
void parallel_for(int64_t n, int64_t grain, Body&& body) {
  struct None {};
  parallel_for_with(
      n, grain, [] { return None{}; },
      [&](None&, int64_t begin, int64_t end) { body(begin, end); });
}

}  // namespace lesionkit
