#include <algorithm>
#include <cmath>

#include "actor_worker/environments/registry/registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/conformance/environment_buffers.h"

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::unique_ptr<Environment> MakeSignal(const SettingsMap& settings) {
  auto created = (*FindEnvironment("signal"))->create(settings);
  EXPECT_TRUE(created.ok()) << created.status();
  return *std::move(created);
}

// Numbers that agent `a` of three with two cues sees: its cue's one-hot and how far the episode is.
std::vector<float> SeenBy(EnvironmentBuffers& buffers, int a) {
  const std::vector<float> everything = buffers.Everything();
  return {everything.begin() + a * 3, everything.begin() + (a + 1) * 3};
}

TEST(SignalTest, ShowsEveryAgentItsOwnCueAtTheFirstStepAlone) {
  const auto environment = MakeSignal({{"num_cues", "2"}, {"distance", "2"}});
  bool both[2] = {false, false};
  for (uint64_t seed = 0; seed < 20; ++seed) {
    ASSERT_TRUE(environment->Reset(seed).ok());
    EnvironmentBuffers buffers(environment->spec());
    RandomStream random(seed);
    for (const float done : {0.0f, 0.5f, 1.0f}) {
      buffers.Observe(*environment);
      for (int a = 0; a < 3; ++a) {
        const std::vector<float> seen = SeenBy(buffers, a);
        EXPECT_EQ(seen[0] + seen[1], done == 0 ? 1 : 0);
        EXPECT_EQ(seen[2], done);
        if (done == 0) both[seen[1] == 1] = true;
      }
      EXPECT_FALSE(buffers.over());
      buffers.ChooseRandomly(random);
      buffers.Step(*environment);
    }
    EXPECT_TRUE(buffers.over());
  }
  EXPECT_TRUE(both[0] && both[1]);
}

TEST(SignalTest, EachAgentHearsTheOneBeforeIt) {
  const auto environment = MakeSignal({{"num_agents", "4"}});
  EXPECT_THAT(environment->spec().groups[0].neighbours,
              ElementsAre(ElementsAre(3), ElementsAre(0), ElementsAre(1), ElementsAre(2)));
}

// Mean reward of an agent.
double PlayMany(Environment& environment, Controller* controller, int episodes) {
  EnvironmentBuffers buffers(environment.spec());
  RandomStream random(3);
  double mean = 0;
  for (int episode = 0; episode < episodes; ++episode) {
    EXPECT_TRUE(environment.Reset(episode).ok());
    if (controller != nullptr) controller->Begin(environment);
    for (buffers.Begin(); !buffers.over();) {
      buffers.Observe(environment);
      controller != nullptr ? buffers.ChooseBy(*controller, environment) : buffers.ChooseRandomly(random);
      buffers.Step(environment);
    }
    std::vector<double> statistics(2);
    environment.EpisodeStatistics(absl::MakeSpan(statistics));
    mean += statistics[0] / episodes;
  }
  return mean;
}

TEST(SignalTest, PaysWhoKnowsAnothersCueAndChanceToWhomeverGuesses) {
  constexpr int kEpisodes = 4000;
  const auto optimal = (*FindEnvironment("signal"))->baselines({})[0].make();
  struct Case {
    SettingsMap settings;
    double chance;
  };
  for (const auto& [settings, chance] :
       {Case{{{"num_cues", "4"}}, 0.25}, Case{{{"num_agents", "5"}, {"num_cues", "2"}, {"distance", "3"}}, 0.5}}) {
    const auto environment = MakeSignal(settings);
    EXPECT_NEAR(PlayMany(*environment, optimal.get(), 50), 1, 1e-6);
    // Five standard errors of a share, agents of one episode counted as one.
    EXPECT_NEAR(PlayMany(*environment, nullptr, kEpisodes), chance, 5 * std::sqrt(chance / kEpisodes));
  }
}

// Plays by the cue of the agent so many places before, as the first observations showed them.
class ByTheCueBefore final : public Controller {
 public:
  explicit ByTheCueBefore(int distance) : distance_(distance) {}
  void Begin(const Environment&) override { step_ = 0; }
  void Act(const Environment& environment, const JointObservation& seen, std::vector<absl::Span<int32_t>>& actions,
           std::vector<absl::Span<float>>&) override {
    const int agents = environment.spec().num_agents();
    const int cues = environment.spec().groups[0].observation_size - 1;
    if (step_++ == 0) {
      cues_.clear();
      for (int a = 0; a < agents; ++a) {
        const auto own = seen.groups[0].observations.subspan(a * (cues + 1), cues);
        cues_.push_back(static_cast<int>(std::max_element(own.begin(), own.end()) - own.begin()));
      }
    }
    for (int a = 0; a < agents; ++a) {
      const bool wait = seen.groups[0].action_mask[a * (cues + 1)] != 0;
      actions[0][a] = wait ? 0 : 1 + cues_[(a + agents - distance_) % agents];
    }
  }

 private:
  const int distance_;
  int step_ = 0;
  std::vector<int> cues_;
};

TEST(SignalTest, AsksForTheCueOfTheAgentThatManyPlacesBefore) {
  const auto environment = MakeSignal({{"num_agents", "5"}, {"num_cues", "8"}, {"distance", "3"}});
  ByTheCueBefore right(3), wrong(2);
  EXPECT_NEAR(PlayMany(*environment, &right, 50), 1, 1e-6);
  EXPECT_LT(PlayMany(*environment, &wrong, 50), 0.4);
}

TEST(SignalTest, ADistanceThatLeadsBackIsRefused) {
  const absl::Status status = (*FindEnvironment("signal"))->create({{"distance", "6"}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("environment.settings.distance: 6 on a ring of 3 agents leads back to the agent itself"));
}

}  // namespace
}  // namespace troupe
