// Light in tetrahedra: what the bindings call. Arrays of maps and answers are looked at here.
#pragma once

#include <complex>

#include "common/view.hpp"
#include "optics/volume/plan.hpp"

namespace lesionkit::optics {

// out (n, entries): the real part of the matrix, from maps (n, properties).
void assemble(const VolumePlan& plan, View<const double> absorption, View<const double> scattering,
              View<double> out);
void assemble(const VolumePlan& plan, const double* absorption, const double* scattering,
              double* out);

// How far a solve goes: until the error of every field in the energy norm is below `field` times
// the field's own, and that of every reading (by the product of two such errors) below `reading`
// times itself; 0: not asked for.
struct Accuracy {
  double field, reading;
  int rounds;  // at most, of some iterations each
};

// By how much the first round takes the errors down, of tissue of these mean properties.
double first_target(const VolumePlan& plan, Accuracy accuracy, double absorbs, double scatters);

// Fields of all optodes, out (n, nodes, sources + detectors), and readings (n, sources, detectors),
// of maps (n, properties). Returns the largest relative error left, by the estimates: above 1 (in
// units of what was asked for) where `rounds` did not do.
// near: fields to begin with, as `out`, of maps not far from these; or empty.
// Out: double, or std::complex<double> for modulated light. iterations (n): of all rounds.
template <class Out>
double volume_fields(const VolumePlan& plan, const Hierarchy& hierarchy,
                     View<const double> absorption, View<const double> scattering,
                     View<const Out> near, Accuracy accuracy, View<Out> readings, View<Out> out,
                     View<int32_t> iterations);

struct Coarse;  // optics/kernels.hpp

// Derivatives of readings, of maps (n, properties), from the fields that `volume_fields` gives.
// by_absorption, by_scattering: (n, sources, detectors, properties)
template <class Out>
void volume_jacobian(const VolumePlan& plan, View<const double> absorption,
                     View<const double> scattering, View<const Out> field, View<Out> by_absorption,
                     View<Out> by_scattering);
// scale (n, pairs); by_absorption, by_scattering: (n, functions, pairs)
template <class Out>
void volume_coarse_jacobian(const VolumePlan& plan, View<const double> absorption,
                            View<const double> scattering, View<const Out> field,
                            const Coarse& coarse, View<const Out> scale, View<Out> by_absorption,
                            View<Out> by_scattering);
// weight (n, sources, detectors); by_absorption, by_scattering: (n, properties)
template <class Out>
void volume_gradient(const VolumePlan& plan, View<const double> absorption,
                     View<const double> scattering, View<const Out> field, View<const Out> weight,
                     View<double> by_absorption, View<double> by_scattering);

}  // namespace lesionkit::optics
