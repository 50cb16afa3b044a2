// Centre-symmetric local binary patterns.
#include "texture/maps/lbp.hpp"

#include <algorithm>

#include "common/parallel.hpp"
#include "common/view.hpp"
#include "texture/maps/kernels.hpp"

namespace lesionkit::texture {

template <class T>
void cs_lbp(View<const T> image, View<const double> neighbours, double threshold,
            View<uint16_t> codes) {
  const auto* neighbour = reinterpret_cast<const Neighbour*>(neighbours.data());
  const int64_t n = neighbours.shape(0), columns = codes.shape(1), stride = image.shape(1);
  const int64_t margin = (stride - columns) / 2;
  const T* first = image.data() + margin * stride + margin;
  uint16_t* out = codes.data();
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

#define CS_LBP(T) template void cs_lbp(View<const T>, View<const double>, double, View<uint16_t>);
CS_LBP(uint8_t)
CS_LBP(uint16_t)
CS_LBP(float)
CS_LBP(double)

}  // namespace lesionkit::texture
