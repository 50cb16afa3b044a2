// The plan of a forward model as the GPU reads it: three flat arrays, made from the CPU's plan by
// optics/forward/forward_gpu.py. Each part is named once, here: the accessors below, the order of
// the arrays and the names that Python fills in by (`_core.optics.device_plan`) come from these
// lists. A new part is a new name in one of them.
#pragma once

#include "common/portable.hpp"

// clang-format off
#define LESIONKIT_PLAN_COUNTS(X)                                                                 \
  X(fronts)                                                                                      \
  X(pairs)              /* of an element's nodes */                                              \
  X(sources)                                                                                     \
  X(detectors)                                                                                   \
  X(properties)                                                                                  \
  X(size)               /* entries of the stack of panels */                                     \
  X(max_pivots)         /* of a front */

#define LESIONKIT_PLAN_TABLES(X)                                                                 \
  X(shapes)             /* [front][4]: pivots, update rows, source rows, detector rows */        \
  X(panel)              /* [front]: where its panel begins in the stack */                       \
  X(open_from)          /* [front]: entries of the stack to zero before it is worked on, */      \
  X(open_to)            /* up to here */                                                         \
  X(gather_start)       /* [front + 1]: in gather_entry */                                       \
  X(gather_entry)       /* entries of the stack that elements or constants add to */             \
  X(contribution_start) /* [gathered entry + 1]: in contribution */                              \
  X(contribution)       /* element * pairs + pair */                                             \
  X(property)           /* [element][P] */                                                       \
  X(source_start)       /* [front + 1]: in source */                                             \
  X(source)             /* the front's sources */                                                \
  X(detector_start)     /* [front + 1]: in detector */                                           \
  X(detector)           /* the front's detectors */                                              \
  X(column_start)       /* [front + 1]: in column_rows and column, for each of its update */     \
  X(column_rows)        /* where the rows of the column's target stand in target_row */          \
  X(column)             /* the column's place in its target's rows */                            \
  X(target_row)         /* [target][row]: where the row begins in the stack */                   \
  X(mass_kind)          /* [element] */

#define LESIONKIT_PLAN_VALUES(X)                                                                 \
  X(fixed)              /* [gathered entry]: what no property changes */                         \
  X(stiffness)          /* [element][pair][P] */                                                 \
  X(area)               /* [element] mm^2 */                                                     \
  X(mass)               /* [kind][pair][P] */                                                    \
  X(imaginary_mass)     /* [kind][pair] */
// clang-format on

namespace lesionkit::optics {

struct DevicePlan {
  const int32_t* header;  // the counts, then where each table and each array of values begins
  const int32_t* table;
  const double* values;

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
