#include "actor_worker/environments/vector_environment.h"

#include <map>
#include <set>

#include "actor_worker/environments/episode_buffers.h"
#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/scripted_environment.h"

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A vector environment with memory for one row, stepped with the same action for everybody.
class Fixture {
 public:
  Fixture(const SettingsMap& settings, int copies)
      : environment(*VectorEnvironment::Create(ScriptedEntry(), settings, copies)),
        memory(environment->spec(), copies),
        terminated(copies),
        truncated(copies) {
    for (EpisodeBuffers::Group& group : memory.groups) {
      row.groups.push_back(
          {absl::MakeSpan(group.observations), absl::MakeSpan(group.action_masks), absl::MakeSpan(group.alive)});
      actions.groups.push_back({group.discrete, group.continuous});
      outcome.rewards.push_back(absl::MakeSpan(group.rewards));
    }
    row.state_extras = absl::MakeSpan(memory.state_extras);
    outcome.terminated = absl::MakeSpan(terminated);
    outcome.truncated = absl::MakeSpan(truncated);
  }

  absl::Status StepAllWith(int action) {
    for (EpisodeBuffers::Group& group : memory.groups) std::fill(group.discrete.begin(), group.discrete.end(), action);
    return environment->Step(actions, outcome, row);
  }
  float Seen(int copy, int index) const { return memory.groups[0].observations[copy * 6 + index]; }

  std::unique_ptr<VectorEnvironment> environment;
  EpisodeBuffers memory;
  std::vector<uint8_t> terminated, truncated;
  ObservationRow row;
  ActionRow actions;
  OutcomeRow outcome;
};

float SeedAsSeen(uint64_t shard, uint64_t epoch, uint64_t copy, uint64_t episode) {
  return float(MixKey({7, shard, epoch, copy, episode}) % 1000) / 1000;
}

TEST(VectorEnvironmentTest, SeedsEveryCopysEpisodesFromRunShardLeaseCopyAndEpisode) {
  Fixture f({{"length", "1"}}, 3);
  ASSERT_TRUE(f.environment->Start({.run_seed = 7, .shard = 5, .lease_epoch = 2}, f.row).ok());
  for (int episode = 0; episode < 4; ++episode) {
    for (int copy = 0; copy < 3; ++copy)
      EXPECT_EQ(f.Seen(copy, 0), SeedAsSeen(5, 2, copy, episode)) << copy << " " << episode;
    ASSERT_TRUE(f.StepAllWith(0).ok());
  }
}

TEST(VectorEnvironmentTest, StartsAnewForAnotherLease) {
  Fixture f({}, 2);
  ASSERT_TRUE(f.environment->Start({.run_seed = 7, .shard = 0, .lease_epoch = 0}, f.row).ok());
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(f.StepAllWith(0).ok());
  ASSERT_TRUE(f.environment->Start({.run_seed = 7, .shard = 3, .lease_epoch = 1}, f.row).ok());
  EXPECT_EQ(f.Seen(1, 0), SeedAsSeen(3, 1, 1, 0));
  EXPECT_EQ(f.Seen(1, 1), 0.0f);
  EXPECT_TRUE(f.environment->finished().empty());
}

TEST(VectorEnvironmentTest, ATerminatedEpisodeIsFollowedByTheNextOnesFirstObservation) {
  Fixture f({{"length", "2"}}, 2);
  ASSERT_TRUE(f.environment->Start({.run_seed = 7}, f.row).ok());
  ASSERT_TRUE(f.StepAllWith(1).ok());
  EXPECT_THAT(f.terminated, ElementsAre(0, 0));
  EXPECT_TRUE(f.environment->finished().empty());
  EXPECT_EQ(f.Seen(0, 1), 1.0f);
  EXPECT_EQ(f.memory.state_extras[1], 10.0f);
  ASSERT_TRUE(f.StepAllWith(0).ok());
  EXPECT_THAT(f.terminated, ElementsAre(1, 1));
  EXPECT_THAT(f.truncated, ElementsAre(0, 0));
  EXPECT_TRUE(f.environment->truncated().empty());
  EXPECT_EQ(f.Seen(0, 1), 0.0f);
  EXPECT_EQ(f.Seen(1, 0), SeedAsSeen(0, 0, 1, 1));
  ASSERT_EQ(f.environment->finished().size(), 2);
  const FinishedCopy& finished = f.environment->finished()[1];
  EXPECT_EQ(finished.copy, 1);
  EXPECT_EQ(finished.length, 2);
  EXPECT_EQ(finished.warm_up_steps, 0);
  EXPECT_THAT(finished.group_returns, ElementsAre((1 + 1.25 + 0 + 0.25) / 2, 1.0));
  EXPECT_THAT(finished.statistics, ElementsAre(2, 3));
}

