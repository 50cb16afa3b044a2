// One block of right-hand sides of one system: rounds of conjugate gradients in float, each for
// what the last one has left over in double (iterative refinement). Modulated light: the same with
// products that are not conjugated (COCG: van der Vorst and Melissen, IEEE Trans. Magn. 26, 706,
// 1990), the preconditioner being that of the real part.
#pragma once

#include <algorithm>
#include <cmath>

#include "optics/volume/cycle.hpp"

namespace lesionkit::optics {

// The matrix of one system, in both precisions; imaginary: null if light is not modulated.
struct SystemMatrix {
  const VolumePlan& plan;
  const double *real, *imaginary;
  const float *real_float, *imaginary_float;

  template <class T>
  Entries<T> entries(bool of_imaginary) const {
    const T* value;
    if constexpr (sizeof(T) == sizeof(float))
      value = of_imaginary ? imaginary_float : real_float;
    else
      value = of_imaginary ? imaginary : real;
    return {plan.start.data(), plan.column.data(), plan.diagonal.data(), value, plan.nodes};
  }

  // Row i of A x.
  template <class T>
  Row<T> product(int64_t i, const T* x) const {
    const int64_t begin = plan.start[i], end = plan.start[i + 1];
    Row<T> sum = Row<T>::zero();
    const Entries<T> a = entries<T>(false);
    add_products<false>(sum, a.column, a.value, begin, end, x);
    if (imaginary != nullptr) {  // (a + ib)(x + iy) = ax - by + i (ay + bx)
      Row<T> other = Row<T>::zero();
      add_products<false>(other, a.column, entries<T>(true).value, begin, end, x);
      other = other.swapped();
      UNROLL
      for (int p = 0; p < Row<T>::PARTS; ++p)
        sum.part[p] += p < Row<T>::PARTS / 2 ? -other.part[p] : other.part[p];
    }
    return sum;
  }
};

// Two numbers for each column, or a complex one for each of the first half of the columns.
struct ColumnNumbers {
  double value[W];

  // a / b, column by column; 0 where b is.
  static ColumnNumbers ratio(const ColumnNumbers& a, const ColumnNumbers& b, bool modulated) {
    ColumnNumbers out{};
    if (!modulated) {
      for (int i = 0; i < W; ++i) out.value[i] = b.value[i] != 0 ? a.value[i] / b.value[i] : 0;
      return out;
    }
    for (int i = 0; i < W / 2; ++i) {
      const double re = b.value[i], im = b.value[i + W / 2], size = re * re + im * im;
      if (size == 0) continue;
      out.value[i] = (a.value[i] * re + a.value[i + W / 2] * im) / size;
      out.value[i + W / 2] = (a.value[i + W / 2] * re - a.value[i] * im) / size;
    }
    return out;
  }
};

// x * factor, column by column, for rows.
class Factors {
 public:
  Factors(const ColumnNumbers& number, bool modulated) : modulated_(modulated) {
    float same[W], cross[W];
    for (int i = 0; i < W; ++i) {
      same[i] = static_cast<float>(number.value[modulated ? i % (W / 2) : i]);
      const double other = number.value[(i + W / 2) % W];
      cross[i] = static_cast<float>(i < W / 2 ? -other : number.value[i]);
    }
    same_ = Row<float>::of(same);
    cross_ = Row<float>::of(cross);
  }
  // to += factor * x
  void add(Row<float>& to, const Row<float>& x) const {
    to.add(same_, x);
    if (modulated_) to.add(cross_, x.swapped());
  }
  void subtract(Row<float>& to, const Row<float>& x) const {
    Row<float> part = Row<float>::zero();
    add(part, x);
    to.add(-1.0f, part);
  }

 private:
  bool modulated_;
  Row<float> same_, cross_;
};

class Block {
 public:
  // right, answer: [node][W]
  Block(const SystemMatrix& matrix, const double* right, double* answer)
      : matrix_(matrix), n_(matrix.plan.nodes), right_(right), x_(answer) {
    std::fill(x_, x_ + n_ * W, 0.0);
    r_ = large<float>(n_ * W);
    z_ = large<float>(n_ * W);
  }

