// Runs the kernels of a .cu on the host, thread for thread, so that their answers, bounds and races
// can be checked without a GPU (tests/cuda/). portable.hpp includes it where
// LESIONKIT_CUDA_ON_HOST is defined. It is slow: 64 threads a block at most, a few blocks.
//
// Each CUDA thread is a thread; __syncthreads is a barrier of the block. Blocks run one after
// another, forward or backward: a result that depends on their order differs. Or they run together:
// ThreadSanitizer then sees races between blocks too. Shared memory is fresh for every block, full
// of 0xff (NaN, -1), each array its own allocation: AddressSanitizer sees a step past its end.
// Atomics order nothing but themselves, as on the GPU.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#define __global__
#define __host__
#define __device__
#define __constant__ const
#define __forceinline__ inline
#define __launch_bounds__(...)

// As in portable.hpp. In a template each instance has an array of its own, as on the GPU.
#define SHARED(T, name, size) \
  struct name##_site {};      \
  T(&name)[size] = lesionkit::on_host::shared<name##_site, T[size]>()
#define DYNAMIC_SHARED(T, name) \
  T* const name = reinterpret_cast<T*>(lesionkit::on_host::this_block->dynamic.get())

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};

inline thread_local dim3 threadIdx, blockIdx;
inline dim3 blockDim, gridDim;
inline constexpr int warpSize = 32;

namespace lesionkit::on_host {

// The sizes of all SHARED arrays of this program, each entered before main by its site_number.
inline std::vector<size_t>& shared_sizes() {
  static std::vector<size_t> sizes;
  return sizes;
}
template <class Site, class T>
inline const size_t site_number = (shared_sizes().push_back(sizeof(T)), shared_sizes().size() - 1);

using Memory = std::unique_ptr<unsigned char[]>;

inline Memory poisoned(size_t bytes) {
  Memory memory(new unsigned char[bytes]);
  std::memset(memory.get(), 0xff, bytes);
  return memory;
}

// Not std::barrier: in libstdc++ all barriers wait in one small table, whose atomics order threads
// that have nothing to do with each other, and ThreadSanitizer then misses races between them.
class Barrier {
 public:
  explicit Barrier(int threads) : expected_(threads) {}

  void wait() {
    std::unique_lock lock(mutex_);
    const int phase = phase_;
    if (++arrived_ == expected_)
      release();
    else
      released_.wait(lock, [&] { return phase_ != phase; });
  }

  void leave() {  // the others wait for this thread no more
    std::lock_guard lock(mutex_);
    if (arrived_ == --expected_) release();
  }

 private:
  void release() {
    arrived_ = 0;
    ++phase_;
    released_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable released_;
  int expected_, arrived_ = 0, phase_ = 0;
};

struct Warp {
  explicit Warp(int threads) : barrier(threads) {}

  Barrier barrier;
  alignas(16) unsigned char value[warpSize][16];  // what each lane shows the others in a shuffle
};

struct Block {
  Block(int count, size_t shared_bytes)
      : threads(count), barrier(count), dynamic(poisoned(shared_bytes)) {
    for (size_t bytes : shared_sizes()) arrays.push_back(poisoned(bytes));
    for (int first = 0; first < threads; first += warpSize)
      warps.push_back(std::make_unique<Warp>(std::min(warpSize, threads - first)));
  }

  int threads;
  Barrier barrier;
  Memory dynamic;
  std::vector<Memory> arrays;
  std::vector<std::unique_ptr<Warp>> warps;
};

inline thread_local Block* this_block = nullptr;
inline thread_local int this_thread = 0;  // within the block

inline Warp& this_warp() { return *this_block->warps[this_thread / warpSize]; }

template <class Site, class T>
T& shared() {
  return *reinterpret_cast<T*>(this_block->arrays[site_number<Site, T>].get());
}

// Every thread of the warp must take part: masks are not looked at.
template <class T>
T shuffle(const T& value, int from) {
  static_assert(sizeof(T) <= 16);
  Warp& warp = this_warp();
  const int lane = this_thread % warpSize;
  std::memcpy(warp.value[lane], &value, sizeof(T));
  warp.barrier.wait();
  T result = value;
  const int thread = this_thread - lane + from;
  if (from >= 0 && from < warpSize && thread < this_block->threads)
    std::memcpy(&result, warp.value[from], sizeof(T));
  warp.barrier.wait();
  return result;
}

enum class Order { forward, reverse, together };

// body() is the kernel with its arguments. A thread that is done stays until all at `end` are: of a
// thread that is gone ThreadSanitizer may no longer know enough to report a race.
template <class Body>
void run_block(dim3 at, int threads, size_t shared_bytes, Barrier& end, const Body& body) {
  Block block(threads, shared_bytes);
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t)
    running.emplace_back([&, t] {
      const unsigned i = static_cast<unsigned>(t);
      threadIdx = {i % blockDim.x, i / blockDim.x % blockDim.y, i / blockDim.x / blockDim.y};
      blockIdx = at;
      this_block = &block;
      this_thread = t;
      body();
      this_warp().barrier.leave();  // the others do not wait for a thread that is done
      block.barrier.leave();
      end.wait();
    });
  for (auto& thread : running) thread.join();
}

// What cuLaunchKernel does: args[i] points to the kernel's i-th argument.
template <class... P>
void launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes, Order order,
            void* const* args) {
  gridDim = grid;
  blockDim = block;
  const int threads = static_cast<int>(block.x * block.y * block.z);
  const unsigned blocks = grid.x * grid.y * grid.z;
  Barrier end(threads * (order == Order::together ? blocks : 1));
  const auto body = [&]<size_t... I>(std::index_sequence<I...>) {
    kernel(*static_cast<std::remove_cv_t<P>*>(args[I])...);
  };
  const auto run = [&](unsigned b) {
    run_block({b % grid.x, b / grid.x % grid.y, b / grid.x / grid.y}, threads, shared_bytes, end,
              [&] { body(std::index_sequence_for<P...>{}); });
  };
  if (order == Order::together) {
    std::vector<std::thread> running;
    for (unsigned b = 0; b < blocks; ++b) running.emplace_back(run, b);
    for (auto& thread : running) thread.join();
  } else {
    for (unsigned b = 0; b < blocks; ++b) run(order == Order::forward ? b : blocks - 1 - b);
  }
}

}  // namespace lesionkit::on_host

using std::max;
using std::min;

inline void __syncthreads() { lesionkit::on_host::this_block->barrier.wait(); }
inline void __syncwarp(unsigned = ~0u) { lesionkit::on_host::this_warp().barrier.wait(); }

template <class T>
T __shfl_sync(unsigned, T value, int lane) {
  return lesionkit::on_host::shuffle(value, lane);
}
template <class T>
T __shfl_down_sync(unsigned, T value, unsigned delta) {
  return lesionkit::on_host::shuffle(
      value, lesionkit::on_host::this_thread % warpSize + static_cast<int>(delta));
}
template <class T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  return lesionkit::on_host::shuffle(value, (lesionkit::on_host::this_thread % warpSize) ^ mask);
}

template <class T>
T atomicAdd(T* place, std::type_identity_t<T> value) {
  return std::atomic_ref<T>(*place).fetch_add(value, std::memory_order_relaxed);
}
template <class T>
T atomicMin(T* place, std::type_identity_t<T> value) {
  const std::atomic_ref<T> shared(*place);
  T was = shared.load(std::memory_order_relaxed);
  while (value < was && !shared.compare_exchange_weak(was, value, std::memory_order_relaxed)) {
  }
  return was;
}
template <class T>
T __ldg(const T* place) {
  return *place;
}
