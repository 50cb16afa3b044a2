// Derivatives: the fields of all optodes, the Jacobian of the readings, and the gradient of their
// weighted sum.
#include "optics/jacobian.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <vector>

#include "optics/groups.hpp"
#include "optics/kernels.hpp"

namespace lesionkit::optics {
namespace {

// x y. Which of its products a compiler fuses with the sum may depend on what stands around it:
// these say it.
double product(double x, double y) { return x * y; }
std::complex<double> product(std::complex<double> x, std::complex<double> y) {
  const auto add = [](double a, double b, double c) {
#if defined(__FMA__) || defined(__aarch64__)
    return std::fma(a, b, c);
#else
    return a * b + c;
#endif
  };
  return {add(x.real(), y.real(), -(x.imag() * y.imag())),
          add(x.real(), y.imag(), x.imag() * y.real())};
}

constexpr int WIDTH = 8;  // properties that are written together: a line of the cache

Simd<double> in_lanes(double value) { return broadcast<Simd<double>>(value); }
Complex<Simd<double>> in_lanes(std::complex<double> value) {
  return {in_lanes(value.real()), in_lanes(value.imag())};
}

// Calls work(constant N, constant P) for the plan's elements.
template <class Work>
void with_kind(const ForwardPlan& plan, Work&& work) {
  const int values = plan.property_nodes;
  if (plan.element_nodes == 3) {
    values == 1 ? work(Constant<3>{}, Constant<1>{}) : work(Constant<3>{}, Constant<3>{});
  } else if (values == 6) {
    work(Constant<6>{}, Constant<6>{});
  } else {
    values == 1 ? work(Constant<6>{}, Constant<1>{}) : work(Constant<6>{}, Constant<4>{});
  }
}

// For each property, which values of which elements it is: element * P + p, ascending.
Ragged<int32_t> values_of_properties(const ForwardPlan& plan) {
  Ragged<int32_t> values;
  values.start.assign(plan.properties + 1, 0);
  for (const int32_t property : plan.property) ++values.start[property + 1];
  for (int i = 0; i < plan.properties; ++i) values.start[i + 1] += values.start[i];
  values.values.resize(plan.property.size());
  std::vector<int64_t> next(values.start.begin(), values.start.end() - 1);
  for (size_t i = 0; i < plan.property.size(); ++i)
    values.values[next[plan.property[i]]++] = static_cast<int32_t>(i);
  return values;
}

// A thread's work on the derivatives by some neighbouring properties of one system; a detector is
// in each lane.
template <int N, int P, class Out>
class Derivatives {
  using T = Number<Out>;

 public:
  Derivatives(const ForwardPlan& plan, const Ragged<int32_t>& values)
      : plan_(plan),
        values_(values),
        blocks_((plan.detectors + lane_count<double> - 1) / lane_count<double>),
        source_(plan.sources * N),
        detector_(blocks_ * N),
        by_mua_(WIDTH * plan.sources * blocks_),
        by_kappa_(by_mua_.size()) {}

  // The derivatives by coarse functions: each property's are added where it counts, so that those
  // by all properties are never held. scale: [pair], out: [function][pair], times its scale
  void work_on(const Coarse& coarse, const double* absorption, const double* scattering,
               const Out* field, const Out* scale, Out* by_absorption, Out* by_scattering) {
    const int64_t pairs = int64_t{plan_.sources} * blocks_;
    mua_sum_.assign(coarse.count * pairs, T{});
    mus_sum_.assign(coarse.count * pairs, T{});
    for (int64_t i = 0; i < plan_.properties; ++i) {
      if (coarse.start[i] == coarse.start[i + 1]) continue;
      std::fill_n(by_mua_.begin(), pairs, T{});
      std::fill_n(by_kappa_.begin(), pairs, T{});
      for (const int32_t value : values_[i]) add(value, field, 0);
      const double kappa = diffusion(absorption[i], scattering[i]);
      for (int64_t j = 0; j < pairs; ++j) to_tissue(kappa, by_mua_[j], by_kappa_[j]);
      for (int64_t e = coarse.start[i]; e < coarse.start[i + 1]; ++e) {
        T* mua = &mua_sum_[coarse.column[e] * pairs];
        T* mus = &mus_sum_[coarse.column[e] * pairs];
        for (int64_t j = 0; j < pairs; ++j) {
          add_scaled(mua[j], coarse.weight[e], by_mua_[j]);
          add_scaled(mus[j], coarse.weight[e], by_kappa_[j]);
        }
      }
    }
    for (int64_t k = 0, to = 0; k < coarse.count; ++k)
      for (int64_t i = 0; i < coarse.pairs; ++i, ++to) {
        const int64_t s = coarse.pair[i] / plan_.detectors, d = coarse.pair[i] % plan_.detectors;
        const int64_t from = k * pairs + s * blocks_ + d / lane_count<double>;
        by_absorption[to] = product(lane(mua_sum_[from], d % lane_count<double>), scale[i]);
        by_scattering[to] = product(scale[i], lane(mus_sum_[from], d % lane_count<double>));
      }
  }

