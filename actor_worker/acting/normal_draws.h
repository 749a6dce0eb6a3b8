// Normal numbers out of the uniform ones that an action takes.
#ifndef TROUPE_ACTOR_WORKER_ACTING_NORMAL_DRAWS_H_
#define TROUPE_ACTOR_WORKER_ACTING_NORMAL_DRAWS_H_

#include <cmath>
#include <numbers>

namespace troupe {

// ½ log 2π.
inline constexpr double kHalfLogTwoPi = 0.91893853320467274178;

// Uniform numbers that `size` normal ones take: the last pair is half used where `size` is odd.
constexpr int DrawsOfNormals(int size) { return 2 * ((size + 1) / 2); }

// Standard normal numbers from as many uniform ones in [0, 1), pair by pair (Box and Muller, "A note on the generation
// of random normal deviates", 1958); `count` is even.
inline void DrawNormals(const float* uniforms, int count, double* normals) {
  for (int i = 0; i < count; i += 2) {
    const double radius = std::sqrt(-2 * std::log(1 - double{uniforms[i]}));
    const double angle = 2 * std::numbers::pi * uniforms[i + 1];
    normals[i] = radius * std::cos(angle);
    normals[i + 1] = radius * std::sin(angle);
  }
}

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_NORMAL_DRAWS_H_
