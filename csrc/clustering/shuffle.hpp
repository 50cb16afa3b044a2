// Lanes of two registers in another order, which g++ and clang++ write apart.
#pragma once

#include <utility>

namespace lesionkit::clustering {

// The lanes `from` of (a, b): those of b come after a's.
template <int... from, class V>
inline V shuffled(const V& a, const V& b) {
#if defined(__clang__)
  return __builtin_shufflevector(a, b, from...);
#else
  return __builtin_shuffle(a, b, decltype(a < b){from...});
#endif
}

}  // namespace lesionkit::clustering
