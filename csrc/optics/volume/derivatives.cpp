// Derivatives of readings from the fields of all optodes: each of them, those by coarse functions,
// or the gradient of a weighted sum.
#include "optics/volume/derivatives.hpp"

#include <algorithm>
#include <vector>

#include "common/parallel.hpp"
#include "optics/groups.hpp"
#include "optics/jacobian.hpp"
#include "optics/volume/kernels.hpp"

namespace lesionkit::optics {

namespace {

constexpr int LANES = lane_count<double>;

int blocks_of(int optodes) { return (optodes + LANES - 1) / LANES; }

Simd<double> all_lanes(const Simd<double>& x, int l) { return broadcast<Simd<double>>(x[l]); }
Complex<Simd<double>> all_lanes(const Complex<Simd<double>>& x, int l) {
  return {broadcast<Simd<double>>(x.re[l]), broadcast<Simd<double>>(x.im[l])};
}

// Calls work(constant K, constant P) for the plan's elements.
template <class Work>
void with_kind(const VolumePlan& plan, Work&& work) {
  const bool nodal = plan.property_nodes > 1;
  if (plan.element_nodes == 4)
    nodal ? work(Constant<4>{}, Constant<4>{}) : work(Constant<4>{}, Constant<1>{});
  else
    nodal ? work(Constant<10>{}, Constant<10>{}) : work(Constant<10>{}, Constant<1>{});
}

template <int K>
Geometry<K> geometry(const VolumePlan& plan, int64_t element) {
  double place[K][3];
  for (int a = 0; a < K; ++a)
    std::copy_n(&plan.place[3 * int64_t{plan.element[element * K + a]}], 3, place[a]);
  return Geometry<K>(place, element >= plan.straight);
}

// LANES fields from `first` on in each node's row of `count`, as registers; beyond, 0.
template <class Out>
void take_lanes(const Out* row, int first, int count, Number<Out>& to) {
  to = Number<Out>{};
  for (int l = 0; l < std::min(LANES, count - first); ++l) set_lane(to, l, row[first + l]);
}

// A thread's work on the readings of LANES sources of one system; a detector is in each lane.
template <int K, int P, class Out>
class Derivatives {
  using T = Number<Out>;

 public:
  explicit Derivatives(const VolumePlan& plan)
      : plan_(plan),
        blocks_(blocks_of(plan.detectors())),
        by_mua_(int64_t{plan.properties} * LANES * blocks_),
        by_mus_(by_mua_.size()),
        detector_(int64_t{plan.nodes} * blocks_),
        source_(plan.nodes) {}

  // field: [node][optode]; of the sources from `first` on
  void work(const double* absorption, const double* scattering, const Out* field, int first) {
    first_ = first;
    count_ = std::min(LANES, plan_.sources() - first);
    const int sources = plan_.sources(), optodes = plan_.optodes();
    for (int64_t i = 0; i < plan_.nodes; ++i) {
      const Out* row = field + i * optodes;
      take_lanes(row, first, sources, source_[i]);
      for (int b = 0; b < blocks_; ++b)
        take_lanes(row + sources, b * LANES, plan_.detectors(), detector_[i * blocks_ + b]);
    }
    std::fill(by_mua_.begin(), by_mua_.end(), T{});
    std::fill(by_mus_.begin(), by_mus_.end(), T{});
    for (int64_t e = 0; e < plan_.elements(); ++e) add(e);
    const int64_t pairs = int64_t{LANES} * blocks_;
    for (int64_t i = 0; i < plan_.properties; ++i) {
      const double kappa = diffusion(absorption[i], scattering[i]);
      for (int64_t j = i * pairs; j < (i + 1) * pairs; ++j)
        to_tissue(kappa, by_mua_[j], by_mus_[j]);
    }
  }

  // out: [source][detector][property]
  void write(Out* by_absorption, Out* by_scattering) const {
    for (int s = 0; s < count_; ++s)
      for (int d = 0; d < plan_.detectors(); ++d) {
        const int64_t to = (int64_t{first_ + s} * plan_.detectors() + d) * plan_.properties;
        for (int64_t i = 0; i < plan_.properties; ++i) {
          const int64_t from = (i * LANES + s) * blocks_ + d / LANES;
          by_absorption[to + i] = lane(by_mua_[from], d % LANES);
          by_scattering[to + i] = lane(by_mus_[from], d % LANES);
        }
      }
  }

