// The matrix of a system, from its property maps.
#include <algorithm>

#include "common/parallel.hpp"
#include "common/simd.hpp"
#include "optics/element.hpp"
#include "optics/volume/kernels.hpp"
#include "optics/volume/tetrahedron.hpp"

namespace lesionkit::optics {

namespace {

using V = Simd<double>;
constexpr int LANES = lane_count<double>;

template <int K>
void assemble_lower(const VolumePlan& plan, const double* kappa, const double* mua, double* out) {
  constexpr int PAIRS = pairs_of(K);
  const int64_t count = plan.elements();
  V place[K][3], k[K], m[K], matrix[PAIRS];
  for (int64_t first = 0; first < count; first += LANES) {
    for (int l = 0; l < LANES; ++l) {  // the last element fills the lanes that are left
      const int64_t e = std::min(first + l, count - 1);
      for (int a = 0; a < K; ++a) {
        const double* at = plan.place.data() + 3 * int64_t{plan.element[e * K + a]};
        for (int x = 0; x < 3; ++x) place[a][x][l] = at[x];
        const int p = plan.property_nodes == 1 ? plan.property[e] : plan.property[e * K + a];
        k[a][l] = kappa[p];
        m[a][l] = mua[p];
      }
    }
    const int used = static_cast<int>(std::min<int64_t>(LANES, count - first));
    tetrahedron_matrix(place, first + used > plan.straight, k, m, matrix);
    for (int l = 0; l < used; ++l) {
      const int32_t* entry = plan.entry.data() + (first + l) * PAIRS;
      for (int pair = 0; pair < PAIRS; ++pair) out[entry[pair]] += matrix[pair][l];
    }
  }
}

}  // namespace

void assemble(const VolumePlan& plan, const double* absorption, const double* scattering,
              double* out) {
  std::vector<double> kappa(static_cast<size_t>(plan.properties));
  for (int p = 0; p < plan.properties; ++p) kappa[p] = diffusion(absorption[p], scattering[p]);
  std::copy(plan.fixed.begin(), plan.fixed.end(), out);
  if (plan.element_nodes == 4)
    assemble_lower<4>(plan, kappa.data(), absorption, out);
  else
    assemble_lower<10>(plan, kappa.data(), absorption, out);
  for (int i = 0; i < plan.nodes; ++i)
    for (int32_t e = plan.diagonal[i] + 1; e < plan.start[i + 1]; ++e) out[e] = out[plan.mirror[e]];
}

void assemble(const VolumePlan& plan, View<const double> absorption, View<const double> scattering,
              View<double> out) {
  VolumePlan::require(absorption.ndim() == 2);
  const int64_t count = absorption.shape(0);
  VolumePlan::require(has_shape(absorption, {count, plan.properties}) &&
                      has_shape(scattering, {count, plan.properties}) &&
                      has_shape(out, {count, plan.entries()}));
  parallel_for(count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      assemble(plan, absorption.data() + i * plan.properties,
               scattering.data() + i * plan.properties, out.data() + i * plan.entries());
  });
}

}  // namespace lesionkit::optics
