// lesionkit.texture, regions: features of many small ROIs, or of the objects of a label image.
// Python has checked shapes and values (texture/rois.py). Work is cut into (region, offset).
#include <algorithm>

#include "common/arrays.hpp"
#include "common/parallel.hpp"
#include "texture/rois/measure_rois.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::texture::rois;

namespace {

template <class Key, class T, class RegionOf>
void measure_all(const Task& task, const Image<T>& image, int64_t regions, int64_t grain,
                 const RegionOf& region_of, double* out) {
  const Logarithms logs(task.most_pixels);
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
  if (task.levels <= NARROW_LEVELS && task.most_pixels <= NARROW_PIXELS)
    measure_all<uint16_t>(task, image, regions, grain, region_of, out);
  else
    measure_all<uint32_t>(task, image, regions, grain, region_of, out);
}

Task task_of(const Array<int64_t>& offsets, int64_t levels, int normalise,
             const Array<int32_t>& features, double per_nat, int64_t most_pixels) {
  static_assert(sizeof(Offset) == 3 * sizeof(int64_t), "a row of the offsets array is an Offset");
  int parts = 0;
  for (int64_t f = 0; f < features.size(); ++f) parts |= parts_of(features.data()[f]);
  return {levels,
          most_pixels,
          normalise,
          reinterpret_cast<const Offset*>(offsets.data()),
          offsets.shape(0),
          features.data(),
          features.size(),
          per_nat,
          parts};
}

// rois (n, planes, rows, columns) -> out (n, offsets, features)
template <class T>
void roi_features(const Array<T>& rois, const Array<int64_t>& offsets, int64_t levels,
                  int normalise, const Array<int32_t>& features, double per_nat,
                  Array<double>& out) {
  const int64_t planes = rois.shape(1), rows = rois.shape(2), columns = rois.shape(3);
  const int64_t pixels = planes * rows * columns;
  const Task task = task_of(offsets, levels, normalise, features, per_nat, pixels);
  const Image<T> image = {rois.data(), nullptr, rows * columns, columns};
  run(
      task, image, rois.shape(0), rois.size(),
      [&](int64_t i) { return Region{i * pixels, planes, rows, columns, 0}; }, out.mutable_data());
}

// image, labels (planes, rows, columns); of the objects `ids` their boxes (n, 6): the first plane,
// row and column, and those after the last -> out (n, offsets, features)
template <class T>
void label_features(const Array<T>& image, const Array<int32_t>& labels,
                    const Array<int64_t>& boxes, const Array<int32_t>& ids,
                    const Array<int64_t>& offsets, int64_t levels, int normalise,
                    const Array<int32_t>& features, double per_nat, Array<double>& out) {
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
  run(task, from, ids.size(), all, region_of, out.mutable_data());
}

// boxes (labels, 6) of the labels 0, 1, ...; all zeros for one that is nowhere. Run by run; labels
// that another thread writes meanwhile may have no box, and get none.
void label_boxes(const Array<int32_t>& labels, Array<int64_t>& boxes) {
  int64_t* all = boxes.mutable_data();
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

template <class T>
void bind_for(py::module_ m) {
  m.def("roi_features", &roi_features<T>, py::arg("rois").noconvert(),
        py::arg("offsets").noconvert(), py::arg("levels"), py::arg("normalise"),
        py::arg("features").noconvert(), py::arg("per_nat"), py::arg("out").noconvert(),
        ReleaseGil());
  m.def("label_features", &label_features<T>, py::arg("image").noconvert(),
        py::arg("labels").noconvert(), py::arg("boxes").noconvert(), py::arg("ids").noconvert(),
        py::arg("offsets").noconvert(), py::arg("levels"), py::arg("normalise"),
        py::arg("features").noconvert(), py::arg("per_nat"), py::arg("out").noconvert(),
        ReleaseGil());
}

}  // namespace

void bind_rois(py::module_ m) {
  bind_for<uint8_t>(m);
  bind_for<uint16_t>(m);
  bind_for<double>(m);
  m.def("label_boxes", &label_boxes, py::arg("labels").noconvert(), py::arg("boxes").noconvert(),
        ReleaseGil());
}