  // scale: [pair]; out: [function][pair], times its scale
  void write(const Coarse& coarse, const Out* scale, Out* by_absorption, Out* by_scattering) {
    const int64_t pairs = int64_t{LANES} * blocks_;
    mua_sum_.assign(coarse.count * pairs, T{});
    mus_sum_.assign(coarse.count * pairs, T{});
    for (int64_t i = 0; i < plan_.properties; ++i)
      for (int64_t e = coarse.start[i]; e < coarse.start[i + 1]; ++e) {
        T *mua = &mua_sum_[coarse.column[e] * pairs], *mus = &mus_sum_[coarse.column[e] * pairs];
        for (int64_t j = 0; j < pairs; ++j) {
          add_scaled(mua[j], coarse.weight[e], by_mua_[i * pairs + j]);
          add_scaled(mus[j], coarse.weight[e], by_mus_[i * pairs + j]);
        }
      }
    for (int64_t i = 0; i < coarse.pairs; ++i) {
      const int s = coarse.pair[i] / plan_.detectors() - first_;
      const int d = coarse.pair[i] % plan_.detectors();
      if (s < 0 || s >= count_) continue;
      for (int64_t k = 0; k < coarse.count; ++k) {
        const int64_t from = (k * LANES + s) * blocks_ + d / LANES;
        by_absorption[k * coarse.pairs + i] = lane(mua_sum_[from], d % LANES) * scale[i];
        by_scattering[k * coarse.pairs + i] = lane(mus_sum_[from], d % LANES) * scale[i];
      }
    }
  }

 private:
  void add(int64_t e) {
    const Geometry<K> here = geometry<K>(plan_, e);
    const int32_t* node = &plan_.element[e * K];
    T at[K];
    for (int a = 0; a < K; ++a) at[a] = source_[node[a]];
    const Inside<K, T> sources(here, at);
    detectors_.clear();
    for (int b = 0; b < blocks_; ++b) {
      for (int a = 0; a < K; ++a) at[a] = detector_[int64_t{node[a]} * blocks_ + b];
      weigh<P>(here, detectors_.emplace_back(here, at));
    }
    for (int s = 0; s < count_; ++s) {
      const Inside<K, T> source = one_of(sources, s);
      for (int b = 0; b < blocks_; ++b) {
        T mua[P] = {}, kappa[P] = {};
        add_derivatives<P>(source, detectors_[b], mua, kappa);
        for (int p = 0; p < P; ++p) {
          const int64_t to = (int64_t{plan_.property[e * P + p]} * LANES + s) * blocks_ + b;
          by_mua_[to] += mua[p];
          by_mus_[to] += kappa[p];
        }
      }
    }
  }

  // The field of one source, in all lanes.
  static Inside<4, T> one_of(const Inside<4, T>& all, int s) {
    Inside<4, T> one = all;
    for (int a = 0; a < 4; ++a) one.value[a] = all_lanes(all.value[a], s);
    one.sum = all_lanes(all.sum, s);
    for (int x = 0; x < 3; ++x) one.slope[x] = all_lanes(all.slope[x], s);
    return one;
  }
  static Inside<10, T> one_of(const Inside<10, T>& all, int s) {
    Inside<10, T> one = all;
    for (int q = 0; q < LOSS_POINTS; ++q) one.value[q] = all_lanes(all.value[q], s);
    for (int q = 0; q < POINTS; ++q)
      for (int x = 0; x < 3; ++x) one.slope[q][x] = all_lanes(all.slope[q][x], s);
    return one;
  }

