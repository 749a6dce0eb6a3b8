#include "actor_worker/environments/pendulum/pendulum.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/config/settings_reader.h"

namespace troupe {
namespace {

constexpr int kObservationSize = 3;
constexpr double kStepSeconds = 0.05;
// 3 g / 2 l and 3 / m l², of a rod with m = 1 kg, l = 1 m and g = 10 m/s² as there.
constexpr double kGravity = 15, kPerTorque = 3;
constexpr double kUpright = 0.2;

struct PendulumSettings {
  int pendulums = 1;
  int max_steps = 200;
};

PendulumSettings ReadSettings(SettingsReader& reader) {
  const PendulumSettings fallback;
  PendulumSettings settings;
  settings.pendulums =
      static_cast<int>(reader.Integer("pendulums", fallback.pendulums, 1, 1000, "agents, a pendulum each"));
  settings.max_steps =
      static_cast<int>(reader.Integer("max_steps", fallback.max_steps, 1, 100000, "steps of an episode"));
  return settings;
}

absl::StatusOr<std::unique_ptr<Environment>> CreatePendulum(const SettingsMap& settings_map) {
  SettingsReader reader(settings_map);
  const PendulumSettings settings = ReadSettings(reader);
  RETURN_IF_ERROR(reader.Finish());
  return std::make_unique<PendulumEnvironment>(settings.pendulums, settings.max_steps);
}

std::vector<Baseline> PendulumBaselines(const SettingsMap&) {
  return {{.name = "swing_up", .setting_overrides = {}, .make = &MakeSwingUpController}};
}

std::string DescribePendulum() {
  SettingsReader reader({});
  ReadSettings(reader);
  return reader.Describe();
}

}  // namespace

double NormalizedAngle(double angle) {
  constexpr double kTurn = 2 * std::numbers::pi;
  const double turned = std::fmod(angle + std::numbers::pi, kTurn);
  return (turned < 0 ? turned + kTurn : turned) - std::numbers::pi;
}

double StepPendulum(double torque, PendulumState* state) {
  const double u = std::clamp(torque, -kMaxTorque, kMaxTorque), angle = NormalizedAngle(state->angle);
  const double cost = angle * angle + 0.1 * state->speed * state->speed + 0.001 * u * u;
  const double speed = state->speed + (kGravity * std::sin(state->angle) + kPerTorque * u) * kStepSeconds;
  state->speed = std::clamp(speed, -kMaxSpeed, kMaxSpeed);
  state->angle += state->speed * kStepSeconds;
  return -cost;
}

PendulumEnvironment::PendulumEnvironment(int pendulums, int max_steps)
    : max_steps_(max_steps), states_(pendulums), torques_(pendulums) {
  spec_.name = "pendulum";
  AgentGroupSpec group{.name = "pendulums",
                       .agents = {},
                       .observation_size = kObservationSize,
                       .action_kind = ActionKind::kContinuous,
                       .action_size = 1,
                       .observed = {{"cosine", "", 1, "of the angle, 1 when upright"},
                                    {"sine", "", 1, "of the angle"},
                                    {"speed", "rad/s", kMaxSpeed, ""}},
                       .actions = {{"torque", "N m"}},
                       .action_bounds = {{-kMaxTorque, kMaxTorque}}};
  for (int i = 0; i < pendulums; ++i) group.agents.push_back(absl::StrCat("pendulum_", i));
  spec_.groups = {std::move(group)};
  spec_.state_includes_observations = true;
  spec_.statistics = {"upright_share"};
}

absl::Status PendulumEnvironment::Reset(uint64_t seed) {
  RandomStream random(MixKey({seed}));
  for (PendulumState& state : states_) {
    state.angle = (2 * random.UniformDouble() - 1) * std::numbers::pi;
    state.speed = 2 * random.UniformDouble() - 1;
  }
  std::fill(torques_.begin(), torques_.end(), 0.0);
  step_ = upright_ = 0;
  return absl::OkStatus();
}

absl::Status PendulumEnvironment::Step(const JointAction& action, StepOutcome& outcome) {
  for (size_t i = 0; i < states_.size(); ++i) {
    torques_[i] = action.groups[0].continuous[i];
    outcome.rewards[0][i] = static_cast<float>(StepPendulum(torques_[i], &states_[i]));
    upright_ += std::abs(NormalizedAngle(states_[i].angle)) < kUpright;
  }
  ++step_;
  outcome.terminated = false;
  outcome.truncated = step_ >= max_steps_;
  return absl::OkStatus();
}

void PendulumEnvironment::Observe(JointObservation& observation) const {
  GroupObservation& group = observation.groups[0];
  float* seen = group.observations.data();
  for (size_t i = 0; i < states_.size(); ++i, seen += kObservationSize) {
    seen[0] = static_cast<float>(std::cos(states_[i].angle));
    seen[1] = static_cast<float>(std::sin(states_[i].angle));
    seen[2] = static_cast<float>(states_[i].speed / kMaxSpeed);
    group.alive[i] = 1;
  }
}

void PendulumEnvironment::EpisodeStatistics(absl::Span<double> statistics) const {
  statistics[0] = step_ == 0 ? 0.0 : static_cast<double>(upright_) / (static_cast<double>(step_) * states_.size());
}

std::string PendulumEnvironment::Render() const {
  std::string text = absl::StrCat("step ", step_, " of ", max_steps_, "\n");
  for (size_t i = 0; i < states_.size(); ++i) {
    absl::StrAppendFormat(&text, "%s  angle %6.1f°  speed %5.2f rad/s\n", spec_.groups[0].agents[i],
                          NormalizedAngle(states_[i].angle) * 180 / std::numbers::pi, states_[i].speed);
  }
  return text;
}

// Declared and listed in actor_worker/environments/registry/registry.cc.
EnvironmentEntry PendulumEntry() {
  return {.name = "pendulum",
          .summary = "swings up and balances: one continuous action, Gymnasium's Pendulum-v1",
          .create = CreatePendulum,
          .baselines = PendulumBaselines,
          .describe_settings = DescribePendulum};
}

}  // namespace troupe
