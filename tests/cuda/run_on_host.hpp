// The rest of a program that launches the kernels of one .cu as a file tells it (on_host.py):
//
//   name of the kernel
//   grid x y z, block x y z, bytes of dynamic shared memory, order, number of arguments
//   of each argument: its type (as of type_of below; "null" for a null pointer) and its bytes
//   the bytes themselves
//
// Arrays are copied to memory of exactly their size, so that AddressSanitizer guards their ends,
// and written back over the file when the kernel is done.
#pragma once

#include <functional>
#include <string>
#include <type_traits>

#include "common/cuda_on_host.hpp"

namespace lesionkit::on_host {

// As NumPy's dtype: "f8", "i4", "u1"; "V24" for a struct of 24 bytes; "*f8" for a pointer.
template <class P>
std::string type_of() {
  using T = std::remove_cv_t<P>;
  if constexpr (std::is_pointer_v<T>) {
    return "*" + type_of<std::remove_pointer_t<T>>();
  } else {
    const char kind = std::is_floating_point_v<T> ? 'f'
                      : !std::is_integral_v<T>    ? 'V'
                      : std::is_signed_v<T>       ? 'i'
                                                  : 'u';
    return kind + std::to_string(sizeof(T));
  }
}

struct Kernel {
  std::string name;
  std::vector<std::string> types;
  std::function<void(dim3, dim3, size_t, Order, void* const*)> start;
};

template <class... P>
Kernel kernel(const char* name, void (*function)(P...)) {
  return {name, {type_of<P>()...}, [=](dim3 g, dim3 b, size_t shared, Order order, void* const* a) {
            launch(function, g, b, shared, order, a);
          }};
}

// In run_on_host.cpp, which is compiled once for all programs with the same flags.
int run(const std::vector<Kernel>& kernels, const char* path);

}  // namespace lesionkit::on_host
