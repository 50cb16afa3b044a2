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

#include "common/grid.hpp"
#include "common/simd.hpp"

namespace lesionkit::fronts {

// A few units in the last place.
template <class T>
HD constexpr float rounding() {
  if constexpr (requires(T x) { x[0]; })
    return sizeof(T{}[0]) == sizeof(float) ? 3e-7f : 5e-16f;
  else
    return sizeof(T) == sizeof(float) ? 3e-7f : 5e-16f;
}

// ---- Order 1, of numbers or of vectors. A time may be infinite: no neighbour. Where an axis does
// not count, its difference is cut to the value at which it begins to: the formula for all axes
// then gives that of fewer, without a branch. The result may be NaN where a step is infinite: take
// it only where it is less than what the node has.

// Equal spacing: step = spacing * slowness.
template <class T>
HD T arrival(const T& a, const T& b, const T& step) {
  const T low = min(a, b);
  const T d = min<T>(max(a, b) - low, step);
  return low + 0.5f * (d + root<T>(2.0f * step * step - d * d));
}

template <class T>
HD T arrival(const T& a, const T& b, const T& c, const T& step) {
  const T ab = min(a, b), ba = max(a, b);
  const T low = min(ab, c), rest = max(ab, c), square = step * step;
  const T d = min<T>(min(ba, rest) - low, step);
  const T two = 0.5f * (d + root<T>(2.0f * square - d * d));
  const T e = min<T>(max(ba, rest) - low, two), apart = d - e;
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
  const T d = min<T>(b.at - a.at, a.h * slowness), sum = a.weight + b.weight;
  const T left = sum * slowness * slowness - a.weight * b.weight * d * d;
  return a.at + (b.weight * d + root(left)) / sum;
}

template <class T>
HD T arrival(Side<T> a, Side<T> b, Side<T> c, const T& slowness) {
  put_in_order(a, b);
  put_in_order(b, c);
  put_in_order(a, b);
  const T square = slowness * slowness, d = min<T>(b.at - a.at, a.h * slowness);
  T sum = a.weight + b.weight, apart = a.weight * b.weight * d * d;
  const T two = (b.weight * d + root<T>(sum * square - apart)) / sum;
  const T e = min<T>(c.at - a.at, two);
  sum = sum + c.weight;
  apart = apart + c.weight * (a.weight * e * e + b.weight * (d - e) * (d - e));
  return a.at + (b.weight * d + c.weight * e + root<T>(sum * square - apart)) / sum;
}

// Of a node on a grid, from the least times beside it along planes, rows and columns; `deep` if it
// has several planes, `even` if all spacings are the same.
template <class T>
HD T arrival(const T (&least)[3], const T (&spacing)[3], bool deep, bool even, const T& slowness) {
  if (even) {
    const T step = spacing[2] * slowness;
    return deep ? arrival(least[2], least[1], least[0], step) : arrival(least[2], least[1], step);
  }
  Side<T> sides[3];
  for (int d = 0; d < 3; ++d) sides[d] = {least[d], spacing[d], 1 / (spacing[d] * spacing[d])};
  return deep ? arrival(sides[2], sides[1], sides[0], slowness)
              : arrival(sides[2], sides[1], slowness);
}

// ---- Order 1 or 2, factored or not, of numbers or of vectors. Only final times may be used here:
// at order 2 a neighbour that comes down later does not only lower the result. Which ones a node
// may use is told by times of order 1: it depends on neighbours that come before it, no chain of
// which comes back, and so its time is worked out once, when theirs are known; in whatever order
// that is done, the result is the same.

// The nodes beside one along an axis, two on either side.
template <class T>
struct Line {
  T before2, before, after, after2;
};

// An axis adds (rate * (T - at))^2 to |grad T|^2; T must not be below `from`, the neighbour's time.
// Infinite `from`: the axis has no neighbour that comes first.
template <class T>
struct Term {
  T from, at, rate;
};

// About a point: the time is slowness * distance, were the speed constant; `along` is the part of
// the way along this axis.
template <class T>
struct Known {
  T slowness, distance, along;
};

// |x| - |x - e|, where e is the part `moved` of the way along an axis: (2 x - e).e / (|x| + |x -
// e|), as in agd's factored update. float32 loses nothing.
template <class T>
HD T nearer(const Known<T>& x, const T& moved) {
  const T gain = (2.0f * x.along - moved) * moved;
  const T left = x.distance * x.distance - gain;
  return gain / (x.distance + root<T>(max<T>(left, T{})));
}

// Of an axis, from the times of order 1 of a node (`here`, less rounding) and those beside it, and
// from what is known by now. The second neighbour counts where it is not later than the first.
// `waits` becomes true where a time is not known yet; `square`, slowness^2, is less by what is
// known of an axis that has no neighbour which comes first, if the point lies between these.
template <bool second, bool factored, class T, class Mask>
HD Term<T> term_of(const Line<T>& first, const Line<T>& times, const T& here, const T& h,
                   const Known<T>& known, const Mask& close, const T& never, Mask& waits,
                   T& square) {
  const auto low = first.before <= first.after;
  const T order = low ? first.before : first.after, one = low ? times.before : times.after;
  const auto counts = order < here;
  waits |= counts & (one >= never);
  Term<T> term = {counts ? one : never, one, 1.0f / h};
  const T moved = low ? h : -h;
  auto two_count = low & (order < order);  // false
  if constexpr (second) {
    const T order2 = low ? first.before2 : first.after2, two = low ? times.before2 : times.after2;
    const auto may = counts & (order2 <= order);
    waits |= may & (two >= never);
    two_count = may & (two <= one);
    term.at = two_count ? one + (one - two) / 3.0f : one;
    term.rate = two_count ? 1.5f / h : term.rate;
  }
  if constexpr (factored) {
    const T exact = known.along / known.distance, once = nearer(known, moved);
    T shift = once - moved * exact;
    if constexpr (second) {
      const T twice = nearer<T>(known, 2.0f * moved);
      shift = two_count ? (4.0f * once - twice - 2.0f * moved * exact) / 3.0f : shift;
    }
    const T slope = known.slowness * exact;
    term.at += close ? known.slowness * shift : T{};
    const auto between = (known.along <= 0.51f * h) & (known.along >= -0.51f * h);
    square -= (close & between & !counts) ? slope * slope : T{};
  }
  return term;
}

template <class T>
HD void put_in_order(Term<T>& a, Term<T>& b) {
  const Term<T> p = a, q = b;
  const auto keep = p.from <= q.from;
  a = {keep ? p.from : q.from, keep ? p.at : q.at, keep ? p.rate : q.rate};
  b = {keep ? q.from : p.from, keep ? q.at : p.at, keep ? q.rate : p.rate};
}

// T with as many axes as admit it, those with the least `from` first.
template <class T>
HD T solve(const Term<T>& a, const T& square) {
  const T step = root(square) / a.rate, time = a.at + step;
  return time >= a.from ? time : a.from + step;
}

template <class T>
HD T solve(Term<T> a, Term<T> b, const T& square) {
  put_in_order(a, b);
  const T w = b.rate * b.rate, sum = a.rate * a.rate + w, d = b.at - a.at;
  const T left = sum * square - a.rate * a.rate * w * d * d;
  const T time = a.at + (w * d + root(left)) / sum;
  return time >= b.from ? time : solve(a, square);  // NaN: there is no such T
}

template <class T>
HD T solve(Term<T> a, Term<T> b, Term<T> c, const T& square) {
  put_in_order(a, b);
  put_in_order(b, c);
  put_in_order(a, b);
  const T u = a.rate * a.rate, v = b.rate * b.rate, w = c.rate * c.rate, sum = u + v + w;
  const T d = b.at - a.at, e = c.at - a.at;
  const T left = sum * square - u * (v * d * d + w * e * e) - v * w * (e - d) * (e - d);
  const T time = a.at + (v * d + w * e + root(left)) / sum;
  return time >= c.from ? time : solve(a, b, square);
}

// What a node's time becomes; infinite as long as it waits. `first` and `here` are of order 1.
template <bool second, bool factored, int axes, class T>
HD T final_time(const Line<T> (&first)[axes], const Line<T> (&times)[axes], const T& here,
                const T& slowness, const T (&spacing)[axes], const Known<T> (&known)[axes],
                const T& reach, const T& never) {
  auto waits = here >= never;
  const auto close = known[0].distance <= reach;
  const T before = here - here * rounding<T>();
  T square = slowness * slowness;
  Term<T> terms[axes];
  for (int d = 0; d < axes; ++d)
    terms[d] = term_of<second, factored>(first[d], times[d], before, spacing[d], known[d], close,
                                         never, waits, square);
  square = square > T{} ? square : slowness * slowness;
  T time, least = min(terms[0].from, terms[1].from);
  if constexpr (axes == 3) {
    time = solve(terms[0], terms[1], terms[2], square);
    least = min(least, terms[2].from);
  } else {
    time = solve(terms[0], terms[1], square);
  }
  // A step too short for the numbers leaves equal times, and no neighbour that comes first.
  time = least < never ? time : here;
  return waits ? never : time;
}

// ---- The same on any number of axes, of numbers.

template <class T>
struct Slope {
  T from, at, rate;
  int side;     // 1: the neighbour lies on the side of lesser coordinates; -1: on the other
  bool second;  // two neighbours make it
};

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

// ---- Whose front it is.

// The earliest of the nodes beside one; of several the first by number.
template <class R>
struct Earliest {
  int64_t node;
  R time;
};

template <class R>
HD Earliest<R> earliest_beside(const Grid& grid, const R* times, int64_t node, R never) {
  Earliest<R> found = {node, never};
  grid.for_each_neighbour(node, [&](int64_t other) {
    const R time = times[other];
    if (time < found.time || (time == found.time && time < never && other < found.node))
      found = {other, time};
  });
  return found;
}

}  // namespace lesionkit::fronts
