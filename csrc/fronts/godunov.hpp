// The upwind update of one node: the time T that |grad T| = slowness gives it, from its
// neighbours'.
//
// Rouy and Tourin, "A viscosity solutions approach to shape-from-shading", SIAM J. Numer. Anal. 29,
// 1992; Sethian, "A fast marching level set method", PNAS 93, 1996. Of each axis the neighbour with
// the lesser time a counts; T solves sum ((T - a) / h)^2 = slowness^2 over the axes with the least
// a, as many as have a < T. Differences are taken before anything is squared: in float32 T may be a
// thousand times a step. Order 2 takes the slope through two neighbours of that side (Sethian,
// "Fast marching methods", SIAM Review 41, 1999). About a point source the times of constant speed
// are known: factoring takes the slopes of these as they are, and only the rest by differences
// (Luo and Qian, "Fast sweeping methods for factored anisotropic eikonal equations", J. Sci.
// Comput. 52, 2012).
#pragma once

#include "common/portable.hpp"

namespace lesionkit::fronts {

template <class T>
HD T root(const T& x) {
  if constexpr (requires { x[0]; }) {  // a GCC vector, with a node in each lane
    T y = x;
    for (unsigned l = 0; l < sizeof(T) / sizeof(x[0]); ++l)
      y[l] = root<decltype(x[0] + x[0])>(x[l]);
    return y;
  } else if constexpr (sizeof(T) == sizeof(float)) {
    return sqrtf(x);
  } else {
    return sqrt(x);
  }
}

template <class T>
HD T lesser(const T& a, const T& b) {
  return a < b ? a : b;  // b, where either is NaN
}
template <class T>
HD T greater(const T& a, const T& b) {
  return a > b ? a : b;
}

// ---- Order 1, of numbers or of vectors. A time may be infinite: no neighbour. Where an axis does
// not count, its difference is cut to the value at which it begins to: the formula for all axes
// then gives that of fewer, without a branch. The result may be NaN where a step is infinite: take
// it only where it is less than what the node has.

// Equal spacing: step = spacing * slowness.
template <class T>
HD T arrival(const T& a, const T& b, const T& step) {
  const T low = lesser(a, b);
  const T d = lesser<T>(greater(a, b) - low, step);
  return low + 0.5f * (d + root<T>(2.0f * step * step - d * d));
}

template <class T>
HD T arrival(const T& a, const T& b, const T& c, const T& step) {
  const T ab = lesser(a, b), ba = greater(a, b);
  const T low = lesser(ab, c), rest = greater(ab, c), square = step * step;
  const T d = lesser<T>(lesser(ba, rest) - low, step);
  const T two = 0.5f * (d + root<T>(2.0f * square - d * d));
  const T e = lesser<T>(greater(ba, rest) - low, two), apart = d - e;
  return low + (d + e + root<T>(3.0f * square - d * d - e * e - apart * apart)) / 3.0f;
}

// Any spacing: of each axis the time, and weight = 1 / h^2.
template <class T>
struct Side {
  T at, h, weight;
};

template <class T>
HD void put_in_order(Side<T>& a, Side<T>& b) {
  const Side<T> p = a, q = b;
  const auto keep = p.at < q.at;
  a = {keep ? p.at : q.at, keep ? p.h : q.h, keep ? p.weight : q.weight};
  b = {keep ? q.at : p.at, keep ? q.h : p.h, keep ? q.weight : p.weight};
}

template <class T>
HD T arrival(Side<T> a, Side<T> b, const T& slowness) {
  put_in_order(a, b);
  const T d = lesser<T>(b.at - a.at, a.h * slowness), sum = a.weight + b.weight;
  const T left = sum * slowness * slowness - a.weight * b.weight * d * d;
  return a.at + (b.weight * d + root(left)) / sum;
}

template <class T>
HD T arrival(Side<T> a, Side<T> b, Side<T> c, const T& slowness) {
  put_in_order(a, b);
  put_in_order(b, c);
  put_in_order(a, b);
  const T square = slowness * slowness, d = lesser<T>(b.at - a.at, a.h * slowness);
  T sum = a.weight + b.weight, apart = a.weight * b.weight * d * d;
  const T two = (b.weight * d + root<T>(sum * square - apart)) / sum;
  const T e = lesser<T>(c.at - a.at, two);
  sum = sum + c.weight;
  apart = apart + c.weight * (a.weight * e * e + b.weight * (d - e) * (d - e));
  return a.at + (b.weight * d + c.weight * e + root<T>(sum * square - apart)) / sum;
}

// ---- Order 1 or 2, factored or not, of one node, on any number of axes. Only final times may be
// used here: at order 2 a neighbour that comes down later does not only lower the result.

// The slope along an axis is rate * (T - at); T must not be below `from`, the neighbour's time.
template <class T>
struct Slope {
  T from, at, rate;
  int side;     // 1: the neighbour lies on the side of lesser coordinates; -1: on the other
  bool second;  // two neighbours make it
};

// Of an axis, from the times of the two neighbours on either side, the nearer ones in the middle;
// infinite where there is none that is final. `from` is infinite where neither side has one. The
// second neighbour counts where it is not later than the first.
template <class T>
HD Slope<T> slope_of(T before2, T before, T after, T after2, T h, bool second_order) {
  const bool first = before <= after;
  const T one = first ? before : after, two = first ? before2 : after2;
  const int side = first ? 1 : -1;
  if (second_order && two <= one) return {one, one + (one - two) / 3, T(1.5) / h, side, true};
  return {one, one, 1 / h, side, false};
}

// Makes a slope that of T0 exactly plus that of T - T0 by differences, where T0 = slowness * |x| is
// what constant speed gives at x from the source; `along` is the part of x along this axis. As in
// agd's factored update, |x| - |x - e| = (2 x - e).e / (|x| + |x - e|): float32 loses nothing.
template <class T>
HD void factor(Slope<T>& slope, T slowness, T distance, T along, T h) {
  const T e = slope.side * h;
  const auto nearer = [&](T moved) {
    const T gain = (2 * along - moved) * moved, left = distance * distance - gain;
    return gain / (distance + root(greater<T>(left, 0)));
  };
  const T one = nearer(e), exact = e * along / distance;
  slope.at += slowness * (slope.second ? (4 * one - nearer(2 * e) - 2 * exact) / 3 : one - exact);
}

// T with sum of slope^2 = slowness^2 over as many axes as admit it, those with the least `from`
// first; infinite where no axis has a neighbour. The slopes are put in order.
template <class T>
HD T solve(Slope<T>* slopes, int count, T slowness) {
  for (int i = 1; i < count; ++i) {
    const Slope<T> here = slopes[i];
    int j = i;
    for (; j > 0 && here.from < slopes[j - 1].from; --j) slopes[j] = slopes[j - 1];
    slopes[j] = here;
  }
  for (; count > 1; --count) {  // sum of w (x - e)^2 = slowness^2, e and x from slopes[0].at
    const T last = slopes[count - 1].from;
    if (!(last - last == 0)) continue;
    T sum = 0, moment = 0, apart = 0;
    for (int i = 0; i < count; ++i) {
      const T w = slopes[i].rate * slopes[i].rate, e = slopes[i].at - slopes[0].at;
      for (int j = 0; j < i; ++j) {
        const T d = slopes[i].at - slopes[j].at;
        apart += w * slopes[j].rate * slopes[j].rate * d * d;
      }
      sum += w;
      moment += w * e;
    }
    const T left = sum * slowness * slowness - apart;
    if (!(left >= 0)) continue;
    const T time = slopes[0].at + (moment + root(left)) / sum;
    if (time >= last) return time;
  }
  const T step = slowness / slopes[0].rate, time = slopes[0].at + step;
  return time >= slopes[0].from ? time : slopes[0].from + step;
}

}  // namespace lesionkit::fronts