TEST(VectorEnvironmentTest, ATruncatedEpisodesLastObservationIsKept) {
  Fixture f({{"length", "3"}, {"ending", "truncated"}}, 2);
  ASSERT_TRUE(f.environment->Start({.run_seed = 7, .shard = 9}, f.row).ok());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(f.StepAllWith(0).ok());
  EXPECT_THAT(f.truncated, ElementsAre(1, 1));
  EXPECT_THAT(f.terminated, ElementsAre(0, 0));
  ASSERT_EQ(f.environment->truncated().size(), 2);
  const TruncatedCopy& last = f.environment->truncated()[1];
  EXPECT_EQ(last.copy, 1);
  const float seed = SeedAsSeen(9, 0, 1, 0);
  EXPECT_THAT(last.final_observations[0], ElementsAre(seed, 3, 0, seed, 3, 1));
  EXPECT_THAT(last.final_observations[1], ElementsAre(seed, 3));
  EXPECT_THAT(last.final_state_extras, ElementsAre(30));
  EXPECT_THAT(last.final_alive[0], ElementsAre(1, 1));
  EXPECT_THAT(last.final_alive[1], ElementsAre(1));
  EXPECT_THAT(last.final_action_masks[0], ElementsAre(1, 1, 0, 1, 1, 1)) << "of step 3, of the second copy";
  EXPECT_THAT(last.final_action_masks[1], ElementsAre(1, 1, 1));
  EXPECT_EQ(f.Seen(1, 0), SeedAsSeen(9, 0, 1, 1));
  EXPECT_EQ(f.Seen(1, 1), 0.0f);
  ASSERT_TRUE(f.StepAllWith(0).ok());
  EXPECT_TRUE(f.environment->truncated().empty());
}

TEST(VectorEnvironmentTest, NamesWhatIsNotFiniteOrNotAllowed) {
  const std::map<std::string, std::string> expected = {
      {"observation", "observation 1 of agent right in group pair is nan"},
      {"reward", "reward of agent right in group pair is inf"},
      {"extra", "state extra 0 is -inf"},
      {"mask", "agent only in group single has no allowed action"},
      {"throw", "threw: simulator fell over"},
      {"error", "simulator is gone"},
  };
  for (const auto& [fault, message] : expected) {
    Fixture f({{"fault", fault}, {"fault_step", "2"}}, 2);
    ASSERT_TRUE(f.environment->Start({}, f.row).ok());
    ASSERT_TRUE(f.StepAllWith(0).ok());
    const absl::Status status = f.StepAllWith(0);
    EXPECT_FALSE(status.ok()) << fault;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
    EXPECT_THAT(std::string(status.message()), HasSubstr("scripted copy 0, episode 0, step "));
  }
}

TEST(VectorEnvironmentTest, NamesAFaultOfTheFirstObservationToo) {
  Fixture f({{"fault", "observation"}, {"fault_step", "0"}}, 1);
  EXPECT_THAT(std::string(f.environment->Start({}, f.row).message()), HasSubstr("observation 1 of agent right"));
}

TEST(VectorEnvironmentTest, RefusesAnEndThatIsBothTerminatedAndTruncated) {
  Fixture f({{"length", "1"}, {"ending", "truncated"}, {"fault", "both"}, {"fault_step", "1"}}, 1);
  ASSERT_TRUE(f.environment->Start({}, f.row).ok());
  EXPECT_THAT(std::string(f.StepAllWith(0).message()), HasSubstr("both terminated and truncated"));
}

TEST(VectorEnvironmentTest, WarmUpSpreadsTheCopiesOverAnEpisodeWithAllowedActionsOnly) {
  Fixture f({{"length", "40"}}, 16);
  const StartOptions options{.run_seed = 3, .max_warm_up_steps = StartOptions::kOneEpisode};
  ASSERT_TRUE(f.environment->Start(options, f.row).ok());
  std::set<float> phases;
  std::vector<float> first;
  for (int copy = 0; copy < 16; ++copy) {
    phases.insert(f.Seen(copy, 1));
    first.push_back(f.Seen(copy, 1));
    EXPECT_LT(f.Seen(copy, 1), 40.0f);
  }
  EXPECT_GE(phases.size(), 10);
  int finished = 0;
  for (int step = 0; step < 40; ++step) {
    ASSERT_TRUE(f.StepAllWith(0).ok());
    for (const FinishedCopy& episode : f.environment->finished()) {
      ++finished;
      EXPECT_EQ(episode.warm_up_steps, int(first[episode.copy]));
      EXPECT_EQ(episode.length, 40);
    }
  }
  EXPECT_EQ(finished, 16);
  ASSERT_TRUE(f.environment->Start(options, f.row).ok());
  for (int copy = 0; copy < 16; ++copy) EXPECT_EQ(f.Seen(copy, 1), first[copy]) << "not repeatable";
}

TEST(VectorEnvironmentTest, WarmUpGoesOnIntoFurtherEpisodes) {
  Fixture f({{"length", "3"}}, 8);
  ASSERT_TRUE(f.environment->Start({.run_seed = 3, .max_warm_up_steps = 50}, f.row).ok());
  for (int step = 0; step < 3; ++step) {
    ASSERT_TRUE(f.StepAllWith(0).ok());
    for (const FinishedCopy& episode : f.environment->finished()) EXPECT_EQ(episode.length, 3);
  }
}

