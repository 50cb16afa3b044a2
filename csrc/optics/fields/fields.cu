// Fields and derivatives on a GPU: the formulas of factor.hpp, element.hpp and jacobian.hpp.
//
//   solve_fields  a block for a system, of assembled entries: elimination as forward.cu has it,
//   with
//                 all panels far, where they are kept; then back substitution, from the root to the
//                 leaves, for all right-hand sides of a front at once
//   jacobian      a thread for a reading and a property
//   element_gram, gradient  the sum over sources of products of fields, for each element, then what
//                 the elements of a property give
#include "optics/forward.cu"
#include "optics/jacobian.hpp"

namespace lesionkit::optics {

// What there are fields of: the sources; then the detectors; or, for each source, all detectors,
// weighted.
enum Wanted { SOURCES, OPTODES, WEIGHTED };

// Calls work(i) for each of `count` items that falls to this thread: any grid does them all.
template <class Work>
HD void for_each_of(int64_t count, Work&& work) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) work(i);
}

// Where a system's fields lie.
template <class T>
struct Fields {
  T* field;
  int64_t node_stride, optode_stride;

  HD T& at(int64_t node, int64_t k) const { return field[node * node_stride + k * optode_stride]; }
};

// The right-hand sides of one system, from the optode rows of its fronts.
template <class T>
struct Starts {
  const DevicePlan& plan;
  int64_t wanted;
  const T* weight;  // [source][detector]

  HD int width() const {
    return plan.sources() + (wanted == SOURCES   ? 0
                             : wanted == OPTODES ? plan.detectors()
                                                 : plan.sources());
  }

  // W of right-hand side k at pivot p of front f.
  HD T at(const DeviceFrontRecord& record, const DeviceFront<T>& front, int p, int k) const {
    const bool of_source = k < plan.sources();
    const int number = of_source ? k : k - plan.sources();
    const int32_t* optode =
        of_source ? plan.source() + record.source : plan.detector() + record.detector;
    const int count = of_source ? front.shape.sources : front.shape.detectors;
    const int first = front.shape.columns() + (of_source ? 0 : front.shape.sources);
    const bool summed = wanted == WEIGHTED && !of_source;
    T sum{};
    for (int i = 0; i < count; ++i) {
      const T w = front.row(first + i)[p];
      if (summed)
        sum += weight[number * plan.detectors() + optode[i]] * w;
      else if (optode[i] == number)
        sum = w;
    }
    return sum;
  }
};

// L' x = D^-1 W, parents before children. known: [max_pivots][columns]: of so many right-hand sides
// at a time. panels: all of them, which are far.
template <class T>
HD void back_substitute(const Starts<T>& starts, const int32_t* node_start, const int32_t* node,
                        T* panels, T* inverse, T* known, int columns, const Fields<T>& to,
                        int thread, int threads) {
  const DevicePlan& plan = starts.plan;
  const int width = starts.width();
  for (int f = plan.fronts() - 1; f >= 0; --f) {
    const DeviceFrontRecord record = plan.records()[f];
    const DeviceFront<T> front = {record.shape(), panels + record.panel, inverse, nullptr, thread,
                                  threads};
    const int pivots = front.shape.pivots;
    const int32_t* at = node + node_start[f];
    for (int p = thread; p < pivots; p += threads) inverse[p] = lesionkit::inverse(front.row(p)[p]);
    for (int first = 0; first < width; first += columns) {
      const int count = width - first < columns ? width - first : columns;
      for (int i = thread; i < pivots * count; i += threads) {
        const int p = i / count, k = first + i % count;
        T sum = starts.at(record, front, p, k);
        for (int j = pivots; j < front.shape.columns(); ++j)
          sum = minus_product(sum, front.row(j)[p], to.at(at[j], k));
        known[i] = sum;
      }
      __syncthreads();  // what the update's rows give is there
      for (int k = thread; k < count; k += threads)
        for (int p = pivots - 1; p >= 0; --p) {
          T sum = known[p * count + k];
          for (int j = p + 1; j < pivots; ++j)
            sum = minus_product(sum, front.row(j)[p], known[j * count + k]);
          known[p * count + k] = sum * inverse[p];
          to.at(at[p], first + k) = known[p * count + k];
        }
      __syncthreads();  // the front's fields are there, and all is read
    }
  }
}

}  // namespace lesionkit::optics

// entries: [systems][plan.gathered()]; weight: [systems][source][detector] where WEIGHTED; panels:
// [systems][plan.far()], to work in; readings: [systems][source][detector]; fields:
// [systems][size], in it as `Fields` tells. Shared memory: plan.max_pivots() (1 + columns) and 16
// numbers.
template <class T>
__global__ void solve_fields(const int32_t* __restrict__ header, const int32_t* __restrict__ table,
                             const int32_t* node_start, const int32_t* node,
                             const T* __restrict__ entries, int64_t wanted, const T* weight,
                             int64_t systems, int64_t columns, int64_t size, int64_t node_stride,
                             int64_t optode_stride, T* panels, T* readings, T* fields) {
  const DevicePlan plan = {header, table, nullptr};
  DYNAMIC_SHARED(T, shared);
  const int thread = threadIdx.x, threads = blockDim.x;
  const int64_t pairs = int64_t{plan.sources()} * plan.detectors();
  Workplace<T> at;
  at.block = shared;  // these two are read 16 bytes at a time
  at.inverse = at.block + 16;
  T* const known = at.inverse + plan.max_pivots();
  at.near = known;  // no panel is near
  for (int64_t system = blockIdx.x; system < systems; system += gridDim.x) {
    at.far = panels + system * plan.far();
    at.readings = readings + system * pairs;
    solve<false>(plan, entries + system * plan.gathered(), at, thread, threads);
    const Starts<T> starts = {plan, wanted, weight ? weight + system * pairs : nullptr};
    const Fields<T> to = {fields + system * size, node_stride, optode_stride};
    back_substitute(starts, node_start, node, at.far, at.inverse, known, static_cast<int>(columns),
                    to, thread, threads);
  }
}