  // The residual of what there is, and its size in the energy norm: energy[W] of each column.
  void look(Cycle& cycle) {
    double largest[W] = {};
    Large<double> residual = large<double>(n_ * W);
    for (int64_t i = 0; i < n_; ++i) {
      Row<double> left = Row<double>::of(right_ + i * W);
      left.add(-1.0, matrix_.product(i, x_));
      double* row = residual.get() + i * W;
      left.to(row);
      for (int c = 0; c < W; ++c) largest[c] = std::max(largest[c], std::abs(row[c]));
    }
    for (int c = 0; c < W; ++c) {
      const int other = matrix_.imaginary != nullptr ? (c + W / 2) % W : c;
      const double size = std::max(largest[c], largest[other]);
      scale[c] = size > 0 ? size : 1;
    }
    for (int64_t i = 0; i < n_; ++i)
      for (int c = 0; c < W; ++c)
        r_[i * W + c] = static_cast<float>(residual[i * W + c] / scale[c]);
    precondition(cycle);
  }

  // Conjugate gradients until the energy of every column is down by `target`, at most `most`
  // iterations; then `look`. Returns how many were done.
  int round(Cycle& cycle, double target, int most) {
    const bool modulated = matrix_.imaginary != nullptr;
    Large<float> p = large<float>(n_ * W), q = large<float>(n_ * W), e = large<float>(n_ * W);
    std::copy(z_.get(), z_.get() + n_ * W, p.get());
    std::fill(e.get(), e.get() + n_ * W, 0.0f);
    double at_first[W];
    std::copy(hermitian_, hermitian_ + W, at_first);
    int done = 0;
    while (done < most) {
      ++done;
      Dots same, cross;
      for (int64_t i = 0; i < n_; ++i) {
        const Row<float> product = matrix_.product(i, p.get());
        product.to(q.get() + i * W);
        const Row<float> along = Row<float>::of(p.get() + i * W);
        same.add(along, product);
        if (modulated) cross.add(along, product.swapped());
      }
      const ColumnNumbers bottom = bilinear(same, cross);
      const ColumnNumbers before = rho_;
      const Factors step(ColumnNumbers::ratio(before, bottom, modulated), modulated);
      for (int64_t i = 0; i < n_; ++i) {
        Row<float> there = Row<float>::of(e.get() + i * W), left = Row<float>::of(r_.get() + i * W);
        step.add(there, Row<float>::of(p.get() + i * W));
        step.subtract(left, Row<float>::of(q.get() + i * W));
        there.to(e.get() + i * W);
        left.to(r_.get() + i * W);
      }
      precondition(cycle);
      bool enough = true;
      for (int c = 0; c < W; ++c)
        enough &= !(std::abs(hermitian_[c]) > target * target * std::abs(at_first[c]));
      if (enough) break;
      const Factors turn(ColumnNumbers::ratio(rho_, before, modulated), modulated);
      for (int64_t i = 0; i < n_; ++i) {
        Row<float> next = Row<float>::of(z_.get() + i * W);
        turn.add(next, Row<float>::of(p.get() + i * W));
        next.to(p.get() + i * W);
      }
    }
    for (int64_t i = 0; i < n_; ++i)
      for (int c = 0; c < W; ++c) x_[i * W + c] += scale[c] * static_cast<double>(e[i * W + c]);
    look(cycle);
    return done;
  }

  const float* residual() const { return r_.get(); }
  double scale[W];   // of the residual
  double energy[W];  // an estimate of the error's energy norm, of each column

 private:
  void precondition(Cycle& cycle) {
    const bool modulated = matrix_.imaginary != nullptr;
    Dots same, cross;
    cycle.run(r_.get(), z_.get(), [&](const Row<float>& r, const Row<float>& z) {
      same.add(r, z);
      if (modulated) cross.add(r, z.swapped());
    });
    double parts[W];
    rho_ = bilinear(same, cross, parts);
    for (int c = 0; c < W; ++c) {
      hermitian_[c] = modulated ? parts[c % (W / 2)] + parts[c % (W / 2) + W / 2] : parts[c];
      energy[c] = scale[c] * std::sqrt(std::max(hermitian_[c], 0.0));
    }
  }

  // Sums of products that are not conjugated; parts: those of the columns themselves.
  ColumnNumbers bilinear(Dots& same, Dots& cross, double* parts = nullptr) const {
    ColumnNumbers out;
    same.take(out.value);
    if (parts != nullptr) std::copy(out.value, out.value + W, parts);
    if (matrix_.imaginary != nullptr) {
      double other[W];
      cross.take(other);
      for (int i = 0; i < W / 2; ++i) {
        out.value[i] -= out.value[i + W / 2];
        out.value[i + W / 2] = other[i] + other[i + W / 2];
      }
    }
    return out;
  }

  const SystemMatrix& matrix_;
  int64_t n_;
  const double* right_;
  double* x_;
  Large<float> r_, z_;
  ColumnNumbers rho_;
  double hermitian_[W];
};

}  // namespace lesionkit::optics