TEST(VectorEnvironmentTest, UniformsFollowFromCopyEpisodeAndStepAlone) {
  Fixture f({{"length", "3"}}, 2), g({{"length", "3"}}, 4);
  ASSERT_TRUE(f.environment->Start({.run_seed = 3, .shard = 1}, f.row).ok());
  ASSERT_TRUE(g.environment->Start({.run_seed = 3, .shard = 1}, g.row).ok());
  std::set<float> all;
  for (int step = 0; step < 8; ++step) {
    std::vector<float> few(4), again(4), more(8), other(2);
    f.environment->DrawUniforms(0, absl::MakeSpan(few));
    f.environment->DrawUniforms(0, absl::MakeSpan(again));
    f.environment->DrawUniforms(1, absl::MakeSpan(other));
    g.environment->DrawUniforms(0, absl::MakeSpan(more));
    EXPECT_EQ(few, again);
    more.resize(4);
    EXPECT_EQ(few, more);
    all.insert(few.begin(), few.end());
    all.insert(other.begin(), other.end());
    ASSERT_TRUE(f.StepAllWith(0).ok() && g.StepAllWith(0).ok());
  }
  EXPECT_EQ(all.size(), 8 * 6);
  EXPECT_GE(*all.begin(), 0.0f);
  EXPECT_LT(*all.rbegin(), 1.0f);
}

TEST(VectorEnvironmentTest, RefusesBadSettingsAndCopies) {
  EXPECT_THAT(std::string(VectorEnvironment::Create(ScriptedEntry(), {{"lenght", "3"}}, 1).status().message()),
              HasSubstr("length"));
  EXPECT_FALSE(VectorEnvironment::Create(ScriptedEntry(), {}, 0).ok());
}

// Each copy's episode under way goes on as it is; the next one is of the new settings.
TEST(VectorEnvironmentTest, EpisodesThatBeginLaterHaveTheSettingsOfThen) {
  Fixture f({{"length", "3"}}, 2);
  ASSERT_TRUE(f.environment->Start({.run_seed = 7}, f.row).ok());
  std::vector<int> lengths;
  const auto step = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(f.StepAllWith(0).ok());
      for (const FinishedCopy& ended : f.environment->finished()) {
        if (ended.copy == 0) lengths.push_back(ended.length);
      }
    }
  };
  step(1);
  f.environment->BeginEpisodesWith(std::make_shared<const SettingsMap>(SettingsMap{{"length", "2"}}));
  step(4);
  EXPECT_THAT(lengths, ElementsAre(3, 2));
  f.environment->BeginEpisodesWith(std::make_shared<const SettingsMap>(SettingsMap{{"length", "1"}}));
  step(3);
  EXPECT_THAT(lengths, ElementsAre(3, 2, 2, 1));
  // Also the first of another life.
  ASSERT_TRUE(f.environment->Start({.run_seed = 7}, f.row).ok());
  step(1);
  EXPECT_THAT(lengths, ElementsAre(3, 2, 2, 1, 1));
}

TEST(VectorEnvironmentTest, TheSameSettingsGiveTheSameEpisodesHoweverTheyCame) {
  Fixture plain({{"length", "2"}}, 2), changed({{"length", "5"}}, 2);
  changed.environment->BeginEpisodesWith(std::make_shared<const SettingsMap>(SettingsMap{{"length", "2"}}));
  ASSERT_TRUE(plain.environment->Start({.run_seed = 7}, plain.row).ok());
  ASSERT_TRUE(changed.environment->Start({.run_seed = 7}, changed.row).ok());
  for (int i = 0; i < 9; ++i) {
    ASSERT_TRUE(plain.StepAllWith(1).ok());
    ASSERT_TRUE(changed.StepAllWith(1).ok());
    EXPECT_EQ(plain.memory.groups[0].observations, changed.memory.groups[0].observations) << i;
    EXPECT_EQ(plain.terminated, changed.terminated) << i;
  }
}

TEST(VectorEnvironmentTest, SettingsThatAreWrongEndTheLifeWithTheirName) {
  Fixture f({{"length", "1"}}, 2);
  ASSERT_TRUE(f.environment->Start({.run_seed = 7}, f.row).ok());
  f.environment->BeginEpisodesWith(std::make_shared<const SettingsMap>(SettingsMap{{"lenght", "2"}}));
  EXPECT_THAT(std::string(f.StepAllWith(0).message()), HasSubstr("environment.settings.lenght: unknown setting"));
  // A next life may have good ones.
  f.environment->BeginEpisodesWith(std::make_shared<const SettingsMap>(SettingsMap{{"length", "2"}}));
  EXPECT_TRUE(f.environment->Start({.run_seed = 7}, f.row).ok());
  EXPECT_TRUE(f.StepAllWith(0).ok());
}

}  // namespace
}  // namespace troupe
