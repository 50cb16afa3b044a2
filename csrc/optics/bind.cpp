// lesionkit.optics: the kernels' Python names. Checks and allocation are Python's work.
#include <pybind11/complex.h>

#include <algorithm>
#include <complex>
#include <string>
#include <type_traits>
#include <vector>

#include "common/arrays.hpp"
#include "common/simd.hpp"
#include "optics/device_plan.hpp"
#include "optics/kernels.hpp"
#include "optics/volume/iterations.hpp"
#include "optics/volume/kernels.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::optics;
using namespace py::literals;

namespace {

void read(py::handle given, int& part) { part = given.cast<int>(); }

template <class V>
void read(py::handle given, std::vector<V>& part) {
  const auto array = given.cast<Array<V>>();
  part.assign(array.data(), array.data() + array.size());
}

void read(py::handle given, std::vector<FrontShape>& part) {
  const auto shapes = given.cast<Array<int32_t>>();
  for (py::ssize_t f = 0; f < shapes.shape(0); ++f)
    part.push_back({shapes.at(f, 0), shapes.at(f, 1), shapes.at(f, 2), shapes.at(f, 3)});
}

template <class V>
void read(py::handle given, Ragged<V>& part) {
  const auto pair = given.cast<py::tuple>();
  read(pair[0], part.start);
  read(pair[1], part.values);
}

ForwardPlan make_plan(const py::dict& parts) {
  ForwardPlan plan;
  plan.each_part([&](const char* name, auto& part) { read(parts[name], part); });
  plan.place();
  return plan;
}

// The names of device_plan.hpp, by kind.
py::dict device_parts() {
#define LESIONKIT_NAME(name) #name,
  const auto names = [](std::initializer_list<const char*> list) {
    return py::tuple(py::cast(std::vector<std::string>(list.begin(), list.end())));
  };
  return py::dict("front"_a = names({LESIONKIT_PLAN_FRONT(LESIONKIT_NAME)}),
                  "counts"_a = names({LESIONKIT_PLAN_COUNTS(LESIONKIT_NAME)}),
                  "tables"_a = names({LESIONKIT_PLAN_TABLES(LESIONKIT_NAME)}),
                  "values"_a = names({LESIONKIT_PLAN_VALUES(LESIONKIT_NAME)}));
#undef LESIONKIT_NAME
}

template <class Out>
void bind_solves(py::class_<ForwardPlan>& plan) {
  const auto maps = [](const ForwardPlan& self, View<const double> absorption,
                       View<const double> scattering, View<const Out> out, int width) {
    ForwardPlan::require(absorption.ndim() == 2);
    const int64_t count = absorption.shape(0);
    ForwardPlan::require(has_shape(absorption, {count, self.properties}) &&
                         has_shape(scattering, {count, self.properties}) &&
                         has_shape(out, {count, self.sources, width}));
    return Maps{absorption.data(), scattering.data(), count, self.properties};
  };
  plan.def(
      "measure",
      [maps](const ForwardPlan& self, View<const double> absorption, View<const double> scattering,
             View<Out> out) {
        const Maps input = maps(self, absorption, scattering, out, self.detectors);
        Out* to = out.data();
        WithoutGil release;
        measure(self, input, to);
      },
      "absorption"_a, "scattering"_a, "out"_a);
  plan.def(
      "fluence",
      [maps](const ForwardPlan& self, View<const double> absorption, View<const double> scattering,
             View<Out> out) {
        const Maps input = maps(self, absorption, scattering, out, self.nodes);
        Out* to = out.data();
        WithoutGil release;
        fluence(self, input, to);
      },
      "absorption"_a, "scattering"_a, "out"_a);
  plan.def(
      "measure_mixture",
      [](const ForwardPlan& self, View<const double> fractions, View<const double> absorption,
         View<const double> scattering, View<Out> out) {
        ForwardPlan::require(fractions.ndim() == 3);
        const int64_t count = fractions.shape(0), materials = fractions.shape(1);
        ForwardPlan::require(has_shape(fractions, {count, materials, self.properties}) &&
                             has_shape(absorption, {count, materials + 1}) &&
                             has_shape(scattering, {count, materials + 1}) &&
                             has_shape(out, {count, self.sources, self.detectors}));
        const Mixtures input{fractions.data(),   absorption.data(),  scattering.data(),
                             fractions.shape(0), fractions.shape(1), fractions.shape(2)};
        Out* to = out.data();
        WithoutGil release;
        measure(self, input, to);
      },
      "fractions"_a, "absorption"_a, "scattering"_a, "out"_a);
}

Maps maps_of(const ForwardPlan& plan, View<const double> absorption,
             View<const double> scattering) {
  ForwardPlan::require(absorption.ndim() == 2);
  const int64_t count = absorption.shape(0);
  ForwardPlan::require(has_shape(absorption, {count, plan.properties}) &&
                       has_shape(scattering, {count, plan.properties}));
  return {absorption.data(), scattering.data(), count, plan.properties};
}

// Weights of `count` functions, whose numbers are looked at: all there are of properties and pairs.
Coarse coarse_of(int64_t count, View<const int64_t> start, View<const int32_t> column,
                 View<const double> weight, View<const int32_t> pair, int64_t properties,
                 int64_t pairs) {
  const auto within = [](View<const int32_t> numbers, int64_t end) {
    return std::all_of(numbers.data(), numbers.data() + numbers.size(),
                       [=](int32_t i) { return i >= 0 && i < end; });
  };
  ForwardPlan::require(has_shape(start, {properties + 1}) && has_shape(column, {weight.size()}) &&
                       weight.ndim() == 1 && pair.ndim() == 1 && start.data()[0] == 0 &&
                       std::is_sorted(start.data(), start.data() + start.size()) &&
                       start.data()[properties] == weight.size() && within(column, count) &&
                       within(pair, pairs));
  return {count, start.data(), column.data(), weight.data(), pair.size(), pair.data()};
}

template <class Out>
void bind_derivatives(py::module_ m) {
  m.def(
      "fields",
      [](const ForwardPlan& plan, View<const double> absorption, View<const double> scattering,
         View<Out> readings, View<Out> out) {
        const Maps maps = maps_of(plan, absorption, scattering);
        ForwardPlan::require(
            has_shape(readings, {maps.count, plan.sources, plan.detectors}) &&
            has_shape(out, {maps.count, plan.nodes, plan.sources + plan.detectors}));
        Out *to = readings.data(), *field = out.data();
        WithoutGil release;
        fields(plan, maps, to, field);
      },
      "plan"_a, "absorption"_a, "scattering"_a, "readings"_a, "out"_a);
  m.def(
      "jacobian",
      [](const ForwardPlan& plan, View<const double> absorption, View<const double> scattering,
         View<const Out> field, View<Out> by_absorption, View<Out> by_scattering) {
        const Maps maps = maps_of(plan, absorption, scattering);
        const auto shape = {maps.count, int64_t{plan.sources}, int64_t{plan.detectors},
                            int64_t{plan.properties}};
        ForwardPlan::require(
            has_shape(field, {maps.count, plan.nodes, plan.sources + plan.detectors}) &&
            has_shape(by_absorption, shape) && has_shape(by_scattering, shape));
        const Out* from = field.data();
        Out *mua = by_absorption.data(), *mus = by_scattering.data();
        WithoutGil release;
        jacobian(plan, maps, from, mua, mus);
      },
      "plan"_a, "absorption"_a, "scattering"_a, "field"_a, "by_absorption"_a, "by_scattering"_a);
  m.def(
      "coarse_jacobian",
      [](const ForwardPlan& plan, View<const double> absorption, View<const double> scattering,
         View<const Out> field, View<const int64_t> start, View<const int32_t> column,
         View<const double> weight, View<const int32_t> pair, View<const Out> scale,
         View<Out> by_absorption, View<Out> by_scattering) {
        const Maps maps = maps_of(plan, absorption, scattering);
        ForwardPlan::require(by_absorption.ndim() == 3);
        const Coarse coarse = coarse_of(by_absorption.shape(1), start, column, weight, pair,
                                        plan.properties, int64_t{plan.sources} * plan.detectors);
        const auto shape = {maps.count, coarse.count, coarse.pairs};
        ForwardPlan::require(
            has_shape(field, {maps.count, plan.nodes, plan.sources + plan.detectors}) &&
            has_shape(by_absorption, shape) && has_shape(by_scattering, shape) &&
            has_shape(scale, {maps.count, int64_t{pair.size()}}));
        const Out *from = field.data(), *factor = scale.data();
        Out *mua = by_absorption.data(), *mus = by_scattering.data();
        WithoutGil release;
        coarse_jacobian(plan, maps, from, coarse, factor, mua, mus);
      },
      "plan"_a, "absorption"_a, "scattering"_a, "field"_a, "start"_a, "column"_a, "weight"_a,
      "pair"_a, "scale"_a, "by_absorption"_a, "by_scattering"_a);
  m.def(
      "gradient",
      [](const ForwardPlan& plan, View<const double> absorption, View<const double> scattering,
         View<const Out> weight, View<double> by_absorption, View<double> by_scattering) {
        const Maps maps = maps_of(plan, absorption, scattering);
        ForwardPlan::require(has_shape(weight, {maps.count, plan.sources, plan.detectors}) &&
                             has_shape(by_absorption, {maps.count, plan.properties}) &&
                             has_shape(by_scattering, {maps.count, plan.properties}));
        const Out* from = weight.data();
        double *mua = by_absorption.data(), *mus = by_scattering.data();
        WithoutGil release;
        gradient(plan, maps, from, mua, mus);
      },
      "plan"_a, "absorption"_a, "scattering"_a, "weight"_a, "by_absorption"_a, "by_scattering"_a);
}

void bind_phantoms(py::module_ m) {
  m.def("philox", philox_words, "counter"_a, "key"_a);
  m.def("normals", normals, "words"_a, "out"_a, ReleaseGil());
  m.def("draw_regions", draw_regions, "limits"_a, "single_diameters"_a, "seed"_a, "first"_a,
        "regions"_a, ReleaseGil());
  m.def("element_shares", element_shares, "regions"_a, "corners"_a, "shares"_a, ReleaseGil());
  m.def("paint", paint, "regions"_a, "radius"_a, "gray"_a, "noise"_a, "seed"_a, "first"_a,
        "chromophores"_a, "mri"_a, ReleaseGil());
  m.def("add_noise", add_noise, "readings"_a, "noise"_a, "seed"_a, "first"_a, "signal"_a,
        ReleaseGil());
}

VolumePlan make_volume_plan(const py::dict& parts) {
  VolumePlan plan;
  const auto take = [&](const char* name, auto& part) { read(parts[name], part); };
  const auto rows = [&](const char* name, Rows& part) {
    const auto three = parts[name].cast<py::tuple>();
    read(three[0], part.start);
    read(three[1], part.column);
    read(three[2], part.value);
  };
  take("element_nodes", plan.element_nodes);
  take("property_nodes", plan.property_nodes);
  take("nodes", plan.nodes);
  take("properties", plan.properties);
  take("straight", plan.straight);
  take("element", plan.element);
  take("property", plan.property);
  take("place", plan.place);
  take("start", plan.start);
  take("column", plan.column);
  take("diagonal", plan.diagonal);
  take("mirror", plan.mirror);
  take("entry", plan.entry);
  take("fixed", plan.fixed);
  take("imaginary", plan.imaginary);
  plan.imaginary_float.assign(plan.imaginary.begin(), plan.imaginary.end());
  rows("source", plan.source);
  rows("detector", plan.detector);
  return plan;
}

Hierarchy make_hierarchy(const py::list& levels, const Array<float>& inverse) {
  Hierarchy made;
  for (const py::handle& given : levels) {
    const auto parts = given.cast<py::dict>();
    Level level;
    const auto take = [&](const char* name, auto& part) { read(parts[name], part); };
    take("nodes", level.nodes);
    take("start", level.start);
    take("column", level.column);
    take("diagonal", level.diagonal);
    take("value", level.value);
    take("up_start", level.up_start);
    take("up_column", level.up_column);
    take("up", level.up);
    made.levels.push_back(level);
  }
  made.coarsest = static_cast<int>(inverse.shape(0));
  made.inverse.assign(inverse.data(), inverse.data() + inverse.size());
  return made;
}

template <class Out>
void bind_volume_fields(py::module_ m) {
  m.def(
      "volume_fields",
      [](const VolumePlan& plan, const Hierarchy& hierarchy, View<const double> absorption,
         View<const double> scattering, View<const Out> near, double field, double reading,
         int rounds, View<Out> readings, View<Out> out, View<int32_t> iterations) {
        WithoutGil release;
        return volume_fields(plan, hierarchy, absorption, scattering, near,
                             Accuracy{field, reading, rounds}, readings, out, iterations);
      },
      "plan"_a, "hierarchy"_a, "absorption"_a, "scattering"_a, "near"_a, "field"_a, "reading"_a,
      "rounds"_a, "readings"_a, "out"_a, "iterations"_a);
}

template <class Out>
void bind_volume_derivatives(py::module_ m) {
  m.def(
      "jacobian",
      [](const VolumePlan& plan, View<const double> absorption, View<const double> scattering,
         View<const Out> field, View<Out> by_absorption, View<Out> by_scattering) {
        WithoutGil release;
        volume_jacobian(plan, absorption, scattering, field, by_absorption, by_scattering);
      },
      "plan"_a, "absorption"_a, "scattering"_a, "field"_a, "by_absorption"_a, "by_scattering"_a);
  m.def(
      "coarse_jacobian",
      [](const VolumePlan& plan, View<const double> absorption, View<const double> scattering,
         View<const Out> field, View<const int64_t> start, View<const int32_t> column,
         View<const double> weight, View<const int32_t> pair, View<const Out> scale,
         View<Out> by_absorption, View<Out> by_scattering) {
        VolumePlan::require(by_absorption.ndim() == 3);
        const Coarse coarse =
            coarse_of(by_absorption.shape(1), start, column, weight, pair, plan.properties,
                      int64_t{plan.sources()} * plan.detectors());
        WithoutGil release;
        volume_coarse_jacobian(plan, absorption, scattering, field, coarse, scale, by_absorption,
                               by_scattering);
      },
      "plan"_a, "absorption"_a, "scattering"_a, "field"_a, "start"_a, "column"_a, "weight"_a,
      "pair"_a, "scale"_a, "by_absorption"_a, "by_scattering"_a);
  m.def(
      "volume_gradient",
      [](const VolumePlan& plan, View<const double> absorption, View<const double> scattering,
         View<const Out> field, View<const Out> weight, View<double> by_absorption,
         View<double> by_scattering) {
        WithoutGil release;
        volume_gradient(plan, absorption, scattering, field, weight, by_absorption, by_scattering);
      },
      "plan"_a, "absorption"_a, "scattering"_a, "field"_a, "weight"_a, "by_absorption"_a,
      "by_scattering"_a);
}

void bind_volume(py::module_ m) {
  py::class_<VolumePlan> plan(m, "VolumePlan", py::module_local());
  plan.def(py::init(&make_volume_plan), "parts"_a);
  plan.def(
      "first_target",
      [](const VolumePlan& self, double absorption, double scattering, double field,
         double reading) {
        return first_target(self, Accuracy{field, reading, 0}, absorption, scattering);
      },
      "absorption"_a, "scattering"_a, "field"_a, "reading"_a);
  plan.attr("targets") = py::make_tuple(LEAST, GREATEST);
  py::class_<Hierarchy>(m, "Hierarchy", py::module_local())
      .def(py::init(&make_hierarchy), "levels"_a, "inverse"_a);
  m.def(
      "volume_matrix",
      [](const VolumePlan& plan, View<const double> absorption, View<const double> scattering,
         View<double> out) {
        WithoutGil release;
        assemble(plan, absorption, scattering, out);
      },
      "plan"_a, "absorption"_a, "scattering"_a, "out"_a);
  bind_volume_fields<double>(m);
  bind_volume_fields<std::complex<double>>(m);
  bind_volume_derivatives<double>(m);
  bind_volume_derivatives<std::complex<double>>(m);
}

}  // namespace

void bind_optics(py::module_ m) {
  m.attr("lanes") = lane_count<double>;
  py::class_<ForwardPlan> plan(m, "ForwardPlan", py::module_local());
  plan.def(py::init(&make_plan), "parts"_a);
  plan.attr("device_parts") = device_parts();
  bind_solves<double>(plan);
  bind_solves<std::complex<double>>(plan);
  bind_derivatives<double>(m);
  bind_derivatives<std::complex<double>>(m);
  bind_phantoms(m);
  bind_volume(m);
}
