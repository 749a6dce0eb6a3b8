// The template people copy compiles and plays.
#include "actor_worker/environments/template_environment.cc.txt"
#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(TemplateEnvironmentTest, ItsBaselineMeetsWithoutBreakingAMask) {
  const EnvironmentEntry entry = MeetingEntry();
  const auto environment = entry.create({});
  ASSERT_TRUE(environment.ok()) << environment.status();
  const auto controller = entry.baselines({})[0].make();
  std::vector<float> observations(6), rewards(2);
  std::vector<uint8_t> masks(6), alive(2);
  std::vector<int32_t> chosen(2);
  JointObservation joint;
  joint.groups.push_back({absl::MakeSpan(observations), absl::MakeSpan(masks), absl::MakeSpan(alive)});
  std::vector<absl::Span<int32_t>> discrete = {absl::MakeSpan(chosen)};
  std::vector<absl::Span<float>> continuous(1);
  for (uint64_t seed = 0; seed < 50; ++seed) {
    ASSERT_TRUE((*environment)->Reset(seed).ok());
    controller->Begin(**environment);
    StepOutcome outcome;
    outcome.rewards.push_back(absl::MakeSpan(rewards));
    while (!outcome.terminated && !outcome.truncated) {
      (*environment)->Observe(joint);
      controller->Act(**environment, joint, discrete, continuous);
      for (int agent = 0; agent < 2; ++agent) ASSERT_EQ(masks[agent * 3 + chosen[agent]], 1);
      JointAction action;
      action.groups.push_back({.discrete = chosen});
      ASSERT_TRUE((*environment)->Step(action, outcome).ok());
    }
    double met = 0;
    (*environment)->EpisodeStatistics(absl::MakeSpan(&met, 1));
    EXPECT_EQ(met, 1) << seed;
    EXPECT_NE((*environment)->Render().find('*'), std::string::npos);
  }
}

TEST(TemplateEnvironmentTest, RefusesUnknownSettings) {
  EXPECT_EQ(MeetingEntry().create({{"lenght", "5"}}).status().message(),
            "environment.settings.lenght: unknown setting; did you mean \"length\"?");
}

}  // namespace
}  // namespace troupe
