// One block of right-hand sides of one system: rounds of conjugate gradients in float, each for
// what the last one has left over in double (iterative refinement). Modulated light: the same with
// products that are not conjugated (COCG: van der Vorst and Melissen, IEEE Trans. Magn. 26, 706,
// 1990), the preconditioner being that of the real part.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

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
    for (int i = 0; i < (modulated ? W / 2 : W); ++i) {
      const int im = (i + W / 2) % W;
      const ColumnNumber found =
          lesionkit::optics::ratio({a.value[i], a.value[im]}, {b.value[i], b.value[im]}, modulated);
      out.value[i] = found.re;
      if (modulated) out.value[im] = found.im;
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

// What a right-hand side holds at a node.
struct Load {
  int64_t node;
  int column;
  double weight;
};

class Block {
 public:
  // answer: [node][W], 0, or where the iterations begin: fields that are near the answer.
  Block(const SystemMatrix& matrix, const std::vector<Load>& right, double* answer, bool near,
        Cycle& cycle)
      : matrix_(matrix), n_(matrix.plan.nodes), right_(right), x_(answer) {
    for (Large<float>* each : {&left_, &r_, &z_, &p_, &q_, &e_}) *each = large<float>(n_ * W);
    Large<double> left = large<double>(n_ * W);
    if (near)
      residual_of_answer(left.get());
    else
      std::fill(left.get(), left.get() + n_ * W, 0.0);
    keep_residual(left.get());
    restart(cycle);
    if (near)
      sizes_of_answer();
    else
      std::copy(energy, energy + W, size);
  }

  // Conjugate gradients until the energy of every column is down by `target`, at most `most`
  // iterations; then the residual anew. Returns how many were done.
  int round(Cycle& cycle, double target, int most) {
    const bool modulated = matrix_.imaginary != nullptr;
    if (restarted_)
      std::copy(z_.get(), z_.get() + n_ * W, p_.get());
    else
      turn();
    restarted_ = false;
    std::fill(e_.get(), e_.get() + n_ * W, 0.0f);
    double at_first[W];
    std::copy(hermitian_, hermitian_ + W, at_first);
    int done = 0;
    for (;;) {
      ++done;
      Dots same, cross;
      for (int64_t i = 0; i < n_; ++i) {
        const Row<float> product = matrix_.product(i, p_.get());
        product.to(q_.get() + i * W);
        const Row<float> along = Row<float>::of(p_.get() + i * W);
        same.add(along, product);
        if (modulated) cross.add(along, product.swapped());
      }
      const ColumnNumbers bottom = bilinear(same, cross);
      before_ = rho_;
      const Factors step(ColumnNumbers::ratio(before_, bottom, modulated), modulated);
      for (int64_t i = 0; i < n_; ++i) {
        Row<float> there = Row<float>::of(e_.get() + i * W);
        Row<float> left = Row<float>::of(r_.get() + i * W);
        step.add(there, Row<float>::of(p_.get() + i * W));
        step.subtract(left, Row<float>::of(q_.get() + i * W));
        there.to(e_.get() + i * W);
        left.to(r_.get() + i * W);
      }
      precondition(cycle);
      if (done == most || down_by(target, at_first)) break;
      turn();
    }
    for (int64_t i = 0; i < n_; ++i)
      for (int c = 0; c < W; ++c)
        x_[i * W + c] += solved_scale[c] * static_cast<double>(e_[i * W + c]);
    Large<double> left = large<double>(n_ * W);
    residual_of_answer(left.get());
    keep_residual(left.get());
    if (down_by(ROUGH, at_restart_)) restart(cycle);
    return done;
  }

  // The residual, times 1 / scale, and what the preconditioner makes of it, times 1 / solved_scale.
  const float* residual() const { return left_.get(); }
  const float* solved() const { return z_.get(); }
  double scale[W], solved_scale[W];
  double energy[W];  // an estimate of the error's energy norm, of each column
  double size[W];    // and of the answer's own

 private:
  // Rounding in float sets the residual of the iterations apart from the true one by some 1e-6 of
  // the first: once they are down by this they begin anew from the true one. Until then they go on
  // from round to round.
  static constexpr double ROUGH = 5e-6;

  bool down_by(double target, const double* first) const {
    bool enough = true;
    for (int c = 0; c < W; ++c)
      enough &= !(std::abs(hermitian_[c]) > target * target * std::abs(first[c]));
    return enough;
  }

  // -A x
  void residual_of_answer(double* left) const {
    for (int64_t i = 0; i < n_; ++i) {
      Row<double> row = Row<double>::zero();
      row.add(-1.0, matrix_.product(i, x_));
      row.to(left + i * W);
    }
  }

  // The root of x'b, which is x'A x where x is near the answer.
  void sizes_of_answer() {
    double square[W] = {};
    for (const Load& load : right_) {
      const double* x = x_ + load.node * W;
      square[load.column] += load.weight * x[load.column];
      if (matrix_.imaginary != nullptr)
        square[load.column + W / 2] += load.weight * x[load.column + W / 2];
    }
    for (int c = 0; c < W; ++c) {
      const bool modulated = matrix_.imaginary != nullptr;
      size[c] = std::sqrt(modulated ? std::hypot(square[c % (W / 2)], square[c % (W / 2) + W / 2])
                                    : std::abs(square[c]));
    }
  }

  // From what the right-hand sides are to be added to.
  void keep_residual(double* residual) {
    for (const Load& load : right_) residual[load.node * W + load.column] += load.weight;
    double largest[W] = {};
    for (int64_t i = 0; i < n_; ++i)
      for (int c = 0; c < W; ++c) largest[c] = std::max(largest[c], std::abs(residual[i * W + c]));
    for (int c = 0; c < W; ++c) {
      const int other = matrix_.imaginary != nullptr ? (c + W / 2) % W : c;
      const double size = std::max(largest[c], largest[other]);
      scale[c] = size > 0 ? size : 1;
    }
    for (int64_t i = 0; i < n_; ++i)
      for (int c = 0; c < W; ++c)
        left_[i * W + c] = static_cast<float>(residual[i * W + c] / scale[c]);
  }

  void restart(Cycle& cycle) {
    restarted_ = true;
    std::copy(left_.get(), left_.get() + n_ * W, r_.get());
    std::copy(scale, scale + W, solved_scale);
    precondition(cycle);
    std::copy(hermitian_, hermitian_ + W, at_restart_);
  }

  // The next direction.
  void turn() {
    const bool modulated = matrix_.imaginary != nullptr;
    const Factors factor(ColumnNumbers::ratio(rho_, before_, modulated), modulated);
    for (int64_t i = 0; i < n_; ++i) {
      Row<float> next = Row<float>::of(z_.get() + i * W);
      factor.add(next, Row<float>::of(p_.get() + i * W));
      next.to(p_.get() + i * W);
    }
  }

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
      energy[c] = solved_scale[c] * std::sqrt(std::max(hermitian_[c], 0.0));
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
  const std::vector<Load>& right_;
  double* x_;
  Large<float> left_, r_, z_, p_, q_, e_;
  bool restarted_;
  ColumnNumbers rho_, before_;  // of this iteration and the last
  double hermitian_[W], at_restart_[W];
};

}  // namespace lesionkit::optics
