// A replay page's picture: units with their health and whom they shoot at; the dead stay where they fell.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "actor_worker/environments/scene.h"
#include "actor_worker/environments/smax/orders.h"
#include "actor_worker/environments/smax/smax.h"

namespace troupe::smax {
namespace {

ScenePoint PlaceOf(const Units& units, int unit) { return {units.x[unit], units.y[unit]}; }

Ink InkOf(const Battle& battle, int unit) { return battle.is_ally(unit) ? TeamInk(0) : TeamInk(1); }

std::string NoteOf(const Battle& battle, int unit) {
  const Units& units = battle.units();
  const UnitType& type = battle.type(unit);
  return absl::StrFormat("%s %d, %s: health %.0f of %.0f", battle.is_ally(unit) ? "ally" : "enemy",
                         battle.is_ally(unit) ? unit : unit - battle.num_allies(), type.name, units.health[unit],
                         type.health);
}

// The unit that it is ordered to shoot at, living and in range; -1: none.
int TargetOf(const Battle& battle, int unit) {
  const Units& units = battle.units();
  if (!units.alive[unit] || units.attack[unit] < kFirstAttack) return -1;
  const int foe = battle.Foe(unit, units.attack[unit] - kFirstAttack);
  return units.alive[foe] && battle.Near(unit, foe, battle.type(unit).range) ? foe : -1;
}

void DrawUnit(const Battle& battle, int unit, Scene& scene) {
  const Units& units = battle.units();
  const UnitType& type = battle.type(unit);
  const bool lives = units.alive[unit];
  const ScenePoint at = PlaceOf(units, unit);
  const double top = at.y + type.radius + 0.22, half = 0.55;
  const double share = std::clamp(units.health[unit] / type.health, 0.0f, 1.0f);
  scene.Circle(at, type.radius,
               {.ink = InkOf(battle, unit), .opacity = lives ? 0.9 : 0.18, .note = NoteOf(battle, unit)});
  scene.Text(at, 0.6 * type.radius + 0.15, std::string(1, type.name[0]), {.ink = lives ? Ink::kPaper : Ink::kNone});
  scene.Box({at.x - half, top}, {at.x + half, top + 0.16}, {.ink = lives ? Ink::kGround : Ink::kNone});
  scene.Box({at.x - half, top}, {at.x - half + 2 * half * share, top + 0.16},
            {.ink = !lives         ? Ink::kNone
                    : share > 0.5  ? Ink::kGood
                    : share > 0.25 ? Ink::kWarning
                                   : Ink::kBad});
}

// What is shown of the field: where units are, and some cells around them.
void ShowField(const Battle& battle, Scene& scene) {
  constexpr double kAround = 2.5;
  const Units& units = battle.units();
  const auto [left, right] = std::minmax_element(units.x.begin(), units.x.end());
  const auto [bottom, top] = std::minmax_element(units.y.begin(), units.y.end());
  const auto within = [](double place) { return std::clamp(place, -0.5, kMapSize + 0.5); };
  scene.Map(within(*left - kAround), within(*bottom - kAround), within(*right + kAround), within(*top + kAround));
  scene.Box({0, 0}, {kMapSize, kMapSize}, {.ink = Ink::kGround, .outline = 0.1});
  for (int line = 4; line < kMapSize; line += 4) {
    for (const auto& ends : {std::pair(ScenePoint{1.0 * line, 0}, ScenePoint{1.0 * line, kMapSize}),
                             std::pair(ScenePoint{0, 1.0 * line}, ScenePoint{kMapSize, 1.0 * line})}) {
      scene.Line({ends.first, ends.second}, 0.03, {.ink = Ink::kGround, .opacity = 0.6});
    }
  }
}

}  // namespace

void Smax::Draw(Scene& scene) const {
  const Units& units = battle_.units();
  ShowField(battle_, scene);
  for (int unit = 0; unit < battle_.num_units(); ++unit) {
    const int target = TargetOf(battle_, unit);
    scene.Arrow(PlaceOf(units, unit), PlaceOf(units, target < 0 ? unit : target), 0.07,
                {.ink = target < 0 ? Ink::kNone : InkOf(battle_, unit), .opacity = 0.75});
  }
  for (int unit = 0; unit < battle_.num_units(); ++unit) DrawUnit(battle_, unit, scene);
  scene.Fact("map", settings_.map);
  scene.Fact("allies", absl::StrCat(battle_.LivingAllies(), " of ", battle_.num_allies()));
  scene.Fact("enemies", absl::StrCat(battle_.LivingEnemies(), " of ", battle_.num_enemies()));
  scene.Figure("health, share of the team's", "allies", HealthShares(0, battle_.num_allies()) / battle_.num_allies());
  scene.Figure("health, share of the team's", "enemies",
               HealthShares(battle_.num_allies(), battle_.num_units()) / battle_.num_enemies());
}

}  // namespace troupe::smax
