// An array of the caller's as a kernel sees it: where it lies and how long its axes are.
// C-contiguous; View<const T> is only read. The binding makes it of a NumPy array (arrays.hpp):
// nothing here, nor in a kernel, knows of Python.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <type_traits>

namespace lesionkit {

template <class T>
class View {
 public:
  View() = default;
  View(T* data, const std::ptrdiff_t* shape, int64_t axes, int64_t size)
      : data_(data), shape_(shape), axes_(axes), size_(size) {}

  operator View<const T>() const
    requires(!std::is_const_v<T>)
  {
    return {data_, shape_, axes_, size_};
  }

  T* data() const { return data_; }
  int64_t size() const { return size_; }
  int64_t ndim() const { return axes_; }
  int64_t shape(int64_t axis) const { return shape_[axis]; }
  const std::ptrdiff_t* shape() const { return shape_; }

 private:
  T* data_ = nullptr;
  const std::ptrdiff_t* shape_ = nullptr;
  int64_t axes_ = 0, size_ = 0;
};

// An array of any kind of number: "f", "i" or "u", of so many bytes.
struct AnyView {
  void* data = nullptr;
  char kind = 0;
  int64_t bytes = 0;  // of an item
  const std::ptrdiff_t* shape = nullptr;
  int64_t axes = 0, size = 0;
};

// An array that may be None.
template <class T>
using Maybe = std::optional<View<T>>;

template <class T>
T* data_or_null(const Maybe<T>& array) {
  return array ? array->data() : nullptr;
}

template <class T>
bool has_shape(const View<T>& array, std::initializer_list<int64_t> shape) {
  return array.ndim() == static_cast<int64_t>(shape.size()) &&
         std::equal(shape.begin(), shape.end(), array.shape());
}

}  // namespace lesionkit

// The whole numbers that an image may hold: MAKE(T, ...) for each, such as an explicit instance.
#define FOR_INTEGERS(MAKE, ...) \
  MAKE(uint8_t, __VA_ARGS__)    \
  MAKE(uint16_t, __VA_ARGS__)   \
  MAKE(uint32_t, __VA_ARGS__)   \
  MAKE(uint64_t, __VA_ARGS__)   \
  MAKE(int8_t, __VA_ARGS__)     \
  MAKE(int16_t, __VA_ARGS__)    \
  MAKE(int32_t, __VA_ARGS__)    \
  MAKE(int64_t, __VA_ARGS__)
