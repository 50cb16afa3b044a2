// The narrow band of a level set: a list of the nodes near the contour (Adalsteinsson and Sethian,
// Journal of Computational Physics 118, 269-277, 1995). Listed are the nodes with |phi| < width and
// their neighbours; everywhere else phi is -width or width. The list is brought up to date once
// values have moved by half a step.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "common/parallel.hpp"
#include "fronts/contours/geodesic.hpp"

namespace lesionkit::fronts::contours {

template <class T, int axes>
class NarrowBand {
 public:
  // shape and spacing: slowest axis first. edge, start: [shape].
  NarrowBand(const int64_t* shape, const double* spacing, const T* edge, const T* start,
             const GeodesicRule<T, axes>& rule)
      : rule_(rule) {
    int64_t size = 1;
    double squares = 0.0, least = 1.0 / (spacing[0] * spacing[0]);
    for (int d = axes - 1; d >= 0; --d) {
      shape_[d] = shape[d];
      step_[d] = size;
      size *= shape[d] + 2 * PAD;
      rule_.inverse[d] = static_cast<T>(1.0 / spacing[d]);
      squares += 1.0 / (spacing[d] * spacing[d]);
      least = std::min(least, 1.0 / (spacing[d] * spacing[d]));
    }
    // A front's own direction does not bend: of the axes all but one count.
    rule_.flow = static_cast<T>(std::sqrt(squares));
    rule_.bend = static_cast<T>(2.0 * (squares - least));
    Stencil::offsets(step_, of_phi_, of_edge_);
    rule_.least = static_cast<T>(*std::min_element(spacing, spacing + axes));
    width_ = T(3) * static_cast<T>(*std::max_element(spacing, spacing + axes));
    edge_ = padded(edge, size);
    phi_ = padded(start, size);
    state_.assign(size, OUTSIDE);
    for_each_pixel(
        [&](int64_t node, int64_t, bool at_border) { state_[node] = at_border ? BORDER : 0; });
    begin();
  }

  // One iteration. Returns the time step.
  double iterate() {
    measure();
    T limit = 0;
    for (const T part : limits_) limit = std::max(limit, part);
    const T step = limit > 0 ? T(0.8) / limit : T(0);
    advance(step, T(0.1));
    return step;
  }

  void copy_to(T* out) const {
    for_each_pixel([&](int64_t node, int64_t pixel, bool) { out[pixel] = phi_[node]; });
  }

 private:
  using Stencil = GeodesicStencil<T, axes>;
  static constexpr int64_t PAD = 2, GRAIN = 1024;
  static constexpr uint8_t LISTED = 1, BORDER = 2, OUTSIDE = 4;

  // work(node, pixel, at the border) for each pixel of the picture; nodes count the padding.
  template <class Work>
  void for_each_pixel(const Work& work) const {
    int64_t place[axes] = {}, pixel = 0;
    const int64_t columns = shape_[axes - 1];
    for (;;) {
      int64_t node = PAD;
      bool border = false;
      for (int d = 0; d < axes - 1; ++d) {
        node += (place[d] + PAD) * step_[d];
        border = border || place[d] == 0 || place[d] == shape_[d] - 1;
      }
      for (int64_t x = 0; x < columns; ++x)
        work(node + x, pixel++, border || x == 0 || x == columns - 1);
      int d = axes - 2;
      for (; d >= 0 && ++place[d] == shape_[d]; --d) place[d] = 0;
      if (d < 0) return;
    }
  }

  std::vector<T> padded(const T* values, int64_t size) const {
    std::vector<T> out(size);
    for_each_pixel([&](int64_t node, int64_t pixel, bool border) {
      if (border)
        put(out, node, values[pixel]);
      else
        out[node] = values[pixel];
    });
    return out;
  }

  // Writes a pixel at the border, and the padding that continues it.
  void put(std::vector<T>& values, int64_t node, T value) const {
    int64_t from[3] = {}, to[3] = {}, step[3] = {};
    for (int d = 0; d < axes; ++d) {
      const int64_t place = node / step_[d] % (shape_[d] + 2 * PAD) - PAD;
      from[d] = place == 0 ? -PAD : 0;
      to[d] = place == shape_[d] - 1 ? PAD : 0;
      step[d] = step_[d];
    }
    for (int64_t a = from[0]; a <= to[0]; ++a)
      for (int64_t b = from[1]; b <= to[1]; ++b)
        for (int64_t c = from[2]; c <= to[2]; ++c)
          values[node + a * step[0] + b * step[1] + c * step[2]] = value;
  }

  Stencil stencil_of(int64_t node) const {
    Stencil s;
    for (int c = 0; c < Stencil::phi_count; ++c) s.phi[c] = phi_[node + of_phi_[c]];
    for (int c = 0; c < Stencil::edge_count; ++c) s.edge[c] = edge_[node + of_edge_[c]];
    return s;
  }

  // The stencils of a few nodes, value by value, so that the formula runs on many nodes at once.
  struct Gathered {
    static constexpr int64_t SIZE = 64;
    T phi[Stencil::phi_count][SIZE], edge[Stencil::edge_count][SIZE];
    T rate[SIZE], relax[SIZE], limit[SIZE];
  };

  void gather(const int32_t* nodes, int64_t n, Gathered& g) const {
    for (int c = 0; c < Stencil::phi_count; ++c) {
      const T* from = phi_.data() + of_phi_[c];
      for (int64_t k = 0; k < n; ++k) g.phi[c][k] = from[nodes[k]];
    }
    for (int c = 0; c < Stencil::edge_count; ++c) {
      const T* from = edge_.data() + of_edge_[c];
      for (int64_t k = 0; k < n; ++k) g.edge[c][k] = from[nodes[k]];
    }
  }

