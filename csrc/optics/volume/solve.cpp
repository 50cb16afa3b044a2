// Fields and readings of many systems.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "common/parallel.hpp"
#include "optics/volume/block.hpp"
#include "optics/volume/kernels.hpp"

namespace lesionkit::optics {

namespace {

constexpr int MOST = 100;  // iterations of a round
// A round in float takes the error down to here at best; less than that is not worth one.
constexpr double LEAST = 3e-6, GREATEST = 0.1;

struct Optode {
  int64_t block;
  int column;
};

// The columns of the optodes: sources, then detectors, W (if modulated W / 2) to a block.
struct Columns {
  int width;
  int64_t blocks;

  explicit Columns(const VolumePlan& plan)
      : width(plan.modulated() ? W / 2 : W), blocks((plan.optodes() + width - 1) / width) {}
  Optode at(int optode) const { return {optode / width, optode % width}; }
};

// Right-hand sides of all blocks, [block][node][W].
std::vector<double> right_sides(const VolumePlan& plan, const Columns& columns) {
  std::vector<double> right(static_cast<size_t>(columns.blocks * plan.nodes * W));
  const auto fill = [&](const Rows& rows, int first) {
    for (size_t o = 0; o + 1 < rows.start.size(); ++o) {
      const Optode at = columns.at(first + static_cast<int>(o));
      for (int32_t e = rows.start[o]; e < rows.start[o + 1]; ++e)
        right[(at.block * plan.nodes + rows.column[e]) * W + at.column] = rows.value[e];
    }
  };
  fill(plan.source, 0);
  fill(plan.detector, plan.sources());
  return right;
}

// One system: its matrix, its blocks, and how far they are.
class System {
 public:
  System(const VolumePlan& plan, const Columns& columns, const double* mua, const double* mus)
      : plan_(plan), columns_(columns), real_(plan.entries()), real_float_(plan.entries()) {
    assemble(plan, mua, mus, real_.data());
    std::copy(real_.begin(), real_.end(), real_float_.begin());
    answer_ = large<double>(columns.blocks * plan.nodes * W);
  }

  void begin(int64_t block, const double* right, Cycle& cycle) {
    cycle.set(real_float_.data());
    const int64_t first = block * plan_.nodes * W;
    blocks_[block] = std::make_unique<Block>(matrix_, right + first, answer_.get() + first);
    blocks_[block]->look(cycle);
    std::copy(blocks_[block]->energy, blocks_[block]->energy + W, at_first_[block].begin());
  }

  void round(int64_t block, Cycle& cycle) {
    cycle.set(real_float_.data());
    done_[block] += blocks_[block]->round(cycle, target_, MOST);
  }

  // Readings, and whether all is as accurate as asked for.
  template <class Out>
  bool judge(const Accuracy& accuracy, Out* readings) {
    const int sources = plan_.sources(), detectors = plan_.detectors();
    double worst = 0, needed = GREATEST;  // by how much the errors must come down
    if (accuracy.field > 0)
      for (int o = 0; o < plan_.optodes(); ++o) {
        const Optode at = columns_.at(o);
        const double ratio =
            energy(o) / (accuracy.field * at_first_[at.block][static_cast<size_t>(at.column)]);
        worst = ratio <= worst ? worst : ratio;
        needed = std::min(needed, 1 / ratio);
      }
    for (int64_t block = 0; block < columns_.blocks; ++block) correct<Out>(block, readings);
    if (accuracy.reading > 0)
      for (int s = 0; s < sources; ++s)
        for (int d = 0; d < detectors; ++d) {
          const double size = std::abs(readings[s * detectors + d]);
          const double ratio = energy(s) * energy(sources + d) / (accuracy.reading * size);
          worst = ratio <= worst ? worst : ratio;
          needed = std::min(needed, 1 / std::sqrt(ratio));
        }
    target_ = std::clamp(0.7 * needed, LEAST, GREATEST);
    worst_ = worst;
    return worst <= 1;
  }

  // [node][optode]
  template <class Out>
  void fields(Out* out) const {
    for (int64_t i = 0; i < plan_.nodes; ++i)
      for (int o = 0; o < plan_.optodes(); ++o) *out++ = value<Out>(i, o);
  }

  void set_target(double target) { target_ = target; }
  double worst() const { return worst_; }
  int iterations() const { return *std::max_element(done_.begin(), done_.end()); }

 private:
  template <class Out>
  Out value(int64_t node, int optode) const {
    const Optode at = columns_.at(optode);
    const double* row = answer_.get() + (at.block * plan_.nodes + node) * W;
    if constexpr (sizeof(Out) == sizeof(double))
      return row[at.column];
    else
      return {row[at.column], row[at.column + W / 2]};
  }
  double energy(int optode) const {
    const Optode at = columns_.at(optode);
    return blocks_[at.block]->energy[at.column];
  }

