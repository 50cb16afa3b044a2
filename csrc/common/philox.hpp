// Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy
// as 1, 2, 3", SC 2011. A block of four words is a pure function of (counter, key): no state, so
// item 17,345 draws the same numbers alone, in a batch, on any thread and on a GPU.
#pragma once

#include "common/portable.hpp"

namespace lesionkit {

struct PhiloxBlock {
  uint32_t a, b, c, d;
};

HD PhiloxBlock philox(PhiloxBlock x, uint64_t key) {
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p = static_cast<uint64_t>(0xD2511F53u) * x.a;
    const uint64_t q = static_cast<uint64_t>(0xCD9E8D57u) * x.c;
    x = {static_cast<uint32_t>(q >> 32) ^ x.b ^ k0, static_cast<uint32_t>(q),
         static_cast<uint32_t>(p >> 32) ^ x.d ^ k1, static_cast<uint32_t>(p)};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return x;
}

// The random words of one item: key = seed, counter = (block, stream, item). Streams of one item
// are independent, so one kind of draw may grow without moving the others.
struct Philox {
  uint64_t seed, item;
  uint32_t stream;

  HD PhiloxBlock operator()(uint32_t block) const {
    return philox({block, stream, static_cast<uint32_t>(item), static_cast<uint32_t>(item >> 32)},
                  seed);
  }

  // The slot-th uniform number of this stream, in [0, 1) with 53 bits: two to a block.
  HD double uniform(uint32_t slot) const {
    const PhiloxBlock x = (*this)(slot / 2);
    const uint64_t high = slot % 2 ? x.c : x.a, low = slot % 2 ? x.d : x.b;
    return static_cast<double>((high << 32 | low) >> 11) * 0x1p-53;
  }
};

}  // namespace lesionkit
