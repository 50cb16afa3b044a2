// Absorption and reduced scattering of one system at one node or element, in mm^-1.
#pragma once

#include "common/portable.hpp"

namespace lesionkit::optics {

struct Optical {
  double absorption, scattering;
};

// A map of each property for every system: [system][property].
struct MapInput {
  const double *absorption, *scattering, *unused;
  int64_t materials, properties;

  HD Optical at(int64_t system, int64_t place) const {
    const int64_t i = system * properties + place;
    return {absorption[i], scattering[i]};
  }
};

// A background and K materials, mixed by the fractions that they fill of each element.
struct MixtureInput {
  const double* fractions;                // [system][K][property]
  const double *absorption, *scattering;  // [system][1 + K]
  int64_t materials, properties;

  HD Optical at(int64_t system, int64_t place) const {
    const double* a = absorption + system * (materials + 1);
    const double* s = scattering + system * (materials + 1);
    Optical tissue = {a[0], s[0]};
    for (int64_t k = 0; k < materials; ++k) {
      const double f = fractions[(system * materials + k) * properties + place];
      tissue.absorption += f * (a[k + 1] - a[0]);
      tissue.scattering += f * (s[k + 1] - s[0]);
    }
    return tissue;
  }
};

}  // namespace lesionkit::optics
