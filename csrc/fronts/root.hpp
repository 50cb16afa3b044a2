// Square roots of both types, on every compiler.
#pragma once

#include "common/portable.hpp"

namespace lesionkit::fronts {

HD float root(float x) { return __builtin_sqrtf(x); }
HD double root(double x) { return __builtin_sqrt(x); }

}  // namespace lesionkit::fronts
