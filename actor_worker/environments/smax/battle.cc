#include "actor_worker/environments/smax/battle.h"

#include <algorithm>
#include <cmath>

namespace troupe::smax {

Units::Units(int count)
    : x(count),
      y(count),
      health(count),
      cooldown(count),
      alive(count),
      kind(count),
      move_x(count),
      move_y(count),
      attack(count) {}

Battle::Battle(int num_allies, int num_enemies, Rules rules)
    : num_allies_(num_allies),
      num_units_(num_allies + num_enemies),
      rules_(rules),
      units_(num_units_),
      damage_(num_units_),
      radius_(num_units_),
      step_(num_units_),
      push_x_(num_units_),
      push_y_(num_units_) {}

void Battle::Begin(absl::Span<const uint8_t> kinds, absl::Span<const float> x, absl::Span<const float> y) {
  for (int unit = 0; unit < num_units_; ++unit) {
    const UnitType& type = kUnitTypes[kinds[unit]];
    units_.kind[unit] = kinds[unit];
    units_.x[unit] = x[unit];
    units_.y[unit] = y[unit];
    units_.health[unit] = type.health;
    units_.cooldown[unit] = 0;
    units_.alive[unit] = 1;
    units_.move_x[unit] = units_.move_y[unit] = 0;
    units_.attack[unit] = 0;
    radius_[unit] = type.radius;
    step_[unit] = type.speed * kTickSeconds;
  }
  PushApart();
}

void Battle::Fight(Draws& draws) {
  for (int tick = 0; tick < kTicksPerDecision; ++tick) {
    Shoot(tick, draws);
    Move();
    Bury();
    PushApart();
  }
}

int Battle::Living(int begin, int end) const {
  return static_cast<int>(std::count(units_.alive.begin() + begin, units_.alive.begin() + end, 1));
}

void Battle::Shoot(int tick, Draws& draws) {
  std::fill(damage_.begin(), damage_.end(), 0.0f);
  for (int unit = 0; unit < num_units_; ++unit) {
    if (units_.attack[unit] >= kFirstAttack && units_.alive[unit] && units_.cooldown[unit] <= 0) {
      const int target = Foe(unit, units_.attack[unit] - kFirstAttack);
      if (units_.alive[target] && Near(unit, target, type(unit).range)) {
        damage_[target] += type(unit).damage;
        const float deviation = (3 * draws.Uniform(Chance::kCooldown, unit, tick) - 1) * kTickSeconds;
        units_.cooldown[unit] = type(unit).cooldown_seconds + deviation;
        continue;
      }
    }
    units_.cooldown[unit] -= kTickSeconds;
  }
}

void Battle::Move() {
  for (int unit = 0; unit < num_units_; ++unit) {
    if (!units_.alive[unit]) continue;
    units_.x[unit] = std::clamp(units_.x[unit] + units_.move_x[unit] * step_[unit], 0.0f, kMapSize);
    units_.y[unit] = std::clamp(units_.y[unit] + units_.move_y[unit] * step_[unit], 0.0f, kMapSize);
  }
}

void Battle::Bury() {
  for (int unit = 0; unit < num_units_; ++unit) {
    const float x = units_.x[unit], y = units_.y[unit];
    const bool at_wall = x <= 0 || y <= 0 || x >= kMapSize || y >= kMapSize;
    const float health = std::max(units_.health[unit] - damage_[unit], 0.0f);
    units_.health[unit] = at_wall && rules_.walls_cause_death ? 0.0f : health;
    units_.alive[unit] = units_.health[unit] > 0;
  }
}

void Battle::PushApart() {
  // Keeps units at the very same place from dividing by nothing; they have no direction to be pushed in.
  constexpr float kSmallest = 1e-6f;
  std::fill(push_x_.begin(), push_x_.end(), 0.0f);
  std::fill(push_y_.begin(), push_y_.end(), 0.0f);
  for (int a = 0; a < num_units_; ++a) {
    if (!units_.alive[a]) continue;
    const float ax = units_.x[a], ay = units_.y[a], radius = radius_[a];
    for (int b = a + 1; b < num_units_; ++b) {
      const float x = ax - units_.x[b], y = ay - units_.y[b], apart = radius + radius_[b];
      const float squared = x * x + y * y;
      if (squared >= apart * apart || !units_.alive[b]) continue;
      const float overlap = std::max(apart / (std::sqrt(squared) + kSmallest) - 1, 0.0f);
      push_x_[a] += x * overlap;
      push_y_[a] += y * overlap;
      push_x_[b] -= x * overlap;
      push_y_[b] -= y * overlap;
    }
  }
  for (int unit = 0; unit < num_units_; ++unit) {
    units_.x[unit] += push_x_[unit] / 2;
    units_.y[unit] += push_y_[unit] / 2;
  }
}

}  // namespace troupe::smax
