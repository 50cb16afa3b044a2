// Sums in NumPy's order, so that means have its bits: up to 128 terms in eight running sums, more
// as the sum of two halves. The tree depends on the number of terms alone; its parts can be worked
// out by several threads.
#pragma once

#include <cstdint>
#include <vector>

#include "common/simd.hpp"

// Eight numbers may be more than a register of this instruction set holds. How they are returned
// differs between sets; nothing here is called from another module.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"
#endif

namespace lesionkit::fronts::contours {

inline int64_t first_half(int64_t n) { return n / 2 - n / 2 % 8; }

// term.template at<V>(i): terms i, or from i on to fill V, which is T or eight of them.
template <class T, class Term>
T pairwise_sum(const Term& term, int64_t begin, int64_t n) {
  using Eight = Vector<T, 8>;
  if (n > 128) {
    const int64_t half = first_half(n);
    return pairwise_sum<T>(term, begin, half) + pairwise_sum<T>(term, begin + half, n - half);
  }
  T sum = 0;
  int64_t i = 0;
  if (n >= 8) {
    Eight r = term.template at<Eight>(begin);
    for (i = 8; i + 8 <= n; i += 8) r += term.template at<Eight>(begin + i);
    sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
  }
  for (; i < n; ++i) sum += term.template at<T>(begin + i);
  return sum;
}

// The tree of n terms, cut into parts of `max_size` terms or fewer.
class SumTree {
 public:
  struct Part {
    int64_t begin, size;
  };

  SumTree(int64_t n, int64_t max_size) : n_(n), max_size_(max_size) { cut(0, n); }

  const std::vector<Part>& parts() const { return parts_; }

  // The whole from the sums of the parts: of_part(p) is that of part p.
  template <class OfPart>
  auto total(const OfPart& of_part) const {
    int64_t part = 0;
    return add(n_, part, of_part);
  }

 private:
  bool whole(int64_t n) const { return n <= max_size_ || n <= 128; }

  void cut(int64_t begin, int64_t n) {
    if (whole(n)) {
      parts_.push_back({begin, n});
      return;
    }
    cut(begin, first_half(n));
    cut(begin + first_half(n), n - first_half(n));
  }

  template <class OfPart>
  auto add(int64_t n, int64_t& part, const OfPart& of_part) const -> decltype(of_part(0)) {
    if (whole(n)) return of_part(part++);
    const auto first = add(first_half(n), part, of_part);
    return first + add(n - first_half(n), part, of_part);
  }

  int64_t n_, max_size_;
  std::vector<Part> parts_;
};

}  // namespace lesionkit::fronts::contours