// field: [systems][nodes][sources, then detectors]; value_start, value: of each property, which
// values of which elements it is, element * P + p; by_absorption, by_scattering:
// [systems][source][detector][property]
template <class T, int N, int P>
__global__ void jacobian(const int32_t* header, const int32_t* table, const double* values,
                         const int32_t* element_node, const int32_t* value_start,
                         const int32_t* value, const double* absorption, const double* scattering,
                         int64_t systems, int64_t nodes, const T* field, T* by_absorption,
                         T* by_scattering) {
  constexpr int pairs = pair_count(N);
  const DevicePlan plan = {header, table, values};
  const int64_t properties = plan.properties(), detectors = plan.detectors();
  const int64_t sources = plan.sources(), optodes = sources + detectors;
  const MapInput input = {absorption, scattering, nullptr, 0, properties};
  for_each_of(systems * sources * detectors * properties, [&](int64_t i) {
    const int64_t property = i % properties, reading = i / properties;
    const int64_t detector = reading % detectors, source = reading / detectors % sources;
    const int64_t system = reading / detectors / sources;
    const T* here = field + system * nodes * optodes;
    T mua{}, kappa{};
    for (int v = value_start[property]; v < value_start[property + 1]; ++v) {
      const int64_t element = value[v] / P, p = value[v] % P;
      T of_source[N], of_detector[N];
      UNROLL
      for (int a = 0; a < N; ++a) {
        const T* at = here + element_node[element * N + a] * optodes;
        of_source[a] = at[source];
        of_detector[a] = at[sources + detector];
      }
      add_derivatives<N>(plan.stiffness() + element * pairs * P + p,
                         plan.mass() + plan.mass_kind()[element] * pairs * P + p, P,
                         plan.area()[element], of_source, 1, of_detector, &mua, &kappa, 1);
    }
    const Optical tissue = input.at(system, property);
    to_tissue(diffusion(tissue.absorption, tissue.scattering), mua, kappa);
    by_absorption[i] = mua;
    by_scattering[i] = kappa;
  });
}

// field: [systems][nodes][sources, then as many weighted]; gram: [systems][pair][elements]
template <class T>
__global__ void element_gram(const int32_t* element_node, int64_t element_nodes, int64_t elements,
                             int64_t nodes, int64_t sources, int64_t systems, const T* field,
                             double* gram) {
  const int64_t pairs = pair_count(static_cast<int>(element_nodes));
  for_each_of(systems * pairs * elements, [&](int64_t i) {
    const int64_t system = i / elements / pairs, pair = i / elements % pairs;
    int64_t a = 0, b = pair;
    while (b > a) b -= ++a;
    const int32_t* node = element_node + i % elements * element_nodes;
    const T* const of_a = field + (system * nodes + node[a]) * 2 * sources;
    const T* const of_b = field + (system * nodes + node[b]) * 2 * sources;
    gram[i] =
        gram_entry(of_a, of_b, of_a + sources, of_b + sources, static_cast<int>(sources), b < a);
  });
}

// by_absorption, by_scattering: [systems][property]
template <int P>
__global__ void gradient(const int32_t* header, const int32_t* table, const double* values,
                         const int32_t* value_start, const int32_t* value, const double* absorption,
                         const double* scattering, int64_t systems, int64_t elements,
                         const double* gram, double* by_absorption, double* by_scattering) {
  const DevicePlan plan = {header, table, values};
  const int64_t properties = plan.properties(), pairs = plan.pairs();
  const MapInput input = {absorption, scattering, nullptr, 0, properties};
  for_each_of(systems * properties, [&](int64_t i) {
    const int64_t system = i / properties, property = i % properties;
    double mua = 0.0, kappa = 0.0;
    for (int v = value_start[property]; v < value_start[property + 1]; ++v) {
      const int64_t element = value[v] / P, p = value[v] % P;
      const double* of_element = gram + system * pairs * elements + element;
      add_gradient(
          plan.stiffness() + element * pairs * P + p,
          plan.mass() + plan.mass_kind()[element] * pairs * P + p, P, static_cast<int>(pairs),
          plan.area()[element], [&](int pair) { return of_element[pair * elements]; }, mua, kappa);
    }
    const Optical tissue = input.at(system, property);
    to_tissue(diffusion(tissue.absorption, tissue.scattering), mua, kappa);
    by_absorption[i] = mua;
    by_scattering[i] = kappa;
  });
}
