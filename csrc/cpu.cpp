// Which instruction sets has this processor? Compiled for the baseline, so it loads anywhere; one
// function, so it does without pybind11, which takes the compiler longer than a kernel.
#include <Python.h>

#include <initializer_list>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>

// What the processor's manual calls leaf and register, and the bits that must be set there.
static bool has(unsigned leaf, int reg, std::initializer_list<int> bits) {
  unsigned answer[4] = {};  // eax, ebx, ecx, edx
  if (!__get_cpuid_count(leaf, 0, &answer[0], &answer[1], &answer[2], &answer[3])) return false;
  for (const int bit : bits)
    if (!(answer[reg] >> bit & 1)) return false;
  return true;
}
#endif

// Levels that this processor can run, lowest first, by the names that setup.py gives the modules:
// every feature that -march=x86-64-v2, v3, v4 lets the compiler use is asked for. The built-in
// asks the operating system too, whether it keeps the wide registers.
static std::vector<const char*> levels() {
#if defined(__x86_64__)
  constexpr int ebx = 1, ecx = 2;
  __builtin_cpu_init();
  std::vector<const char*> found;
  // SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT; LAHF
  if (!(has(1, ecx, {0, 9, 13, 19, 20, 23}) && has(0x80000001, ecx, {0}))) return found;
  found.push_back("v2");
  // FMA, MOVBE, OSXSAVE, AVX, F16C; BMI1, AVX2, BMI2; LZCNT
  if (!(__builtin_cpu_supports("avx2") && has(1, ecx, {12, 22, 27, 28, 29}) &&
        has(7, ebx, {3, 5, 8}) && has(0x80000001, ecx, {5})))
    return found;
  found.push_back("v3");
  // AVX-512 F, DQ, CD, BW, VL
  if (__builtin_cpu_supports("avx512f") && has(7, ebx, {16, 17, 28, 30, 31})) found.push_back("v4");
  return found;
#else
  return {"generic"};
#endif
}

static PyObject* list_of_levels(PyObject*, PyObject*) {
  PyObject* list = PyList_New(0);
  for (const char* level : levels()) {
    PyObject* name = list ? PyUnicode_FromString(level) : nullptr;
    if (!name || PyList_Append(list, name) < 0) Py_CLEAR(list);
    Py_XDECREF(name);
  }
  return list;
}

static PyMethodDef methods[] = {
    {"levels", list_of_levels, METH_NOARGS,
     "levels() -> list[str]\n\nThe levels that this processor can run, lowest first."},
    {}};

static PyModuleDef_Slot slots[] = {
#if defined(Py_mod_multiple_interpreters)
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if defined(Py_mod_gil)
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {}};

static PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_cpu", nullptr, 0, methods, slots, nullptr, nullptr, nullptr};

PyMODINIT_FUNC PyInit__cpu() { return PyModuleDef_Init(&module); }
