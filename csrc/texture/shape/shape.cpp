// Surface, volume, moments and diameters of a mask. Two passes over its bits: one counts the kinds
// of cubes (or squares) and adds up their places, one notes where vertices lie on each grid line.
// Everything that is summed is a whole number; what is not is worked out from the sums at the end.
//
// Places in the grid of vertices are in half voxels, from an empty voxel before the first.
#include <array>

#include "common/reduce.hpp"
#include "texture/shape/bits.hpp"
#include "texture/shape/diameters.hpp"
#include "texture/shape/kernels.hpp"
#include "texture/shape/surface.hpp"

namespace lesionkit::texture {
namespace {

// Voxels, and the sums of their places and of products of these.
struct Moments {
  std::array<int64_t, 10> of{};

  void add(const Moments& other) {
    for (size_t i = 0; i < of.size(); ++i) of[i] += other.of[i];
  }
  // The voxels from begin to before end of a row.
  void add_run(int64_t z, int64_t y, int64_t begin, int64_t end) {
    const auto squares = [](int64_t k) { return (k - 1) * k * (2 * k - 1) / 6; };  // of 0 to k - 1
    const int64_t n = end - begin, x = (begin + end - 1) * n / 2;
    const int64_t added[] = {
        n,         n * z, n * y, x, n * z * z, n * y * y, squares(end) - squares(begin),
        n * z * y, z * x, y * x};
    for (size_t i = 0; i < of.size(); ++i) of[i] += added[i];
  }
};

// How many cubes or squares there are of each kind, and the sums of their places.
struct Kinds {
  struct Tally {
    int64_t count = 0;
    Offset place = {0, 0, 0};
  };
  std::array<Tally, 256> of{};
  Moments moments;

  void add(const Kinds& other) {
    for (size_t kind = 0; kind < of.size(); ++kind) {
      of[kind].count += other.of[kind].count;
      of[kind].place = of[kind].place + other.of[kind].place;
    }
    moments.add(other.moments);
  }
};

// Adds those between four rows, the corners (0, 0), (0, 1), (1, 1) and (1, 0) of (z, y); between
// two where `flat`: (., 0) and (., 1).
template <bool flat>
void count_kinds(const std::array<const uint64_t*, 4>& rows, int64_t words, int64_t z, int64_t y,
                 Kinds& kinds) {
  constexpr int lines = flat ? 2 : 4;
  for (int64_t w = 0; w < words; ++w) {
    uint64_t left[lines], right[lines], any = 0, all = ~uint64_t{0};
    for (int k = 0; k < lines; ++k) {
      right[k] = rows[k][w];
      left[k] = before(rows[k], w);
      any |= left[k] | right[k];
      all &= left[k] & right[k];
    }
    each_bit(any & ~all, w, [&](int64_t x) {
      const auto bit = [x](uint64_t word) { return static_cast<unsigned>(word >> (x & 63) & 1); };
      unsigned kind = bit(left[0]) | bit(right[0]) << 1 | bit(right[1]) << 2 | bit(left[1]) << 3;
      if constexpr (!flat)
        kind |= bit(left[3]) << 4 | bit(right[3]) << 5 | bit(right[2]) << 6 | bit(left[2]) << 7;
      Kinds::Tally& tally = kinds.of[kind];
      ++tally.count;
      tally.place = tally.place + Offset{z, y, x};
    });
  }
}

void add_moments(const uint64_t* row, int64_t words, int64_t z, int64_t y, Moments& moments) {
  int64_t begin = 0;
  for (int64_t w = 0; w < words; ++w) {
    const uint64_t changes = row[w] ^ before(row, w);
    each_bit(changes, w, [&](int64_t x) {
      if (row[w] >> (x & 63) & 1)
        begin = x;
      else
        moments.add_run(z, y, begin, x);
    });
  }
}

// Of cubes where there are four rows between slices, of squares in the one slice.
template <bool flat>
Kinds kinds_of(const Bits& bits) {
  const int64_t slices = flat ? bits.depth : bits.depth + 1;
  const int64_t grain = std::max<int64_t>(1, (1 << 13) / (bits.words * (bits.height + 1)));
  return reduce_in_any_order(slices, grain, Kinds{}, [&](int64_t begin, int64_t end, Kinds& part) {
    for (int64_t z = begin; z < end; ++z)
      for (int64_t y = 0; y <= bits.height; ++y) {
        const int64_t here = flat ? z : z - 1;
        count_kinds<flat>({bits.row(here, y - 1), bits.row(here, y), bits.row(here + 1, y),
                           bits.row(here + 1, y - 1)},
                          bits.words, z, y, part);
        if (z < bits.depth && y < bits.height)
          add_moments(bits.row(z, y), bits.words, z, y, part.moments);
      }
  });
}

// Where vertices lie on the grid lines along x and along y of the grid of half voxels.
struct Lines {
  int64_t planes, rows, columns;       // of the grid
  std::vector<Ends> along_x, along_y;  // [plane][row], [plane][column]