  const VolumePlan& plan_;
  int blocks_, first_ = 0, count_ = 0;
  std::vector<T> by_mua_, by_mus_;  // [property][source][block of detectors]
  std::vector<T> detector_, source_, mua_sum_, mus_sum_;
  std::vector<Inside<K, T>> detectors_;  // of one element
};

// Calls use(thread's Derivatives, map) once they are worked out, for LANES sources at a time.
template <class Out, class Use>
void for_sources(const VolumePlan& plan, View<const double> absorption,
                 View<const double> scattering, View<const Out> field, Use&& use) {
  VolumePlan::require(absorption.ndim() == 2);
  const int64_t count = absorption.shape(0), blocks = blocks_of(plan.sources());
  VolumePlan::require(has_shape(absorption, {count, plan.properties}) &&
                      has_shape(scattering, {count, plan.properties}) &&
                      has_shape(field, {count, plan.nodes, plan.optodes()}) &&
                      plan.modulated() == (sizeof(Out) > sizeof(double)));
  with_kind(plan, [&](auto k, auto p) {
    using Work = Derivatives<k, p, Out>;
    parallel_for_with(
        count * blocks, 1, [&] { return Work(plan); },
        [&](Work& thread, int64_t begin, int64_t end) {
          for (int64_t item = begin; item < end; ++item) {
            const int64_t i = item / blocks;
            thread.work(absorption.data() + i * plan.properties,
                        scattering.data() + i * plan.properties,
                        field.data() + i * plan.nodes * plan.optodes(),
                        static_cast<int>(item % blocks) * LANES);
            use(thread, i);
          }
        });
  });
}

// The fields of some systems whose sum over the weighted detectors is wanted: [node][source].
template <class Out>
std::vector<Out> weighted_fields(const VolumePlan& plan, int64_t count, const Out* field,
                                 const Out* weight) {
  constexpr int64_t GRAIN = 256;
  const int sources = plan.sources(), detectors = plan.detectors();
  std::vector<Out> sums(static_cast<size_t>(count * plan.nodes * sources));
  parallel_for(count * plan.nodes, GRAIN, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const Out* here = field + item * plan.optodes() + sources;
      const Out* w = weight + item / plan.nodes * sources * detectors;
      for (int s = 0; s < sources; ++s) {
        Out sum{};
        for (int d = 0; d < detectors; ++d) sum += w[s * detectors + d] * here[d];
        sums[item * sources + s] = sum;
      }
    }
  });
  return sums;
}

double sum_of_lanes(const Simd<double>& x) {
  double sum = 0;
  for (int l = 0; l < LANES; ++l) sum += x[l];
  return sum;
}
double sum_of_lanes(const Complex<Simd<double>>& x) { return sum_of_lanes(x.re); }

// What an element gives to the gradient by its properties; a source is in each lane.
template <int K, int P, class Out>
void element_gradient(const VolumePlan& plan, int64_t e, const Out* field, const Out* weighted,
                      double* by_mua, double* by_kappa) {
  using T = Number<Out>;
  const Geometry<K> here = geometry<K>(plan, e);
  const int sources = plan.sources();
  T mua[P] = {}, kappa[P] = {};
  for (int first = 0; first < sources; first += LANES) {
    T forward[K], adjoint[K];
    for (int a = 0; a < K; ++a) {
      const int64_t node = plan.element[e * K + a];
      take_lanes(field + node * plan.optodes(), first, sources, forward[a]);
      take_lanes(weighted + node * sources, first, sources, adjoint[a]);
    }
    Inside<K, T> other(here, adjoint);
    weigh<P>(here, other);
    add_derivatives<P>(Inside<K, T>(here, forward), other, mua, kappa);
  }
  for (int p = 0; p < P; ++p) {
    by_mua[p] = sum_of_lanes(mua[p]);
    by_kappa[p] = sum_of_lanes(kappa[p]);
  }
}

}  // namespace

template <class Out>
void volume_jacobian(const VolumePlan& plan, View<const double> absorption,
                     View<const double> scattering, View<const Out> field, View<Out> by_absorption,
                     View<Out> by_scattering) {
  const int64_t count = absorption.shape(0);
  const auto shape = {count, int64_t{plan.sources()}, int64_t{plan.detectors()},
                      int64_t{plan.properties}};
  VolumePlan::require(has_shape(by_absorption, shape) && has_shape(by_scattering, shape));
  const int64_t size = count ? by_absorption.size() / count : 0;
  for_sources<Out>(plan, absorption, scattering, field, [&](auto& thread, int64_t i) {
    thread.write(by_absorption.data() + i * size, by_scattering.data() + i * size);
  });
}

