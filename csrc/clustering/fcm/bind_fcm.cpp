// lesionkit.clustering, fuzzy c-means: Python has checked shapes, dtypes and ranges
// (clustering/fcm.py).
#include <pybind11/stl.h>

#include "clustering/fcm/answers.hpp"
#include "clustering/fcm/fit.hpp"
#include "clustering/fcm/given.hpp"
#include "clustering/fcm/survey.hpp"
#include "clustering/fcm/validity.hpp"
#include "common/arrays.hpp"
#include "common/extent.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::clustering;
using namespace lesionkit::clustering::fuzzy;

namespace {

using Weight = std::optional<Array<double>>;

const double* pointer(const Weight& weight) { return weight ? weight->data() : nullptr; }

// The power of two that makes `span` at most 1.
template <class T>
double scale_for(double span) {
  if (!(span > 0.0)) return 1.0;
  const int most = std::numeric_limits<T>::max_exponent - 3;
  return std::ldexp(1.0, std::clamp(-std::ilogb(std::min(span, 1e308)) - 1, -most, most));
}

// Samples for an answer, in units of the spread of the centres.
template <class T>
Samples<T> samples_among(const Array<T>& x, const Array<double>& centres) {
  const int64_t c = centres.shape(0), d = centres.shape(1);
  double squares = 0.0;
  for (int64_t k = 0; k < d; ++k) {
    Extent extent;
    for (int64_t j = 0; j < c; ++j)
      extent.add({centres.data()[j * d + k], centres.data()[j * d + k], true});
    squares = std::hypot(squares, extent.high - extent.low);
  }
  return {x.data(), nullptr, x.shape(0), d, scale_for<T>(squares), 1.0};
}

// Moves the centres; (passes, objective). span: the longest distance there may be between a
// sample and a centre.
template <class T>
py::tuple fcm_fit(const Array<T>& x, const Weight& weight, double span, double greatest_weight,
                  double total_weight, double m, int64_t max_iter, double tol, bool of_memberships,
                  Array<double>& centres) {
  const Samples<T> samples = {x.data(),   pointer(weight),    x.shape(0),
                              x.shape(1), scale_for<T>(span), 1.0 / greatest_weight};
  const Stop stop = {max_iter, tol, of_memberships};
  const int64_t c = centres.shape(0);
  double* moved = centres.mutable_data();
  Fit result;
  {
    lesionkit::WithoutGil release;
    result = fit(samples, c, Fuzziness(m), stop, total_weight, moved);
  }
  return py::make_tuple(result.n_iter, result.objective);
}

// out: [n][c], or `planes`, [c][n]; or of one class, [n].
Strides strides_of(bool planes, int64_t n, int64_t c) {
  return planes ? Strides{1, n} : Strides{c, 1};
}

template <class T>
void fcm_memberships(const Array<T>& x, double m, const Array<double>& centres, int64_t only,
                     Array<T>& out, bool planes) {
  const int64_t c = centres.shape(0);
  const Strides strides = only < 0 ? strides_of(planes, x.shape(0), c) : Strides{1, 0};
  write_memberships(samples_among(x, centres), centres.data(), c, Fuzziness(m), only, strides,
                    out.mutable_data());
}

template <class T>
void fcm_distances(const Array<T>& x, const Array<double>& centres, Array<T>& out, bool planes) {
  const int64_t c = centres.shape(0);
  write_distances(samples_among(x, centres), centres.data(), c, strides_of(planes, x.shape(0), c),
                  out.mutable_data());
}

template <class T>
void fcm_labels(const Array<T>& x, const Array<double>& centres, Array<int32_t>& out) {
  const int64_t c = centres.shape(0);
  if constexpr (std::is_floating_point_v<T>)
    if (x.shape(1) > 1)
      return write_labels(samples_among(x, centres), centres.data(), c, out.mutable_data());
  write_labels_of_line(x.data(), x.shape(0), centres.data(), c, out.mutable_data());
}

// Passes, and what J was before each step of the memberships.
py::tuple cmeans_fit(const Array<double>& x, const Array<double>& u0, double span, double m,
                     double error, int64_t maxiter, Array<double>& centres) {
  const Samples<double> samples = {
      x.data(), nullptr, x.shape(0), x.shape(1), scale_for<double>(span), 1.0};
  const Given given = {u0.data(), centres.shape(0), Fuzziness(m)};
  double* moved = centres.mutable_data();
  std::vector<double> history;
  {
    lesionkit::WithoutGil release;
    history = fit_given(samples, given, error, maxiter, moved);
  }
  return py::make_tuple(history.size(), history);
}

// Of the memberships that belong to these centres, against u0: the norm of the change, and
// sum u0^m D.
py::tuple cmeans_change(const Array<double>& x, const Array<double>& u0, double span, double m,
                        const Array<double>& centres) {
  const Samples<double> samples = {
      x.data(), nullptr, x.shape(0), x.shape(1), scale_for<double>(span), 1.0};
  const Given given = {u0.data(), centres.shape(0), Fuzziness(m)};
  Change change;
  {
    lesionkit::WithoutGil release;
    change = change_from(samples, given, centres.data());
  }
  return py::make_tuple(change.norm, change.objective);
}

template <class T>
bool survey_of(const Array<T>& x, const Weight& weight, Array<double>& out) {
  const Samples<T> samples = {x.data(), pointer(weight), x.shape(0), x.shape(1), 1.0, 1.0};
  return survey(samples, reinterpret_cast<Survey*>(out.mutable_data()));
}

// Sums of w u^2 and w u ln u, and J.
template <class T>
py::tuple fcm_validity(const Array<T>& x, const Weight& weight, double m,
                       const Array<double>& centres) {
  Samples<T> samples = samples_among(x, centres);
  samples.weight = pointer(weight);
  ValiditySums sums;
  {
    lesionkit::WithoutGil release;
    sums = validity(samples, centres.data(), centres.shape(0), Fuzziness(m));
  }
  return py::make_tuple(sums.squares, sums.logarithm, sums.objective);
}

template <class T>
void bind_labels(py::module_& m) {
  m.def("fcm_labels", fcm_labels<T>, py::arg("x").noconvert(), py::arg("centres").noconvert(),
        py::arg("out").noconvert(), ReleaseGil());
}

template <class T>
void bind_reals(py::module_& m) {
  bind_labels<T>(m);
  m.def("fcm_fit", fcm_fit<T>, py::arg("x").noconvert(), py::arg("weight").noconvert(),
        py::arg("span"), py::arg("greatest_weight"), py::arg("total_weight"), py::arg("m"),
        py::arg("max_iter"), py::arg("tol"), py::arg("of_memberships"),
        py::arg("centres").noconvert());
  m.def("fcm_memberships", fcm_memberships<T>, py::arg("x").noconvert(), py::arg("m"),
        py::arg("centres").noconvert(), py::arg("only"), py::arg("out").noconvert(),
        py::arg("planes") = false, ReleaseGil());
  m.def("fcm_distances", fcm_distances<T>, py::arg("x").noconvert(), py::arg("centres").noconvert(),
        py::arg("out").noconvert(), py::arg("planes") = false, ReleaseGil());
  m.def("fcm_validity", fcm_validity<T>, py::arg("x").noconvert(), py::arg("weight").noconvert(),
        py::arg("m"), py::arg("centres").noconvert());
  m.def("fcm_survey", survey_of<T>, py::arg("x").noconvert(), py::arg("weight").noconvert(),
        py::arg("out").noconvert(), ReleaseGil());
}

}  // namespace

void bind_fcm(py::module_ m) {
  bind_labels<uint8_t>(m);
  bind_labels<int8_t>(m);
  bind_labels<uint16_t>(m);
  bind_labels<int16_t>(m);
  bind_reals<float>(m);
  bind_reals<double>(m);
  m.def("cmeans_fit", cmeans_fit, py::arg("x").noconvert(), py::arg("u0").noconvert(),
        py::arg("span"), py::arg("m"), py::arg("error"), py::arg("maxiter"),
        py::arg("centres").noconvert());
  m.def("cmeans_change", cmeans_change, py::arg("x").noconvert(), py::arg("u0").noconvert(),
        py::arg("span"), py::arg("m"), py::arg("centres").noconvert());
}
