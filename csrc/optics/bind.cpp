// lesionkit.optics: the kernels' Python names. Checks and allocation are Python's work.
#include <pybind11/complex.h>
#include <pybind11/stl.h>

#include <complex>
#include <cstring>

#include "common/arrays.hpp"
#include "optics/groups.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::optics;

void bind_jacobian(py::module_ m);
void bind_phantom(py::module_ m);

namespace {

template <class V>
std::vector<V> copy(const Array<V>& array) {
  return {array.data(), array.data() + array.size()};
}

template <class V>
Ragged<V> ragged(const py::dict& parts, const char* name) {
  const auto pair = parts[name].cast<py::tuple>();
  return {copy(pair[0].cast<Array<int64_t>>()), copy(pair[1].cast<Array<V>>())};
}

ForwardPlan make_plan(const py::dict& parts) {
  const auto integer = [&](const char* name) { return parts[name].cast<int>(); };
  const auto values = [&](const char* name) { return copy(parts[name].cast<Array<double>>()); };
  const auto indices = [&](const char* name) { return copy(parts[name].cast<Array<int32_t>>()); };

  ForwardPlan plan;
  plan.element_nodes = integer("element_nodes");
  plan.property_nodes = integer("property_nodes");
  plan.nodes = integer("nodes");
  plan.properties = integer("properties");
  plan.sources = integer("sources");
  plan.detectors = integer("detectors");
  const auto shapes = parts["shapes"].cast<Array<int32_t>>();
  for (py::ssize_t f = 0; f < shapes.shape(0); ++f)
    plan.fronts.push_back({shapes.at(f, 0), shapes.at(f, 1), shapes.at(f, 2), shapes.at(f, 3)});
  plan.parent = indices("parent");
  plan.source = ragged<int32_t>(parts, "source");
  plan.detector = ragged<int32_t>(parts, "detector");
  plan.node = ragged<int32_t>(parts, "node");
  plan.target = ragged<int32_t>(parts, "target");
  plan.target_row = ragged<int32_t>(parts, "target_row");
  plan.column_target = ragged<int32_t>(parts, "column_target");
  plan.column = ragged<int32_t>(parts, "column");
  plan.fixed_start = copy(parts["fixed_start"].cast<Array<int64_t>>());
  plan.fixed_front = indices("fixed_front");
  plan.fixed_offset = indices("fixed_offset");
  plan.fixed_value = values("fixed_value");
  plan.element_start = copy(parts["element_start"].cast<Array<int64_t>>());
  plan.property = indices("property");
  plan.entry_front = indices("entry_front");
  plan.entry_offset = indices("entry_offset");
  plan.stiffness = values("stiffness");
  plan.element_node = indices("element_node");
  plan.area = values("area");
  plan.mass_kind = indices("mass_kind");
  plan.mass = values("mass");
  plan.imaginary_mass = values("imaginary_mass");
  plan.place();
  return plan;
}

// Where the panels lie while a system is solved, for the GPU's form of the plan.
py::dict stack_of(const ForwardPlan& plan) {
  const Layout& stack = plan.reused;
  const auto array = [](const auto& values) { return py::array(py::cast(values)); };
  py::dict parts;
  parts["size"] = stack.size;
  parts["panel"] = array(stack.panel);
  parts["open_from"] = array(stack.open_from);
  parts["open_to"] = array(stack.open_to);
  parts["element_entry"] = array(stack.element_entry);
  parts["fixed_entry"] = array(stack.fixed_entry);
  parts["target_row"] = array(stack.target_row);
  return parts;
}

template <class T, class Out, class Input>
void measure(const ForwardPlan& plan, const Input& input, Out* out) {
  const int64_t size = plan.sources * plan.detectors;
  for_groups<T>(plan, input, false, [&](ForwardGroup<T>& group, int64_t first, int systems) {
    for (int l = 0; l < systems; ++l)
      for (int64_t i = 0; i < size; ++i) out[(first + l) * size + i] = lane(group.readings[i], l);
  });
}

template <class T, class Out>
void fluence(const ForwardPlan& plan, const Maps& maps, Out* out) {
  for_groups<T>(plan, maps, true, [&](ForwardGroup<T>& group, int64_t first, int systems) {
    const T* field = group.fields(false);
    for (int l = 0; l < systems; ++l)
      for (int s = 0; s < plan.sources; ++s)
        for (int64_t i = 0; i < plan.nodes; ++i)
          out[((first + l) * plan.sources + s) * plan.nodes + i] =
              lane(field[i * plan.sources + s], l);
  });
}

template <class Out>
void bind_solves(py::class_<ForwardPlan>& plan) {
  const auto maps = [](const ForwardPlan& self, const Array<double>& absorption,
                       const Array<double>& scattering, const Array<Out>& out, int width) {
    ForwardPlan::require(absorption.ndim() == 2);
    const int64_t count = absorption.shape(0);
    ForwardPlan::require(has_shape(absorption, {count, self.properties}) &&
                         has_shape(scattering, {count, self.properties}) &&
                         has_shape(out, {count, self.sources, width}));
    return Maps{absorption.data(), scattering.data(), count, self.properties};
  };
  plan.def(
      "measure",
      [maps](const ForwardPlan& self, const Array<double>& absorption,
             const Array<double>& scattering, Array<Out>& out) {
        const Maps input = maps(self, absorption, scattering, out, self.detectors);
        Out* to = out.mutable_data();
        lesionkit::WithoutGil release;
        measure<Number<Out>>(self, input, to);
      },
      py::arg("absorption").noconvert(), py::arg("scattering").noconvert(),
      py::arg("out").noconvert());
  plan.def(
      "fluence",
      [maps](const ForwardPlan& self, const Array<double>& absorption,
             const Array<double>& scattering, Array<Out>& out) {
        const Maps input = maps(self, absorption, scattering, out, self.nodes);
        Out* to = out.mutable_data();
        lesionkit::WithoutGil release;
        fluence<Number<Out>>(self, input, to);
      },
      py::arg("absorption").noconvert(), py::arg("scattering").noconvert(),
      py::arg("out").noconvert());
  plan.def(
      "measure_mixture",
      [](const ForwardPlan& self, const Array<double>& fractions, const Array<double>& absorption,
         const Array<double>& scattering, Array<Out>& out) {
        ForwardPlan::require(fractions.ndim() == 3);
        const int64_t count = fractions.shape(0), materials = fractions.shape(1);
        ForwardPlan::require(has_shape(fractions, {count, materials, self.properties}) &&
                             has_shape(absorption, {count, materials + 1}) &&
                             has_shape(scattering, {count, materials + 1}) &&
                             has_shape(out, {count, self.sources, self.detectors}));
        const Mixtures input{fractions.data(),   absorption.data(),  scattering.data(),
                             fractions.shape(0), fractions.shape(1), fractions.shape(2)};
        Out* to = out.mutable_data();
        lesionkit::WithoutGil release;
        measure<Number<Out>>(self, input, to);
      },
      py::arg("fractions").noconvert(), py::arg("absorption").noconvert(),
      py::arg("scattering").noconvert(), py::arg("out").noconvert());
}

}  // namespace

void bind_optics(py::module_ m) {
  m.attr("lanes") = lane_count;
  py::class_<ForwardPlan> plan(m, "ForwardPlan", py::module_local());
  plan.def(py::init(&make_plan), py::arg("parts"));
  plan.def("stack", &stack_of);
  bind_solves<double>(plan);
  bind_solves<std::complex<double>>(plan);
  bind_jacobian(m);
  bind_phantom(m);
}
