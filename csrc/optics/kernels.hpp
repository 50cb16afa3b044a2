// Light in tissue: what the bindings and the tests call. The arrays of maps and answers fit the
// plan: the binding has looked.
#pragma once

#include <array>
#include <complex>

#include "common/view.hpp"
#include "optics/plan.hpp"

namespace lesionkit::optics {

struct Maps {  // one map of absorption and scattering per system
  const double *absorption, *scattering;
  int64_t count, properties;
};

struct Mixtures {  // a background and K materials, mixed by their fractions of each element
  const double* fractions;                // [count][K][properties]
  const double *absorption, *scattering;  // [count][1 + K]
  int64_t count, materials, properties;
};

// Out: double, or std::complex<double> in the frequency domain.
// out: [system][source][detector], of Maps or Mixtures.
template <class Out, class Input>
void measure(const ForwardPlan& plan, const Input& input, Out* out);
// out: [system][source][node]
template <class Out>
void fluence(const ForwardPlan& plan, const Maps& maps, Out* out);
// out: [system][node][sources, then detectors]; readings: [system][source][detector]
template <class Out>
void fields(const ForwardPlan& plan, const Maps& maps, Out* readings, Out* out);
// field: as `fields` gives it; by_absorption, by_scattering: [system][source][detector][property]
template <class Out>
void jacobian(const ForwardPlan& plan, const Maps& maps, const Out* field, Out* by_absorption,
              Out* by_scattering);

// Coarse functions as weights of properties, row i those of property i; and which pairs (source *
// detectors + detector) are wanted of them.
struct Coarse {
  int64_t count;
  const int64_t* start;
  const int32_t* column;
  const double* weight;
  int64_t pairs;
  const int32_t* pair;
};

// scale: [system][pair]; by_absorption, by_scattering: [system][function][pair]
template <class Out>
void coarse_jacobian(const ForwardPlan& plan, const Maps& maps, const Out* field,
                     const Coarse& coarse, const Out* scale, Out* by_absorption,
                     Out* by_scattering);
// weight: [system][source][detector]; by_absorption, by_scattering: [system][property]
template <class Out>
void gradient(const ForwardPlan& plan, const Maps& maps, const Out* weight, double* by_absorption,
              double* by_scattering);

// Phantoms: Python has checked shapes and values (optics/phantoms/generate.py). Phantom i of an
// array is item `first` + i of the seed's random streams.
std::array<uint32_t, 4> philox_words(std::array<uint32_t, 4> counter, uint64_t key);
void normals(View<const uint32_t> words, View<float> out);
// limits: as Limits of phantom.hpp; regions (n, 3, 8): as Region
void draw_regions(View<const double> limits, View<const double> single_diameters, uint64_t seed,
                  uint64_t first, View<double> regions);
// shares (n, 2, elements): which part of each triangle lies in each inclusion.
void element_shares(View<const double> regions, View<const double> corners, View<double> shares);
// chromophores (n, 3, pixels, pixels), mri (n, pixels, pixels)
void paint(View<const double> regions, double radius, std::array<double, 2> gray, double noise,
           uint64_t seed, uint64_t first, View<float> chromophores, View<uint8_t> mri);
// readings (wavelengths, n, optodes, optodes) -> signal (n, wavelengths, optodes, optodes - 1).
void add_noise(View<const double> readings, double noise, uint64_t seed, uint64_t first,
               View<float> signal);

}  // namespace lesionkit::optics
