// Registers full of floats or doubles: loads and stores of lines whose length is no multiple.
#pragma once

#include <cstdint>
#include <cstring>

#include "clustering/fcm/tile.hpp"

namespace lesionkit::clustering::spatial {

using fuzzy::all_above;
using fuzzy::Register;
using fuzzy::smaller;
using fuzzy::total;
using fuzzy::widened;
using fuzzy::width;

// Calls body(i, count) for i = 0, lanes, 2 lanes ...: `count` lanes hold something, the last time
// perhaps fewer than all. For the others it is a constant.
template <class T, class Body>
inline void each_register(int64_t n, Body&& body) {
  int64_t i = 0;
  for (; i + width<T> <= n; i += width<T>) body(i, Constant<width<T>>{});
  if (i < n) body(i, n - i);
}

template <class T, class Count>
inline Register<T> load(const T* from, Count count) {
  Register<T> value{};
  std::memcpy(&value, from, count * sizeof(T));
  return value;
}

template <class T, class Count>
inline void store(const Register<T>& value, T* to, Count count) {
  std::memcpy(to, &value, count * sizeof(T));
}

// 1 in the first `count` lanes, 0 in the others.
template <class T, class Count>
inline Register<T> first_lanes(Count count) {
  Register<T> value{};
  for (int64_t l = 0; l < count; ++l) value[l] = T(1);
  return value;
}

}  // namespace lesionkit::clustering::spatial
