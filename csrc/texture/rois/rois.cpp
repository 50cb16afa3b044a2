// Features of many small ROIs, or of the objects of a label image. Work is cut into (region,
// offset).
#include <algorithm>

#include "common/parallel.hpp"
#include "common/view.hpp"
#include "texture/rois/kernels.hpp"
#include "texture/rois/measure_rois.hpp"

namespace lesionkit::texture::rois {
namespace {

template <class Key, class T, class RegionOf>
void measure_all(const Task& task, const Image<T>& image, int64_t regions, int64_t grain,
                 const RegionOf& region_of, double* out) {
  const Logarithms logs(task.max_pixels);
  struct State {
    Measurer<T, Key> measurer;
    int64_t open;
  };
  parallel_for_with(
      regions * task.offset_count, grain,
      [&] { return State{Measurer<T, Key>(task, image, logs), -1}; },
      [&](State& state, int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const int64_t region = i / task.offset_count;
          if (region != state.open) state.measurer.open(region_of(region));
          state.open = region;
          state.measurer.measure(task.offsets[i % task.offset_count], out + i * task.feature_count);
        }
      });
}

// pixels: of all regions together, which tells how much work an item is.
template <class T, class RegionOf>
void run(const Task& task, const Image<T>& image, int64_t regions, int64_t pixels,
         const RegionOf& region_of, double* out) {
  if (regions == 0 || task.offset_count == 0) return;
  const int64_t grain = std::max<int64_t>(1, 10000 * regions / std::max<int64_t>(pixels, 1));
  if (task.levels <= NARROW_LEVELS && task.max_pixels <= NARROW_PIXELS)
    measure_all<uint16_t>(task, image, regions, grain, region_of, out);
  else
    measure_all<uint32_t>(task, image, regions, grain, region_of, out);
}

Task task_of(View<const int64_t> offsets, int64_t levels, int normalise,
             View<const int32_t> features, double per_nat, int64_t max_pixels) {
  static_assert(sizeof(Offset) == 3 * sizeof(int64_t), "a row of the offsets array is an Offset");
  int parts = 0;
  for (int64_t f = 0; f < features.size(); ++f) parts |= parts_of(features.data()[f]);
  return {levels,
          max_pixels,
          normalise,
          reinterpret_cast<const Offset*>(offsets.data()),
          offsets.shape(0),
          features.data(),
          features.size(),
          per_nat,
          parts};
}

}  // namespace

template <class T>
void roi_features(View<const T> rois, View<const int64_t> offsets, int64_t levels, int normalise,
                  View<const int32_t> features, double per_nat, View<double> out) {
  const int64_t planes = rois.shape(1), rows = rois.shape(2), columns = rois.shape(3);
  const int64_t pixels = planes * rows * columns;
  const Task task = task_of(offsets, levels, normalise, features, per_nat, pixels);
  const Image<T> image = {rois.data(), nullptr, rows * columns, columns};
  run(
      task, image, rois.shape(0), rois.size(),
      [&](int64_t i) { return Region{i * pixels, planes, rows, columns, 0}; }, out.data());
}

template <class T>
void label_features(View<const T> image, View<const int32_t> labels, View<const int64_t> boxes,
                    View<const int32_t> ids, View<const int64_t> offsets, int64_t levels,
                    int normalise, View<const int32_t> features, double per_nat, View<double> out) {
  const Image<T> from = {image.data(), labels.data(), image.shape(1) * image.shape(2),
                         image.shape(2)};
  const int64_t* box = boxes.data();
  const int32_t* id = ids.data();
  const auto region_of = [&](int64_t i) {
    const int64_t* b = box + 6 * i;
    return Region{b[0] * from.plane_stride + b[1] * from.row_stride + b[2], b[3] - b[0],
                  b[4] - b[1], b[5] - b[2], id[i]};
  };
  int64_t most = 0, all = 0;
  for (int64_t i = 0; i < ids.size(); ++i) {
    const int64_t pixels = region_of(i).pixels();
    most = std::max(most, pixels);
    all += pixels;
  }
  const Task task = task_of(offsets, levels, normalise, features, per_nat, most);
  run(task, from, ids.size(), all, region_of, out.data());
}

// Run by run; labels that another thread writes meanwhile may have no box, and get none.
void label_boxes(View<const int32_t> labels, View<int64_t> boxes) {
  int64_t* all = boxes.data();
  std::fill_n(all, boxes.size(), int64_t{0});
  const int64_t planes = labels.shape(0), rows = labels.shape(1), columns = labels.shape(2);
  for (int64_t p = 0; p < planes; ++p)
    for (int64_t r = 0; r < rows; ++r) {
      const int32_t* row = labels.data() + (p * rows + r) * columns;
      for (int64_t c = 0; c < columns;) {
        const int64_t begin = c;
        const int32_t label = row[begin];
        while (++c < columns && row[c] == label) {
        }
        if (label < 0 || label >= boxes.shape(0)) continue;
        int64_t* b = all + 6 * label;
        const int64_t run[6] = {p, r, begin, p + 1, r + 1, c};
        if (b[3] == 0) std::copy_n(run, 6, b);
        for (int k = 0; k < 3; ++k) {
          b[k] = std::min(b[k], run[k]);
          b[k + 3] = std::max(b[k + 3], run[k + 3]);
        }
      }
    }
}

#define FEATURES_OF(T)                                                                  \
  template void roi_features(View<const T>, View<const int64_t>, int64_t, int,          \
                             View<const int32_t>, double, View<double>);                \
  template void label_features(View<const T>, View<const int32_t>, View<const int64_t>, \
                               View<const int32_t>, View<const int64_t>, int64_t, int,  \
                               View<const int32_t>, double, View<double>);
FEATURES_OF(uint8_t)
FEATURES_OF(uint16_t)
FEATURES_OF(double)

}  // namespace lesionkit::texture::rois
