// Fields and readings of many systems.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include "common/parallel.hpp"
#include "optics/element.hpp"
#include "optics/volume/block.hpp"
#include "optics/volume/kernels.hpp"

namespace lesionkit::optics {

namespace {

// The first round of readings: errors are smaller than the product of two of such, several times,
// and a round too many costs less than iterations too many.
constexpr double AT_FIRST = 3;

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

// Right-hand sides of each block.
std::vector<std::vector<Load>> right_sides(const VolumePlan& plan, const Columns& columns) {
  std::vector<std::vector<Load>> right(static_cast<size_t>(columns.blocks));
  const auto fill = [&](const Rows& rows, int first) {
    for (size_t o = 0; o + 1 < rows.start.size(); ++o) {
      const Optode at = columns.at(first + static_cast<int>(o));
      for (int32_t e = rows.start[o]; e < rows.start[o + 1]; ++e)
        right[at.block].push_back({rows.column[e], at.column, rows.value[e]});
    }
  };
  fill(plan.source, 0);
  fill(plan.detector, plan.sources());
  return right;
}

// By how much the farthest detector's light is weaker than the nearest's, about: its decay over
// that way in tissue of these mean properties.
double darkest(const VolumePlan& plan, double absorbs, double scatters) {
  const auto at = [&](const Rows& rows, int optode) {
    return &plan.place[3 * int64_t{rows.column[rows.start[optode]]}];
  };
  double farthest = 0;
  for (int s = 0; s < plan.sources(); ++s)
    for (int d = 0; d < plan.detectors(); ++d) {
      const double *a = at(plan.source, s), *b = at(plan.detector, d);
      farthest = std::max(farthest, std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]));
    }
  return std::exp(-std::sqrt(absorbs / diffusion(absorbs, scatters)) * farthest);
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

  // near: [node][optode], fields to begin with, or null
  template <class Out>
  void begin(int64_t block, const std::vector<Load>& right, const Out* near, Cycle& cycle) {
    cycle.set(real_float_.data());
    double* answer = answer_.get() + block * plan_.nodes * W;
    std::fill(answer, answer + plan_.nodes * W, 0.0);
    const int first = static_cast<int>(block) * columns_.width;
    const int count = std::min(columns_.width, plan_.optodes() - first);
    if (near != nullptr)
      for (int64_t i = 0; i < plan_.nodes; ++i)
        for (int c = 0; c < count; ++c) {
          const Out value = near[i * plan_.optodes() + first + c];
          answer[i * W + c] = std::real(value);
          if (plan_.modulated()) answer[i * W + W / 2 + c] = std::imag(value);
        }
    blocks_[block] = std::make_unique<Block>(matrix_, right, answer, near != nullptr, cycle);
  }

  // The target of the first round, of errors of fields by their own size, less what fields to begin
  // with have reached.
  void set_target(double first) {
    double reached = 0;
    for (int o = 0; o < plan_.optodes(); ++o) reached = std::max(reached, energy(o) / size(o));
    target_ = std::clamp(first / reached, LEAST, GREATEST);
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
        const double ratio = energy(o) / (accuracy.field * size(o));
        worst = ratio <= worst ? worst : ratio;
        needed = std::min(needed, 1 / ratio);
      }
    std::vector<Out> left(static_cast<size_t>(sources) * detectors);
    read(readings, left.data());
    if (accuracy.reading > 0)
      for (int s = 0; s < sources; ++s)
        for (int d = 0; d < detectors; ++d) {
          const int64_t pair = int64_t{s} * detectors + d;
          const double ratio = std::abs(left[pair]) / (accuracy.reading * std::abs(readings[pair]));
          worst = ratio <= worst ? worst : ratio;
          needed = std::min(needed, 1 / std::sqrt(ratio));
        }
    target_ = std::clamp(needed, LEAST, GREATEST);
    worst_ = worst;
    return worst <= 1;
  }

  // [node][optode]
  template <class Out>
  void fields(Out* out) const {
    for (int64_t i = 0; i < plan_.nodes; ++i)
      for (int o = 0; o < plan_.optodes(); ++o) *out++ = value<Out>(i, o);
  }

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
  double size(int optode) const {
    const Optode at = columns_.at(optode);
    return blocks_[at.block]->size[at.column];
  }

  // Readings: d'x + y'(q - A x), y the detector's own field, and what is left of the error by the
  // preconditioner B, (d - A y)' B (q - A x). The exact inverse in its place would leave nothing.
  template <class Out>
  void read(Out* readings, Out* left) const {
    const int sources = plan_.sources(), detectors = plan_.detectors();
    for (int s = 0; s < sources; ++s)
      for (int d = 0; d < detectors; ++d) {
        Out g = 0;
        for (int32_t e = plan_.detector.start[d]; e < plan_.detector.start[d + 1]; ++e)
          g += plan_.detector.value[e] * value<Out>(plan_.detector.column[e], s);
        readings[s * detectors + d] = g;
      }
    for (int64_t a = 0; a <= columns_.at(sources - 1).block; ++a)
      for (int64_t b = columns_.at(sources).block; b < columns_.blocks; ++b) {
        const Block &source = *blocks_[a], &detector = *blocks_[b];
        const double* field = answer_.get() + b * plan_.nodes * W;
        const Products with_field(plan_.nodes, field, source.residual());
        const Products of_both(plan_.nodes, detector.residual(), source.solved());
        const int width = columns_.width;
        for (int s = static_cast<int>(a) * width; s < std::min<int>(sources, (a + 1) * width); ++s)
          for (int o = std::max<int>(sources, b * width);
               o < std::min<int>(plan_.optodes(), (b + 1) * width); ++o) {
            const int i = s % width, j = o % width;
            const int64_t pair = int64_t{s} * detectors + o - sources;
            left[pair] = of_both.at<Out>(j, i) * detector.scale[j] * source.solved_scale[i];
            readings[pair] += with_field.at<Out>(j, i) * source.scale[i] + left[pair];
          }
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
  std::vector<int> done_ = std::vector<int>(static_cast<size_t>(columns_.blocks));
  double target_ = GREATEST, worst_ = 0;
};

}  // namespace