template <class Out>
void volume_coarse_jacobian(const VolumePlan& plan, View<const double> absorption,
                            View<const double> scattering, View<const Out> field,
                            const Coarse& coarse, View<const Out> scale, View<Out> by_absorption,
                            View<Out> by_scattering) {
  const int64_t count = absorption.shape(0);
  const auto shape = {count, coarse.count, coarse.pairs};
  VolumePlan::require(has_shape(by_absorption, shape) && has_shape(by_scattering, shape) &&
                      has_shape(scale, {count, coarse.pairs}));
  const int64_t size = coarse.count * coarse.pairs;
  for_sources<Out>(plan, absorption, scattering, field, [&](auto& thread, int64_t i) {
    thread.write(coarse, scale.data() + i * coarse.pairs, by_absorption.data() + i * size,
                 by_scattering.data() + i * size);
  });
}

template <class Out>
void volume_gradient(const VolumePlan& plan, View<const double> absorption,
                     View<const double> scattering, View<const Out> field, View<const Out> weight,
                     View<double> by_absorption, View<double> by_scattering) {
  constexpr int64_t GRAIN = 64;  // elements
  VolumePlan::require(absorption.ndim() == 2);
  const int64_t count = absorption.shape(0), elements = plan.elements();
  const auto maps = {count, int64_t{plan.properties}};
  VolumePlan::require(has_shape(absorption, maps) && has_shape(scattering, maps) &&
                      has_shape(field, {count, plan.nodes, plan.optodes()}) &&
                      has_shape(weight, {count, plan.sources(), plan.detectors()}) &&
                      has_shape(by_absorption, maps) && has_shape(by_scattering, maps) &&
                      plan.modulated() == (sizeof(Out) > sizeof(double)));
  const std::vector<Out> weighted = weighted_fields(plan, count, field.data(), weight.data());
  const int64_t values = plan.property_nodes;
  std::vector<double> by_mua(static_cast<size_t>(count * elements * values));
  std::vector<double> by_kappa(by_mua.size());
  with_kind(plan, [&](auto k, auto p) {
    parallel_for(count * elements, GRAIN, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t i = item / elements;
        element_gradient<k, p, Out>(plan, item % elements,
                                    field.data() + i * plan.nodes * plan.optodes(),
                                    weighted.data() + i * plan.nodes * plan.sources(),
                                    &by_mua[item * values], &by_kappa[item * values]);
      }
    });
  });
  parallel_for(count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      double* mua = by_absorption.data() + i * plan.properties;
      double* mus = by_scattering.data() + i * plan.properties;
      std::fill_n(mua, plan.properties, 0.0);
      std::fill_n(mus, plan.properties, 0.0);
      for (int64_t v = 0; v < elements * values; ++v) {
        mua[plan.property[v]] += by_mua[i * elements * values + v];
        mus[plan.property[v]] += by_kappa[i * elements * values + v];
      }
      for (int64_t j = 0; j < plan.properties; ++j) {
        const int64_t at = i * plan.properties + j;
        to_tissue(diffusion(absorption.data()[at], scattering.data()[at]), mua[j], mus[j]);
      }
    }
  });
}

#define VOLUME_DERIVATIVES(Out)                                                                    \
  template void volume_jacobian(const VolumePlan&, View<const double>, View<const double>,         \
                                View<const Out>, View<Out>, View<Out>);                            \
  template void volume_coarse_jacobian(const VolumePlan&, View<const double>, View<const double>,  \
                                       View<const Out>, const Coarse&, View<const Out>, View<Out>, \
                                       View<Out>);                                                 \
  template void volume_gradient(const VolumePlan&, View<const double>, View<const double>,         \
                                View<const Out>, View<const Out>, View<double>, View<double>);
VOLUME_DERIVATIVES(double)
VOLUME_DERIVATIVES(std::complex<double>)

}  // namespace lesionkit::optics
