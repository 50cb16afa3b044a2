// Square roots of both types, on every compiler.
#pragma once

#include "common/portable.hpp"

namespace lesionkit::fronts::contours {

HD float root(float x) { return sqrtf(x); }
HD double root(double x) { return sqrt(x); }

}  // namespace lesionkit::fronts::contours
