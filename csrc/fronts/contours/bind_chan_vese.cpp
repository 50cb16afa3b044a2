// lesionkit.fronts, contours without edges. Python has checked the arrays and scaled the image
// (fronts/contours/chan_vese.py). Compiled without fused products and sums: setup.py.
#include <pybind11/stl.h>

#include <optional>
#include <vector>

#include "common/arrays.hpp"
#include "fronts/contours/chan_vese_pass.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::fronts::contours;

namespace {

// Until the root mean square change is at most `tol`, or `most` times. The level set is in `phi`
// again. Of each iteration what the energy is made of goes to `energy_sums`, if that is wanted.
template <class T, int axes, bool masked>
void evolve(const ChanVeseProblem<T>& problem, T* phi, T tol, int64_t most,
            std::vector<double>* energy_sums) {
  const int64_t size = problem.grid.size();
  std::vector<T> other(size);
  T *now = phi, *next = other.data();
  ChanVese<T, axes, masked> state(problem);
  state.measure(now);
  bool moving = true;
  for (int64_t done = 0; moving && done < most; ++done) {
    if (energy_sums) state.add_energy_sums(now, *energy_sums);
    moving = state.iterate(now, next) > tol;
    std::swap(now, next);
  }
  if (now != phi) std::copy(now, now + size, phi);
}

template <class T>
std::vector<double> chan_vese(const Array<T>& image, const std::optional<Array<uint8_t>>& mask,
                              Array<T>& phi, bool volume, double mu,
                              const std::vector<double>& lambdas, double tol, int64_t most,
                              double dt, bool with_energies) {
  ChanVeseProblem<T> p = {};
  p.image = image.data();
  p.channels = image.shape(0);
  p.grid = {image.shape(1), image.shape(2), image.shape(3)};
  p.mask = mask ? mask->data() : nullptr;
  p.counted = p.grid.size();
  p.lambdas.assign(lambdas.begin(), lambdas.end());
  p.rule = {static_cast<T>(mu), static_cast<T>(dt), static_cast<T>(mu * dt)};
  std::vector<double> energy_sums;
  T* const level = phi.mutable_data();
  {
    lesionkit::WithoutGil release;
    if (p.mask) p.counted = std::count(p.mask, p.mask + p.grid.size(), 1);
    const auto run = [&](auto kind) {
      kind(p, level, static_cast<T>(tol), most, with_energies ? &energy_sums : nullptr);
    };
    if (volume)
      run(p.mask ? evolve<T, 3, true> : evolve<T, 3, false>);
    else
      run(p.mask ? evolve<T, 2, true> : evolve<T, 2, false>);
  }
  return energy_sums;
}

template <class T>
void bind(py::module_& m) {
  m.def("chan_vese", &chan_vese<T>, py::arg("image").noconvert(), py::arg("mask").noconvert(),
        py::arg("phi").noconvert(), py::arg("volume"), py::arg("mu"), py::arg("lambdas"),
        py::arg("tol"), py::arg("most"), py::arg("dt"), py::arg("with_energies"));
}

}  // namespace

void bind_chan_vese(py::module_ m) {
  bind<double>(m);
  bind<float>(m);
}
