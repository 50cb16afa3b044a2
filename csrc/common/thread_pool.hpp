// A pool of worker threads that wait for the next job: what parallel_for hands its chunks to.
//
// A worker that finds nothing to do watches for new work for a tenth of a millisecond, then sleeps,
// and ends after a second: a program that computes now and then has no threads of ours in between.
// A caller takes part in its own work and waits only for workers that have begun; those that never
// woke up cost nothing. Where the system has not let a worker run that had begun, and the caller
// has waited for it, callers work alone for a while: on a busy machine a worker may cost more than
// it does. After a fork the child starts with a new pool: the old one's threads and locks stayed
// behind in the parent.
#pragma once

#if !defined(_WIN32)
#include <pthread.h>
#include <time.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace lesionkit {

// One call's work: `run(what)` may be called by several threads at once, and returns when nothing
// is left to begin.
struct Job {
  void (*run)(void*);
  void* what;
  int64_t wanted = 0;             // workers that may still join
  std::atomic<int> inside = 0;    // workers at work
  std::atomic<int64_t> lost = 0;  // nanoseconds in which workers at work did not run
};

// The time for which this thread has not run since.
class LostTime {
 public:
  LostTime() : ran_(cpu_time()), begin_(std::chrono::steady_clock::now()) {}

  std::chrono::nanoseconds operator()() const {
    return std::chrono::steady_clock::now() - begin_ - (cpu_time() - ran_);
  }

 private:
  static std::chrono::nanoseconds cpu_time() {
#if defined(CLOCK_THREAD_CPUTIME_ID)
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
#else
    return std::chrono::steady_clock::now().time_since_epoch();  // as if it always ran
#endif
  }

  std::chrono::nanoseconds ran_;
  std::chrono::steady_clock::time_point begin_;
};

class ThreadPool {
 public:
  // This process' pool. It is never destroyed: sleeping workers may outlive main().
  static ThreadPool& here() {
    ThreadPool* pool = current().load(std::memory_order_acquire);
    if (pool) return *pool;
    auto* fresh = new ThreadPool;
    if (current().compare_exchange_strong(pool, fresh, std::memory_order_acq_rel)) {
      forget_after_fork();
      return *fresh;
    }
    delete fresh;  // another thread was quicker
    return *pool;
  }

  // Runs `job` on this thread and on up to job.wanted workers; returns when all have left it.
  void run(Job& job) {
    if (Clock::now().time_since_epoch() < alone_until.load(std::memory_order_relaxed)) {
      job.run(job.what);
      return;
    }
    offer(job);
    job.run(job.what);
    const auto done = Clock::now();
    withdraw(job);
    const auto now = Clock::now();
    const auto waited = now - done;
    if (waited > watching_time && 2 * job.lost.load(std::memory_order_relaxed) > waited.count())
      alone_until.store((now + alone_for * waited).time_since_epoch(), std::memory_order_relaxed);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr auto watching_time = std::chrono::microseconds(100);
  static constexpr auto sleeping_time = std::chrono::seconds(1);
  static constexpr int alone_for = 4;  // times as long as was waited in vain

  static std::atomic<ThreadPool*>& current() {
    static std::atomic<ThreadPool*> pool{nullptr};
    return pool;
  }

  static void forget_after_fork() {
#if !defined(_WIN32)
    static const int registered = pthread_atfork(
        nullptr, nullptr, [] { current().store(nullptr, std::memory_order_relaxed); });
    (void)registered;
#endif
  }

  // True once `ready()` is, false after `watching_time`; other threads may have the processor.
  template <class Ready>
  static bool watch(Ready&& ready) {
    for (const auto end = Clock::now() + watching_time; !ready(); std::this_thread::yield())
      if (Clock::now() > end) return false;
    return true;
  }

  void offer(Job& job) {
    int64_t to_wake = 0;
    try {
      std::lock_guard guard(lock);
      open.push_back(&job);
      offers.fetch_add(1, std::memory_order_release);
      for (int64_t idle = watchers + sleepers; idle < job.wanted; ++idle) {
        std::thread([this] { serve(); }).detach();
        ++watchers;
      }
      to_wake = std::min(job.wanted - watchers, sleepers);
    } catch (...) {
      // The system refuses more threads or memory: those at hand share the work with the caller.
    }
    for (; to_wake > 0; --to_wake) there_is_work.notify_one();
  }

  void withdraw(Job& job) {
    {
      std::lock_guard guard(lock);
      std::erase(open, &job);
    }
    if (watch([&] { return job.inside.load(std::memory_order_acquire) == 0; })) {
      std::lock_guard guard(lock);  // the last worker has let go of the job
      return;
    }
    std::unique_lock guard(lock);
    somebody_left.wait(guard, [&] { return job.inside.load(std::memory_order_relaxed) == 0; });
  }

  // A worker's life. It holds the lock but where it works, watches or sleeps.
  void serve() {
    std::unique_lock guard(lock);
    for (;;) {
      const uint64_t seen = offers.load(std::memory_order_relaxed);
      if (Job* job = join()) {
        --watchers;
        guard.unlock();
        const LostTime lost;
        job->run(job->what);
        job->lost.fetch_add(lost().count(), std::memory_order_relaxed);
        guard.lock();
        ++watchers;
        if (job->inside.fetch_sub(1, std::memory_order_release) == 1) somebody_left.notify_all();
        continue;
      }
      guard.unlock();
      const bool more = watch([&] { return offers.load(std::memory_order_acquire) != seen; });
      guard.lock();
      if (more || offers.load(std::memory_order_relaxed) != seen) continue;
      --watchers;
      ++sleepers;
      const bool woken = there_is_work.wait_for(
          guard, sleeping_time, [&] { return offers.load(std::memory_order_relaxed) != seen; });
      --sleepers;
      if (!woken) return;
      ++watchers;
    }
  }

  Job* join() {  // the oldest job that wants a worker
    for (Job* job : open)
      if (job->wanted > 0) {
        --job->wanted;
        job->inside.fetch_add(1, std::memory_order_relaxed);
        return job;
      }
    return nullptr;
  }

  std::mutex lock;  // of all that follows; `offers` is read without it
  std::condition_variable there_is_work, somebody_left;
  std::vector<Job*> open;
  int64_t watchers = 0, sleepers = 0;  // workers that are awake without work, and asleep
  std::atomic<uint64_t> offers{0};
  std::atomic<Clock::duration> alone_until{Clock::duration::zero()};
};

}  // namespace lesionkit
