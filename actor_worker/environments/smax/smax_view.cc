// An episode as text.
#include "absl/strings/str_format.h"
#include "actor_worker/environments/smax/orders.h"
#include "actor_worker/environments/smax/smax.h"

namespace troupe::smax {
namespace {

// Allies A, B, … and enemies a, b, …; from the 27th on again from A.
char Letter(const Battle& battle, int unit) {
  const int number = battle.is_ally(unit) ? unit : unit - battle.num_allies();
  return static_cast<char>((battle.is_ally(unit) ? 'A' : 'a') + number % 26);
}

// "A marine 36 →b": health left, and what it was last ordered to do.
std::string Describe(const Battle& battle, int unit) {
  const Units& units = battle.units();
  std::string text = absl::StrFormat("%c %s", Letter(battle, unit), battle.type(unit).name);
  if (!units.alive[unit]) return text + " dead";
  absl::StrAppendFormat(&text, " %.0f", units.health[unit]);
  if (units.attack[unit] >= kFirstAttack) {
    text += " shoots ";
    text += Letter(battle, battle.Foe(unit, units.attack[unit] - kFirstAttack));
  }
  return text;
}

}  // namespace

std::string Smax::Render() const {
  constexpr int kColumns = static_cast<int>(kMapSize), kRows = kColumns / 2;
  std::vector<std::string> rows(kRows, std::string(kColumns, '.'));
  for (int unit = 0; unit < battle_.num_units(); ++unit) {
    if (!battle_.units().alive[unit]) continue;
    const int column = std::clamp(static_cast<int>(battle_.units().x[unit]), 0, kColumns - 1);
    const int row = std::clamp(static_cast<int>(battle_.units().y[unit] * kRows / kMapSize), 0, kRows - 1);
    rows[kRows - 1 - row][column] = Letter(battle_, unit);
  }
  std::string text =
      absl::StrFormat("%s after %d decisions; allies A, B, …, enemies a, b, …\n", settings_.map, decisions_);
  for (const std::string& row : rows) text += row + "\n";
  for (int unit = 0; unit < battle_.num_units(); ++unit) {
    const bool begins_line = unit == 0 || unit == battle_.num_allies();
    text += unit == battle_.num_allies() ? "\n" : begins_line ? "" : ", ";
    text += Describe(battle_, unit);
  }
  return text + "\n";
}

}  // namespace troupe::smax
