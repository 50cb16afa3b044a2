// lesionkit.clustering, fuzzy c-means: Python has checked shapes, dtypes and ranges
// (clustering/fcm.py).
#include <pybind11/stl.h>

#include "clustering/fcm_answers.hpp"
#include "clustering/fcm_fit.hpp"
#include "clustering/survey.hpp"
#include "common/arrays.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::clustering;

namespace {

using Weight = std::optional<Array<double>>;

const double* pointer(const Weight& weight) { return weight ? weight->data() : nullptr; }

// The power of two that makes `range` at most 1.
template <class T>
double scale_for(double range) {
  if (!(range > 0.0)) return 1.0;
  const int most = std::numeric_limits<T>::max_exponent - 3;
  return std::ldexp(1.0, std::clamp(-std::ilogb(std::min(range, 1e308)) - 1, -most, most));
}

// range: the longest distance there may be between a sample and a centre
template <class T>
Samples<T> samples_of(const Array<T>& x, const Weight& weight, double range,
                      double greatest_weight = 1.0) {
  return {x.data(),   pointer(weight),     x.shape(0),
          x.shape(1), scale_for<T>(range), 1.0 / greatest_weight};
}

template <class T>
void bind_for(py::module_& m) {
  m.def(
      "fcm_fit",
      [](const Array<T>& x, const Weight& weight, double range, double greatest_weight,
         double total_weight, double fuzziness, int64_t max_iter, double tol, bool of_memberships,
         Array<double>& centres) {
        const Samples<T> samples = samples_of(x, weight, range, greatest_weight);
        const Stop stop = {max_iter, tol, of_memberships};
        const int64_t c = centres.shape(0);
        double* moved = centres.mutable_data();
        Fit result;
        {
          py::gil_scoped_release release;
          result = fit(samples, c, Fuzziness(fuzziness), stop, total_weight, moved);
        }
        return py::make_tuple(result.n_iter, result.objective);
      },
      py::arg("x").noconvert(), py::arg("weight").noconvert(), py::arg("range"),
      py::arg("greatest_weight"), py::arg("total_weight"), py::arg("m"), py::arg("max_iter"),
      py::arg("tol"), py::arg("of_memberships"), py::arg("centres").noconvert());
  m.def(
      "fcm_memberships",
      [](const Array<T>& x, double range, double fuzziness, Array<double>& centres, int64_t plane,
         Array<T>& out) {
        write_memberships(samples_of(x, {}, range), centres.data(), centres.shape(0),
                          Fuzziness(fuzziness), plane, out.mutable_data());
      },
      py::arg("x").noconvert(), py::arg("range"), py::arg("m"), py::arg("centres").noconvert(),
      py::arg("plane"), py::arg("out").noconvert(), ReleaseGil());
  m.def(
      "fcm_distances",
      [](const Array<T>& x, double range, Array<double>& centres, Array<T>& out) {
        write_distances(samples_of(x, {}, range), centres.data(), centres.shape(0),
                        out.mutable_data());
      },
      py::arg("x").noconvert(), py::arg("range"), py::arg("centres").noconvert(),
      py::arg("out").noconvert(), ReleaseGil());
  m.def(
      "fcm_labels",
      [](const Array<T>& x, double range, Array<double>& centres, Array<int32_t>& out) {
        if (x.shape(1) == 1)
          write_labels_of_line(x.data(), x.shape(0), centres.data(), centres.shape(0),
                               out.mutable_data());
        else
          write_labels(samples_of(x, {}, range), centres.data(), centres.shape(0),
                       out.mutable_data());
      },
      py::arg("x").noconvert(), py::arg("range"), py::arg("centres").noconvert(),
      py::arg("out").noconvert(), ReleaseGil());
  m.def(
      "survey",
      [](const Array<T>& x, const Weight& weight, Array<double>& out) {
        return survey(samples_of(x, weight, 0.0), reinterpret_cast<Survey*>(out.mutable_data()));
      },
      py::arg("x").noconvert(), py::arg("weight").noconvert(), py::arg("out").noconvert(),
      ReleaseGil());
  m.def(
      "whole_numbers", [](const Array<T>& x) { return whole_numbers(x.data(), x.size()); },
      py::arg("x").noconvert(), ReleaseGil());
}

template <class T>
void bind_counts(py::module_& m) {
  m.def(
      "count_values",
      [](const Array<T>& x, const Weight& weight, int64_t low, Array<double>& counts) {
        count_values(x.data(), pointer(weight), x.size(), low, counts.mutable_data(),
                     counts.size());
      },
      py::arg("x").noconvert(), py::arg("weight").noconvert(), py::arg("low"),
      py::arg("counts").noconvert(), ReleaseGil());
}

}  // namespace

void bind_fcm(py::module_ m) {
  bind_for<float>(m);
  bind_for<double>(m);
  bind_counts<uint8_t>(m);
  bind_counts<int8_t>(m);
  bind_counts<uint16_t>(m);
  bind_counts<int16_t>(m);
  bind_counts<float>(m);
  bind_counts<double>(m);
}
