// Phantoms: drawing, rasterising, noise. Phantom i of an array is item `first` + i of the seed's
// random streams.
#include "optics/phantom.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "common/parallel.hpp"
#include "common/view.hpp"
#include "optics/kernels.hpp"

namespace lesionkit::optics {
namespace {

static_assert(sizeof(Region) == 8 * sizeof(double), "a row of the regions array is a Region");

// The deviates of one item, see philox.hpp.
class Normals {
 public:
  explicit Normals(int64_t count) : blocks_(normal_blocks(count)), z_(4 * blocks_) {}

  const float* operator()(const Philox& random) {
    float* z = z_.data();
    for (int64_t b = 0; b < blocks_; ++b)
      normals_of_block(random, b, blocks_,
                       [=](int64_t place, float deviate) { z[place] = deviate; });
    return z;
  }

 private:
  int64_t blocks_;
  std::vector<float> z_;
};

// The maps of one phantom: HbO, Hb, water, each (pixels, pixels), and the noiseless MRI.
void paint_phantom(const Region* region, const PixelGrid& grid, const std::vector<int64_t>& span,
                   const double* gray, float* chromophores, float* mri) {
  const int64_t n = grid.pixels;
  const double value[4][REGIONS] = {{region[0].hbo, region[1].hbo, region[2].hbo},
                                    {region[0].hb, region[1].hb, region[2].hb},
                                    {region[0].water, region[1].water, region[2].water},
                                    {gray[0], gray[1], gray[1]}};
  float* map[4] = {chromophores, chromophores + n * n, chromophores + 2 * n * n, mri};
  for (int c = 0; c < 4; ++c)
    for (int64_t row = 0; row < n; ++row) {
      float* left = map[c] + row * n;
      float* right = left + n - span[row];
      std::fill(left, left + span[row], 0.0f);
      std::fill(left + span[row], right, static_cast<float>(value[c][0]));
      std::fill(right, left + n, 0.0f);
    }
  for (int k = 1; k < REGIONS; ++k) {
    const auto [x, y, radius, hbo, hb, water, amplitude, power] = region[k];
    if (radius <= 0.0) continue;
    const auto pixel = [&](double mm) {  // the pixel that holds this coordinate
      return static_cast<int64_t>(std::clamp((mm + grid.radius) / grid.step(), 0.0, n - 1.0));
    };
    for (int64_t row = pixel(-y - radius); row <= pixel(-y + radius); ++row)
      for (int64_t column = std::max(pixel(x - radius), span[row]);
           column <= std::min(pixel(x + radius), n - 1 - span[row]); ++column) {
        const double share[REGIONS] = {0.0, grid.share(region[1], row, column),
                                       grid.share(region[2], row, column)};
        if (share[k] > 0.0)
          for (int c = 0; c < 4; ++c)
            map[c][row * n + column] = static_cast<float>(mixture(share, value[c]));
      }
  }
}

}  // namespace

std::array<uint32_t, 4> philox_words(std::array<uint32_t, 4> counter, uint64_t key) {
  const auto [a, b, c, d] = philox({counter[0], counter[1], counter[2], counter[3]}, key);
  return {a, b, c, d};
}

void normals(View<const uint32_t> words, View<float> out) {
  std::transform(words.data(), words.data() + words.size(), out.data(), normal_of);
}

void draw_regions(View<const double> limits, View<const double> single_diameters, uint64_t seed,
                  uint64_t first, View<double> regions) {
  const Limits recipe = *reinterpret_cast<const Limits*>(limits.data());
  const double* diameters = single_diameters.data();
  const int singles = static_cast<int>(single_diameters.size());
  auto* region = reinterpret_cast<Region*>(regions.data());
  parallel_for(regions.shape(0), 64, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      draw(recipe, diameters, singles, {seed, first + i, DRAWS}, region + REGIONS * i);
  });
}

void element_shares(View<const double> regions, View<const double> corners, View<double> shares) {
  const auto* region = reinterpret_cast<const Region*>(regions.data());
  const auto* corner = reinterpret_cast<const Point*>(corners.data());
  double* share = shares.data();
  const int64_t elements = corners.shape(0);

  std::vector<Circle> around(elements);
  for (int64_t e = 0; e < elements; ++e) around[e] = enclosing(corner + 3 * e);

  parallel_for(regions.shape(0), 8, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      for (int k = 1; k < REGIONS; ++k) {
        const Region disc = region[REGIONS * i + k];
        double* row = share + ((REGIONS - 1) * i + k - 1) * elements;
        for (int64_t e = 0; e < elements; ++e)
          row[e] = disc_share<3>(disc, corner + 3 * e, around[e].centre, around[e].radius);
      }
  });
}

void paint(View<const double> regions, double radius, std::array<double, 2> gray, double noise,
           uint64_t seed, uint64_t first, View<float> chromophores, View<uint8_t> mri) {
  const auto* region = reinterpret_cast<const Region*>(regions.data());
  const PixelGrid grid = {radius, mri.shape(1)};
  const int64_t pixels = grid.pixels * grid.pixels;
  float* maps = chromophores.data();
  uint8_t* images = mri.data();

  std::vector<int64_t> span(grid.pixels, 0);  // of each row: pixels outside the disc on each side
  for (int64_t row = 0; row < grid.pixels; ++row)
    while (2 * span[row] < grid.pixels && !grid.holds(row, span[row])) ++span[row];

  // A grain is a chunk of the store: several are painted at once, each by the thread that packs it.
  parallel_for(regions.shape(0), 64, [&](int64_t begin, int64_t end) {
    std::vector<float> image(pixels);
    Normals deviates(pixels);
    for (int64_t i = begin; i < end; ++i) {
      paint_phantom(region + REGIONS * i, grid, span, gray.data(), maps + 3 * pixels * i,
                    image.data());
      const float* z = deviates({seed, first + i, MRI_NOISE});
      uint8_t* out = images + pixels * i;
      for (int64_t p = 0; p < pixels; ++p)
        out[p] = noisy_gray(image[p], static_cast<float>(noise), z[p]);
    }
  });
}

void add_noise(View<const double> readings, double noise, uint64_t seed, uint64_t first,
               View<float> signal) {
  const Readings from = {readings.shape(0), readings.shape(1), readings.shape(2)};
  const double* reading = readings.data();
  float* out = signal.data();
  parallel_for(from.phantoms, 64, [=](int64_t begin, int64_t end) {
    Normals deviates(from.per_phantom());
    for (int64_t i = begin; i < end; ++i) {
      const float* z = deviates({seed, first + i, SIGNAL_NOISE});
      float* place = out + i * from.per_phantom();
      for (int64_t w = 0; w < from.wavelengths; ++w)
        for (int64_t s = 0; s < from.optodes; ++s)
          for (int64_t j = 0; j < from.optodes - 1; ++j)
            *place++ = noisy_reading(reading[from.index(w, i, s, j)], noise, *z++);
    }
  });
}

}  // namespace lesionkit::optics
