// The only file that knows which compiler reads it: a C++ compiler on the host, NVRTC for a GPU, or
// a C++ compiler that reads a .cu to run it on the host (LESIONKIT_CUDA_ON_HOST).
//
// A formula of one item is marked HD and includes nothing but files that include nothing but this.
// NVRTC has no standard headers, so what a formula needs of them stands here under a name of ours.
// What is not marked at all (a lambda, a member of a template) is code of the device too:
// CuPy compiles with --device-as-default-execution-space.
#pragma once

#if defined(__CUDACC__)
#define HD __host__ __device__ __forceinline__
#else
#define HD inline
#endif

// A formula (HD_IN_LOOP) or lambda that must be part of its loop, so that the loop runs on many
// items at once.
#if defined(__CUDACC__)
#define HD_IN_LOOP HD
#else
#define IN_LOOP __attribute__((always_inline))
#define HD_IN_LOOP IN_LOOP inline
#endif

// Before a short loop whose turns are all to be written out.
#if defined(__CUDACC__)
#define UNROLL_ALL _Pragma("unroll")
#else
#define UNROLL_ALL _Pragma("GCC unroll 32")
#endif

// Before a loop of four turns with a long body, of which a GPU's compiler would make far more code.
#if defined(__CUDACC__)
#define UNROLL_FOR_CPU_ONLY _Pragma("unroll 1")
#else
#define UNROLL_FOR_CPU_ONLY _Pragma("GCC unroll 4")
#endif

// Before a loop over a small array of a thread, which must stay in registers.
#if defined(__CUDACC__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#if defined(__CUDACC_RTC__)
using uint8_t = unsigned char;
using uint16_t = unsigned short;
using int32_t = int;
using uint32_t = unsigned int;
using int64_t = long long;
using uint64_t = unsigned long long;
#else
#include <cmath>
#include <cstdint>
#endif

// In a kernel:
//   SHARED(double, tile, 64);         double (&tile)[64], shared by the block
//   DYNAMIC_SHARED(double, buffer);   double* buffer: the launch's `shared` bytes, 16-byte aligned
// Both hold garbage at first. A kernel may have several SHARED and one DYNAMIC_SHARED, each at the
// top level of a function.
#if defined(__CUDACC__)
#define SHARED(T, name, size) __shared__ T name[size]
#define DYNAMIC_SHARED(T, name)                                     \
  extern __shared__ __align__(16) unsigned char lesionkit_shared[]; \
  T* const name = reinterpret_cast<T*>(lesionkit_shared)
#elif defined(LESIONKIT_CUDA_ON_HOST)
#include "common/cuda_on_host.hpp"
#endif

namespace lesionkit {

// A number that is part of a type: std::integral_constant<int, value>.
template <int value>
struct Constant {
  HD constexpr operator int() const { return value; }
};

// 1 / x to 2 ulp where it is normal: on a GPU in a fifth of the time of a division.
HD float quick_inverse(float x) {
#if defined(__CUDACC__)
  return __fdividef(1.0f, x);
#else
  return 1.0f / x;
#endif
}

// The bits of an object, read as another type of the same size: std::bit_cast.
template <class To, class From>
HD To bits_as(const From& from) {
#if defined(__CUDACC__)
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &from, sizeof(To));
  return to;
#else
  return __builtin_bit_cast(To, from);
#endif
}

}  // namespace lesionkit
