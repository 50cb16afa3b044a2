// lesionkit.texture, centre-symmetric local binary patterns. Python has checked the image and
// continued it past its border (texture/lbp.py).
#include <algorithm>

#include "common/arrays.hpp"
#include "common/parallel.hpp"
#include "texture/maps/lbp.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::texture;

namespace {

// image (rows + 2 margin, columns + 2 margin), neighbours (n, 4), codes (rows, columns).
template <class T>
void cs_lbp(const Array<T>& image, const Array<double>& neighbours, double threshold,
            Array<uint16_t>& codes) {
  const auto* neighbour = reinterpret_cast<const Neighbour*>(neighbours.data());
  const int64_t n = neighbours.shape(0), columns = codes.shape(1), stride = image.shape(1);
  const int64_t margin = (stride - columns) / 2;
  const T* first = image.data() + margin * stride + margin;
  uint16_t* out = codes.mutable_data();
  parallel_for(codes.shape(0), std::max<int64_t>(1, (1 << 17) / (columns * n)),
               [=](int64_t begin, int64_t end) {
                 for (int64_t row = begin; row < end; ++row) {
                   uint16_t* code = out + row * columns;
                   std::fill_n(code, columns, uint16_t{0});
                   for (int64_t p = 0; p < n; ++p)
                     for (int64_t x = 0; x < columns; ++x) {
                       const T* here = first + row * stride + x;
                       const int bit = exceeds(here, stride, neighbour[p], threshold);
                       code[x] = static_cast<uint16_t>(code[x] | bit << p);
                     }
                 }
               });
}

template <class T>
void bind_cs_lbp(py::module_ m) {
  using namespace py::literals;
  m.def("cs_lbp", cs_lbp<T>, "image"_a.noconvert(), "neighbours"_a.noconvert(), "threshold"_a,
        "codes"_a.noconvert(), ReleaseGil());
}

}  // namespace

void bind_lbp(py::module_ m) {
  bind_cs_lbp<uint8_t>(m);
  bind_cs_lbp<uint16_t>(m);
  bind_cs_lbp<float>(m);
  bind_cs_lbp<double>(m);
}