  explicit Lines(const Bits& bits)
      : planes(2 * bits.depth + 2),
        rows(2 * bits.height + 2),
        columns(2 * bits.width + 2),
        along_x(planes * rows),
        along_y(planes * columns) {
    parallel_for_with(
        bits.depth + 1, bits.depth > 64 ? 8 : bits.depth + 1,
        [&] { return std::vector<uint64_t>(bits.words); },
        [&](std::vector<uint64_t>& seen, int64_t begin, int64_t end) {
          for (int64_t z = begin; z < end; ++z) {
            const int64_t here = z - 1;  // this slice has the planes 2 z and 2 z + 1
            plane(bits, 2 * z, COLUMNS, seen, [&](int64_t y, int64_t w) {
              return bits.row(here, y)[w] ^ before(bits.row(here, y), w);
            });
            plane(bits, 2 * z, ROWS, seen, [&](int64_t y, int64_t w) {
              return bits.row(here, y)[w] ^ bits.row(here, y + 1)[w];
            });
            plane(bits, 2 * z + 1, SLICES, seen, [&](int64_t y, int64_t w) {
              return bits.row(here, y)[w] ^ bits.row(here + 1, y)[w];
            });
          }
        });
  }

 private:
  enum Between { COLUMNS, ROWS, SLICES };

  // Vertices of one sort in a plane: bit x of vertices(y, word) is one between voxel (y, x) and
  // the one before it along the row, or the next one of another row or slice.
  template <class Vertices>
  void plane(const Bits& bits, int64_t p, Between what, std::vector<uint64_t>& seen,
             Vertices&& vertices) {
    const int64_t first = what == ROWS ? -1 : 0;
    const auto column = [what](int64_t x) {
      return static_cast<int32_t>(what == COLUMNS ? 2 * x + 1 : 2 * x + 2);
    };
    const auto line = [what](int64_t y) {
      return static_cast<int32_t>(what == ROWS ? 2 * y + 3 : 2 * y + 2);
    };
    for (int64_t y = first; y < bits.height; ++y) {
      Ends& ends = along_x[p * rows + line(y)];
      for (int64_t w = 0; w < bits.words; ++w)
        if (const uint64_t found = vertices(y, w); found != 0)
          ends.add(column(w * 64 + std::countr_zero(found)),
                   column(w * 64 + 63 - std::countl_zero(found)));
    }
    const auto add_new = [&](int64_t y) {  // in columns where none was yet
      for (int64_t w = 0; w < bits.words; ++w) {
        const uint64_t found = vertices(y, w);
        each_bit(found & ~seen[w], w,
                 [&](int64_t x) { along_y[p * columns + column(x)].add(line(y), line(y)); });
        seen[w] |= found;
      }
    };
    std::fill(seen.begin(), seen.end(), 0);
    for (int64_t y = first; y < bits.height; ++y) add_new(y);
    std::fill(seen.begin(), seen.end(), 0);
    for (int64_t y = bits.height - 1; y >= first; --y) add_new(y);
  }
};

// Half voxels to mm.
struct Steps {
  std::array<Point, 3> of;  // along z, y, x, for half a voxel

  Steps(const double* steps, int axes) : of{} {
    for (int a = 0; a < axes; ++a)
      for (int k = 0; k < 3; ++k) of[3 - axes + a][k] = steps[3 * a + k] / 2.0;
  }
  Point at(int64_t z, int64_t y, int64_t x) const {
    Point p;
    for (int k = 0; k < 3; ++k)
      p[k] = static_cast<double>(z) * of[0][k] + static_cast<double>(y) * of[1][k] +
             static_cast<double>(x) * of[2][k];
    return p;
  }
  // b x c for steps along two axes.
  Point cross(int a, int b) const {
    const Point &p = of[a], &q = of[b];
    return {p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]};
  }
};

double length(const Point& p) { return std::sqrt(squared_distance(p, {0.0, 0.0, 0.0})); }

// The longest squared distance in the plane of some lines; `corners` are left for another search.
double planar(const Ends* lines, int64_t count, int64_t stride, const Point& across,
              const Point& along, std::vector<PlanePoint>& corners) {
  hull_of(lines, count, stride, corners);
  double best = 0.0;
  for (size_t i = 0; i < corners.size(); ++i)
    for (size_t j = 0; j < i; ++j) {
      const auto a = static_cast<double>(corners[i].across - corners[j].across);
      const auto b = static_cast<double>(corners[i].along - corners[j].along);
      Point p;
      for (int k = 0; k < 3; ++k) p[k] = a * across[k] + b * along[k];
      best = std::max(best, squared_distance(p, {0.0, 0.0, 0.0}));
    }
  return best;
}

void write(const Moments& moments, View<int64_t> sums) {
  std::copy(moments.of.begin(), moments.of.end(), sums.data());
}

}  // namespace

