// Fuzzy c-means: samples scaled, then the loops of the headers.

#include "clustering/fcm/answers.hpp"
#include "clustering/fcm/fit.hpp"
#include "clustering/fcm/given.hpp"
#include "clustering/fcm/kernels.hpp"
#include "clustering/fcm/statistics.hpp"
#include "clustering/fcm/validity.hpp"
#include "common/extent.hpp"
#include "common/view.hpp"

namespace lesionkit::clustering::fuzzy {
namespace {

// The power of two that makes `span` at most 1.
template <class T>
double scale_for(double span) {
  if (!(span > 0.0)) return 1.0;
  const int max_exponent = std::numeric_limits<T>::max_exponent - 3;
  return std::ldexp(
      1.0, std::clamp(-std::ilogb(std::min(span, 1e308)) - 1, -max_exponent, max_exponent));
}

// Samples for an answer, in units of the spread of the centres.
template <class T>
Samples<T> samples_among(View<const T> x, View<const double> centres) {
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

// out: [n][c], or `planes`, [c][n]; or of one class, [n].
Strides strides_of(bool planes, int64_t n, int64_t c) {
  return planes ? Strides{1, n} : Strides{c, 1};
}

}  // namespace

template <class T>
std::pair<int64_t, double> fcm_fit(View<const T> x, Maybe<const double> weight, double span,
                                   double greatest_weight, double total_weight, double m,
                                   int64_t max_iter, double tol, bool of_memberships,
                                   View<double> centres) {
  const Samples<T> samples = {x.data(),   data_or_null(weight), x.shape(0),
                              x.shape(1), scale_for<T>(span),   1.0 / greatest_weight};
  const Stop stop = {max_iter, tol, of_memberships};
  const int64_t c = centres.shape(0);
  const Fit result = fit(samples, c, Fuzziness(m), stop, total_weight, centres.data());
  return {result.n_iter, result.objective};
}

template <class T>
void fcm_memberships(View<const T> x, double m, View<const double> centres, int64_t only,
                     View<T> out, bool planes) {
  const int64_t c = centres.shape(0);
  const Strides strides = only < 0 ? strides_of(planes, x.shape(0), c) : Strides{1, 0};
  write_memberships(samples_among(x, centres), centres.data(), c, Fuzziness(m), only, strides,
                    out.data());
}

template <class T>
void fcm_distances(View<const T> x, View<const double> centres, View<T> out, bool planes) {
  const int64_t c = centres.shape(0);
  write_distances(samples_among(x, centres), centres.data(), c, strides_of(planes, x.shape(0), c),
                  out.data());
}

template <class T>
void fcm_labels(View<const T> x, View<const double> centres, View<int32_t> out) {
  const int64_t c = centres.shape(0);
  if constexpr (std::is_floating_point_v<T>)
    if (x.shape(1) > 1)
      return write_labels(samples_among(x, centres), centres.data(), c, out.data());
  write_labels_of_line(x.data(), x.shape(0), centres.data(), c, out.data());
}

std::pair<int64_t, std::vector<double>> cmeans_fit(View<const double> x, View<const double> u0,
                                                   double span, double m, double error,
                                                   int64_t maxiter, View<double> centres) {
  const Samples<double> samples = {
      x.data(), nullptr, x.shape(0), x.shape(1), scale_for<double>(span), 1.0};
  const Given given = {u0.data(), centres.shape(0), Fuzziness(m)};
  std::vector<double> history = fit_given(samples, given, error, maxiter, centres.data());
  return {static_cast<int64_t>(history.size()), std::move(history)};
}

std::pair<double, double> cmeans_change(View<const double> x, View<const double> u0, double span,
                                        double m, View<const double> centres) {
  const Samples<double> samples = {
      x.data(), nullptr, x.shape(0), x.shape(1), scale_for<double>(span), 1.0};
  const Given given = {u0.data(), centres.shape(0), Fuzziness(m)};
  const Change change = change_from(samples, given, centres.data());
  return {change.norm, change.objective};
}

template <class T>
bool column_statistics(View<const T> x, Maybe<const double> weight, View<double> out) {
  const Samples<T> samples = {x.data(), data_or_null(weight), x.shape(0), x.shape(1), 1.0, 1.0};
  return column_statistics(samples, reinterpret_cast<ColumnStatistics*>(out.data()));
}

template <class T>
std::tuple<double, double, double> fcm_validity(View<const T> x, Maybe<const double> weight,
                                                double m, View<const double> centres) {
  Samples<T> samples = samples_among(x, centres);
  samples.weight = data_or_null(weight);
  const ValiditySums sums = validity(samples, centres.data(), centres.shape(0), Fuzziness(m));
  return {sums.squares, sums.logarithm, sums.objective};
}

#define LABELS(T) template void fcm_labels(View<const T>, View<const double>, View<int32_t>);
LABELS(uint8_t)
LABELS(int8_t)
LABELS(uint16_t)
LABELS(int16_t)

#define REALS(T)                                                                                  \
  LABELS(T)                                                                                       \
  template std::pair<int64_t, double> fcm_fit(View<const T>, Maybe<const double>, double, double, \
                                              double, double, int64_t, double, bool,              \
                                              View<double>);                                      \
  template void fcm_memberships(View<const T>, double, View<const double>, int64_t, View<T>,      \
                                bool);                                                            \
  template void fcm_distances(View<const T>, View<const double>, View<T>, bool);                  \
  template std::tuple<double, double, double> fcm_validity(View<const T>, Maybe<const double>,    \
                                                           double, View<const double>);           \
  template bool column_statistics(View<const T>, Maybe<const double>, View<double>);
REALS(float)
REALS(double)

}  // namespace lesionkit::clustering::fuzzy
