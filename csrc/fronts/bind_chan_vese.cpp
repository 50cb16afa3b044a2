// lesionkit.fronts, contours without edges. Python has checked the arrays and scaled the image
// (fronts/chan_vese.py). Compiled without fused products and sums: setup.py.
#include <pybind11/stl.h>

#include <optional>
#include <vector>

#include "common/arrays.hpp"
#include "fronts/chan_vese_pass.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::fronts;

namespace {

// Until the root mean square change is at most `tol`, or `most` times. Returns how often; the level
// set is in `phi` again.
template <class T, int axes, bool masked>
int64_t evolve(const ChanVeseProblem<T>& problem, T* phi, T tol, int64_t most,
               std::vector<double>* energies) {
  const int64_t size = problem.grid.size();
  std::vector<T> other(size);
  T *now = phi, *next = other.data();
  ChanVese<T, axes, masked> state(problem);
  state.measure(now);
  int64_t done = 0;
  for (bool moving = true; moving && done < most; ++done) {
    if (energies) energies->push_back(state.energy(now));
    moving = state.iterate(now, next) > tol;
    std::swap(now, next);
  }
  if (now != phi) std::copy(now, now + size, phi);
  return done;
}

template <class T>
py::object chan_vese(const Array<T>& image, const std::optional<Array<uint8_t>>& mask,
                     Array<T>& phi, bool volume, double mu, const std::vector<double>& lambdas,
                     double tol, int64_t most, double dt, bool with_energies) {
  ChanVeseProblem<T> p = {};
  p.image = image.data();
  p.channels = image.shape(0);
  p.grid = {image.shape(1), image.shape(2), image.shape(3)};
  p.mask = mask ? mask->data() : nullptr;
  p.counted = p.grid.size();
  p.lambdas.assign(lambdas.begin(), lambdas.end());
  p.rule = {static_cast<T>(mu), static_cast<T>(dt), static_cast<T>(mu * dt)};
  std::vector<double> energies;
  T* const level = phi.mutable_data();
  {
    py::gil_scoped_release release;
    if (p.mask) p.counted = std::count(p.mask, p.mask + p.grid.size(), 1);
    const auto run = [&](auto kind) {
      kind(p, level, static_cast<T>(tol), most, with_energies ? &energies : nullptr);
    };
    if (volume)
      run(p.mask ? evolve<T, 3, true> : evolve<T, 3, false>);
    else
      run(p.mask ? evolve<T, 2, true> : evolve<T, 2, false>);
  }
  return py::cast(energies);
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