  static void change(const GeodesicRule<T, axes>& rule, Gathered& g) {
#pragma GCC ivdep
    for (int64_t k = 0; k < Gathered::SIZE; ++k) {
      Stencil s;
      UNROLL_ALL
      for (int c = 0; c < Stencil::phi_count; ++c) s.phi[c] = g.phi[c][k];
      UNROLL_ALL
      for (int c = 0; c < Stencil::edge_count; ++c) s.edge[c] = g.edge[c][k];
      const GeodesicChange<T> change = geodesic_change(s, rule);
      g.rate[k] = change.rate;
      g.relax[k] = change.relax;
      g.limit[k] = change.limit;
    }
  }

  // The changes of the listed nodes, and of each chunk the greatest limit.
  void measure() {
    const int64_t n = static_cast<int64_t>(list_.size());
    rate_.resize(n);
    relax_.resize(n);
    limits_.assign((n + GRAIN - 1) / GRAIN, T(0));
    parallel_for(n, GRAIN, [&](int64_t begin, int64_t end) {
      Gathered g = {};
      T limit = 0;
      for (int64_t k = begin; k < end; k += Gathered::SIZE) {
        const int64_t count = std::min(end - k, Gathered::SIZE);
        gather(list_.data() + k, count, g);
        change(rule_, g);
        std::copy(g.rate, g.rate + count, rate_.data() + k);
        std::copy(g.relax, g.relax + count, relax_.data() + k);
        limit = std::max(limit, *std::max_element(g.limit, g.limit + count));
      }
      limits_[begin / GRAIN] = limit;
    });
  }

  // Moves on by `step` in time, and by `share` towards a distance. Returns the greatest change.
  T apply(T step, T share) {
    const int64_t n = static_cast<int64_t>(list_.size());
    parallel_for(n, 4 * GRAIN, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) {
        const int64_t node = list_[k];
        const T old = phi_[node], to = old + step * rate_[k] + share * relax_[k];
        const T value = std::clamp(to, -width_, width_);
        rate_[k] = std::abs(value - old);
        set(node, value);
      }
    });
    T most = 0;
    for (int64_t k = 0; k < n; ++k) most = std::max(most, rate_[k]);
    return most;
  }

  bool near(int64_t node) const { return std::abs(phi_[node]) < width_; }

  bool near_neighbour(int64_t node) const {
    for (int d = 0; d < axes; ++d)
      if (near(node - step_[d]) || near(node + step_[d])) return true;
    return false;
  }

  void add(int64_t node) {
    if (state_[node] & (LISTED | OUTSIDE)) return;
    state_[node] |= LISTED;
    list_.push_back(static_cast<int32_t>(node));
  }

  void refresh() {
    moved_ = 0;
    const size_t n = list_.size();
    for (size_t k = 0; k < n; ++k) {
      const int64_t node = list_[k];
      if (!near(node)) continue;
      for (int d = 0; d < axes; ++d) {
        add(node - step_[d]);
        add(node + step_[d]);
      }
    }
    std::erase_if(list_, [this](int64_t node) {
      const bool goes = !near(node) && !near_neighbour(node);
      if (goes) state_[node] &= static_cast<uint8_t>(~LISTED);
      return goes;
    });
  }

  void set(int64_t node, T value) {
    if (state_[node] & BORDER)
      put(phi_, node, value);
    else
      phi_[node] = value;
  }

  void advance(T step, T share) {
    moved_ += apply(step, share);
    if (moved_ >= T(0.5) * rule_.least) refresh();
  }

  // From any level set to distances: phi / |grad phi| beside the contour, from there by whole
  // steps, and then relaxed.
  void begin() {
    std::vector<T> reached;  // of the listed nodes
    for_each_pixel([&](int64_t node, int64_t, bool) {
      bool found = false;
      for (int d = 0; d < axes; ++d)
        for (const int64_t other : {node - step_[d], node + step_[d]})
          found = found || (phi_[other] > 0) != (phi_[node] > 0);
      if (!found) return;
      const T value = phi_[node] + geodesic_change(stencil_of(node), rule_).relax;
      reached.push_back(std::clamp(value, -T(2) * rule_.least, T(2) * rule_.least));
      add(node);
    });
    for (T& value : phi_) value = value > 0 ? width_ : -width_;
    for (size_t k = 0; k < list_.size(); ++k) set(list_[k], reached[k]);
    for (size_t layer = 0; layer < list_.size();) {
      const size_t end = list_.size();
      for (size_t k = layer; k < end; ++k) {
        if (!near(list_[k])) continue;
        for (int d = 0; d < axes; ++d)
          for (const int64_t way : {-step_[d], step_[d]}) add(list_[k] + way);
      }
      for (size_t k = end; k < list_.size(); ++k) {  // all of them, whoever came first
        T reach = width_;
        for (int d = 0; d < axes; ++d)
          for (const int64_t way : {-step_[d], step_[d]})
            reach = std::min(reach, std::abs(phi_[list_[k] + way]) + T(1) / rule_.inverse[d]);
        reached.push_back(phi_[list_[k]] > 0 ? reach : -reach);
      }
      for (size_t k = end; k < list_.size(); ++k) set(list_[k], reached[k]);
      layer = end;
    }
    for (int pass = 0; pass < 20; ++pass) {
      measure();
      advance(T(0), T(0.5));
    }
  }

  GeodesicRule<T, axes> rule_;
  int64_t shape_[axes], step_[axes], of_phi_[Stencil::phi_count], of_edge_[Stencil::edge_count];
  T width_, moved_ = 0;
  std::vector<T> edge_, phi_;
  std::vector<uint8_t> state_;
  std::vector<int32_t> list_;
  std::vector<T> rate_, relax_, limits_;
};

}  // namespace lesionkit::fronts::contours
