// The windows about voxels, one after another: the levels of a window are read once, and each
// family adds up what it asks of them.
#include <cmath>
#include <limits>

#include "common/parallel.hpp"
#include "texture/windows/around.hpp"
#include "texture/windows/kernels.hpp"
#include "texture/windows/pairs.hpp"
#include "texture/windows/sizes.hpp"
#include "texture/windows/values.hpp"
#include "texture/windows/window.hpp"

namespace lesionkit::texture::windows {
namespace {

std::vector<Offset> offsets_of(View<const int64_t> steps) {
  const auto* first = reinterpret_cast<const Offset*>(steps.data());
  return {first, first + steps.shape(0)};
}

// How far the voxels of a window lie from where it begins, in `padded`.
template <class T>
std::vector<int64_t> places_in(View<const T> padded, const Form& form) {
  std::vector<int64_t> places;
  places.reserve(form.places.size());
  for (const Offset& at : form.places)
    places.push_back((at.plane * padded.shape(1) + at.row) * padded.shape(2) + at.column);
  return places;
}

constexpr int DEPENDENCE_FEATURES[] = {// of SizeFeature, those that PyRadiomics has
                                       ENTROPY,
                                       SIZE_NONUNIFORMITY,
                                       SIZE_NONUNIFORMITY_NORMALISED,
                                       SIZE_VARIANCE,
                                       GREY_NONUNIFORMITY,
                                       GREY_VARIANCE,
                                       HIGH_GREY,
                                       LARGE,
                                       LARGE_HIGH,
                                       LARGE_LOW,
                                       LOW_GREY,
                                       SMALL,
                                       SMALL_HIGH,
                                       SMALL_LOW};
constexpr int RUN_FEATURES[] = {GREY_NONUNIFORMITY,
                                GREY_NONUNIFORMITY_NORMALISED,
                                GREY_VARIANCE,
                                HIGH_GREY,
                                LARGE,
                                LARGE_HIGH,
                                LARGE_LOW,
                                LOW_GREY,
                                ENTROPY,
                                SIZE_NONUNIFORMITY,
                                SIZE_NONUNIFORMITY_NORMALISED,
                                PERCENTAGE,
                                SIZE_VARIANCE,
                                SMALL,
                                SMALL_HIGH,
                                SMALL_LOW};
constexpr int ZONE_FEATURES[] = {GREY_NONUNIFORMITY,
                                 GREY_NONUNIFORMITY_NORMALISED,
                                 GREY_VARIANCE,
                                 HIGH_GREY,
                                 LARGE,
                                 LARGE_HIGH,
                                 LARGE_LOW,
                                 LOW_GREY,
                                 SIZE_NONUNIFORMITY,
                                 SIZE_NONUNIFORMITY_NORMALISED,
                                 SMALL,
                                 SMALL_HIGH,
                                 SMALL_LOW,
                                 ENTROPY,
                                 PERCENTAGE,
                                 SIZE_VARIANCE};

// What a thread needs to measure windows.
class Measurer {
 public:
  Measurer(const Form& form, const std::vector<int64_t>& places, const Families& families,
           const Rules& rules, const Logs& logs)
      : form_(form),
        places_(places),
        families_(families),
        rules_(rules),
        levels_(form.size(), rules.levels),
        values_(form.size(), logs),
        pairs_(form.size(), rules.levels, rules.symmetric, rules.one_level, rules.maximal, logs),
        sizes_(form.size(), rules.levels, logs),
        zones_(form.size()),
        around_(form.size()) {}

