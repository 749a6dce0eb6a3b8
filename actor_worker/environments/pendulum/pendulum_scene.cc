// A replay page's picture: every pendulum in a square of its own, its torque below it.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "actor_worker/environments/pendulum/pendulum.h"
#include "actor_worker/environments/scene.h"

namespace troupe {
namespace {

constexpr double kCell = 3, kCharted = 8;

}  // namespace

void PendulumEnvironment::Draw(Scene& scene) const {
  const int count = static_cast<int>(states_.size());
  const int columns = static_cast<int>(std::ceil(std::sqrt(count))), rows = (count + columns - 1) / columns;
  scene.Map(0, 0, kCell * columns, kCell * rows);
  for (int i = 0; i < count; ++i) {
    const PendulumState& state = states_[i];
    const ScenePoint pivot = {kCell * (i % columns + 0.5), kCell * (rows - i / columns - 0.45)};
    const ScenePoint tip = {pivot.x - std::sin(state.angle), pivot.y + std::cos(state.angle)};
    const bool upright = std::abs(NormalizedAngle(state.angle)) < 0.2;
    const double torque = std::clamp(torques_[i], -kMaxTorque, kMaxTorque);
    const double degrees = NormalizedAngle(state.angle) * 180 / std::numbers::pi;
    const std::string& name = spec_.groups[0].agents[i];
    const std::string note = absl::StrFormat("%s: %.1f° from upright, %.2f rad/s", name, degrees, state.speed);
    scene.Circle(pivot, 1, {.ink = Ink::kGround, .outline = 0.015});
    scene.Line({pivot, {pivot.x, pivot.y + 1}}, 0.015, {.ink = Ink::kGood, .opacity = 0.7});
    scene.Line({pivot, tip}, 0.12, {.ink = upright ? Ink::kGood : TeamInk(0), .note = note});
    scene.Circle(tip, 0.13, {.ink = upright ? Ink::kGood : TeamInk(0), .note = note});
    scene.Circle(pivot, 0.05, {.ink = Ink::kText});
    const ScenePoint below = {pivot.x, pivot.y - 1.2};
    scene.Arrow(below, {below.x + 0.5 * torque, below.y}, 0.05,
                {.ink = std::abs(torque) < 0.01 ? Ink::kNone : TeamInk(1),
                 .note = absl::StrFormat("torque %.2f N m; to the right: counterclockwise", torque)});
    scene.Text({pivot.x, below.y - 0.15}, 0.14, absl::StrFormat("%s  %.2f N m", name, torque), {.ink = Ink::kFaint});
    if (i >= kCharted) continue;
    scene.Figure("angle from upright, °", name, degrees);
    scene.Figure("torque, N m", name, torque);
  }
}

}  // namespace troupe
