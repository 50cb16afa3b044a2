// The only file that knows which compiler reads it: g++/clang++ on the host, NVRTC on a GPU.
// A formula of one item is marked HD and includes nothing but this.
#pragma once

#if defined(__CUDACC__)
#define HD __host__ __device__ __forceinline__
#else
#define HD inline
#endif

#if defined(__CUDACC_RTC__)
using uint8_t = unsigned char;
using int32_t = int;
using uint32_t = unsigned int;
using int64_t = long long;
using uint64_t = unsigned long long;
#else
#include <cmath>
#include <cstdint>
#endif
