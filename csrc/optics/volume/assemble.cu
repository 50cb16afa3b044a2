// The matrices of many systems on a GPU, by the formulas of tetrahedron.hpp.
//
//   element_matrices  of four nodes: a thread for an element; of ten: a warp for an element, a lane
//                     for a point of its two rules, then for a pair of its nodes
//   matrix_rows       a thread for a row: what elements give to its entries, in their order, so
//   that
//                     no atomic is needed and the bits do not depend on the schedule
#include "optics/element.hpp"
#include "optics/volume/tetrahedron.hpp"

namespace lesionkit::optics {

constexpr int LANES = 32;                              // of a warp
constexpr int POINT = 10 * 3 + 1;                      // numbers of a point: gradients and weight
constexpr int IN_WARP = POINTS * POINT + LOSS_POINTS;  // numbers that the lanes of a warp share
static_assert(POINTS + LOSS_POINTS == LANES);

// The elements of a plan (plan.hpp), and one system's maps.
struct DeviceElements {
  const int32_t *element, *property;
  int64_t property_nodes;
  const double *place, *absorption, *scattering;

  template <int K>
  HD void load(int64_t e, double (&at)[K][3], double (&kappa)[K], double (&mua)[K]) const {
    UNROLL
    for (int a = 0; a < K; ++a) {
      const double* from = place + 3 * int64_t{element[e * K + a]};
      for (int x = 0; x < 3; ++x) at[a][x] = from[x];
      const int64_t p = property_nodes == 1 ? property[e] : property[e * K + a];
      kappa[a] = diffusion(absorption[p], scattering[p]);
      mua[a] = absorption[p];
    }
  }
};

// What one lane gives to the matrix of an element of ten nodes: the gradients and the weight of a
// point, or a loss.
HD void ten_point(const DeviceElements& of, int64_t e, bool bent, int lane, double* shared) {
  double at[10][3], kappa[10], mua[10];
  of.load(e, at, kappa, mua);
  if (lane < POINTS) {
    double slope[10][3];
    const double weight = ten_gradients(lane, at, bent, slope);
    double* to = shared + lane * POINT;
    UNROLL
    for (int a = 0; a < 10; ++a)
      for (int x = 0; x < 3; ++x) to[3 * a + x] = slope[a][x];
    to[POINT - 1] = weight * at_point(TEN.at[lane], kappa);
  } else {
    const int q = lane - POINTS;
    shared[POINTS * POINT + q] = loss_weight(q, at, bent) * at_point(TEN_OF_LOSS.at[q], mua);
  }
}

// One pair of nodes, from all points.
HD double ten_pair(int pair, const double* shared) {
  int a = 0;
  while (pairs_of(a + 1) <= pair) ++a;
  const int b = pair - pairs_of(a);
  double sum = 0;
  for (int q = 0; q < POINTS; ++q) {
    const double* point = shared + q * POINT;
    sum += point[POINT - 1] * inner(point + 3 * a, point + 3 * b);
  }
  for (int q = 0; q < LOSS_POINTS; ++q) {
    const double* value = TEN_OF_LOSS.at[q].value;
    sum += shared[POINTS * POINT + q] * (value[a] * value[b]);
  }
  return sum;
}

}  // namespace lesionkit::optics

using namespace lesionkit::optics;

// absorption, scattering: [systems][properties]; given: [systems][elements][pair]; the first
// `straight` elements are. Shared memory: IN_WARP numbers for each warp where K is 10.
template <int K>
__global__ void element_matrices(const int32_t* __restrict__ element,
                                 const int32_t* __restrict__ property, int64_t property_nodes,
                                 const double* __restrict__ place,
                                 const double* __restrict__ absorption,
                                 const double* __restrict__ scattering, int64_t properties,
                                 int64_t systems, int64_t elements, int64_t straight,
                                 double* given) {
  constexpr int TOGETHER = K == 4 ? 1 : LANES;  // threads for an element
  DYNAMIC_SHARED(double, shared);
  const int lane = threadIdx.x % TOGETHER;
  const int64_t step = int64_t{gridDim.x} * (blockDim.x / TOGETHER);
  const int64_t first = int64_t{blockIdx.x} * (blockDim.x / TOGETHER) + threadIdx.x / TOGETHER;
  for (int64_t i = first; i < systems * elements; i += step) {
    const int64_t e = i % elements, map = i / elements * properties;
    const DeviceElements of = {element, property,         property_nodes,
                               place,   absorption + map, scattering + map};
    double* to = given + i * pairs_of(K);
    if constexpr (K == 4) {
      double at[4][3], kappa[4], mua[4];
      of.load(e, at, kappa, mua);
      tetrahedron_matrix(at, false, kappa, mua, to);
    } else {
      double* mine = shared + threadIdx.x / LANES * IN_WARP;
      ten_point(of, e, e >= straight, lane, mine);
      __syncwarp();  // the points are there
      for (int pair = lane; pair < pairs_of(10); pair += LANES) to[pair] = ten_pair(pair, mine);
      __syncwarp();  // the points are read
    }
  }
}

// from: of each entry of the matrix, from from_start on, places in a system's part `given`, which
// is of `size` numbers. real, real_float: [systems][entry]; weight: [systems][row]
__global__ void matrix_rows(const int32_t* __restrict__ start,
                            const int32_t* __restrict__ from_start,
                            const int32_t* __restrict__ from, const double* __restrict__ fixed,
                            const double* __restrict__ given, int64_t size, int64_t systems,
                            int64_t rows, double* real, float* real_float, float* weight) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x, entries = start[rows];
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < systems * rows; i += step) {
    const int64_t system = i / rows, row = i % rows;
    double sizes = 0;
    for (int32_t e = start[row]; e < start[row + 1]; ++e) {
      double sum = fixed[e];
      for (int32_t k = from_start[e]; k < from_start[e + 1]; ++k)
        sum += given[system * size + from[k]];
      real[system * entries + e] = sum;
      real_float[system * entries + e] = static_cast<float>(sum);
      sizes += fabs(sum);
    }
    weight[i] = static_cast<float>(1 / sizes);
  }
}
