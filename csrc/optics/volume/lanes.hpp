// What a thread of a GPU does with its column of rows of W numbers (solve.cu).
#pragma once

#include "optics/volume/iterations.hpp"

namespace lesionkit::optics {

// A column of a row. Pointers to rows are to the thread's own column of them.
template <class T>
struct Lane {
  T value;

  template <class From>
  HD static Lane of(const From* from) {
    return {static_cast<T>(*from)};
  }
  HD void add(T factor, const Lane& x) { value += factor * x.value; }
};

template <class T>
struct DeviceRows {
  const int32_t *start, *column;
  const T* value;

  // Row i of the matrix times x.
  template <class X>
  HD T product(int64_t i, const X* x) const {
    Lane<T> sum{};
    add_products<false>(sum, column, value, start[i], start[i + 1], x);
    return sum.value;
  }
};

// What Python writes for each level (solid_gpu.py), in its order: nodes, then where the parts
// begin.
enum LevelPart {
  NODES,
  START,
  COLUMN,
  VALUE,
  WEIGHT,
  UP_START,
  UP_COLUMN,
  UP,
  DOWN_START,
  DOWN_COLUMN,
  DOWN,
  ROOM,
  PARTS
};

// A step takes z to z + step * weight * (r - A z), `weight` being 1 / (sum of |a_ij|) of each row,
// so that all eigenvalues of weight * A are between 0 and 1. Two steps of 1 / x, x the zeros of
// Chebyshev's polynomial of degree 2 on LEAST_SMOOTHED to 1, leave 0.45 of errors of these
// eigenvalues at most, and let none grow (Adams et al., J. Comput. Phys. 188, 593, 2003).
constexpr float LEAST_SMOOTHED = 0.12f;
constexpr float AWAY = (1 - LEAST_SMOOTHED) / 2 * 0.70710678f;
constexpr float FIRST_STEP = 1 / ((1 + LEAST_SMOOTHED) / 2 + AWAY);
constexpr float SECOND_STEP = 1 / ((1 + LEAST_SMOOTHED) / 2 - AWAY);

// A level, and the thread's column of its vectors.
struct DeviceLevel {
  int64_t nodes;
  DeviceRows<float> matrix, up, down;  // the system; from and to the level below
  const float *weight, *right;
  float *answer, *other;

  HD float left(int64_t i, const float* x) const { return right[i * W] - matrix.product(i, x); }
  HD float smoothed(int64_t i, const float* x, float step) const {
    return x[i * W] + step * weight[i] * left(i, x);
  }
};

// Rows of the matrices of systems.
struct DevicePattern {
  const int32_t *start, *column;
  int64_t across;  // from the column to its number's other part; 0: light is not modulated

  // Row i times x. What comes of the imaginary part goes across: (a + ib)(x + iy).
  template <class T>
  HD T product(const T* real, const T* imaginary, int64_t i, const float* x) const {
    const T sum = DeviceRows<T>{start, column, real}.product(i, x);
    if (across == 0) return sum;
    const T crossed = DeviceRows<T>{start, column, imaginary}.product(i, x + across);
    return across > 0 ? sum - crossed : sum + crossed;
  }
};

// A sum over a thread's rows: in float over some, then in double.
struct LaneSum {
  float some = 0;
  int count = 0;
  double total = 0;

  HD void add(float a, float b) {
    some += a * b;
    if (++count == 64) flush();
  }
  HD void flush() {
    total += some;
    some = 0;
    count = 0;
  }
};

}  // namespace lesionkit::optics
