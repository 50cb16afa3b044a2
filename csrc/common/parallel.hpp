// parallel_for: the only way to several threads. Helpers come from the crew (crew.hpp), which
// survives a fork: a forked worker may call any kernel.
//
// Work is cut into chunks of `grain` items, whatever the number of threads; each chunk is done by
// one thread, in order, so sums kept per chunk have the same bits with 1 thread or 64. A grain
// should be worth 10 microseconds or more: work of a single chunk asks for no helper at all.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>

#include "common/crew.hpp"
#include "common/interrupt.hpp"

namespace lesionkit {

inline std::atomic<int> thread_limit{0};  // 0: as many as the processor offers

inline int get_threads() {
  int limit = thread_limit.load(std::memory_order_relaxed);
  return limit > 0 ? limit : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

inline void set_threads(int count) { thread_limit.store(count, std::memory_order_relaxed); }

// Deals the numbers 0 to count - 1, each once. Every thread has a stretch of neighbours of its own,
// and when that is done helps with the others': threads that fill fresh memory do not meet in one
// large page, which the system would clear for each of them.
class Deal {
 public:
  Deal(int64_t count, int64_t threads) : parts_(std::clamp<int64_t>(threads, 1, most)) {
    for (int64_t p = 0; p < parts_; ++p) {
      part_[p].next.store(count * p / parts_, std::memory_order_relaxed);
      part_[p].end = count * (p + 1) / parts_;
    }
  }

  // A thread's place at the table.
  int64_t seat() { return seats_.fetch_add(1, std::memory_order_relaxed) % parts_; }

  // The next number for a thread with this seat, which moves on; -1: there are no more.
  int64_t next(int64_t& seat) {
    for (int64_t tried = 0; tried < parts_; ++tried, seat = (seat + 1) % parts_) {
      if (part_[seat].next.load(std::memory_order_relaxed) >= part_[seat].end) continue;
      const int64_t number = part_[seat].next.fetch_add(1, std::memory_order_relaxed);
      if (number < part_[seat].end) return number;
    }
    return -1;
  }

  void stop() {
    for (int64_t p = 0; p < parts_; ++p)
      part_[p].next.store(part_[p].end, std::memory_order_relaxed);
  }

 private:
  static constexpr int64_t most = 64;
  struct alignas(64) Part {  // a cache line each
    std::atomic<int64_t> next;
    int64_t end;
  };

  int64_t parts_;
  std::atomic<int64_t> seats_{0};
  Part part_[most];
};

// Calls body(state, begin, end) once for each chunk of [0, n); each thread that finds work makes
// one state for itself (its buffers). The first exception is thrown again here, after all threads
// have stopped.
template <class MakeState, class Body>
void parallel_for_with(int64_t n, int64_t grain, MakeState&& make_state, Body&& body) {
  const int64_t chunks = (n + grain - 1) / grain;
  const int64_t threads = std::min<int64_t>(get_threads(), chunks);
  Deal deal(chunks, threads);
  std::exception_ptr failure;
  std::mutex failure_lock;

  auto work = [&] {
    int64_t seat = deal.seat(), chunk = deal.next(seat);
    if (chunk < 0) return;
    try {
      auto state = make_state();
      for (; chunk >= 0; chunk = deal.next(seat)) {
        body(state, chunk * grain, std::min(n, (chunk + 1) * grain));
        check_interrupt();
      }
    } catch (...) {
      std::lock_guard guard(failure_lock);
      if (!failure) failure = std::current_exception();
      deal.stop();
    }
  };

  if (threads > 1) {
    Job job{[](void* what) { (*static_cast<decltype(work)*>(what))(); }, &work, threads - 1};
    Crew::here().run(job);
  } else {
    work();
  }
  if (failure) std::rethrow_exception(failure);
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
