// lesionkit.texture: the kernels' Python names, a function for each room.
#include "common/arrays.hpp"
#include "texture/filters/kernels.hpp"
#include "texture/glcm/kernels.hpp"
#include "texture/maps/kernels.hpp"
#include "texture/region/kernels.hpp"
#include "texture/rois/kernels.hpp"
#include "texture/shape/kernels.hpp"
#include "texture/windows/kernels.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::texture;
using namespace py::literals;

// A volume (z, y, x) that is contiguous along x.
template <class T>
struct py::detail::type_caster<Box<T>> {
  using Part = py::array_t<T, 0>;
  PYBIND11_TYPE_CASTER(Box<T>, handle_type_name<Part>::name);

  bool load(handle source, bool /*convert*/) {
    if (!Part::check_(source)) return false;
    const auto part = reinterpret_borrow<Part>(source);
    value = {static_cast<const char*>(static_cast<const void*>(part.data())),
             part.shape(0),
             part.shape(1),
             part.shape(2),
             part.strides(0),
             part.strides(1)};
    return true;
  }
};

namespace {

void bind_filters(py::module_ m) {
  for_types<double, float, int16_t, int32_t>([&]<class From>() {
    m.def("laplacian_of_gaussian", laplacian_of_gaussian<From>, "image"_a, "spacing"_a, "sigma"_a,
          "axes"_a, "wanted"_a, "out"_a, ReleaseGil());
  });
  m.def("perturb", perturb, "values"_a, "distance"_a, "first"_a, "weights"_a, "shift"_a, "noise"_a,
        "seed"_a, "item"_a, "kept"_a, "noisy"_a, ReleaseGil());
}

void bind_glcm(py::module_ m) {
  for_integers([&]<class T>() {
    for_types<uint32_t, uint64_t>([&]<class C>() {
      m.def("count_pairs", count_pairs<T, C>, "image"_a, "mask"_a, "offsets"_a, "symmetric"_a,
            "counts"_a, ReleaseGil());
    });
    for_types<uint32_t, double>([&]<class P>() {
      m.def("graycomatrix", graycomatrix<T, P>, "image"_a, "offsets"_a, "symmetric"_a, "totals"_a,
            "matrices"_a, ReleaseGil());
    });
  });
  for_types<uint32_t, double>([&]<class T>() {
    m.def("weighted_sums", weighted_sums<T>, "matrices"_a, "weights"_a, "square"_a, "sums"_a,
          ReleaseGil());
    m.def("line_sums", line_sums<T>, "matrices"_a, "sums"_a, ReleaseGil());
    m.def("entropies", entropies<T>, "matrices"_a, "totals"_a, "out"_a, ReleaseGil());
  });
  for_types<uint32_t, uint64_t, double>([&]<class T>() {
    m.def("marginals", marginals<T>, "counts"_a, "lines"_a, "totals"_a, ReleaseGil());
  });
}

void bind_maps(py::module_ m) {
  m.def("feature_maps", feature_maps, "image"_a, "window"_a, "offsets"_a, "levels"_a, "features"_a,
        "average"_a, "first_level"_a, "log_base"_a, "out"_a, ReleaseGil());
  for_types<uint8_t, uint16_t, float, double>([&]<class T>() {
    m.def("cs_lbp", cs_lbp<T>, "image"_a, "neighbours"_a, "threshold"_a, "codes"_a, ReleaseGil());
  });
}

template <class T>
py::tuple zones_of(View<const T> padded, int64_t border, int64_t levels, int64_t connectivity) {
  ZoneCounts found;
  {
    WithoutGil release;
    found = zones(padded, border, levels, connectivity);
  }
  const auto columns = static_cast<int64_t>(found.sizes.size());
  return py::make_tuple(array_of(found.sizes), array_of(found.counts).reshape({levels, columns}));
}

void bind_region(py::module_ m) {
  m.def("mask_box", mask_box, "mask"_a, ReleaseGil());
  for_types<double, float, int16_t, int32_t>([&]<class From>() {
    m.def("inside_extent", inside_extent<From>, "volume"_a, "mask"_a, ReleaseGil());
    m.def("gather", py::overload_cast<Box<From>, Box<uint8_t>, View<double>>(gather<From>),
          "volume"_a, "mask"_a, "values"_a, ReleaseGil());
    m.def("value_sums", value_sums<From>, "values"_a, ReleaseGil());
  });
  for_types<uint8_t, uint16_t, uint32_t>([&]<class T>() {
    for_types<int32_t, int64_t>([&]<class From>() {
      m.def("place", place<From, T>, "levels"_a, "mask"_a, "limit"_a, "border"_a, "padded"_a,
            ReleaseGil());
    });
    for_types<double, float, int16_t, int32_t>([&]<class From>() {
      m.def("place_bins", place_bins<From, T>, "volume"_a, "mask"_a, "edges"_a, "highest"_a,
            "epsilon"_a, "border"_a, "padded"_a, ReleaseGil());
      m.def("place_levels", place_levels<From, T>, "volume"_a, "mask"_a, "highest"_a, "border"_a,
            "padded"_a, ReleaseGil());
    });
    m.def("level_counts", level_counts<T>, "padded"_a, "counts"_a, ReleaseGil());
    m.def("run_lengths", run_lengths<T>, "padded"_a, "border"_a, "directions"_a, "table"_a,
          ReleaseGil());
    m.def("region_pairs", region_pairs<T>, "padded"_a, "border"_a, "directions"_a, "table"_a,
          ReleaseGil());
    m.def("zones", zones_of<T>, "padded"_a, "border"_a, "levels"_a, "connectivity"_a);
    m.def("neighbours", neighbours<T>, "padded"_a, "border"_a, "offsets"_a, "alpha"_a, "rows"_a,
          "dependence"_a, "voxels"_a, "differences"_a, ReleaseGil());
  });
  m.def("power_sums", power_sums, "values"_a, "centre"_a, "low"_a, "high"_a, "sums"_a,
        ReleaseGil());
  m.def("order_statistics", order_statistics, "values"_a, "low"_a, "high"_a, "ranks"_a, "found"_a,
        ReleaseGil());
}

void bind_rois(py::module_ m) {
  for_types<uint8_t, uint16_t, double>([&]<class T>() {
    m.def("roi_features", rois::roi_features<T>, "rois"_a, "offsets"_a, "levels"_a, "normalise"_a,
          "features"_a, "per_nat"_a, "out"_a, ReleaseGil());
    m.def("label_features", rois::label_features<T>, "image"_a, "labels"_a, "boxes"_a, "ids"_a,
          "offsets"_a, "levels"_a, "normalise"_a, "features"_a, "per_nat"_a, "out"_a, ReleaseGil());
  });
  m.def("label_boxes", rois::label_boxes, "labels"_a, "boxes"_a, ReleaseGil());
}

windows::Families families_of(std::array<bool, 6> asked) {
  const auto [first_order, pairs, runs, zones, dependences, tones] = asked;
  return {first_order, pairs, runs, zones, dependences, tones};
}

template <class T>
void window_features_of(View<const T> padded, Maybe<const double> values,
                        View<const int64_t> middles, View<const int64_t> directions,
                        View<const int64_t> steps, std::array<int64_t, 3> radius,
                        std::array<bool, 6> families, int64_t levels, bool symmetric,
                        bool one_level, bool maximal, int64_t alpha, double shift, double voxel,
                        View<double> out) {
  windows::window_features(padded, values, middles, directions, steps, radius,
                           families_of(families),
                           {levels, symmetric, one_level, maximal, alpha, shift, voxel}, out);
}

template <class T>
void region_features_of(View<const T> padded, Maybe<const double> values,
                        View<const int64_t> directions, View<const int64_t> steps,
                        std::array<bool, 6> families, int64_t levels, bool symmetric,
                        bool one_level, bool maximal, int64_t alpha, double shift, double voxel,
                        View<double> out) {
  windows::region_features(padded, values, directions, steps, families_of(families),
                           {levels, symmetric, one_level, maximal, alpha, shift, voxel}, out);
}

void bind_windows(py::module_ m) {
  for_types<uint8_t, uint16_t, uint32_t>([&]<class T>() {
    m.def("window_features", window_features_of<T>, "padded"_a, "values"_a, "middles"_a,
          "directions"_a, "steps"_a, "radius"_a, "families"_a, "levels"_a, "symmetric"_a,
          "one_level"_a, "maximal"_a, "alpha"_a, "shift"_a, "voxel"_a, "out"_a, ReleaseGil());
    m.def("region_features", region_features_of<T>, "padded"_a, "values"_a, "directions"_a,
          "steps"_a, "families"_a, "levels"_a, "symmetric"_a, "one_level"_a, "maximal"_a, "alpha"_a,
          "shift"_a, "voxel"_a, "out"_a, ReleaseGil());
  });
}

void bind_shape(py::module_ m) {
  m.def("shape_of_volume", shape_of_volume, "mask"_a, "steps"_a, "sums"_a, "sizes"_a, ReleaseGil());
  m.def("shape_of_picture", shape_of_picture, "mask"_a, "steps"_a, "sums"_a, "sizes"_a,
        ReleaseGil());
}

}  // namespace

void bind_texture(py::module_ m) {
  bind_filters(m);
  bind_glcm(m);
  bind_maps(m);
  bind_region(m);
  bind_rois(m);
  bind_shape(m);
  bind_windows(m);
}
