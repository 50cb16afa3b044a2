// Registers of floats or doubles for the loops of k-means over samples: one sample in each lane.
#pragma once

#include <cstring>

#include "common/lanes.hpp"

namespace lesionkit::clustering {

inline constexpr int float_lanes = 2 * lane_count;
typedef float Floats __attribute__((vector_size(float_lanes * sizeof(float))));
typedef int32_t FloatMask __attribute__((vector_size(float_lanes * sizeof(float))));
typedef int64_t LaneMask __attribute__((vector_size(lane_count * sizeof(double))));

template <class Real>
struct Register;

template <>
struct Register<float> {
  using Type = Floats;
  using Mask = FloatMask;
  static constexpr int lanes = float_lanes;
};

template <>
struct Register<double> {
  using Type = Lanes;
  using Mask = LaneMask;
  static constexpr int lanes = lane_count;
};

// `lanes` numbers from memory, of that type or of another.
template <class Real, class From>
typename Register<Real>::Type load(const From* from) {
  constexpr int lanes = Register<Real>::lanes;
  typedef From Given __attribute__((vector_size(lanes * sizeof(From))));
  Given given;
  std::memcpy(&given, from, sizeof given);
  return __builtin_convertvector(given, typename Register<Real>::Type);
}

template <class Real>
typename Register<Real>::Type all(Real value) {
  return value - typename Register<Real>::Type{};
}

struct TwoLanes {
  Lanes low, high;
};

inline TwoLanes widened(Floats x) {
  typedef float Half __attribute__((vector_size(lane_count * sizeof(float))));
  Half halves[2];
  std::memcpy(halves, &x, sizeof x);
  return {__builtin_convertvector(halves[0], Lanes), __builtin_convertvector(halves[1], Lanes)};
}

// The lanes of floats, added by twos in double.
inline Lanes in_double(Floats x) {
  const TwoLanes wide = widened(x);
  return wide.low + wide.high;
}
inline Lanes in_double(Lanes x) { return x; }

inline Lanes squares_in_double(Floats x) {
  const TwoLanes wide = widened(x);
  return wide.low * wide.low + wide.high * wide.high;
}

inline double sum_of(Lanes x) {
  double sum = 0.0;
  for (int l = 0; l < lane_count; ++l) sum += x[l];
  return sum;
}

}  // namespace lesionkit::clustering