  // absorption, scattering: [property], field: [node][optode], out: [source][detector][property]
  void work(int64_t first, const double* absorption, const double* scattering, const Out* field,
            Out* by_absorption, Out* by_scattering) {
    const int64_t count = std::min<int64_t>(WIDTH, plan_.properties - first);
    const int64_t pairs = int64_t{plan_.sources} * blocks_;
    std::fill(by_mua_.begin(), by_mua_.end(), T{});
    std::fill(by_kappa_.begin(), by_kappa_.end(), T{});
    for (int64_t j = 0; j < count; ++j) {
      for (const int32_t value : values_[first + j]) add(value, field, j * pairs);
      const double kappa = diffusion(absorption[first + j], scattering[first + j]);
      for (int64_t i = j * pairs; i < (j + 1) * pairs; ++i)
        to_tissue(kappa, by_mua_[i], by_kappa_[i]);
    }
    for (int s = 0; s < plan_.sources; ++s)
      for (int d = 0; d < plan_.detectors; ++d) {
        const int64_t from = int64_t{s} * blocks_ + d / lane_count<double>;
        const int64_t to = (int64_t{s} * plan_.detectors + d) * plan_.properties + first;
        for (int64_t j = 0; j < count; ++j) {
          by_absorption[to + j] = lane(by_mua_[j * pairs + from], d % lane_count<double>);
          by_scattering[to + j] = lane(by_kappa_[j * pairs + from], d % lane_count<double>);
        }
      }
  }

 private:
  void add(int64_t value, const Out* field, int64_t to) {
    const int64_t element = value / P, p = value % P;
    const int32_t* node = &plan_.element_node[element * N];
    const int sources = plan_.sources, detectors = plan_.detectors;
    for (int a = 0; a < N; ++a) {
      const Out* here = field + int64_t{node[a]} * (sources + detectors);
      for (int s = 0; s < sources; ++s) source_[s * N + a] = in_lanes(here[s]);
      for (int d = 0; d < detectors; ++d)
        set_lane(detector_[d / lane_count<double> * N + a], d % lane_count<double>,
                 here[sources + d]);
    }
    constexpr int pairs = pair_count(N);
    const double* stiffness = &plan_.stiffness[element * pairs * P + p];
    const double* mass = &plan_.mass[plan_.mass_kind[element] * pairs * P + p];
    for (int b = 0; b < blocks_; ++b)
      add_derivatives<N>(stiffness, mass, P, plan_.area[element], source_.data(), sources,
                         &detector_[b * N], &by_mua_[to + b], &by_kappa_[to + b], blocks_);
  }

