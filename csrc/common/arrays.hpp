// NumPy arrays as plain pointers. Python has checked them (src/lesionkit/arrays.py): shapes are
// right, memory is C-contiguous, dtypes are exact. Bind every argument with .noconvert().
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <iterator>

#include "common/gil.hpp"

namespace lesionkit {

template <class T>
using Array = pybind11::array_t<T, pybind11::array::c_style>;

template <class T>
bool has_shape(const Array<T>& array, std::initializer_list<int64_t> shape) {
  return array.ndim() == std::ssize(shape) && std::equal(shape.begin(), shape.end(), array.shape());
}

}  // namespace lesionkit
