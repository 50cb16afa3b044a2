// lesionkit.clustering: the kernels' Python names, a function for each room.
#include "clustering/fcm/kernels.hpp"
#include "clustering/kernels.hpp"
#include "clustering/kmeans/kernels.hpp"
#include "clustering/spatial/kernels.hpp"
#include "common/arrays.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace py::literals;

namespace {

void bind_codebook(py::module_ m) {
  using namespace lesionkit::clustering;
  for_types<float, double>([&]<class T>() {
    m.def("cell_sums", cell_sums<T>, "x"_a, "weights"_a, "labels"_a, "words"_a, "cells"_a,
          ReleaseGil());
  });
  m.def("merge_pairs", merge_pairs, "words"_a, "weights"_a, "target"_a, ReleaseGil());
}

void bind_fcm(py::module_ m) {
  using namespace lesionkit::clustering::fuzzy;
  for_types<uint8_t, int8_t, uint16_t, int16_t, float, double>([&]<class T>() {
    m.def("fcm_labels", fcm_labels<T>, "x"_a, "centres"_a, "out"_a, ReleaseGil());
  });
  for_types<float, double>([&]<class T>() {
    m.def("fcm_fit", fcm_fit<T>, "x"_a, "weight"_a, "span"_a, "greatest_weight"_a, "total_weight"_a,
          "m"_a, "max_iter"_a, "tol"_a, "of_memberships"_a, "centres"_a, ReleaseGil());
    m.def("fcm_memberships", fcm_memberships<T>, "x"_a, "m"_a, "centres"_a, "only"_a, "out"_a,
          "planes"_a = false, ReleaseGil());
    m.def("fcm_distances", fcm_distances<T>, "x"_a, "centres"_a, "out"_a, "planes"_a = false,
          ReleaseGil());
    m.def("fcm_validity", fcm_validity<T>, "x"_a, "weight"_a, "m"_a, "centres"_a, ReleaseGil());
    m.def("column_statistics", column_statistics<T>, "x"_a, "weight"_a, "out"_a, ReleaseGil());
  });
  m.def("cmeans_fit", cmeans_fit, "x"_a, "u0"_a, "span"_a, "m"_a, "error"_a, "maxiter"_a,
        "centres"_a, ReleaseGil());
  m.def("cmeans_change", cmeans_change, "x"_a, "u0"_a, "span"_a, "m"_a, "centres"_a, ReleaseGil());
}

void bind_kmeans(py::module_ m) {
  using namespace lesionkit::clustering;
  for_types<float, double>([&]<class X>() {
    m.def("lloyd", kmeans_lloyd<X>, "x"_a, "weights"_a, "counted"_a, "centres"_a, "max_iter"_a,
          "tol"_a, "watched"_a, ReleaseGil());
    m.def("nearest", kmeans_nearest<X>, "x"_a, "weights"_a, "centres"_a, "labels"_a, "counts"_a,
          ReleaseGil());
    m.def("distances", kmeans_distances<X>, "x"_a, "centres"_a, "out"_a, ReleaseGil());
    m.def("seeds", kmeans_seeds<X>, "x"_a, "weights"_a, "k"_a, "trials"_a, "uniform"_a, "work"_a,
          ReleaseGil());
    m.def("whole_numbers", whole_numbers<X>, "x"_a, ReleaseGil());
  });
  m.def("optimum", kmeans_optimum, "values"_a, "weights"_a, "k"_a, ReleaseGil());
  for_types<uint8_t, int8_t, uint16_t, int16_t, float, double>([&]<class X>() {
    m.def("count_values", count_values<X>, "x"_a, "sample_weights"_a, "low"_a, "counts"_a,
          "weights"_a, ReleaseGil());
    m.def("look_up", look_up<X>, "x"_a, "low"_a, "table"_a, "labels"_a, ReleaseGil());
  });
}

void bind_spatial(py::module_ m) {
  using namespace lesionkit::clustering::spatial;
  for_types<float, double>([&]<class T>() {
    m.def("window_mean", window_mean<T>, "images"_a, "mask"_a, "half"_a, "border"_a, "self"_a,
          "out"_a, ReleaseGil());
    m.def("window_median", window_median<T>, "images"_a, "mask"_a, "half"_a, "border"_a, "self"_a,
          "out"_a, ReleaseGil());
    m.def("window_similar", window_similar<T>, "images"_a, "mask"_a, "half"_a, "border"_a,
          "reach"_a, "alike"_a, "out"_a, ReleaseGil());
    m.def("mix", mix<T>, "x"_a, "y"_a, "alpha"_a, "extra"_a, ReleaseGil());
    m.def("spatial_fcm_fit", spatial_fcm_fit<T>, "x"_a, "extra"_a, "weight"_a, "m"_a, "max_iter"_a,
          "tolerance"_a, "centres"_a, ReleaseGil());
    m.def("spatial_fcm_planes", spatial_fcm_planes<T>, "x"_a, "extra"_a, "m"_a, "centres"_a,
          "chosen"_a, "plane"_a, "labels"_a, ReleaseGil());
    m.def("sfcm_fit", sfcm_fit<T>, "x"_a, "weight"_a, "half"_a, "border"_a, "m"_a, "p"_a, "q"_a,
          "max_iter"_a, "tolerance"_a, "centres"_a, ReleaseGil());
    m.def("sfcm_planes", sfcm_planes<T>, "x"_a, "weight"_a, "half"_a, "border"_a, "m"_a, "p"_a,
          "q"_a, "centres"_a, "chosen"_a, "plane"_a, "labels"_a, ReleaseGil());
    m.def("flicm_fit", flicm_fit<T>, "x"_a, "weight"_a, "half"_a, "border"_a, "m"_a, "max_iter"_a,
          "tolerance"_a, "centres"_a, "u"_a, "spare"_a, "labels"_a, ReleaseGil());
  });
}

}  // namespace

void bind_clustering(py::module_ m) {
  bind_codebook(m);
  bind_fcm(m);
  bind_kmeans(m);
  bind_spatial(m);
}
