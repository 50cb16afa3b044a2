// NIRST phantoms (Feng et al., Optica 9(3), 264-267, 2022): a disc of tissue with one or two round
// inclusions. Formulas of one phantom, one element, one pixel; the loops are in phantom.cpp
// and phantom.cu.
//
//   draw        the regions of a phantom, from the recipe's limits and its own random stream
//   disc_share  which part of a triangle or pixel lies inside a disc: exact, not sampled
//   mixture     a property where regions meet: background + sum of share * (inclusion - background)
#pragma once

#include "common/philox.hpp"
#include "common/simd.hpp"

namespace lesionkit::optics {

constexpr int REGIONS = 3;  // the background disc and at most two inclusions
enum Stream : uint32_t { DRAWS, SIGNAL_NOISE, MRI_NOISE };

// A disc of tissue; mm, micromolar, per cent, and mus' = amplitude (wavelength / 1000 nm)^-power.
// An absent inclusion has radius 0 and the background's tissue.
struct Region {
  double x, y, radius, hbo, hb, water, amplitude, power;
};

struct Range {
  double low, high;

  HD double at(double u) const { return low + (high - low) * u; }
};

// What drawing needs of a recipe, in the order in which PhantomRecipe.limits() packs it.
struct Limits {
  double radius, margin, pair_diameter;
  Range pair_distance, hbo, hb, water, amplitude, power, contrast, scattering_contrast;
};

// The midpoint of a pair whose centres are 2 `half` apart along x lies in the lens where both stay
// within `reach` of the origin: |y| <= reach sin T, |x| <= reach cos(angle) - half, with
// cos T = half / reach. This is the angle, y = reach sin(angle), that has the share u of the
// lens's area below it, by bisection, so that the midpoint is uniform and no draw is rejected.
HD double lens_angle(double cos_limit, double u) {
  const double limit = acos(min(cos_limit, 1.0));
  const double all = limit - cos_limit * sin(limit);
  double low = -limit, high = limit;
  for (int step = 0; step < 52; ++step) {
    const double t = 0.5 * (low + high);
    const double below = t + sin(t) * (cos(t) - 2.0 * cos_limit);
    (below < (2.0 * u - 1.0) * all ? low : high) = t;
  }
  return 0.5 * (low + high);
}

// Draws the phantom's regions. Each number has its own slot of the stream: a recipe that changes
// one range leaves every other draw of the same seed as it was.
HD void draw(const Limits& recipe, const double* single_diameters, int singles,
             const Philox& random, Region* regions) {
  const double turn = 6.283185307179586 * random.uniform(2);
  const double u = random.uniform(3), v = random.uniform(4);
  regions[0] = {0.0,
                0.0,
                recipe.radius,
                recipe.hbo.at(random.uniform(6)),
                recipe.hb.at(random.uniform(7)),
                recipe.water.at(random.uniform(8)),
                recipe.amplitude.at(random.uniform(9)),
                recipe.power.at(random.uniform(10))};
  const Region tissue = regions[0];
  regions[1] = regions[2] = {
      0.0, 0.0, 0.0, tissue.hbo, tissue.hb, tissue.water, tissue.amplitude, tissue.power};

  const bool pair = random.uniform(0) < 0.5;
  if (pair) {
    const double radius = 0.5 * recipe.pair_diameter;
    const double half = 0.5 * recipe.pair_distance.at(random.uniform(5)) + radius;
    const double reach = recipe.radius - recipe.margin - radius;
    const double angle = lens_angle(half / reach, u);
    const double x = (2.0 * v - 1.0) * (reach * cos(angle) - half), y = reach * sin(angle);
    const double c = cos(turn), s = sin(turn);
    for (int k = 1; k < REGIONS; ++k) {
      const double along = k == 1 ? x - half : x + half;
      regions[k].x = c * along - s * y;
      regions[k].y = s * along + c * y;
      regions[k].radius = radius;
    }
  } else {
    const int choice = static_cast<int>(random.uniform(1) * singles);
    const double radius = 0.5 * single_diameters[choice];
    const double distance = (recipe.radius - recipe.margin - radius) * sqrt(u);
    regions[1].x = distance * cos(turn);
    regions[1].y = distance * sin(turn);
    regions[1].radius = radius;
  }

  for (int k = 1; k <= (pair ? 2 : 1); ++k) {
    const uint32_t slot = 11 + 4 * (k - 1);
    // Water stays a percentage: its range of contrasts ends where the inclusion would be all water.
    const Range wetter = {recipe.contrast.low, min(recipe.contrast.high, 100.0 / tissue.water)};
    regions[k].hbo *= recipe.contrast.at(random.uniform(slot));
    regions[k].hb *= recipe.contrast.at(random.uniform(slot + 1));
    regions[k].water = min(tissue.water * wetter.at(random.uniform(slot + 2)), 100.0);
    regions[k].amplitude *= recipe.scattering_contrast.at(random.uniform(slot + 3));
  }
}

struct Point {
  double x, y;
};

HD double cross(Point a, Point b) { return a.x * b.y - a.y * b.x; }
HD double dot(Point a, Point b) { return a.x * b.x + a.y * b.y; }
HD double angle(Point a, Point b) { return atan2(cross(a, b), dot(a, b)); }

// Twice the signed area that the disc of radius r about the origin has in common with the triangle
// (origin, a, b): a triangle where the edge runs inside the disc, sectors where it runs outside.
HD double twice_wedge(Point a, Point b, double r) {
  const Point d = {b.x - a.x, b.y - a.y};
  const double dd = dot(d, d), half = dot(a, d);
  const double chord = half * half - dd * (dot(a, a) - r * r);
  if (chord <= 0.0) return r * r * angle(a, b);
  const double root = sqrt(chord);
  const double enter = max((-half - root) / dd, 0.0), leave = min((root - half) / dd, 1.0);
  if (enter >= leave) return r * r * angle(a, b);
  double area = (leave - enter) * cross(a, b);
  if (enter > 0.0) area += r * r * angle(a, {a.x + enter * d.x, a.y + enter * d.y});
  if (leave < 1.0) area += r * r * angle({a.x + leave * d.x, a.y + leave * d.y}, b);
  return area;
}

// Which share of a polygon lies inside the disc, in [0, 1]. `centre` and `size` are those of a
// circle that holds the whole polygon: most polygons are far in or far out and are settled by it.
template <int CORNERS>
HD double disc_share(const Region& disc, const Point* corner, Point centre, double size) {
  const double dx = centre.x - disc.x, dy = centre.y - disc.y;
  const double square = dx * dx + dy * dy;
  const double far = disc.radius + size, near = disc.radius - size;
  if (disc.radius <= 0.0 || square >= far * far) return 0.0;
  if (near >= 0.0 && square <= near * near) return 1.0;
  double inside = 0.0, whole = 0.0;
  for (int i = 0; i < CORNERS; ++i) {
    const Point p = corner[i], q = corner[(i + 1) % CORNERS];
    const Point a = {p.x - disc.x, p.y - disc.y}, b = {q.x - disc.x, q.y - disc.y};
    inside += twice_wedge(a, b, disc.radius);
    whole += cross(a, b);
  }
  return min(max(inside / whole, 0.0), 1.0);
}

// A circle that holds the whole triangle.
struct Circle {
  Point centre;
  double radius;
};

HD Circle enclosing(const Point* p) {
  const Point middle = {(p[0].x + p[1].x + p[2].x) / 3, (p[0].y + p[1].y + p[2].y) / 3};
  double square = 0.0;
  for (int i = 0; i < 3; ++i) {
    const Point d = {p[i].x - middle.x, p[i].y - middle.y};
    square = max(square, dot(d, d));
  }
  return {middle, sqrt(square)};
}

// Square pixels over [-radius, radius]^2: row 0 at the top (y = +radius), column 0 on the left.
struct PixelGrid {
  double radius;
  int64_t pixels;