  // The readings of the sources in a block: d'x + y'(q - A x), y the detector's own field. Its
  // error is the product of those of x and y.
  template <class Out>
  void correct(int64_t block, Out* readings) const {
    constexpr bool MODULATED = sizeof(Out) > sizeof(double);
    const int sources = plan_.sources(), detectors = plan_.detectors();
    const int first = static_cast<int>(block * columns_.width);
    const int count = std::min(columns_.width, sources - first);
    if (count <= 0) return;
    const int parts = MODULATED ? 2 : 1;  // products with real and imaginary parts
    std::vector<Row<float>> some(static_cast<size_t>(detectors * parts), Row<float>::zero());
    std::vector<double> total(static_cast<size_t>(detectors * parts * W));
    const float* residual = blocks_[block]->residual();
    const auto flush = [&] {
      for (size_t k = 0; k < some.size(); ++k) {
        float sums[W];
        some[k].to(sums);
        for (int c = 0; c < W; ++c) total[k * W + c] += sums[c];
        some[k] = Row<float>::zero();
      }
    };
    for (int64_t i = 0; i < plan_.nodes; ++i) {
      const Row<float> r = Row<float>::of(residual + i * W);
      for (int d = 0; d < detectors; ++d) {
        const Out y = value<Out>(i, sources + d);
        some[d * parts].add(static_cast<float>(std::real(y)), r);
        if constexpr (MODULATED) some[d * parts + 1].add(static_cast<float>(std::imag(y)), r);
      }
      if (i % 64 == 63) flush();
    }
    flush();
    for (int c = 0; c < count; ++c)
      for (int d = 0; d < detectors; ++d) {
        const double* same = total.data() + d * parts * W;
        Out g;
        if constexpr (MODULATED) {
          const double* cross = same + W;
          g = {same[c] - cross[c + W / 2], cross[c] + same[c + W / 2]};
        } else {
          g = same[c];
        }
        g *= blocks_[block]->scale[c];
        for (int32_t e = plan_.detector.start[d]; e < plan_.detector.start[d + 1]; ++e)
          g += plan_.detector.value[e] * value<Out>(plan_.detector.column[e], first + c);
        readings[(first + c) * detectors + d] = g;
      }
  }

  const VolumePlan& plan_;
  const Columns& columns_;
  std::vector<double> real_;
  std::vector<float> real_float_;
  SystemMatrix matrix_{plan_, real_.data(), plan_.modulated() ? plan_.imaginary.data() : nullptr,
                       real_float_.data(),
                       plan_.modulated() ? plan_.imaginary_float.data() : nullptr};
  Large<double> answer_;
  std::vector<std::unique_ptr<Block>> blocks_ =
      std::vector<std::unique_ptr<Block>>(static_cast<size_t>(columns_.blocks));
  std::vector<std::array<double, W>> at_first_ =
      std::vector<std::array<double, W>>(static_cast<size_t>(columns_.blocks));
  std::vector<int> done_ = std::vector<int>(static_cast<size_t>(columns_.blocks));
  double target_ = GREATEST, worst_ = 0;
};

}  // namespace

template <class Out>
double volume_fields(const VolumePlan& plan, const Hierarchy& hierarchy,
                     View<const double> absorption, View<const double> scattering,
                     Accuracy accuracy, View<Out> readings, View<Out> out,
                     View<int32_t> iterations) {
  VolumePlan::require(absorption.ndim() == 2);
  const int64_t count = absorption.shape(0), pairs = int64_t{plan.sources()} * plan.detectors();
  VolumePlan::require(has_shape(absorption, {count, plan.properties}) &&
                      has_shape(scattering, {count, plan.properties}) &&
                      has_shape(readings, {count, plan.sources(), plan.detectors()}) &&
                      (out.size() == 0 || has_shape(out, {count, plan.nodes, plan.optodes()})) &&
                      has_shape(iterations, {count}) &&
                      plan.modulated() == (sizeof(Out) > sizeof(double)));
  const Columns columns(plan);
  const std::vector<double> right = right_sides(plan, columns);
  std::vector<std::unique_ptr<System>> systems(static_cast<size_t>(count));
  parallel_for(count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      systems[i] = std::make_unique<System>(plan, columns, absorption.data() + i * plan.properties,
                                            scattering.data() + i * plan.properties);
      const double first = accuracy.field > 0 ? accuracy.field : std::sqrt(accuracy.reading) * 1e-3;
      systems[i]->set_target(std::clamp(first, LEAST, GREATEST));
    }
  });
  const auto make_cycle = [&] { return Cycle(plan, hierarchy); };
  std::vector<int64_t> open(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) open[i] = i;
  for (int round = 0; round <= accuracy.rounds && !open.empty(); ++round) {
    const int64_t items = static_cast<int64_t>(open.size()) * columns.blocks;
    parallel_for_with(items, 1, make_cycle, [&](Cycle& cycle, int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        System& system = *systems[open[item / columns.blocks]];
        if (round == 0)
          system.begin(item % columns.blocks, right.data(), cycle);
        else
          system.round(item % columns.blocks, cycle);
      }
    });
    if (round == 0) continue;
    std::vector<char> enough(open.size());
    parallel_for(static_cast<int64_t>(open.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k)
        enough[k] = systems[open[k]]->judge(accuracy, readings.data() + open[k] * pairs);
    });
    std::vector<int64_t> left;
    for (size_t k = 0; k < open.size(); ++k)
      if (!enough[k]) left.push_back(open[k]);
    open = left;
  }
  double worst = 0;
  parallel_for(out.size() ? count : 0, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      systems[i]->fields(out.data() + i * plan.nodes * plan.optodes());
  });
  for (int64_t i = 0; i < count; ++i) {
    const double found = systems[i]->worst();
    worst = found <= worst ? worst : found;
    iterations.data()[i] = systems[i]->iterations();
  }
  return worst;
}

#define VOLUME_FIELDS(Out)                                                               \
  template double volume_fields(const VolumePlan&, const Hierarchy&, View<const double>, \
                                View<const double>, Accuracy, View<Out>, View<Out>,      \
                                View<int32_t>);
VOLUME_FIELDS(double)
VOLUME_FIELDS(std::complex<double>)

}  // namespace lesionkit::optics
