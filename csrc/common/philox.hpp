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

// ---- Standard normal deviates from random words, by the inverse of the distribution function.
//
// One word gives one deviate: its lowest bit the sign, the other 31 bits the two-sided tail
// probability v in (0, 1), so that deviates reach 6.3. As in Giles, "Approximating the erfinv
// function", GPU Computing Gems 2, 2011: z = (1 - v) P(w), w = -log(v (2 - v)), where P is a
// polynomial in w near the centre and in sqrt(w) in the tail. His single-precision fit ends at
// w = 16; these coefficients are a minimax fit of ours, good to 4e-7 over all w <= 21.5.
// There is no branch, so a loop over words becomes SIMD.

// log(x) for normal x > 0 to 1e-7: the polynomial of Cephes' logf about the nearest power of two.
HD float log_of(float x) {
  const uint32_t shifted = bits_as<uint32_t>(x) - 0x3f3504f3u;  // from sqrt(1/2) on
  const float e = static_cast<float>(static_cast<int32_t>(shifted) >> 23);
  const float t = bits_as<float>((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
  float p = 7.0376836292e-2f;
  p = p * t - 1.1514610310e-1f;
  p = p * t + 1.1676998740e-1f;
  p = p * t - 1.2420140846e-1f;
  p = p * t + 1.4249322787e-1f;
  p = p * t - 1.6668057665e-1f;
  p = p * t + 2.0000714765e-1f;
  p = p * t - 2.4999993993e-1f;
  p = p * t + 3.3333331174e-1f;
  return t * t * t * p - 0.5f * t * t + t + e * 0.69314718f;
}

HD float normal_of(uint32_t word) {
  const int32_t k = static_cast<int32_t>(word >> 1);
  const float v = (static_cast<float>(k) + 0.5f) * 0x1p-31f;
  const float x =
      (static_cast<float>(0x7fffffff - k) + 0.5f) * 0x1p-31f;  // 1 - v, to full precision
  const float w = -log_of(v * (2.0f - v));

  const float c = w - 3.0f;
  float centre = 4.716031867246784e-07f;
  centre = centre * c - 2.786007826216519e-06f;
  centre = centre * c - 1.684190283413045e-05f;
  centre = centre * c + 2.771751314867288e-04f;
  centre = centre * c - 1.1854392942041159e-03f;
  centre = centre * c - 8.11699777841568e-03f;
  centre = centre * c + 3.417189419269562e-01f;
  centre = centre * c + 2.2960357666015625f;

  const float s = sqrtf(w) - 3.5f;
  float tail = -2.722655772231519e-04f;
  tail = tail * s + 7.830988033674657e-04f;
  tail = tail * s - 1.0244784643873572e-03f;
  tail = tail * s + 1.4400442596524954e-03f;
  tail = tail * s - 2.8934001456946135e-03f;
  tail = tail * s + 4.65675862506032e-03f;
  tail = tail * s + 1.4246324300765991f;
  tail = tail * s + 4.717088222503662f;

  const float z = x * (w < 6.0f ? centre : tail);
  return word & 1u ? -z : z;
}

// `count` deviates of one item, a Philox block at a time: block b of `normal_blocks(count)` = q
// serves the places b, b + q, b + 2q and b + 3q, so that the deviates of neighbouring blocks lie
// side by side. Places may be past the last.
HD int64_t normal_blocks(int64_t count) { return (count + 3) / 4; }

template <class Take>  // take(place, deviate)
HD void normals_of_block(const Philox& random, int64_t block, int64_t blocks, Take&& take) {
  const PhiloxBlock x = random(static_cast<uint32_t>(block));
  UNROLL_FOR_CPU_ONLY
  for (int k = 0; k < 4; ++k)
    take(block + k * blocks, normal_of(k < 2 ? (k == 0 ? x.a : x.b) : (k == 2 ? x.c : x.d)));
}

}  // namespace lesionkit
