// The fight itself: units on a square field, advanced in ticks of 1/16 s under standing orders.
//
// A tick, everybody at the same time, from the state at its beginning:
//   1. A unit ordered to attack shoots when it and its target live, the target is nearer than its range and its
//   cooldown
//      is at most 0. A shot takes the type's damage; the shooter's cooldown becomes the type's plus a uniform draw from
//      [−1, +2] ticks. Whoever does not shoot (the dead too) has a tick less of cooldown, below 0 as well.
//   2. The living move by order × speed and stay on the field.
//   3. Whoever touches a wall, the field's edge, dies (Rules::walls_cause_death); so does who has no health left.
//   4. Living units that overlap push each other apart by half the overlap each. A push may lead over the edge: the
//   unit
//      is put back and touches the wall in the next tick.
//
// Units are numbered allies first. SMAX's rules: arXiv:2311.10090, section 4.1; PyPI jaxmarl 0.2.0.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_BATTLE_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_BATTLE_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "actor_worker/environments/smax/draws.h"
#include "actor_worker/environments/smax/maps.h"
#include "actor_worker/environments/smax/unit_types.h"

namespace troupe::smax {

inline constexpr int kTicksPerDecision = 8;
inline constexpr float kTickSeconds = 1.0f / 16;

// Discrete actions: four moves, stop, then an attack per foe. An ally's foe k is enemy k; an enemy counts its foes from
// the last ally down.
enum Action { kUp, kRight, kDown, kLeft, kStop, kFirstAttack };

struct Rules {
  bool walls_cause_death = true;
};

// All arrays have an entry per unit.
struct Units {
  explicit Units(int count);

  std::vector<float> x, y;      // cells
  std::vector<float> health;    // ≥ 0
  std::vector<float> cooldown;  // seconds until it may shoot; below 0: for how long it could have
  std::vector<uint8_t> alive;
  std::vector<uint8_t> kind;  // UnitKind
  // The orders of the last decision: a direction at most 1 long, and the attack action or 0.
  std::vector<float> move_x, move_y;
  std::vector<int32_t> attack;
};

class Battle {
 public:
  Battle(int num_allies, int num_enemies, Rules rules);

  // Everybody alive, with full health, ready to shoot and without orders, where kinds, x and y say; the overlapping are
  // pushed apart once.
  void Begin(absl::Span<const uint8_t> kinds, absl::Span<const float> x, absl::Span<const float> y);
  // Lets time pass for one decision, by the orders in units().
  void Fight(Draws& draws);

  // To give orders, and to set up a situation.
  Units& units() { return units_; }
  const Units& units() const { return units_; }
  const UnitType& type(int unit) const { return kUnitTypes[units_.kind[unit]]; }

  int num_allies() const { return num_allies_; }
  int num_enemies() const { return num_units_ - num_allies_; }
  int num_units() const { return num_units_; }
  bool is_ally(int unit) const { return unit < num_allies_; }
  int num_foes(int unit) const { return is_ally(unit) ? num_enemies() : num_allies_; }
  // The unit that is foe k of `unit`, and back.
  int Foe(int unit, int k) const { return is_ally(unit) ? num_allies_ + k : num_allies_ - 1 - k; }
  int FoeIndex(int unit, int foe) const { return is_ally(unit) ? foe - num_allies_ : num_allies_ - 1 - foe; }

  bool Near(int unit, int other, float distance) const { return SquaredDistance(unit, other) < distance * distance; }
  float SquaredDistance(int unit, int other) const {
    const float x = units_.x[other] - units_.x[unit], y = units_.y[other] - units_.y[unit];
    return x * x + y * y;
  }
  int LivingAllies() const { return Living(0, num_allies_); }
  int LivingEnemies() const { return Living(num_allies_, num_units_); }

 private:
  int Living(int begin, int end) const;
  void Shoot(int tick, Draws& draws);
  void Move();
  void Bury();
  void PushApart();

  const int num_allies_;
  const int num_units_;
  const Rules rules_;
  Units units_;
  std::vector<float> damage_;           // that each unit takes in this tick
  std::vector<float> radius_, step_;    // of the unit's kind: cells; cells per tick
  std::vector<float> push_x_, push_y_;  // in this tick
};

}  // namespace troupe::smax

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_SMAX_BATTLE_H_
