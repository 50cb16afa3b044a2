// Which instruction sets has this processor? Compiled for the baseline, so it loads anywhere.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

// Levels that this processor can run, lowest first, by the names that setup.py gives the modules.
static std::vector<std::string> levels() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  std::vector<std::string> found;
  if (!(__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt"))) return found;
  found.push_back("v2");
  if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi2")))
    return found;
  found.push_back("v3");
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512cd"))
    found.push_back("v4");
  return found;
#else
  return {"generic"};
#endif
}

PYBIND11_MODULE(_cpu, m) { m.def("levels", &levels); }
