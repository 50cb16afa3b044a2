// Readings and fluence of many systems.
#include "optics/forward.hpp"

#include "optics/groups.hpp"
#include "optics/kernels.hpp"

namespace lesionkit::optics {

template <class Out, class Input>
void measure(const ForwardPlan& plan, const Input& input, Out* out) {
  const int64_t size = plan.sources * plan.detectors;
  for_groups<Number<Out>>(plan, input, false,
                          [&](ForwardGroup<Number<Out>>& group, int64_t first, int systems) {
                            for (int l = 0; l < systems; ++l)
                              for (int64_t i = 0; i < size; ++i)
                                out[(first + l) * size + i] = lane(group.readings[i], l);
                          });
}

template <class Out>
void fluence(const ForwardPlan& plan, const Maps& maps, Out* out) {
  using T = Number<Out>;
  for_groups<T>(plan, maps, true, [&](ForwardGroup<T>& group, int64_t first, int systems) {
    const T* field = group.fields(false);
    for (int l = 0; l < systems; ++l)
      for (int s = 0; s < plan.sources; ++s)
        for (int64_t i = 0; i < plan.nodes; ++i)
          out[((first + l) * plan.sources + s) * plan.nodes + i] =
              lane(field[i * plan.sources + s], l);
  });
}

#define SOLVES(Out)                                                 \
  template void measure(const ForwardPlan&, const Maps&, Out*);     \
  template void measure(const ForwardPlan&, const Mixtures&, Out*); \
  template void fluence(const ForwardPlan&, const Maps&, Out*);
SOLVES(double)
SOLVES(std::complex<double>)

}  // namespace lesionkit::optics
