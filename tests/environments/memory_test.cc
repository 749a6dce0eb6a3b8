#include <cmath>

#include "actor_worker/environments/registry/registry.h"
#include "gtest/gtest.h"
#include "tests/conformance/environment_buffers.h"

namespace troupe {
namespace {

std::unique_ptr<Environment> MakeMemory(const SettingsMap& settings) {
  auto created = (*FindEnvironment("memory"))->create(settings);
  EXPECT_TRUE(created.ok()) << created.status();
  return *std::move(created);
}

// One agent, two cues, a corridor of 3 steps: what it sees in every step of an episode, masks behind it.
std::vector<std::vector<float>> Walk(Environment& environment, uint64_t seed) {
  EXPECT_TRUE(environment.Reset(seed).ok());
  EnvironmentBuffers buffers(environment.spec());
  RandomStream random(seed);
  std::vector<std::vector<float>> seen;
  while (!buffers.over()) {
    buffers.Observe(environment);
    std::vector<float> everything = buffers.Everything();
    everything.resize(6);  // 2 cues, at_junction; 3 actions
    seen.push_back(everything);
    buffers.ChooseRandomly(random);
    buffers.Step(environment);
  }
  return seen;
}

TEST(MemoryTest, ShowsTheCueAtTheFirstStepAlone) {
  const auto environment = MakeMemory({{"num_agents", "1"}, {"length", "3"}});
  bool both[2] = {false, false};
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const std::vector<std::vector<float>> seen = Walk(*environment, seed);
    ASSERT_EQ(seen.size(), 5);
    const int cue = seen[0][1] == 1;
    both[cue] = true;
    EXPECT_EQ(seen[0], (std::vector<float>{cue == 0 ? 1.0f : 0, cue == 1 ? 1.0f : 0, 0, 1, 0, 0}));
    for (int step = 1; step <= 3; ++step) EXPECT_EQ(seen[step], (std::vector<float>{0, 0, 0, 1, 0, 0}));
    EXPECT_EQ(seen[4], (std::vector<float>{0, 0, 1, 0, 1, 1}));
  }
  EXPECT_TRUE(both[0] && both[1]);
}

// Mean reward per agent and the statistics' means, of a controller or of random play.
std::vector<double> PlayMany(Environment& environment, Controller* controller, int episodes) {
  EnvironmentBuffers buffers(environment.spec());
  RandomStream random(3);
  std::vector<double> means(3);
  const int num_agents = environment.spec().num_agents();
  for (int episode = 0; episode < episodes; ++episode) {
    EXPECT_TRUE(environment.Reset(episode).ok());
    for (buffers.Begin(); !buffers.over();) {
      buffers.Observe(environment);
      controller != nullptr ? buffers.ChooseBy(*controller, environment) : buffers.ChooseRandomly(random);
      buffers.Step(environment);
    }
    const std::vector<float> everything = buffers.Everything();
    const size_t end_of_rewards = everything.size() - environment.spec().state_extras_size - 2;
    for (int a = 0; a < num_agents; ++a) means[0] += everything[end_of_rewards - 1 - a] / num_agents / episodes;
    std::vector<double> statistics(2);
    environment.EpisodeStatistics(absl::MakeSpan(statistics));
    means[1] += statistics[0] / episodes;
    means[2] += statistics[1] / episodes;
  }
  return means;
}

TEST(MemoryTest, PaysTheOptimumEverywhereAndChanceToWhomeverGuesses) {
  constexpr int kEpisodes = 4000;
  const auto optimal = (*FindEnvironment("memory"))->baselines({})[0].make();
  struct Case {
    SettingsMap settings;
    double chance;  // expected reward of guessing
  };
  for (const auto& [settings, chance] :
       {Case{{{"num_cues", "4"}}, 0.25}, Case{{{"num_cues", "4"}, {"all_must_match", "true"}}, 1.0 / 16},
        Case{{{"num_agents", "3"}, {"common_cue", "true"}, {"length", "0"}}, 0.5}}) {
    const auto environment = MakeMemory(settings);
    EXPECT_NEAR(PlayMany(*environment, optimal.get(), 50)[0], 1, 1e-6);
    // Five standard errors of a share, agents of one episode counted as one.
    EXPECT_NEAR(PlayMany(*environment, nullptr, kEpisodes)[0], chance, 5 * std::sqrt(chance / kEpisodes));
  }
}

TEST(MemoryTest, GivesTheTeamOneCueWhereAsked) {
  for (const bool common : {false, true}) {
    const auto environment = MakeMemory({{"num_agents", "8"}, {"common_cue", common ? "true" : "false"}});
    bool ever_different = false;
    for (uint64_t seed = 0; seed < 10; ++seed) {
      EnvironmentBuffers buffers(environment->spec());
      ASSERT_TRUE(environment->Reset(seed).ok());
      buffers.Observe(*environment);
      const std::vector<float> seen = buffers.Everything();
      for (int agent = 1; agent < 8; ++agent) ever_different |= seen[3 * agent] != seen[0];
    }
    EXPECT_EQ(ever_different, !common);
  }
}

}  // namespace
}  // namespace troupe
