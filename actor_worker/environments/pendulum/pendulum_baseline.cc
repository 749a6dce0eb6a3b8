// The controller of the textbooks: pump energy until what the pendulum has would carry it upright (Åström and Furuta,
// "Swinging up a pendulum by energy control", Automatica 36, 2000), and balance there by the linear-quadratic regulator
// of the dynamics at θ = 0.
#include <algorithm>
#include <cmath>

#include "actor_worker/environments/pendulum/pendulum.h"

namespace troupe {
namespace {

// u = −kPerAngle θ − kPerSpeed ω: the gain of the discrete-time Riccati equation for the linearised step
// (scipy.linalg.solve_discrete_are) and the reward's weights.
constexpr double kPerAngle = 19.69321655, kPerSpeed = 5.26250008;
// Within these the regulator takes over, tuned with kPump on 1,000 episodes: angle in rad, and the torque it would
// want, beyond what the motor has.
constexpr double kCatchAngle = 1.2, kCatchTorque = 10;
// Torque for each unit of energy that is missing; the energy ½ ω² + 15 cos θ is 15 upright at rest.
constexpr double kPump = 0.5, kUprightEnergy = 15;

class SwingUp final : public Controller {
 public:
  void Begin(const Environment&) override {}
  void Act(const Environment& environment, const JointObservation&, std::vector<absl::Span<int32_t>>&,
           std::vector<absl::Span<float>>& continuous_actions) override {
    const auto& states = static_cast<const PendulumEnvironment&>(environment).states();
    for (size_t i = 0; i < states.size(); ++i) {
      const double torque = std::clamp(Torque(states[i]), -double{kMaxTorque}, double{kMaxTorque});
      continuous_actions[0][i] = static_cast<float>(torque);
    }
  }

 private:
  static double Torque(const PendulumState& state) {
    const double angle = NormalizedAngle(state.angle), speed = state.speed;
    const double balance = -kPerAngle * angle - kPerSpeed * speed;
    if (std::abs(angle) < kCatchAngle && std::abs(balance) < kCatchTorque) return balance;
    const double missing = kUprightEnergy - (0.5 * speed * speed + kUprightEnergy * std::cos(angle));
    return kPump * missing * (speed < 0 ? -1 : 1);
  }
};

}  // namespace

std::unique_ptr<Controller> MakeSwingUpController() { return std::make_unique<SwingUp>(); }

}  // namespace troupe
