// Checks of csrc/common/parallel.hpp, compiled and run by test_parallel.py: as it is, under
// ThreadSanitizer, under AddressSanitizer, and with faults planted that must be noticed.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

#include "common/parallel.hpp"

using lesionkit::parallel_for;
using lesionkit::parallel_for_with;
using lesionkit::set_threads;

#ifdef REFUSE_THREADS
// The system refuses every thread: the calling one must do all the work.
extern "C" int pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*) {
  return EAGAIN;
}
#endif

static void require(bool fine, const char* what, int line) {
  if (fine) return;
  std::fprintf(stderr, "line %d: not true: %s\n", line, what);
  std::exit(1);
}
#define REQUIRE(condition) require(condition, #condition, __LINE__)

// Sums of roundings, kept per chunk: their bits tell whether the chunks were the same.
static std::vector<double> chunk_sums(int64_t n, int64_t grain) {
  std::vector<double> sums((n + grain - 1) / grain);
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) sums[begin / grain] += 1.0 / (1.0 + i);
  });
  return sums;
}

static void each_index_once() {
  for (int threads : {1, 2, 3, 8})
    for (int64_t n : {0, 1, 2, 7, 64, 1001})
      for (int64_t grain : {1, 2, 7, 64, 5000}) {
        set_threads(threads);
        std::vector<int> visits(n);  // not atomic: two threads at one index would be a race
        parallel_for(n, grain, [&](int64_t begin, int64_t end) {
          REQUIRE(begin % grain == 0 && begin < end && end == std::min(n, begin + grain));
          for (int64_t i = begin; i < end; ++i) ++visits[i];
        });
        for (int count : visits) REQUIRE(count == 1);
      }
}

static void chunks_do_not_depend_on_threads() {
  set_threads(1);
  const auto expected = chunk_sums(10007, 97);
  for (int threads : {2, 3, 16}) {
    set_threads(threads);
    REQUIRE(chunk_sums(10007, 97) == expected);
  }
}

// Calls `body` on two threads at once. On a busy machine the pool lets a caller work alone for a
// while; who then waits for the other one in vain gives up, and all is tried again. The waiting is
// relaxed, so that it orders nothing that the layer does not.
template <class Body>
[[maybe_unused]] static void at_once(Body&& body) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (std::atomic<int> met{0}; met.load(std::memory_order_relaxed) < 2;) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::atomic<int> arrived{0};
    met = 0;
    parallel_for(2, 1, [&](int64_t, int64_t) {
      arrived.fetch_add(1, std::memory_order_relaxed);
      const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
      while (arrived.load(std::memory_order_relaxed) < 2) {
        if (std::chrono::steady_clock::now() > end) return;
        std::this_thread::yield();
      }
      met.fetch_add(1, std::memory_order_relaxed);
      body();
    });
  }
}

static void threads_work_at_once() {
#ifndef REFUSE_THREADS
  set_threads(2);
  at_once([] {});
#endif
}

static void two_exceptions_at_once() {
#ifndef REFUSE_THREADS
  set_threads(2);
  bool caught = false;
  try {
    at_once([] { throw std::runtime_error("both"); });
  } catch (const std::runtime_error&) {
    caught = true;
  }
  REQUIRE(caught);
#endif
}

static int64_t tasks() {
  std::filesystem::directory_iterator entries("/proc/self/task");
  return std::distance(begin(entries), end(entries));
}

static void small_work_starts_no_thread() {
  set_threads(8);
  const int64_t before = tasks();
  const auto self = std::this_thread::get_id();
  for (int64_t n : {1, 63, 64})
    parallel_for(n, 64, [&](int64_t, int64_t) {
      REQUIRE(std::this_thread::get_id() == self);
      REQUIRE(tasks() == before);
    });
}

static void exceptions_reach_the_caller() {
  for (int threads : {1, 2, 8}) {
    set_threads(threads);
    for (int round = 0; round < 20; ++round) {
      std::string caught;
      try {
        parallel_for(100, 1, [&](int64_t begin, int64_t) {
          if (begin % 3 == 1) throw std::runtime_error("chunk of the third kind");
        });
      } catch (const std::runtime_error& problem) {
        caught = problem.what();
      }
      REQUIRE(caught == "chunk of the third kind");
      caught.clear();
      try {
        parallel_for_with(
            100, 1, []() -> int { throw std::runtime_error("no state"); },
            [](int&, int64_t, int64_t) { REQUIRE(false); });
      } catch (const std::runtime_error& problem) {
        caught = problem.what();
      }
      REQUIRE(caught == "no state");
    }
    REQUIRE(chunk_sums(100, 7).size() == 15);  // and the next call is none the worse
  }
}

