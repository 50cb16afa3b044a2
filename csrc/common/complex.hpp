// Complex numbers of any type of number, a register of doubles among them, and the operations that
// a solver needs of real and complex numbers alike.
#pragma once

#include "common/portable.hpp"

namespace lesionkit {

template <class T>
struct Complex {
  T re, im;

  HD Complex& operator+=(const Complex& b) {
    re += b.re;
    im += b.im;
    return *this;
  }
  HD Complex& operator+=(double b) {
    re += b;
    return *this;
  }
  HD Complex& operator-=(const Complex& b) {
    re -= b.re;
    im -= b.im;
    return *this;
  }
};

template <class T>
HD Complex<T> operator*(const Complex<T>& a, const Complex<T>& b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

// a - b c, fused where the processor can.
template <class T>
HD T minus_product(const T& a, const T& b, const T& c) {
  return a - b * c;
}

template <class T>
HD Complex<T> minus_product(const Complex<T>& a, const Complex<T>& b, const Complex<T>& c) {
  return {(a.re - b.re * c.re) + b.im * c.im, (a.im - b.re * c.im) - b.im * c.re};
}

// a times a real number (or one for each lane).
template <class R, class T>
HD T scaled(const R& a, const T& b) {
  return a * b;
}

template <class R, class T>
HD Complex<T> scaled(const R& a, const Complex<T>& b) {
  return {a * b.re, a * b.im};
}

// sum += a b for a real a.
template <class R, class T>
HD void add_scaled(T& sum, const R& a, const T& b) {
  sum += a * b;
}

template <class R, class T>
HD void add_scaled(Complex<T>& sum, const R& a, const Complex<T>& b) {
  sum.re += a * b.re;
  sum.im += a * b.im;
}

// The real part of a b.
template <class T>
HD T real_product(const T& a, const T& b) {
  return a * b;
}

template <class T>
HD T real_product(const Complex<T>& a, const Complex<T>& b) {
  return a.re * b.re - a.im * b.im;
}

template <class T>
HD T inverse(const T& a) {
  return 1.0 / a;
}

template <class T>
HD Complex<T> inverse(const Complex<T>& a) {
  const T scale = 1.0 / (a.re * a.re + a.im * a.im);
  return {a.re * scale, -a.im * scale};
}

}  // namespace lesionkit
