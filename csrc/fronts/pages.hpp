// A large array of zeros whose memory is taken page by page, as it is touched: what is never
// reached costs nothing. Host only.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace lesionkit::fronts {

template <class T>
class ZeroPages {
 public:
  // whole: all of it will be touched; then large pages are asked for, of which fewer are needed.
  ZeroPages(int64_t count, bool whole) : bytes_(static_cast<size_t>(count) * sizeof(T)) {
    if (bytes_ == 0) return;
#if defined(__linux__)
    void* pages = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    if (whole) (void)madvise(pages, bytes_, MADV_HUGEPAGE);  // else they stay small
#else
    void* pages = std::calloc(bytes_ + 64, 1);
    if (pages == nullptr) throw std::bad_alloc();
    (void)whole;
#endif
    memory_ = pages;
  }
  ~ZeroPages() {
    if (memory_ == nullptr) return;
#if defined(__linux__)
    munmap(memory_, bytes_);
#else
    std::free(memory_);
#endif
  }
  ZeroPages(const ZeroPages&) = delete;
  ZeroPages& operator=(const ZeroPages&) = delete;

  T* data() const {  // at the beginning of a cache line
    return reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(memory_) + 63) / 64 * 64);
  }

 private:
  size_t bytes_;
  void* memory_ = nullptr;
};

}  // namespace lesionkit::fronts
