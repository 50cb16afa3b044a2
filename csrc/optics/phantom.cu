// Phantoms on a GPU: the formulas of phantom.hpp, a thread for each item, in the order in which
// phantom.cpp lays arrays out. Phantom i of an array is item `first` + i of the seed's
// streams.
#include "optics/phantom.hpp"

using namespace lesionkit;
using namespace lesionkit::optics;

// Calls work(i) for each of `count` items that falls to this thread: any grid does them all.
template <class Work>
HD void for_each_item(int64_t count, Work&& work) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) work(i);
}

// regions: [count][3]
__global__ void draw_regions(Limits recipe, const double* single_diameters, int64_t singles,
                             uint64_t seed, uint64_t first, int64_t count, Region* regions) {
  for_each_item(count, [&](int64_t i) {
    draw(recipe, single_diameters, static_cast<int>(singles), {seed, first + i, DRAWS},
         regions + REGIONS * i);
  });
}

// corners: [elements][3]; shares: [count][2][elements]
__global__ void element_shares(const Region* regions, const Point* corners, int64_t elements,
                               int64_t count, double* shares) {
  for_each_item(count * (REGIONS - 1) * elements, [&](int64_t place) {
    const int64_t row = place / elements, e = place % elements;
    const Region& disc = regions[REGIONS * (row / (REGIONS - 1)) + row % (REGIONS - 1) + 1];
    const Circle around = enclosing(corners + 3 * e);
    shares[place] = disc_share<3>(disc, corners + 3 * e, around.centre, around.radius);
  });
}

// chromophores: [count][3][pixels][pixels], mri: [count][pixels][pixels]. An item is the four
// pixels that share a block of random numbers.
__global__ void paint(const Region* regions, double radius, int64_t pixels, double gray_background,
                      double gray_inclusion, double noise, uint64_t seed, uint64_t first,
                      int64_t count, float* chromophores, uint8_t* mri) {
  const PixelGrid grid = {radius, pixels};
  const int64_t area = pixels * pixels, blocks = normal_blocks(area);
  for_each_item(count * blocks, [&](int64_t item) {
    const int64_t i = item / blocks;
    const Region* region = regions + REGIONS * i;
    const double value[4][REGIONS] = {{region[0].hbo, region[1].hbo, region[2].hbo},
                                      {region[0].hb, region[1].hb, region[2].hb},
                                      {region[0].water, region[1].water, region[2].water},
                                      {gray_background, gray_inclusion, gray_inclusion}};
    const Philox random = {seed, first + i, MRI_NOISE};
    normals_of_block(random, item % blocks, blocks, [&](int64_t place, float deviate) {
      if (place >= area) return;
      float mixed[4];
      mix_pixel(grid, region, place / pixels, place % pixels, value, mixed);
      for (int c = 0; c < 3; ++c) chromophores[(3 * i + c) * area + place] = mixed[c];
      mri[i * area + place] = noisy_gray(mixed[3], static_cast<float>(noise), deviate);
    });
  });
}

// signal: [phantoms][wavelengths][optodes][optodes - 1] from readings as `Readings` tells.
__global__ void add_noise(const double* readings, int64_t wavelengths, int64_t phantoms,
                          int64_t optodes, double noise, uint64_t seed, uint64_t first,
                          float* signal) {
  const Readings from = {wavelengths, phantoms, optodes};
  const int64_t size = from.per_phantom(), blocks = normal_blocks(size);
  for_each_item(phantoms * blocks, [&](int64_t item) {
    const int64_t i = item / blocks;
    const Philox random = {seed, first + i, SIGNAL_NOISE};
    normals_of_block(random, item % blocks, blocks, [&](int64_t place, float deviate) {
      if (place >= size) return;
      const int64_t j = place % (optodes - 1), row = place / (optodes - 1);
      const double reading = readings[from.index(row / optodes, i, row % optodes, j)];
      signal[i * size + place] = noisy_reading(reading, noise, deviate);
    });
  });
}