  HD double step() const { return 2.0 * radius / pixels; }
  HD Point centre(int64_t row, int64_t column) const {
    return {(column + 0.5) * step() - radius, radius - (row + 0.5) * step()};
  }
  // A pixel belongs to the phantom if its centre does.
  HD bool holds(int64_t row, int64_t column) const {
    const Point p = centre(row, column);
    return dot(p, p) <= radius * radius;
  }
  HD double share(const Region& disc, int64_t row, int64_t column) const {
    const Point p = centre(row, column);
    const double h = 0.5 * step();
    const Point corner[4] = {
        {p.x - h, p.y - h}, {p.x + h, p.y - h}, {p.x + h, p.y + h}, {p.x - h, p.y + h}};
    return disc_share<4>(disc, corner, p, 1.4142135623730951 * h);
  }
};

// Area-weighted mean of the background's value and the inclusions'; share[0] is not used.
HD double mixture(const double* share, const double* value) {
  double mixed = value[0];
  for (int k = 1; k < REGIONS; ++k) mixed += share[k] * (value[k] - value[0]);
  return mixed;
}

// The pixel's value of several maps, value[map][region]: 0 outside the phantom.
template <int MAPS>
HD void mix_pixel(const PixelGrid& grid, const Region* region, int64_t row, int64_t column,
                  const double (&value)[MAPS][REGIONS], float (&mixed)[MAPS]) {
  // Rows are symmetric to the bit: a pixel on the right belongs to the phantom if its mirror does.
  const int64_t mirror = grid.pixels - 1 - column;
  const bool inside = grid.holds(row, column < mirror ? column : mirror);
  const double share[REGIONS] = {0.0, inside ? grid.share(region[1], row, column) : 0.0,
                                 inside ? grid.share(region[2], row, column) : 0.0};
  for (int c = 0; c < MAPS; ++c)
    mixed[c] = inside ? static_cast<float>(mixture(share, value[c])) : 0.0f;
}

// Where an amplitude comes from: signal [phantom][wavelength][source s][detector j] is the reading
// [wavelength][phantom][s][(s + 1 + j) mod optodes].
struct Readings {
  int64_t wavelengths, phantoms, optodes;

  HD int64_t per_phantom() const { return wavelengths * optodes * (optodes - 1); }
  HD int64_t index(int64_t w, int64_t phantom, int64_t s, int64_t j) const {
    return ((w * phantoms + phantom) * optodes + s) * optodes + (s + 1 + j) % optodes;
  }
};

// A reading with relative Gaussian noise.
HD float noisy_reading(double reading, double noise, float normal) {
  return static_cast<float>(reading * (1.0 + noise * static_cast<double>(normal)));
}

// A gray value with relative Gaussian noise, clipped and rounded to a byte.
HD uint8_t noisy_gray(float gray, float noise, float normal) {
  float value = gray * (1.0f + noise * normal);
  value = value < 0.0f ? 0.0f : value > 255.0f ? 255.0f : value;
  return static_cast<uint8_t>(static_cast<int32_t>(value + 0.5f));
}

}  // namespace lesionkit::optics
