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

namespace lesionkit {

inline std::atomic<int> thread_limit{0};  // 0: as many as the processor offers

inline int get_threads() {
  int limit = thread_limit.load(std::memory_order_relaxed);
  return limit > 0 ? limit : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

inline void set_threads(int count) { thread_limit.store(count, std::memory_order_relaxed); }

// Calls body(state, begin, end) once for each chunk of [0, n); each thread that finds work makes
// one state for itself (its buffers). The first exception is thrown again here, after all threads
// have stopped.
template <class MakeState, class Body>
void parallel_for_with(int64_t n, int64_t grain, MakeState&& make_state, Body&& body) {
  const int64_t chunks = (n + grain - 1) / grain;
  std::atomic<int64_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_lock;

  auto work = [&] {
    int64_t chunk = next.fetch_add(1, std::memory_order_relaxed);
    if (chunk >= chunks) return;
    try {
      auto state = make_state();
      for (; chunk < chunks; chunk = next.fetch_add(1, std::memory_order_relaxed))
        body(state, chunk * grain, std::min(n, (chunk + 1) * grain));
    } catch (...) {
      std::lock_guard guard(failure_lock);
      if (!failure) failure = std::current_exception();
      next.store(chunks, std::memory_order_relaxed);
    }
  };

  const int64_t helpers = std::min<int64_t>(get_threads(), chunks) - 1;
  if (helpers > 0) {
    Job job{[](void* what) { (*static_cast<decltype(work)*>(what))(); }, &work, helpers};
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
