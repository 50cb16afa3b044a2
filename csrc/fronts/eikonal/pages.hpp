// Large memory that is taken page by page, as it is touched: what is never reached costs nothing.
// Host only.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace lesionkit::fronts {

class Pages {
 public:
  Pages() = default;
  ~Pages() { std::free(memory_); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  // At least `bytes`, with whatever they hold. whole: all of it will be touched; then large pages
  // are asked for, of which fewer are needed. What is smaller malloc keeps from call to call.
  void reserve(int64_t bytes, bool whole) {
    if (bytes <= bytes_) return;
    std::free(memory_);
    bytes_ = 0;
    constexpr int64_t large = int64_t{1} << 21;
    const int64_t size = (bytes + large - 1) / large * large;
    const bool many = size > 8 * large;
    memory_ = many ? std::aligned_alloc(large, size) : std::malloc(bytes);
    if (memory_ == nullptr) throw std::bad_alloc();
#if defined(__linux__)
    if (many && whole) (void)madvise(memory_, size, MADV_HUGEPAGE);  // else they stay small
#else
    (void)whole;
#endif
    bytes_ = bytes;
  }

  template <class T>
  T* as() const {
    return static_cast<T*>(memory_);
  }

 private:
  int64_t bytes_ = 0;
  void* memory_ = nullptr;
};

}  // namespace lesionkit::fronts