double first_target(const VolumePlan& plan, Accuracy accuracy, double absorbs, double scatters) {
  double first = accuracy.field;
  if (first == 0) first = AT_FIRST * std::sqrt(accuracy.reading * darkest(plan, absorbs, scatters));
  return std::clamp(first, LEAST, GREATEST);
}

template <class Out>
double volume_fields(const VolumePlan& plan, const Hierarchy& hierarchy,
                     View<const double> absorption, View<const double> scattering,
                     View<const Out> near, Accuracy accuracy, View<Out> readings, View<Out> out,
                     View<int32_t> iterations) {
  VolumePlan::require(absorption.ndim() == 2);
  const int64_t count = absorption.shape(0), pairs = int64_t{plan.sources()} * plan.detectors();
  VolumePlan::require(has_shape(absorption, {count, plan.properties}) &&
                      has_shape(scattering, {count, plan.properties}) &&
                      has_shape(readings, {count, plan.sources(), plan.detectors()}) &&
                      (near.size() == 0 || has_shape(near, {count, plan.nodes, plan.optodes()})) &&
                      (out.size() == 0 || has_shape(out, {count, plan.nodes, plan.optodes()})) &&
                      has_shape(iterations, {count}) &&
                      plan.modulated() == (sizeof(Out) > sizeof(double)));
  const Columns columns(plan);
  const std::vector<std::vector<Load>> right = right_sides(plan, columns);
  std::vector<std::unique_ptr<System>> systems(static_cast<size_t>(count));
  std::vector<double> first(static_cast<size_t>(count));  // targets
  parallel_for(count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const double *mua = absorption.data() + i * plan.properties,
                   *mus = scattering.data() + i * plan.properties;
      const auto mean = [&](const double* map) {
        return std::accumulate(map, map + plan.properties, 0.0) / plan.properties;
      };
      systems[i] = std::make_unique<System>(plan, columns, mua, mus);
      first[i] = first_target(plan, accuracy, mean(mua), mean(mus));
    }
  });
  const auto make_cycle = [&] { return Cycle(plan, hierarchy); };
  std::vector<int64_t> open(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) open[i] = i;
  for (int round = 0; round <= accuracy.rounds && !open.empty(); ++round) {
    const int64_t items = static_cast<int64_t>(open.size()) * columns.blocks;
    parallel_for_with(items, 1, make_cycle, [&](Cycle& cycle, int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t number = open[item / columns.blocks];
        System& system = *systems[number];
        const Out* from =
            near.size() ? near.data() + number * plan.nodes * plan.optodes() : nullptr;
        if (round == 0)
          system.begin(item % columns.blocks, right[item % columns.blocks], from, cycle);
        else
          system.round(item % columns.blocks, cycle);
      }
    });
    if (round == 0) {
      for (int64_t i = 0; i < count; ++i) systems[i]->set_target(first[i]);
      continue;
    }
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

#define VOLUME_FIELDS(Out)                                                                \
  template double volume_fields(const VolumePlan&, const Hierarchy&, View<const double>,  \
                                View<const double>, View<const Out>, Accuracy, View<Out>, \
                                View<Out>, View<int32_t>);
VOLUME_FIELDS(double)
VOLUME_FIELDS(std::complex<double>)

}  // namespace lesionkit::optics
