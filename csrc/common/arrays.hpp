// NumPy arrays as views. Python has checked them (src/lesionkit/arrays.py): shapes are right,
// memory is C-contiguous, dtypes are exact. An argument of type View or Maybe takes an array as it
// is or not at all: it is never converted.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <type_traits>
#include <utility>
#include <vector>

#include "common/gil.hpp"
#include "common/view.hpp"

namespace lesionkit {

template <class T>
using Array = pybind11::array_t<T, pybind11::array::c_style>;

// A new array of one axis that holds these numbers.
template <class T>
Array<T> array_of(const std::vector<T>& values) {
  return Array<T>(static_cast<pybind11::ssize_t>(values.size()), values.data());
}

// Calls bind.operator()<T>() for each type: the overloads of a name.
template <class... T, class Bind>
void for_types(Bind&& bind) {
  (bind.template operator()<T>(), ...);
}

// The same for the whole numbers that an image may hold, as FOR_INTEGERS.
template <class Bind>
void for_integers(Bind&& bind) {
  for_types<uint8_t, uint16_t, uint32_t, uint64_t, int8_t, int16_t, int32_t, int64_t>(bind);
}

}  // namespace lesionkit

namespace pybind11::detail {

template <class T>
struct type_caster<lesionkit::View<T>> {
  using Numbers = lesionkit::Array<std::remove_const_t<T>>;
  PYBIND11_TYPE_CASTER(lesionkit::View<T>, handle_type_name<Numbers>::name);

  bool load(handle source, bool /*convert*/) {
    if (!Numbers::check_(source)) return false;
    auto array = reinterpret_borrow<Numbers>(source);
    T* data;
    if constexpr (std::is_const_v<T>)
      data = array.data();
    else
      data = array.mutable_data();  // refuses what may not be written to
    value = {data, array.shape(), array.ndim(), array.size()};
    return true;
  }
};

template <>
struct type_caster<lesionkit::AnyView> {
  PYBIND11_TYPE_CASTER(lesionkit::AnyView, handle_type_name<array>::name);

  bool load(handle source, bool /*convert*/) {
    if (!isinstance<array>(source)) return false;
    auto numbers = reinterpret_borrow<array>(source);
    value = {const_cast<void*>(numbers.data()),
             numbers.dtype().kind(),
             numbers.itemsize(),
             numbers.shape(),
             numbers.ndim(),
             numbers.size()};
    return true;
  }
};

}  // namespace pybind11::detail