  const ForwardPlan& plan_;
  const Ragged<int32_t>& values_;
  int blocks_;
  std::vector<T> source_, detector_, by_mua_, by_kappa_, mua_sum_, mus_sum_;
};

// One group's gradient, a system in each lane. field: [node][2 sources]; out: [property].
template <int N, int P, class T>
void group_gradient(const ForwardPlan& plan, const ForwardGroup<T>& group, const T* field,
                    std::vector<Simd<double>>& by_mua, std::vector<Simd<double>>& by_kappa) {
  constexpr int pairs = pair_count(N);
  std::fill(by_mua.begin(), by_mua.end(), Simd<double>{});
  std::fill(by_kappa.begin(), by_kappa.end(), Simd<double>{});
  for (size_t e = 0; e < plan.area.size(); ++e) {
    const T *forward[N], *adjoint[N];
    for (int a = 0; a < N; ++a) {
      forward[a] = field + int64_t{plan.element_node[e * N + a]} * 2 * plan.sources;
      adjoint[a] = forward[a] + plan.sources;
    }
    Simd<double> gram[pairs];
    gram_matrix<N>(forward, adjoint, plan.sources, gram);
    const double* stiffness = &plan.stiffness[e * pairs * P];
    const double* mass = &plan.mass[plan.mass_kind[e] * pairs * P];
    for (int p = 0; p < P; ++p) {
      const int32_t property = plan.property[e * P + p];
      add_gradient(
          stiffness + p, mass + p, P, pairs, plan.area[e],
          [&](int pair) -> const Simd<double>& { return gram[pair]; }, by_mua[property],
          by_kappa[property]);
    }
  }
  for (int i = 0; i < plan.properties; ++i) to_tissue(group.kappa[i], by_mua[i], by_kappa[i]);
}

}  // namespace

template <class Out>
void fields(const ForwardPlan& plan, const Maps& maps, Out* readings, Out* out) {
  using T = Number<Out>;
  const int64_t pairs = int64_t{plan.sources} * plan.detectors;
  const int64_t size = int64_t{plan.nodes} * (plan.sources + plan.detectors);
  for_groups<T>(plan, maps, true, [&](ForwardGroup<T>& group, int64_t first, int systems) {
    const T* field = group.fields(true);
    for (int l = 0; l < systems; ++l) {
      for (int64_t i = 0; i < pairs; ++i)
        readings[(first + l) * pairs + i] = lane(group.readings[i], l);
      for (int64_t i = 0; i < size; ++i) out[(first + l) * size + i] = lane(field[i], l);
    }
  });
}

template <class Out>
void jacobian(const ForwardPlan& plan, const Maps& maps, const Out* field, Out* by_absorption,
              Out* by_scattering) {
  const Ragged<int32_t> values = values_of_properties(plan);
  const int64_t chunks = (plan.properties + WIDTH - 1) / WIDTH;
  const int64_t field_size = int64_t{plan.nodes} * (plan.sources + plan.detectors);
  const int64_t out_size = int64_t{plan.sources} * plan.detectors * plan.properties;
  with_kind(plan, [&](auto n, auto p) {
    using Work = Derivatives<n, p, Out>;
    parallel_for_with(
        maps.count * chunks, 4, [&] { return Work(plan, values); },
        [&](Work& thread, int64_t begin, int64_t end) {
          for (int64_t item = begin; item < end; ++item) {
            const int64_t i = item / chunks;
            thread.work(item % chunks * WIDTH, maps.absorption + i * plan.properties,
                        maps.scattering + i * plan.properties, field + i * field_size,
                        by_absorption + i * out_size, by_scattering + i * out_size);
          }
        });
  });
}

template <class Out>
void coarse_jacobian(const ForwardPlan& plan, const Maps& maps, const Out* field,
                     const Coarse& coarse, const Out* scale, Out* by_absorption,
                     Out* by_scattering) {
  const Ragged<int32_t> values = values_of_properties(plan);
  const int64_t field_size = int64_t{plan.nodes} * (plan.sources + plan.detectors);
  const int64_t out_size = coarse.pairs * coarse.count;
  with_kind(plan, [&](auto n, auto p) {
    using Work = Derivatives<n, p, Out>;
    parallel_for_with(
        maps.count, 1, [&] { return Work(plan, values); },
        [&](Work& thread, int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i)
            thread.work_on(coarse, maps.absorption + i * plan.properties,
                           maps.scattering + i * plan.properties, field + i * field_size,
                           scale + i * coarse.pairs, by_absorption + i * out_size,
                           by_scattering + i * out_size);
        });
  });
}

template <class Out>
void gradient(const ForwardPlan& plan, const Maps& maps, const Out* weight, double* by_absorption,
              double* by_scattering) {
  using T = Number<Out>;
  const int64_t pairs = int64_t{plan.sources} * plan.detectors;
  for_groups<T>(plan, maps, true, [&](ForwardGroup<T>& group, int64_t first, int systems) {
    std::vector<T> weights(pairs);
    for (int64_t i = 0; i < pairs; ++i)
      for (int l = 0; l < systems; ++l) set_lane(weights[i], l, weight[(first + l) * pairs + i]);
    const T* field = group.weighted_fields(weights.data());
    std::vector<Simd<double>> by_mua(plan.properties), by_kappa(plan.properties);
    with_kind(plan,
              [&](auto n, auto p) { group_gradient<n, p>(plan, group, field, by_mua, by_kappa); });
    for (int l = 0; l < systems; ++l)
      for (int64_t i = 0; i < plan.properties; ++i) {
        by_absorption[(first + l) * plan.properties + i] = by_mua[i][l];
        by_scattering[(first + l) * plan.properties + i] = by_kappa[i][l];
      }
  });
}

#define DERIVATIVES(Out)                                                                    \
  template void fields(const ForwardPlan&, const Maps&, Out*, Out*);                        \
  template void jacobian(const ForwardPlan&, const Maps&, const Out*, Out*, Out*);          \
  template void coarse_jacobian(const ForwardPlan&, const Maps&, const Out*, const Coarse&, \
                                const Out*, Out*, Out*);                                    \
  template void gradient(const ForwardPlan&, const Maps&, const Out*, double*, double*);
DERIVATIVES(double)
DERIVATIVES(std::complex<double>)

}  // namespace lesionkit::optics
