// Reads a launch from its file, and writes the arrays back over it: see run_on_host.hpp.
#include "run_on_host.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>

namespace lesionkit::on_host {

namespace {

[[noreturn]] void refuse(const std::string& why) {
  std::cerr << why << std::endl;
  std::exit(2);
}

// Pointers must be to the array's own type, or to a struct that divides it; values must have the
// size of the parameter, and its type if that is a number. On a GPU nobody looks.
bool fits(const std::string& given, size_t bytes, const std::string& wanted) {
  if (given == "null") return wanted[0] == '*';
  if (wanted[0] == '*' && wanted[1] == 'V')
    return given[0] == '*' && bytes % std::stoul(wanted.substr(2)) == 0;
  return given == wanted ||
         (wanted[0] == 'V' && given[0] != '*' && bytes == std::stoul(wanted.substr(1)));
}

}  // namespace

int run(const std::vector<Kernel>& kernels, const char* path) {
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
