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

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
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

[[noreturn]] inline void refuse(const std::string& why) {
  std::cerr << why << std::endl;
  std::exit(2);
}

// Pointers must be to the array's own type, or to a struct that divides it; values must have the
// size of the parameter, and its type if that is a number. On a GPU nobody looks.
inline bool fits(const std::string& given, size_t bytes, const std::string& wanted) {
  if (given == "null") return wanted[0] == '*';
  if (wanted[0] == '*' && wanted[1] == 'V')
    return given[0] == '*' && bytes % std::stoul(wanted.substr(2)) == 0;
  return given == wanted ||
         (wanted[0] == 'V' && given[0] != '*' && bytes == std::stoul(wanted.substr(1)));
}

inline int run(const std::vector<Kernel>& kernels, const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string name;
  dim3 grid, block;
  size_t shared, count;
  int order;
  std::getline(file, name);
  file >> grid.x >> grid.y >> grid.z >> block.x >> block.y >> block.z >> shared >> order >> count;
  std::vector<std::string> types(count);
  std::vector<size_t> sizes(count);
  for (size_t i = 0; i < count; ++i) file >> types[i] >> sizes[i];
  file.get();

  const Kernel* chosen = nullptr;
  for (const Kernel& k : kernels)
    if (k.name == name) chosen = &k;
  if (!chosen) refuse("there is no kernel " + name);
  if (count != chosen->types.size())
    refuse(name + " takes " + std::to_string(chosen->types.size()) + " arguments, got " +
           std::to_string(count));

  std::vector<Memory> memory;
  std::vector<void*> pointers(count), args(count);
  for (size_t i = 0; i < count; ++i) {
    if (!fits(types[i], sizes[i], chosen->types[i]))
      refuse("argument " + std::to_string(i) + " of " + name + " must be " + chosen->types[i] +
             ", got " + types[i]);
    memory.emplace_back(new unsigned char[sizes[i]]);
    file.read(reinterpret_cast<char*>(memory[i].get()), static_cast<std::streamsize>(sizes[i]));
    pointers[i] = types[i] == "null" ? nullptr : memory[i].get();
    args[i] = types[i] == "null" || types[i][0] == '*' ? &pointers[i] : pointers[i];
  }
  if (!file) refuse("the file is too short");
  file.close();

  chosen->start(grid, block, shared, static_cast<Order>(order), args.data());

  std::ofstream out(path, std::ios::binary);
  for (size_t i = 0; i < count; ++i)
    if (types[i][0] == '*')
      out.write(reinterpret_cast<char*>(memory[i].get()), static_cast<std::streamsize>(sizes[i]));
  return 0;
}

}  // namespace lesionkit::on_host
