// Large arrays that are visited out of order: memory that is not touched until it is used, in large
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

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};

// An array of plain numbers that hold garbage at first.
template <class T>
using Large = std::unique_ptr<T[], FreeMemory>;

template <class T>
Large<T> large(int64_t count) {
  constexpr size_t page = size_t{1} << 21;
  const size_t bytes = static_cast<size_t>(count) * sizeof(T);
  const size_t unit = bytes < 2 * page ? 64 : page;
  void* memory = std::aligned_alloc(unit, (bytes / unit + 1) * unit);
  if (memory == nullptr) throw std::bad_alloc();
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (unit == page) madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: its failure changes nothing
#endif
  return Large<T>(static_cast<T*>(memory));
}

}  // namespace lesionkit
