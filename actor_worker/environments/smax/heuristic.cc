#include "actor_worker/environments/smax/heuristic.h"

#include <algorithm>

namespace troupe::smax {
namespace {

constexpr int kNobody = -1;

bool InReach(const Battle& battle, int unit, int foe, float distance) {
  return battle.units().alive[unit] && battle.units().alive[foe] && battle.Near(unit, foe, distance);
}

// Of the foes within `distance`, the one drawn; kNobody without one.
int DrawFoe(const Battle& battle, int unit, float distance, Chance chance, Draws& draws) {
  int within = 0;
  for (int k = 0; k < battle.num_foes(unit); ++k) within += InReach(battle, unit, battle.Foe(unit, k), distance);
  if (within == 0) return kNobody;
  int left = Choose(draws.Uniform(chance, unit, 0), within);
  int k = 0;
  while (!InReach(battle, unit, battle.Foe(unit, k), distance) || left-- > 0) ++k;
  return k;
}

int NearestFoe(const Battle& battle, int unit, float distance) {
  int nearest = kNobody;
  float least = 0;
  for (int k = 0; k < battle.num_foes(unit); ++k) {
    const int foe = battle.Foe(unit, k);
    const float squared = battle.SquaredDistance(unit, foe);
    if (!InReach(battle, unit, foe, distance) || (nearest != kNobody && squared >= least)) continue;
    least = squared;
    nearest = k;
  }
  return nearest;
}

}  // namespace

Heuristic::Heuristic(int num_units, HeuristicSettings settings) : settings_(settings), memories_(num_units) {}

void Heuristic::Begin() { std::fill(memories_.begin(), memories_.end(), Memory{}); }

int Heuristic::Target(const Battle& battle, int unit, int last_foe, Draws& draws) const {
  const float range = battle.type(unit).range;
  if (last_foe != kNobody && InReach(battle, unit, battle.Foe(unit, last_foe), range)) return last_foe;
  if (settings_.random_target) return DrawFoe(battle, unit, range, Chance::kTarget, draws);
  return NearestFoe(battle, unit, range);
}

int Heuristic::Act(const Battle& battle, int unit, Draws& draws) {
  const Units& units = battle.units();
  Memory& memory = memories_[unit];
  // The dead see nothing, not even where they are.
  const float x = units.alive[unit] ? units.x[unit] : 0, y = units.alive[unit] ? units.y[unit] : 0;
  if (memory.x == 0 && memory.y == 0 && memory.last_foe == kNobody) {
    memory.x = kMapSize - x;
    memory.y = kMapSize - y;
  }
  memory.last_foe = Target(battle, unit, memory.last_foe, draws);
  if (memory.last_foe != kNobody && settings_.shoots) return kFirstAttack + memory.last_foe;
  const int quarry = DrawFoe(battle, unit, battle.type(unit).sight, Chance::kQuarry, draws);
  if (quarry == kNobody) return MoveTowards(memory.x - x, memory.y - y);
  const int foe = battle.Foe(unit, quarry);
  return MoveTowards(units.x[foe] - x, units.y[foe] - y);
}

int MoveTowards(float x, float y) {
  const float similarity[] = {y, x, -y, -x};  // of kUp, kRight, kDown, kLeft
  return static_cast<int>(std::max_element(similarity, similarity + 4) - similarity);
}

}  // namespace troupe::smax
