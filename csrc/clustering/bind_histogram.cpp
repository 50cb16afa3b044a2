// lesionkit.clustering: histograms and tables of answers. Python has checked that the numbers inside
// the mask lie in the table (clustering/segment.py).
#include <pybind11/stl.h>

#include <optional>

#include "clustering/histogram.hpp"
#include "common/arrays.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::clustering;

namespace {

using Mask = std::optional<Array<uint8_t>>;

const uint8_t* data_of(const Mask& mask) { return mask ? mask->data() : nullptr; }

template <class T, class Out>
void bind_table(py::module_ m) {
  using namespace py::literals;
  m.def(
      "look_up",
      [](const Array<T>& x, const Mask& mask, int64_t low, const Array<Out>& table, Out outside,
         Array<Out>& out) {
        histogram::look_up(x.data(), data_of(mask), x.size(), low, table.data(), outside,
                           out.mutable_data());
      },
      "x"_a.noconvert(), "mask"_a.noconvert(), "low"_a, "table"_a.noconvert(), "outside"_a,
      "out"_a.noconvert(), ReleaseGil());
}

template <class... Types>
void bind_each(py::module_ m) {
  using namespace py::literals;
  const auto bind = [&]<class T>(T) {
    m.def(
        "histogram",
        [](const Array<T>& x, const Mask& mask, int64_t low, Array<int64_t>& counts) {
          return histogram::count(x.data(), data_of(mask), x.size(), low, counts.size(),
                                  counts.mutable_data());
        },
        "x"_a.noconvert(), "mask"_a.noconvert(), "low"_a, "counts"_a.noconvert(), ReleaseGil());
    bind_table<T, int32_t>(m);
    bind_table<T, float>(m);
    bind_table<T, double>(m);
  };
  (bind(Types{}), ...);
}

}  // namespace

void bind_histogram(py::module_ m) {
  bind_each<uint8_t, int8_t, uint16_t, int16_t, uint32_t, int32_t, uint64_t, int64_t, float,
            double>(m);
}
