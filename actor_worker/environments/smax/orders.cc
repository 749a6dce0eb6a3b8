#include "actor_worker/environments/smax/orders.h"

#include <cmath>
#include <numbers>

namespace troupe::smax {
namespace {

int NearestFoe(const Battle& battle, int unit, float x, float y) {
  const Units& units = battle.units();
  const int begin = battle.is_ally(unit) ? battle.num_allies() : 0;
  int nearest = begin;
  float least = 0;
  for (int foe = begin; foe < begin + battle.num_foes(unit); ++foe) {
    const float foe_x = units.x[foe] - x, foe_y = units.y[foe] - y;
    const float squared = foe_x * foe_x + foe_y * foe_y;
    if (foe > begin && squared >= least) continue;
    least = squared;
    nearest = foe;
  }
  return nearest;
}

}  // namespace

void OrderDiscrete(Battle& battle, int unit, int action) {
  Units& units = battle.units();
  units.move_x[unit] = static_cast<float>((action == kRight) - (action == kLeft));
  units.move_y[unit] = static_cast<float>((action == kUp) - (action == kDown));
  units.attack[unit] = action >= kFirstAttack ? action : 0;
}

void OrderContinuous(Battle& battle, int unit, absl::Span<const float> action, Draws& draws) {
  Units& units = battle.units();
  const float angle = action[kAngle] * 2 * std::numbers::pi_v<float>;
  const float x = action[kRadius] * std::cos(angle), y = action[kRadius] * std::sin(angle);
  const bool moves = draws.Uniform(Chance::kMoveOrShoot, unit, 0) < action[kMove];
  const bool new_target = draws.Uniform(Chance::kKeepTarget, unit, 0) < action[kNewTarget];
  units.move_x[unit] = moves ? x : 0;
  units.move_y[unit] = moves ? y : 0;
  if (moves) {
    units.attack[unit] = 0;
  } else if (new_target) {
    const int foe = NearestFoe(battle, unit, units.x[unit] + x, units.y[unit] + y);
    units.attack[unit] = kFirstAttack + battle.FoeIndex(unit, foe);
  }
}

void AllowedActions(const Battle& battle, int unit, absl::Span<uint8_t> allowed) {
  const Units& units = battle.units();
  const uint8_t alive = units.alive[unit];
  for (int move = 0; move < kStop; ++move) allowed[move] = alive;
  allowed[kStop] = 1;
  const float range = battle.type(unit).range;
  for (int k = 0; k < battle.num_foes(unit); ++k) {
    const int foe = battle.Foe(unit, k);
    allowed[kFirstAttack + k] = alive && units.alive[foe] && battle.Near(unit, foe, range);
  }
}

}  // namespace troupe::smax
