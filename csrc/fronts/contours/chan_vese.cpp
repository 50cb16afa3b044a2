// Contours without edges. Sums and products stay apart here, so that the bits are NumPy's: before
// anything that is included, for what is inlined has to be compiled alike.
#if defined(__clang__)
#pragma clang fp contract(off)
#else
#pragma GCC optimize("fp-contract=off")
#endif

#include <algorithm>
#include <vector>

#include "common/view.hpp"
#include "fronts/contours/chan_vese_pass.hpp"
#include "fronts/contours/kernels.hpp"

namespace lesionkit::fronts::contours {
namespace {

// Until the root mean square change is at most `tol`, or `max_iter` times. The level set is in
// `phi` again. Of each iteration what the energy is made of goes to `energy_sums`, if that is
// wanted.
template <class T, int axes, bool masked>
void evolve(const ChanVeseProblem<T>& problem, T* phi, T tol, int64_t max_iter,
            std::vector<double>* energy_sums) {
  const int64_t size = problem.grid.size();
  std::vector<T> other(size);
  T *now = phi, *next = other.data();
  ChanVese<T, axes, masked> state(problem);
  state.measure(now);
  bool moving = true;
  for (int64_t done = 0; moving && done < max_iter; ++done) {
    if (energy_sums) state.add_energy_sums(now, *energy_sums);
    moving = state.iterate(now, next) > tol;
    std::swap(now, next);
  }
  if (now != phi) std::copy(now, now + size, phi);
}

}  // namespace

template <class T>
std::vector<double> chan_vese(View<const T> image, Maybe<const uint8_t> mask, View<T> phi,
                              bool volume, double mu, const std::vector<double>& lambdas,
                              double tol, int64_t max_iter, double dt, bool with_energies) {
  ChanVeseProblem<T> p = {};
  p.image = image.data();
  p.channels = image.shape(0);
  p.grid = {image.shape(1), image.shape(2), image.shape(3)};
  p.mask = data_or_null(mask);
  p.counted = p.grid.size();
  p.lambdas.assign(lambdas.begin(), lambdas.end());
  p.rule = {static_cast<T>(mu), static_cast<T>(dt), static_cast<T>(mu * dt)};
  std::vector<double> energy_sums;
  if (p.mask) p.counted = std::count(p.mask, p.mask + p.grid.size(), 1);
  const auto run = [&](auto kind) {
    kind(p, phi.data(), static_cast<T>(tol), max_iter, with_energies ? &energy_sums : nullptr);
  };
  if (volume)
    run(p.mask ? evolve<T, 3, true> : evolve<T, 3, false>);
  else
    run(p.mask ? evolve<T, 2, true> : evolve<T, 2, false>);
  return energy_sums;
}

#define CHAN_VESE(T)                                                                          \
  template std::vector<double> chan_vese(View<const T>, Maybe<const uint8_t>, View<T>, bool,  \
                                         double, const std::vector<double>&, double, int64_t, \
                                         double, bool);
CHAN_VESE(double)
CHAN_VESE(float)

}  // namespace lesionkit::fronts::contours
