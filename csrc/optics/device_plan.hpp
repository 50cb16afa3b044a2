// The plan of a forward model as the GPU reads it: three flat arrays, made from the CPU's plan by
// optics/forward/forward_gpu.py. Each part is named once, here: the accessors below, the order of
// the arrays and the names that Python fills in by (`_core.optics.device_plan`) come from these
// lists. A new part is a new name in one of them.
//
// The panels of the last fronts, near the tree's root, are open from the first front on: they are
// large, seldom changed, and would leave room for few blocks in shared memory. They lie far, each
// in a place of its own in the GPU's memory, and come near when it is their turn, when no other
// panel is there. The near ones form a stack. Where not even the largest panel fits, all are far.
#pragma once

#include "common/portable.hpp"
#include "optics/factor.hpp"

// clang-format off
#define LESIONKIT_PLAN_COUNTS(X)                                                                 \
  X(fronts)                                                                                      \
  X(pairs)              /* of an element's nodes */                                              \
  X(sources)                                                                                     \
  X(detectors)                                                                                   \
  X(properties)                                                                                  \
  X(near)               /* entries of a block's shared memory for panels */                      \
  X(far)                /* entries of panels outside */                                          \
  X(max_pivots)         /* of a front */

#define LESIONKIT_PLAN_FRONT(X)                                                                  \
  X(pivots)                                                                                      \
  X(update)             /* rows */                                                               \
  X(sources)            /* rows */                                                               \
  X(detectors)          /* rows */                                                               \
  X(panel)              /* where its panel begins: near, or, */                                  \
  X(far)                /* if that is not 0, far */                                              \
  X(open_from)          /* near entries to zero before it is worked on, */                       \
  X(open_to)            /* up to here */                                                         \
  X(gather)             /* where its own begin in gather_entry, */                               \
  X(tile)               /* in tile, */                                                           \
  X(source)             /* in source, */                                                         \
  X(detector)           /* in detector; a record is read 16 bytes at a time */

#define LESIONKIT_PLAN_TABLES(X)                                                                 \
  X(front)              /* [front + 1]: records as above; the last holds the ends alone */       \
  X(tile)               /* tiles of updates, see DeviceTile */                                   \
  X(gather_entry)       /* entries of the front's panel that elements or constants add to */     \
  X(contribution_start) /* [gathered entry + 1]: in contribution */                              \
  X(contribution)       /* element * pairs + pair */                                             \
  X(property)           /* [element][P] */                                                       \
  X(source)             /* the front's sources */                                                \
  X(detector)           /* the front's detectors */                                              \
  X(mass_kind)          /* [element] */

#define LESIONKIT_PLAN_VALUES(X)                                                                 \
  X(fixed)              /* [gathered entry]: what no property changes */                         \
  X(stiffness)          /* [element][pair][P] */                                                 \
  X(area)               /* [element] mm^2 */                                                     \
  X(mass)               /* [kind][pair][P] */                                                    \
  X(imaginary_mass)     /* [kind][pair] */
// clang-format on

// Before a long loop: so many turns at once on a GPU, whose loads then do not wait for each other.
#if defined(__CUDACC__)
#define UNROLL_TURNS _Pragma("unroll turns")
#else
#define UNROLL_TURNS
#endif

namespace lesionkit::optics {

struct alignas(16) DeviceFrontRecord {
#define LESIONKIT_FIELD(name) int32_t name;
  LESIONKIT_PLAN_FRONT(LESIONKIT_FIELD)
#undef LESIONKIT_FIELD

  HD FrontShape shape() const { return {pivots, update, sources, detectors}; }
};

// A tile of a front's update: `rows` x `columns` entries, that many columns from `column` on, and
// the rows row, row + apart and so on, both counted from the first update row. Threads that take
// tiles one after the other take rows that lie one after the other.
struct DeviceTile {
  static constexpr int rows = 2, columns = 4;

  int32_t row, apart, column;
  // Where an entry is added to, in the panels that are near; less than -1: -2 - it in those that
  // are far; -1: nowhere.
  int32_t place[columns][rows];
};

struct DevicePlan {
  const int32_t* header;  // the counts, then where each table and each array of values begins
  const int32_t* table;
  const double* values;

  HD const DeviceFrontRecord* records() const {
    return reinterpret_cast<const DeviceFrontRecord*>(front());
  }
  HD const DeviceTile* tiles() const { return reinterpret_cast<const DeviceTile*>(tile()); }
  HD int gathered() const { return records()[fronts()].gather; }

#define LESIONKIT_PLACE(name) at_##name,
  enum Place {
    LESIONKIT_PLAN_COUNTS(LESIONKIT_PLACE)  //
    LESIONKIT_PLAN_TABLES(LESIONKIT_PLACE)  //
    LESIONKIT_PLAN_VALUES(LESIONKIT_PLACE)  //
  };
#undef LESIONKIT_PLACE

#define LESIONKIT_COUNT(name) \
  HD int name() const { return header[at_##name]; }
#define LESIONKIT_TABLE(name) \
  HD const int32_t* name() const { return table + header[at_##name]; }
#define LESIONKIT_VALUES(name) \
  HD const double* name() const { return values + header[at_##name]; }
  LESIONKIT_PLAN_COUNTS(LESIONKIT_COUNT)
  LESIONKIT_PLAN_TABLES(LESIONKIT_TABLE)
  LESIONKIT_PLAN_VALUES(LESIONKIT_VALUES)
#undef LESIONKIT_COUNT
#undef LESIONKIT_TABLE
#undef LESIONKIT_VALUES
};

}  // namespace lesionkit::optics
