// What a worker refuses to collect.
#include "actor_worker/rollout/worker_run.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/worker_fixture.h"

namespace troupe {
namespace {

using testing::HasSubstr;

// One agent that steers.
class SteeringEnvironment final : public Environment {
 public:
  SteeringEnvironment() {
    spec_.name = "steering";
    spec_.groups = {{.name = "pilots",
                     .agents = {"a"},
                     .observation_size = 2,
                     .action_kind = ActionKind::kContinuous,
                     .action_size = 1}};
  }
  const EnvironmentSpec& spec() const override { return spec_; }
  absl::Status Reset(uint64_t) override { return absl::OkStatus(); }
  absl::Status Step(const JointAction&, StepOutcome&) override { return absl::OkStatus(); }
  void Observe(JointObservation&) const override {}
  void EpisodeStatistics(absl::Span<double>) const override {}
  std::string Render() const override { return ""; }

 private:
  EnvironmentSpec spec_;
};

absl::StatusOr<const EnvironmentEntry*> FindSteering(const std::string&) {
  static const EnvironmentEntry entry = {
      .name = "steering",
      .summary = "for tests",
      .create = [](const SettingsMap&) -> absl::StatusOr<std::unique_ptr<Environment>> {
        return std::make_unique<SteeringEnvironment>();
      },
      .baselines = [](const SettingsMap&) { return std::vector<Baseline>(); },
      .describe_settings = [] { return std::string(); }};
  return &entry;
}

TEST(RolloutPlanTest, IsMadeForWhatTheAlgorithmAllows) {
  const auto plan = MakeRolloutPlan(TinyExperiment(), FindTiny);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->policies.size(), 2);
}

TEST(RolloutPlanTest, ActionsThatAreNotOnTheAlgorithmsCardAreRefusedByGroup) {
  Experiment experiment = TinyExperiment();
  EXPECT_TRUE(MakeRolloutPlan(experiment, FindSteering).ok());
  experiment.mutable_policy()->set_distribution(EPSILON_GREEDY);
  const absl::Status status = MakeRolloutPlan(experiment, FindTiny).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(
      std::string(status.message()),
      HasSubstr("has epsilon_greedy actions, which are not for this algorithm (mappo: on-policy, categorical or "
                "gaussian or squashed_gaussian or multi_categorical actions, feed-forward or recurrent, "
                "collection.mode SYNCHRONOUS | PIPELINED | ASYNCHRONOUS)"));
}

TEST(RolloutPlanTest, AnUnknownAlgorithmIsRefused) {
  Experiment experiment = TinyExperiment();
  experiment.mutable_algorithm()->set_name("mapo");
  EXPECT_THAT(std::string(MakeRolloutPlan(experiment, FindTiny).status().message()),
              HasSubstr("algorithm.name: \"mapo\" is not known, did you mean \"mappo\"?"));
}

}  // namespace
}  // namespace troupe
