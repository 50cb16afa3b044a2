// Places on a grid of planes, rows and columns; an image is a grid of one plane.
#pragma once

#include "common/portable.hpp"

namespace lesionkit {

// A place, or a step from one to another.
struct Offset {
  int64_t plane, row, column;
};

// Places of a line from `begin` to before `end`.
struct Span {
  int64_t begin, end;

  HD int64_t size() const { return end > begin ? end - begin : 0; }
};

HD Span common(Span a, Span b) {
  return {a.begin > b.begin ? a.begin : b.begin, a.end < b.end ? a.end : b.end};
}

struct Grid {
  int64_t planes, rows, columns;

  HD int64_t size() const { return planes * rows * columns; }
  HD int64_t lines() const { return planes * rows; }
  HD int64_t index(const Offset& at) const {
    return (at.plane * rows + at.row) * columns + at.column;
  }
  HD Offset place(int64_t index) const {
    const int64_t line = index / columns;
    return {line / rows, line % rows, index % columns};
  }

  // Calls take(neighbour) for each neighbour of a place, by number, that shares a side with it.
  template <class Take>
  HD void for_each_neighbour(int64_t index, Take&& take) const {
    const Offset at = place(index);
    if (at.column > 0) take(index - 1);
    if (at.column + 1 < columns) take(index + 1);
    if (at.row > 0) take(index - columns);
    if (at.row + 1 < rows) take(index + columns);
    if (at.plane > 0) take(index - rows * columns);
    if (at.plane + 1 < planes) take(index + rows * columns);
  }
};

}  // namespace lesionkit
