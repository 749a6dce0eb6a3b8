// A pendulum on a motor too weak to lift it: it must swing up and then stand. Dynamics and reward are those of
// Gymnasium's Pendulum-v1 in double precision; a recorded episode holds the two to each other.
//
// The angle θ is 0 upright, in rad; the speed ω in rad/s, within ± 8; the torque u in N m, within ± 2; a step takes
// 0.05 s:
//   reward = −(θ² + 0.1 ω² + 0.001 u²), of the state before the step, with θ within [−π, π)
//   ω ← ω + (15 sin θ + 3 u) · 0.05, kept within ± 8;  θ ← θ + ω · 0.05
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_PENDULUM_PENDULUM_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_PENDULUM_PENDULUM_H_

#include <vector>

#include "actor_worker/environments/environment.h"

namespace troupe {

inline constexpr double kMaxTorque = 2, kMaxSpeed = 8;

struct PendulumState {
  double angle = 0, speed = 0;
};

// θ within [−π, π).
double NormalizedAngle(double angle);

// The reward of a step with this torque, which is kept within its bounds.
double StepPendulum(double torque, PendulumState* state);

// Several pendulums that know nothing of each other, an agent each. Nothing terminates; an episode is truncated after
// `max_steps`. Statistics: upright_share, of the steps of all pendulums those that end within 0.2 rad of upright.
class PendulumEnvironment final : public Environment {
 public:
  PendulumEnvironment(int pendulums, int max_steps);

  const EnvironmentSpec& spec() const override { return spec_; }
  // θ uniform in [−π, π), ω in [−1, 1).
  absl::Status Reset(uint64_t seed) override;
  absl::Status Step(const JointAction& action, StepOutcome& outcome) override;
  void Observe(JointObservation& observation) const override;
  void EpisodeStatistics(absl::Span<double> statistics) const override;
  std::string Render() const override;
  void Draw(Scene& scene) const override;

  const std::vector<PendulumState>& states() const { return states_; }

 private:
  EnvironmentSpec spec_;
  const int max_steps_;
  std::vector<PendulumState> states_;
  std::vector<double> torques_;  // of the last step, as asked for
  int step_ = 0, upright_ = 0;
};

// Swings up by energy and balances by linear-quadratic regulation (pendulum_baseline.cc).
std::unique_ptr<Controller> MakeSwingUpController();

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_PENDULUM_PENDULUM_H_
