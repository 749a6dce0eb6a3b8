#include "actor_worker/environments/smax/smax.h"

#include <algorithm>

#include "actor_worker/environments/smax/orders.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace smax {
namespace {

absl::StatusOr<std::unique_ptr<Environment>> CreateSmax(const SettingsMap& settings_map) {
  SettingsReader reader(settings_map);
  const SmaxSettings settings = ReadSettings(reader);
  RETURN_IF_ERROR(reader.Finish());
  return std::make_unique<Smax>(settings);
}

std::string DescribeSmax() {
  SettingsReader reader({});
  ReadSettings(reader);
  return reader.Describe();
}

}  // namespace

Smax::Smax(const SmaxSettings& settings)
    : settings_(settings),
      spec_(MakeSpec(settings)),
      deployment_(MapCalled(settings.map)),
      battle_(MapCalled(settings.map).num_allies(), MapCalled(settings.map).num_enemies(), settings.rules),
      observer_(battle_, settings.view, settings.see_enemy_actions),
      enemies_(battle_.num_units(), settings.enemy),
      unit_action_(kContinuousActions) {}

absl::Status Smax::Reset(uint64_t seed) {
  constexpr uint64_t kDeploymentStream = 0, kBattleStream = 1;
  const uint64_t key = MixKey({seed});
  RandomStream deployment_stream(key, kDeploymentStream);
  deployment_.Draw(deployment_stream);
  random_.emplace(key, kBattleStream);
  Begin(deployment_.kinds, deployment_.x, deployment_.y, *random_);
  seed_ = seed;
  return absl::OkStatus();
}

void Smax::Begin(absl::Span<const uint8_t> kinds, absl::Span<const float> x, absl::Span<const float> y, Draws& draws) {
  draws_ = &draws;
  battle_.Begin(kinds, x, y);
  enemies_.Begin();
  decisions_ = 0;
}

void Smax::GiveOrders(const JointAction& action) {
  if (!settings_.self_play) {
    for (int unit = battle_.num_allies(); unit < battle_.num_units(); ++unit) {
      OrderDiscrete(battle_, unit, enemies_.Act(battle_, unit, *draws_));
    }
  }
  for (size_t g = 0; g < spec_.groups.size(); ++g) {
    const int first = FirstUnit(static_cast<int>(g));
    for (int agent = 0; agent < spec_.groups[g].num_agents(); ++agent) {
      if (settings_.actions == ActionKind::kDiscrete) {
        OrderDiscrete(battle_, first + agent, action.groups[g].discrete[agent]);
        continue;
      }
      const absl::Span<const float> given =
          action.groups[g].continuous.subspan(agent * kContinuousActions, kContinuousActions);
      std::transform(given.begin(), given.end(), unit_action_.begin(), [](float value) { return (value + 1) / 2; });
      OrderContinuous(battle_, first + agent, unit_action_, *draws_);
    }
  }
}

float Smax::HealthShares(int begin, int end) const {
  float sum = 0;
  for (int unit = begin; unit < end; ++unit) sum += battle_.units().health[unit] / battle_.type(unit).health;
  return sum;
}

absl::Status Smax::Step(const JointAction& action, StepOutcome& outcome) {
  const int allies = battle_.num_allies(), units = battle_.num_units();
  const float before[] = {HealthShares(0, allies), HealthShares(allies, units)};
  GiveOrders(action);
  battle_.Fight(*draws_);
  const float after[] = {HealthShares(0, allies), HealthShares(allies, units)};
  const bool dead[] = {battle_.LivingAllies() == 0, battle_.LivingEnemies() == 0};
  for (size_t team = 0; team < outcome.rewards.size(); ++team) {
    const size_t foes = 1 - team;
    const int num_foes = team == 0 ? battle_.num_enemies() : allies;
    const bool won = dead[foes] && !dead[team], lost = dead[team] && !dead[foes];
    float reward = won ? settings_.won_battle_bonus : 0;
    if (settings_.self_play_reward) {
      if (lost) reward -= settings_.won_battle_bonus;
    } else {
      reward += (before[foes] - after[foes]) / static_cast<float>(num_foes);
    }
    std::fill(outcome.rewards[team].begin(), outcome.rewards[team].end(), reward);
  }
  outcome.terminated = dead[0] || dead[1];
  outcome.truncated = !outcome.terminated && decisions_ >= settings_.max_decisions;
  ++decisions_;
  return absl::OkStatus();
}

void Smax::Observe(JointObservation& observation) const {
  for (size_t g = 0; g < spec_.groups.size(); ++g) {
    const AgentGroupSpec& spec = spec_.groups[g];
    GroupObservation& group = observation.groups[g];
    for (int agent = 0; agent < spec.num_agents(); ++agent) {
      const int unit = FirstUnit(static_cast<int>(g)) + agent;
      observer_.Observe(unit, group.observations.subspan(agent * spec.observation_size, spec.observation_size));
      if (settings_.actions == ActionKind::kDiscrete) {
        AllowedActions(battle_, unit, group.action_mask.subspan(agent * spec.action_size, spec.action_size));
      }
      group.alive[agent] = battle_.units().alive[unit];
    }
  }
  observer_.ObserveAll(settings_.state, observation.state_extras);
}

void Smax::EpisodeStatistics(absl::Span<double> statistics) const {
  const int allies = battle_.LivingAllies(), enemies = battle_.LivingEnemies();
  statistics[0] = enemies == 0 && allies > 0 ? 1 : 0;
  statistics[1] = allies == 0 && enemies > 0 ? 1 : 0;
  statistics[2] = battle_.num_enemies() - enemies;
  statistics[3] = battle_.num_allies() - allies;
  statistics[4] = decisions_;
}

}  // namespace smax

EnvironmentEntry SmaxEntry() {
  return {.name = "smax",
          .summary = "battles of two teams of units, as in StarCraft's micromanagement: an agent per unit",
          .create = smax::CreateSmax,
          .baselines = smax::SmaxBaselines,
          .describe_settings = smax::DescribeSmax};
}

}  // namespace troupe
