// Large memory that is not touched until it is used; for what is visited out of order in large
// pages where the system has them (a page table for every 4 KiB costs more than the visit).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace lesionkit {

inline constexpr size_t LARGE_PAGE = size_t{1} << 21;

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};

// An array of plain numbers that hold garbage at first.
template <class T>
using Large = std::unique_ptr<T[], FreeMemory>;

template <class T>
Large<T> large(int64_t count) {
  const size_t bytes = static_cast<size_t>(count) * sizeof(T);
  const size_t unit = bytes < 2 * LARGE_PAGE ? 64 : LARGE_PAGE;
  void* memory = std::aligned_alloc(unit, (bytes / unit + 1) * unit);
  if (memory == nullptr) throw std::bad_alloc();
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (unit == LARGE_PAGE)
    madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: its failure changes nothing
#endif
  return Large<T>(static_cast<T*>(memory));
}

// Memory that is kept from use to use and taken page by page, as it is touched: what is never
// reached costs nothing.
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
    const size_t size = (static_cast<size_t>(bytes) + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    const bool many = size > 8 * LARGE_PAGE;
    memory_ = many ? std::aligned_alloc(LARGE_PAGE, size) : std::malloc(bytes);
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

}  // namespace lesionkit
