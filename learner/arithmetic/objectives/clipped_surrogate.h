// PPO's clipped surrogate of one row, to be inlined into loops that the compiler spreads over vectors
// (host/vector_functions.h): what the fused losses of all distributions have in common.
#ifndef TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_CLIPPED_SURROGATE_H_
#define TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_CLIPPED_SURROGATE_H_

#include <cmath>
#include <cstdint>
#include <limits>

#include "learner/arithmetic/host/vector_functions.h"

namespace troupe {

// Rows computed side by side, one per lane of a vector register.
inline constexpr int kLanes = 16;

struct alignas(64) Lanes {
  float at[kLanes];
};

// Computed whatever x is, for the compiler to spread it over a vector. NaN gives NaN.
inline float ExpWithin(float x) {
  const float above = x < -87.0f ? -87.0f : x, within = above > 88.0f ? 88.0f : above;
  const float e = vector_math::Exp(within);
  return x > 88.0f ? std::numeric_limits<float>::infinity() : e;
}

// What rows bring to the surrogate, and what it is there.
struct SurrogateLanes {
  Lanes reference, importance, advantage, alive;  // as the row's fields say
  Lanes slope;                                    // `scale` times d loss / d log π
  Lanes surrogate, approx_kl, outside;            // what each row contributes to the figures
};

// −importance · min(ratio · A, clip(ratio, 1 ± ε) · A) of lane l, with ratio = exp(log π − reference).
inline void ClippedSurrogate(float log_probability, float clip, float scale, int l, SurrogateLanes* rows) {
  const float log_ratio = log_probability - rows->reference.at[l];
  const float ratio = ExpWithin(log_ratio);
  const float within = ratio < 1.0f - clip ? 1.0f - clip : ratio > 1.0f + clip ? 1.0f + clip : ratio;
  const float plain = ratio * rows->advantage.at[l], clipped = within * rows->advantage.at[l];
  // A NaN on either side must reach the loss: the comparison is false then, and `plain` or `clipped` carries it.
  const bool inside = std::fabs(ratio - 1.0f) <= clip;
  rows->slope.at[l] = inside || !(clipped < plain) ? -scale * rows->importance.at[l] * plain : 0.0f;
  rows->surrogate.at[l] = -rows->importance.at[l] * (clipped < plain ? clipped : plain);
  rows->approx_kl.at[l] = (ratio - 1.0f) - log_ratio;
  rows->outside.at[l] = inside ? 0.0f : 1.0f;
}

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_CLIPPED_SURROGATE_H_