void shape_of_volume(Box<uint8_t> mask, View<const double> steps, View<int64_t> sums,
                     View<double> sizes) {
  const Bits bits(mask);
  const Steps half(steps.data(), 3);
  const Kinds kinds = kinds_of<false>(bits);
  write(kinds.moments, sums);

  const Point of_z = half.cross(1, 2), of_y = half.cross(2, 0), of_x = half.cross(0, 1);
  double area = 0.0;
  int64_t six_volumes = 0;  // in half voxels
  for (int64_t kind = 0; kind < 256; ++kind) {
    const Kinds::Tally& tally = kinds.of[kind];
    const CubeSurface& cube = cube_table()[kind];
    double of_cube = 0.0;
    for (const Offset& n : cube.normals) {
      Point p;
      for (int k = 0; k < 3; ++k)
        p[k] = static_cast<double>(n.plane) * of_z[k] + static_cast<double>(n.row) * of_y[k] +
               static_cast<double>(n.column) * of_x[k];
      of_cube += length(p) / 2.0;
    }
    area += static_cast<double>(tally.count) * of_cube;
    six_volumes += tally.count * cube.determinant + 2 * dot(tally.place, cube.normal);
  }
  double handed = 0.0;
  for (int k = 0; k < 3; ++k) handed += half.of[0][k] * of_z[k];

  const Lines lines(bits);
  std::vector<PlanePoint> corners;
  std::vector<Point> hulls;
  double in_slices = 0.0, in_rows = 0.0, in_columns = 0.0;
  for (int64_t z = 0; z < lines.planes; ++z) {
    const Ends* of_plane = lines.along_x.data() + z * lines.rows;
    in_slices =
        std::max(in_slices, planar(of_plane, lines.rows, 1, half.of[1], half.of[2], corners));
    for (const PlanePoint& p : corners) hulls.push_back(half.at(z, p.across, p.along));
  }
  for (int64_t y = 0; y < lines.rows; ++y)
    in_rows = std::max(in_rows, planar(lines.along_x.data() + y, lines.planes, lines.rows,
                                       half.of[0], half.of[2], corners));
  for (int64_t x = 0; x < lines.columns; ++x)
    in_columns = std::max(in_columns, planar(lines.along_y.data() + x, lines.planes, lines.columns,
                                             half.of[0], half.of[1], corners));
  const double found[] = {area,
                          static_cast<double>(six_volumes) / 6.0 * std::fabs(handed),
                          std::sqrt(in_slices),
                          std::sqrt(in_rows),
                          std::sqrt(in_columns),
                          std::sqrt(FarthestPair(std::move(hulls)).squared())};
  std::copy(std::begin(found), std::end(found), sizes.data());
}

void shape_of_picture(Box<uint8_t> mask, View<const double> steps, View<int64_t> sums,
                      View<double> sizes) {
  const Bits bits(mask);
  const Steps half(steps.data(), 2);
  const Kinds kinds = kinds_of<true>(bits);
  write(kinds.moments, sums);

  double outline = 0.0;
  int64_t two_areas = 0;  // in half pixels
  for (unsigned kind = 0; kind < 16; ++kind) {
    const Kinds::Tally& tally = kinds.of[kind];
    for (const Segment& s : outline_of(kind)) {
      const auto middle = [](int k) { return CORNERS[k] + CORNERS[(k + 1) & 3]; };
      const Offset a = middle(s.from), b = middle(s.to), by = b - a;
      outline += static_cast<double>(tally.count) * length(half.at(0, by.row, by.column));
      two_areas += tally.count * cross(b, a).plane + 2 * cross(by, tally.place).plane;
    }
  }
  const Lines lines(bits);
  std::vector<PlanePoint> corners;
  const double across =
      planar(lines.along_x.data() + 2 * lines.rows, lines.rows, 1, half.of[1], half.of[2], corners);
  const double found[] = {outline, static_cast<double>(two_areas) / 2.0 * length(half.cross(1, 2)),
                          std::sqrt(across)};
  std::copy(std::begin(found), std::end(found), sizes.data());
}

}  // namespace lesionkit::texture
