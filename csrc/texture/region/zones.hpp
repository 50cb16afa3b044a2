// Zones (Thibault et al., PRIP 2009, 140-145): connected regions of one grey level.
//
// One pass in order, with union-find. A voxel looks at the neighbours that came before it: which of
// them have its level is a mask of at most 13 bits, made by vector code. Neighbours of the mask
// that touch each other are in one zone already, so a table tells for each mask which few to unite.
// A voxel's label is the first voxel of its part; sizes are counted under labels, and flow to the
// zones' roots at the end. Slabs of slices are done apart and then joined: the zones, and so their
// counts, are the same however they were cut.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "common/parallel.hpp"
#include "texture/region/volume.hpp"
#include "texture/region/zone_rule.hpp"

namespace lesionkit::texture {

// The neighbours that come before a voxel: those that differ in at most `connectivity` axes, in the
// plane (height 1) or in space.
struct Before {
  std::vector<Offset> offsets;
  uint16_t in_slice = 0;           // the bits of those in the same slice
  std::vector<uint16_t> to_unite;  // by mask

  Before(int64_t connectivity, bool flat) {
    for (int64_t z = -1; z <= 0; ++z)
      for (int64_t y = -1; y <= 1; ++y)
        for (int64_t x = -1; x <= 1; ++x) {
          const bool earlier = z < 0 || y < 0 || (y == 0 && x < 0);
          if (!earlier || (z == 0 && y > 0) || (flat && y != 0)) continue;
          if (!joined({z, y, x}, connectivity)) continue;
          if (z == 0) in_slice |= uint16_t(1 << offsets.size());
          offsets.push_back({z, y, x});
        }
    to_unite.resize(size_t{1} << offsets.size());
    std::vector<uint16_t> touching(offsets.size());
    for (size_t i = 0; i < offsets.size(); ++i)
      for (size_t j = 0; j < offsets.size(); ++j)
        if (joined(between(offsets[i], offsets[j]), connectivity)) touching[i] |= uint16_t(1 << j);
    for (size_t mask = 0; mask < to_unite.size(); ++mask)
      to_unite[mask] = one_of_each_part(static_cast<uint16_t>(mask), touching);
  }

 private:
  static Offset between(const Offset& a, const Offset& b) {
    return {a.plane - b.plane, a.row - b.row, a.column - b.column};
  }

  // Of the neighbours in a mask, the first of each connected part.
  static uint16_t one_of_each_part(unsigned mask, const std::vector<uint16_t>& touching) {
    unsigned firsts = 0;
    while (mask) {
      unsigned front = mask & -mask;  // of the part: what was reached, and not yet looked from
      firsts |= front;
      mask &= ~front;
      while (front) {
        const unsigned found = touching[__builtin_ctz(front)] & mask;
        front = (front & (front - 1)) | found;
        mask &= ~found;
      }
    }
    return static_cast<uint16_t>(firsts);
  }
};

template <class T>
class Zones {
 public:
  Zones(const Volume<T>& volume, const Before& before)
      : volume_(volume),
        before_(before),
        voxels_(volume.depth * volume.slice),
        label_(new int32_t[voxels_]),
        parent_(new int32_t[voxels_]),
        size_(new int32_t[voxels_]) {
    for (const Offset& by : before.offsets) steps_.push_back(volume.step(by));
  }

  // Calls add(level, size) for each zone.
  template <class Add>
  void each(Add&& add) {
    constexpr int64_t slab_voxels = 1 << 16;
    const int64_t slab = std::max<int64_t>(1, slab_voxels / volume_.slice);
    std::vector<std::vector<int32_t>> labels((volume_.depth + slab - 1) / slab);
    parallel_for(volume_.depth, slab,
                 [&](int64_t begin, int64_t end) { scan(begin, end, labels[begin / slab]); });
    for (int64_t z = slab; z < volume_.depth; z += slab) join(z);
    // A root is the first label of its zone, so that sizes flow down in one pass.
    for (auto part = labels.rbegin(); part != labels.rend(); ++part)
      for (auto label = part->rbegin(); label != part->rend(); ++label) {
        if (parent_[*label] == *label)
          add(volume_.origin[*label], size_[*label]);
        else
          size_[parent_[*label]] += size_[*label];
      }
  }

 private:
  int32_t root(int32_t label) {
    while (parent_[label] != label) label = parent_[label] = parent_[parent_[label]];
    return label;
  }

  int32_t unite(int32_t a, int32_t b) {
    a = root(a);
    b = root(b);
    if (a > b) std::swap(a, b);
    return parent_[b] = a;
  }

  // same[i]: which of the neighbours in `of` have the level of the block's voxel i.
  void compare(const Block<T>& block, uint16_t of, uint16_t* __restrict same) const {
    std::fill_n(same, block.length, uint16_t{0});
    for (size_t k = 0; k < steps_.size(); ++k) {
      if (!(of >> k & 1)) continue;
      const T *level = block.level, *other = level + steps_[k];
      const uint16_t bit = uint16_t(1 << k);
      for (int64_t i = 0; i < block.length; ++i)
        same[i] |= other[i] == level[i] ? bit : uint16_t{0};
    }
  }

  // Calls visit(place, neighbours to unite with) for each voxel of slice z.
  template <class Visit>
  void visit_slice(int64_t z, uint16_t of, std::vector<uint16_t>& same, Visit&& visit) {
    each_block(volume_, z, [&](const Block<T>& block) {
      compare(block, of, same.data());
      for (int64_t i = 0; i < block.length; ++i)
        if (block.level[i] != 0)
          visit(static_cast<int32_t>(block.level + i - volume_.origin),
                unsigned{before_.to_unite[same[i]]});
    });
  }

  void scan(int64_t begin, int64_t end, std::vector<int32_t>& labels) {
    std::vector<uint16_t> same(block_length(volume_));
    for (int64_t z = begin; z < end; ++z)
      visit_slice(z, z == begin ? before_.in_slice : EVERY, same,
                  [&](int32_t place, unsigned mask) {
                    if (mask == 0) {
                      label_[place] = parent_[place] = place;
                      size_[place] = 1;
                      labels.push_back(place);
                      return;
                    }
                    int32_t label = label_[place + steps_[__builtin_ctz(mask)]];
                    for (mask &= mask - 1; mask; mask &= mask - 1)
                      label = unite(label, label_[place + steps_[__builtin_ctz(mask)]]);
                    label_[place] = label;
                    ++size_[label];
                  });
  }

  // Unites what meets between the slices z - 1 and z.
  void join(int64_t z) {
    std::vector<uint16_t> same(block_length(volume_));
    visit_slice(z, EVERY & ~before_.in_slice, same, [&](int32_t place, unsigned mask) {
      for (; mask; mask &= mask - 1)
        unite(label_[place], label_[place + steps_[__builtin_ctz(mask)]]);
    });
  }

  static constexpr uint16_t EVERY = 0x1fff;
  const Volume<T>& volume_;
  const Before& before_;
  const int64_t voxels_;
  std::vector<int64_t> steps_;
  std::unique_ptr<int32_t[]> label_, parent_, size_;
};

}  // namespace lesionkit::texture