  template <class T>
  void measure(const T* middle, const double* value, double* out) {
    levels_.read(middle, places_);
    sizes_.open(levels_.kinds());
    if (families_.first_order) {
      values_.measure(value, places_, levels_, rules_.shift, rules_.voxel, out);
      out += VALUE_FEATURES;
    }
    if (families_.pairs) {
      std::fill_n(out, PAIR_FEATURES, 0.0);
      int64_t found = 0;
      for (const auto& along : form_.along) found += pairs_.add(levels_, along, out);
      pairs_.finish(out);
      for (int k = 0; k < PAIR_FEATURES; ++k) out[k] = mean(out[k], found);
      out += PAIR_FEATURES;
    }
    if (families_.runs) {
      double feature[SIZE_FEATURES] = {};
      int64_t found = 0;
      sizes_.add_alone(levels_);
      for (size_t step = 0; step < form_.lines.size(); ++step) {
        if (join_runs(levels_, form_.lines[step], sizes_) || form_.apart[step]) {
          sizes_.features(feature);
          ++found;
        }
        sizes_.separate();
      }
      sizes_.forget();
      out = write(feature, RUN_FEATURES, found, out);
    }
    if (families_.zones) {
      double feature[SIZE_FEATURES] = {};
      zones_.add(levels_, form_, sizes_);
      sizes_.features(feature);
      sizes_.forget();
      out = write(feature, ZONE_FEATURES, 1, out);
    }
    if (families_.dependences || families_.tones) around_.look(levels_, form_.along, rules_.alpha);
    if (families_.dependences) {
      double feature[SIZE_FEATURES] = {};
      around_.add_dependences(levels_, sizes_);
      sizes_.features(feature);
      sizes_.forget();
      out = write(feature, DEPENDENCE_FEATURES, 1, out);
    }
    if (families_.tones) around_.tones(levels_, out);
  }

 private:
  // Of no direction, no number.
  static double mean(double sum, int64_t count) {
    return count > 0 ? sum / static_cast<double>(count) : std::numeric_limits<double>::quiet_NaN();
  }
  template <size_t count>
  static double* write(const double* feature, const int (&which)[count], int64_t found,
                       double* out) {
    for (size_t k = 0; k < count; ++k) out[k] = mean(feature[which[k]], found);
    return out + count;
  }

  const Form& form_;
  const std::vector<int64_t>& places_;
  const Families& families_;
  const Rules& rules_;
  Levels levels_;
  Values values_;
  Pairs pairs_;
  Sizes sizes_;
  Zones zones_;
  Around around_;
};

}  // namespace

template <class T>
void window_features(View<const T> padded, Maybe<const double> values, View<const int64_t> middles,
                     View<const int64_t> directions, View<const int64_t> steps,
                     std::array<int64_t, 3> radius, const Families& families, const Rules& rules,
                     View<double> out) {
  const auto [z, y, x] = radius;
  const Form form({-z, -y, -x}, {2 * z + 1, 2 * y + 1, 2 * x + 1}, offsets_of(directions),
                  offsets_of(steps), [](const Offset&) { return true; });
  const std::vector<int64_t> places = places_in(padded, form);
  // a level of a symmetric matrix occurs twice in each pair
  const Logs logs(2 * form.size() + 1);
  const int64_t features = out.shape(1), grain = std::max<int64_t>(1, 4096 / form.size());
  const double* value = data_or_null(values);
  parallel_for_with(
      middles.size(), grain, [&] { return Measurer(form, places, families, rules, logs); },
      [&](Measurer& measurer, int64_t begin, int64_t end) {
        for (int64_t k = begin; k < end; ++k) {
          const int64_t at = middles.data()[k];
          measurer.measure(padded.data() + at, value ? value + at : nullptr,
                           out.data() + k * features);
        }
      });
}

template <class T>
void region_features(View<const T> padded, Maybe<const double> values,
                     View<const int64_t> directions, View<const int64_t> steps,
                     const Families& families, const Rules& rules, View<double> out) {
  const T* level = padded.data();
  const int64_t row = padded.shape(2), slice = padded.shape(1) * row;
  const Form form({0, 0, 0}, {padded.shape(0), padded.shape(1), padded.shape(2)},
                  offsets_of(directions), offsets_of(steps), [&](const Offset& at) {
                    return level[at.plane * slice + at.row * row + at.column] != 0;
                  });
  const std::vector<int64_t> places = places_in(padded, form);
  constexpr int64_t small = 1 << 13;
  static const Logs of_small(2 * small + 1);  // made once: small regions would wait for it
  const Logs own(form.size() > small ? 2 * form.size() + 1 : 0);
  Measurer(form, places, families, rules, form.size() > small ? own : of_small)
      .measure(level, data_or_null(values), out.data());
}

#define FEATURES(T)                                                                               \
  template void window_features(View<const T>, Maybe<const double>, View<const int64_t>,          \
                                View<const int64_t>, View<const int64_t>, std::array<int64_t, 3>, \
                                const Families&, const Rules&, View<double>);                     \
  template void region_features(View<const T>, Maybe<const double>, View<const int64_t>,          \
                                View<const int64_t>, const Families&, const Rules&, View<double>);
FEATURES(uint8_t)
FEATURES(uint16_t)
FEATURES(uint32_t)

}  // namespace lesionkit::texture::windows