static void a_state_belongs_to_one_thread() {
  set_threads(4);
  std::atomic<int> made{0};
  std::vector<int> visits(1000);
  parallel_for_with(
      1000, 10, [&] { return std::pair(++made, std::this_thread::get_id()); },
      [&](auto& state, int64_t begin, int64_t end) {
        REQUIRE(state.second == std::this_thread::get_id());
        for (int64_t i = begin; i < end; ++i) visits[i] = state.first;
      });
  REQUIRE(made >= 1 && made <= 4);
  for (int owner : visits) REQUIRE(owner >= 1 && owner <= made);
  parallel_for_with(
      0, 10, [] { return 1 / 0.0; }, [](double&, int64_t, int64_t) { REQUIRE(false); });
}

static void calls_nest() {
  set_threads(3);
  std::vector<int> visits(6 * 50);
  parallel_for(6, 1, [&](int64_t outer, int64_t) {
    parallel_for(50, 5, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) ++visits[outer * 50 + i];
    });
  });
  for (int count : visits) REQUIRE(count == 1);
}

static void several_callers_at_once() {
#ifndef REFUSE_THREADS
  set_threads(2);
  const auto expected = chunk_sums(2000, 10);
  std::vector<std::vector<double>> answers(3);
  std::vector<std::thread> callers;
  for (auto& answer : answers) callers.emplace_back([&] { answer = chunk_sums(2000, 10); });
  for (int threads = 1; threads < 5; ++threads) set_threads(threads);  // while they run
  for (auto& caller : callers) caller.join();
  for (auto& answer : answers) REQUIRE(answer == expected);
#endif
}

// Whether a forked child computes the same. ThreadSanitizer cannot follow threads that a child of a
// process with threads starts: there the child works alone.
static bool child_agrees(const std::vector<double>& expected) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);  // a child that hangs is ended, and counts as failed
#ifdef __SANITIZE_THREAD__
    set_threads(1);
#endif
    _exit(chunk_sums(3000, 10) == expected && chunk_sums(3000, 10) == expected ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void fork_after_use() {
  set_threads(4);
  const auto expected = chunk_sums(3000, 10);
  REQUIRE(child_agrees(expected));
  REQUIRE(chunk_sums(3000, 10) == expected);
}

// A fork while other threads hold the pool's lock, work, watch and sleep: the child is alone.
static void fork_amid_work() {
#ifndef REFUSE_THREADS
  set_threads(3);
  const auto expected = chunk_sums(3000, 10);
  std::atomic<bool> done{false};
  std::vector<std::thread> callers;
  for (int i = 0; i < 2; ++i)
    callers.emplace_back([&] {
      while (!done) chunk_sums(500, 10);
    });
  for (int round = 0; round < 20; ++round) REQUIRE(child_agrees(expected));
  done = true;
  for (auto& caller : callers) caller.join();
#endif
}

// Helpers that sleep take up work again, and after a while end by themselves.
static void workers_sleep_wake_and_end() {
#ifndef REFUSE_THREADS
  set_threads(2);
  for (int pause : {0, 50, 200, 1000, 5000, 20000}) {
    std::this_thread::sleep_for(std::chrono::microseconds(pause));
    at_once([] {});
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const auto own = tasks() - 1;  // a sanitizer may have one of its own
  while (tasks() > own && tasks() > 1) {
    if (std::chrono::steady_clock::now() > deadline) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  REQUIRE(tasks() <= own);
  at_once([] {});
#endif
}

static void planted_race() {
#ifdef PLANTED_RACE
  set_threads(2);
  int64_t total = 0;
  at_once([&] { ++total; });
  std::printf("sum with a race: %d\n", static_cast<int>(total));
#endif
}

int main() {
  each_index_once();
  chunks_do_not_depend_on_threads();
  threads_work_at_once();
  small_work_starts_no_thread();
  exceptions_reach_the_caller();
  two_exceptions_at_once();
  a_state_belongs_to_one_thread();
  calls_nest();
  several_callers_at_once();
  fork_after_use();
  fork_amid_work();
  workers_sleep_wake_and_end();
  planted_race();
  std::puts("all checks passed");
}
