#include "actor_worker/environments/smax/observation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace troupe::smax {
namespace {

constexpr float kPi = std::numbers::pi_v<float>;

float CooldownShare(const Battle& battle, int unit) {
  return std::clamp(battle.units().cooldown[unit] / battle.type(unit).cooldown_seconds, 0.0f, 1.0f);
}

float HealthShare(const Battle& battle, int unit) { return battle.units().health[unit] / battle.type(unit).health; }

}  // namespace

Observer::Observer(const Battle& battle, View view, bool see_enemy_actions)
    : battle_(battle), view_(view), see_enemy_actions_(see_enemy_actions) {
  for (int edge = 0; edge <= kSectors; ++edge) {
    sector_edges_.push_back(2 * kPi * (static_cast<float>(edge) / kSectors) - kPi);
  }
}

int Observer::observation_size() const {
  const int slots = view_ == View::kUnitList ? battle_.num_units() - 1 : kSectors * kSeenPerSector;
  return slots * kSeenSize + kOwnSize;
}

void Observer::Observe(int unit, absl::Span<float> observation) const {
  std::fill(observation.begin(), observation.end(), 0.0f);
  if (!battle_.units().alive[unit]) return;
  if (view_ == View::kUnitList) {
    ObserveUnits(unit, observation.data());
  } else {
    ObserveSectors(unit, observation.data());
  }
  DescribeSelf(unit, observation.data() + observation.size() - kOwnSize);
}

void Observer::Describe(int observer, int other, float* seen) const {
  const Units& units = battle_.units();
  const float per_sight = 1 / battle_.type(observer).sight;
  seen[0] = HealthShare(battle_, other);
  seen[1] = (units.x[other] - units.x[observer]) * per_sight;
  seen[2] = (units.y[other] - units.y[observer]) * per_sight;
  if (see_enemy_actions_ || battle_.is_ally(observer) == battle_.is_ally(other)) {
    const int last_action = kFirstAttack + battle_.num_foes(other) - 1;
    seen[3] = units.move_x[other];
    seen[4] = units.move_y[other];
    seen[5] = static_cast<float>(units.attack[other]) / static_cast<float>(last_action);
  }
  seen[6] = CooldownShare(battle_, other);
  seen[7 + units.kind[other]] = 1;
}

void Observer::DescribeSelf(int unit, float* own) const {
  const Units& units = battle_.units();
  own[0] = HealthShare(battle_, unit);
  own[1] = units.x[unit] / kMapSize;
  own[2] = units.y[unit] / kMapSize;
  own[3] = CooldownShare(battle_, unit);
  own[4 + units.kind[unit]] = 1;
}

void Observer::ObserveUnits(int unit, float* seen) const {
  const float sight = battle_.type(unit).sight;
  const int last = battle_.num_units() - 1;
  for (int i = 0; i <= last; ++i) {
    const int other = battle_.is_ally(unit) ? i : last - i;
    if (other == unit) continue;
    if (battle_.units().alive[other] && battle_.Near(unit, other, sight)) Describe(unit, other, seen);
    seen += kSeenSize;
  }
}

void Observer::ObserveSectors(int unit, float* seen) const {
  const Units& units = battle_.units();
  const float sight = battle_.type(unit).sight;
  std::array<int, kSectors> seen_in_sector{};
  for (int other = 1; other < battle_.num_units(); ++other) {
    if (other == unit || !battle_.Near(unit, other, sight)) continue;
    const float x = (units.x[other] - units.x[unit]) / sight, y = (units.y[other] - units.y[unit]) / sight;
    const float half_turn = x < 0 ? (y > 0 ? kPi : -kPi) : 0;
    const float angle = std::atan(y / (x + 1e-8f)) + half_turn;
    const auto edge = std::lower_bound(sector_edges_.begin(), sector_edges_.end(), angle);
    if (edge == sector_edges_.begin() || edge == sector_edges_.end() || *edge == angle) continue;
    const int sector = static_cast<int>(edge - sector_edges_.begin()) - 1;
    const int slot = seen_in_sector[sector]++;
    if (slot >= kSeenPerSector) continue;
    Describe(unit, other, seen + (sector * kSeenPerSector + slot) * kSeenSize);
  }
}

void Observer::ObserveAll(StateScale scale, absl::Span<float> state) const {
  const Units& units = battle_.units();
  const int count = battle_.num_units();
  std::fill(state.begin(), state.end(), 0.0f);
  for (int unit = 0; unit < count; ++unit) {
    float* const own = state.data() + unit * kOwnSize;
    const float kind = units.kind[unit];
    state[count * kOwnSize + unit] = battle_.is_ally(unit) ? 0 : 1;
    state[count * (kOwnSize + 1) + unit] = scale == StateScale::kRaw ? kind : kind / (kNumUnitKinds - 1);
    if (!units.alive[unit]) continue;
    DescribeSelf(unit, own);
    if (scale == StateScale::kScaled) continue;
    own[1] = units.x[unit];
    own[2] = units.y[unit];
    own[3] = units.cooldown[unit];
  }
}

}  // namespace troupe::smax
