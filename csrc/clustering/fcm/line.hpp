// The fast pass (fcm/pass.hpp) for one channel without weights: straight from memory, with all sums
// in registers for a block of samples.
#pragma once

#include "clustering/fcm/pass.hpp"

namespace lesionkit::clustering::fuzzy {

template <class T, int c>
class LinePass {
  using V = Simd<T>;

 public:
  using Input = T;
  static constexpr int64_t capacity = 256 * lane_count<T>;

  LinePass(const Samples<T>& s, const double* centres, const double* old, int64_t,
           const Fuzziness& f)
      : s_(s), centres_(s, centres, c), rest_(s, centres, old, c, f) {}

  bool add(int64_t first, int64_t count, PassSums& sums) {
    const T* x = s_.x + first;
    const T scale = static_cast<T>(s_.scale);
    const int64_t whole = count / lane_count<T> * lane_count<T>;
    V weight[c] = {}, moment[c] = {}, objective{}, least = broadcast<V>(1);
    for (int64_t i = 0; i < whole; i += lane_count<T>) {
      const V here = load<V>(x + i) * scale;
      V from[c], distance[c], u[c];
      for (int j = 0; j < c; ++j) {
        from[j] = centres_.from(here, j);
        distance[j] = from[j] * from[j];
      }
      const V sum = products(distance, u), inverse = T(1) / sum;
      least = min(sum, least);
      u[0] *= inverse;
      objective += distance[0] * u[0];
      for (int j = 0; j < c; ++j) {
        if (j > 0) u[j] *= inverse;
        const V w = u[j] * u[j];
        weight[j] += w;
        moment[j] += w * from[j];
      }
    }
    if (!all(least > trusted<T>)) return false;
    if (whole < count && !rest_.add(first + whole, count - whole, sums)) return false;
    sums.objective() += to_double(objective);
    for (int j = 0; j < c; ++j) {
      sums.weight(j) += to_double(weight[j]);
      sums.moment(j, 0) += to_double(moment[j]);
    }
    return true;
  }

 private:
  const Samples<T>& s_;
  Centres<T> centres_;
  FastPass<T, c, false> rest_;
};

}  // namespace lesionkit::clustering::fuzzy
