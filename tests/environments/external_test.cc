// The environment `external` by docs/clients/line_walk.cc, whose rules stand at its head.
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "actor_worker/environments/create_copies.h"
#include "actor_worker/environments/external/server_pool.h"
#include "actor_worker/environments/vector_environment.h"
#include "actor_worker/evaluation/episode_runner.h"
#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/conformance/environment_buffers.h"
#include "tests/environments/external_test_support.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

// Everything that copies see and earn in some steps of random play, episodes' ends and beginnings included.
std::vector<std::vector<float>> Record(std::vector<std::unique_ptr<Environment>>& copies, int steps, bool prepare) {
  std::vector<std::unique_ptr<EnvironmentBuffers>> buffers;
  std::vector<RandomStream> random;
  std::vector<std::vector<float>> trace;
  for (size_t c = 0; c < copies.size(); ++c) {
    buffers.push_back(std::make_unique<EnvironmentBuffers>(copies[c]->spec()));
    random.emplace_back(c);
    if (prepare) copies[c]->PrepareReset(c);
  }
  for (size_t c = 0; c < copies.size(); ++c) EXPECT_TRUE(copies[c]->Reset(c).ok());
  for (int t = 0; t < steps; ++t) {
    for (size_t c = 0; c < copies.size(); ++c) {
      if (buffers[c]->over()) {
        EXPECT_TRUE(copies[c]->Reset(MixKey({c, uint64_t(t)})).ok());
        buffers[c]->Begin();
      }
      buffers[c]->Observe(*copies[c]);
      buffers[c]->ChooseRandomly(random[c]);
    }
    for (size_t c = 0; c < copies.size() && prepare; ++c) copies[c]->PrepareStep(buffers[c]->action());
    for (size_t c = 0; c < copies.size(); ++c) {
      buffers[c]->Step(*copies[c]);
      buffers[c]->Observe(*copies[c]);
      trace.push_back(buffers[c]->Everything());
    }
  }
  return trace;
}

std::vector<std::vector<float>> RecordWith(const SettingsMap& settings, int copies, bool prepare) {
  auto made = CreateCopies(ExternalEntry(), settings, copies);
  EXPECT_TRUE(made.ok()) << made.status();
  return made.ok() ? Record(*made, 60, prepare) : std::vector<std::vector<float>>{};
}

TEST(External, OffersWhatTheServerSays) {
  const auto environment = ExternalEntry().create(LineWalk());
  ASSERT_TRUE(environment.ok()) << environment.status();
  const EnvironmentSpec& spec = (*environment)->spec();
  EXPECT_EQ(spec.name, "external");
  ASSERT_EQ(spec.groups.size(), 1);
  EXPECT_THAT(spec.groups[0].agents, ElementsAre("ann", "bob"));
  EXPECT_EQ(spec.groups[0].observed[1], (ObservedNumber{"goal", "", 10, ""}));
  EXPECT_EQ(spec.groups[0].actions[2].name, "right");
  EXPECT_THAT(spec.statistics, ElementsAre("arrived"));
}

TEST(External, GroupsOfOneSideAreMergedWhereAsked) {
  const TemporaryFolder folder;
  const auto merged = [&folder](const std::string& team) {
    SettingsMap settings = ScriptServer::Script(
        folder, absl::StrCat("echo 'hello {\"protocol_version\": 1, \"spec\": {\"groups\": [{\"name\": \"g\", "
                             "\"agents\": [\"a\"], \"observation_size\": 1, \"action_kind\": \"DISCRETE\", "
                             "\"action_size\": 2}, {\"name\": \"h\", \"agents\": [\"b\"], \"observation_size\": 3, "
                             "\"action_kind\": \"DISCRETE\", \"action_size\": 4, \"team\": \"",
                             team, "\"}]}}' >&3; cat <&3 >/dev/null\n"));
    settings["groups"] = "MERGED";
    return ExternalEntry().create(settings);
  };
  const auto together = merged("");
  ASSERT_TRUE(together.ok()) << together.status();
  ASSERT_EQ((*together)->spec().groups.size(), 1);
  EXPECT_THAT((*together)->spec().groups[0].agents, ElementsAre("a", "b"));
  EXPECT_EQ((*together)->spec().groups[0].observation_size, 4);
  EXPECT_EQ((*together)->spec().groups[0].action_size, 4);
  const absl::Status against = merged("others").status();
  EXPECT_EQ(against.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(against.message(), "environment.settings.groups: MERGED, but \"g\" and \"h\" play against each other");
}

TEST(External, AWalkGoesByTheRules) {
  const auto environment = *ExternalEntry().create(LineWalk());
  EnvironmentBuffers buffers(environment->spec());
  RandomStream random(3);
  int ended_well = 0, cut = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    ASSERT_TRUE(environment->Reset(seed).ok());
    buffers.Begin();
    int length = 0;
    for (; !buffers.over(); ++length) {
      buffers.Observe(*environment);
      const std::vector<float> before = buffers.observations(0);
      buffers.ChooseRandomly(random);
      buffers.Step(*environment);
      buffers.Observe(*environment);
      const std::vector<float>& after = buffers.observations(0);
      for (int a = 0; a < 2; ++a) {
        const float moved = std::round(10 * (after[2 * a] - before[2 * a]));
        EXPECT_EQ(moved, static_cast<float>(buffers.discrete(0)[a] - 1));
        EXPECT_EQ(after[2 * a + 1], before[2 * a + 1]) << "goals stay";
        EXPECT_NEAR(buffers.rewards(0)[a], -std::abs(after[2 * a] - after[2 * a + 1]), 1e-6);
      }
    }
    const std::vector<float>& last = buffers.observations(0);
    const bool arrived = last[0] == last[1] && last[2] == last[3];
    EXPECT_EQ(buffers.terminated(), arrived);
    EXPECT_TRUE(arrived || length == 20) << length;
    std::vector<double> statistics(1);
    environment->EpisodeStatistics(absl::MakeSpan(statistics));
    EXPECT_EQ(statistics[0], (int(last[0] == last[1]) + int(last[2] == last[3])) / 2.0);
    ++(arrived ? ended_well : cut);
  }
  EXPECT_GT(ended_well, 0);
  EXPECT_GT(cut, 0);
}

TEST(External, CopiesDoTheSameTogetherAndAloneInOneProcessOrSeveral) {
  const auto alone = RecordWith(LineWalk(), 5, /*prepare=*/false);
  ASSERT_EQ(alone.size(), 300);
  EXPECT_EQ(RecordWith(LineWalk(), 5, /*prepare=*/true), alone);
  for (const char* processes : {"2", "3", "5", "9"}) {
    EXPECT_EQ(RecordWith(LineWalk({{"processes", processes}}), 5, /*prepare=*/true), alone) << processes;
  }
  // One group merged is itself.
  EXPECT_EQ(RecordWith(LineWalk({{"processes", "2"}, {"groups", "MERGED"}}), 5, /*prepare=*/true), alone);
}

TEST(External, EpisodesDoNotDependOnThreadsOrProcesses) {
  const EnvironmentEntry entry = ExternalEntry();
  const Player random{.name = "random"};
  const auto play = [&](int threads, const char* processes) {
    std::vector<double> returns;
    const auto results = RunEpisodes({.environment = &entry,
                                      .settings = LineWalk({{"processes", processes}}),
                                      .first_seed = 5,
                                      .episodes = 18,
                                      .threads = threads},
                                     random);
    EXPECT_TRUE(results.ok()) << results.status();
    for (const EpisodeResult& result : *results) returns.push_back(result.group_returns[0]);
    return returns;
  };
  const std::vector<double> expected = play(1, "1");
  EXPECT_EQ(play(3, "1"), expected);
  EXPECT_EQ(play(2, "4"), expected);
}

EnvironmentServer::Options LineWalkServer(int copies) {
  return {.command = {TROUPE_BIN_DIR "/line_walk_server"}, .arguments = {}, .copies = copies};
}

std::unique_ptr<EnvironmentServer> Started(const EnvironmentServer::Options& options) {
  std::unique_ptr<EnvironmentServer> server = *EnvironmentServer::Launch(options);
  EXPECT_TRUE(server->Greet().ok());
  return server;
}

TEST(ServerPool, GivesBackServersOfTheSameOptionsUpToItsBound) {
  ServerPool pool(2, absl::Hours(1));
  std::vector<pid_t> pids;
  for (const int copies : {1, 2, 3}) {
    pids.push_back(0);
    std::unique_ptr<EnvironmentServer> server = Started(LineWalkServer(copies));
    pids.back() = server->pid();
    pool.Give(std::move(server));
  }
  EXPECT_EQ(pool.Take(LineWalkServer(1)), nullptr) << "the oldest of three had to go";
  EXPECT_EQ(pool.Take(LineWalkServer(4)), nullptr);
  const std::unique_ptr<EnvironmentServer> third = pool.Take(LineWalkServer(3));
  ASSERT_NE(third, nullptr);
  EXPECT_EQ(third->pid(), pids[2]);
  EXPECT_EQ(pool.Take(LineWalkServer(3)), nullptr) << "it is taken";
  EXPECT_TRUE(third->Ring().ok());
  EXPECT_TRUE(third->Await().ok());
}

TEST(ServerPool, KeepsNoServerForLongerThanItSays) {
  ServerPool pool(2, absl::ZeroDuration());
  pool.Give(Started(LineWalkServer(1)));
  EXPECT_EQ(pool.Take(LineWalkServer(1)), nullptr);
}

// docs/clients has the same environment in other languages.
TEST(External, TheGoClientPlaysAsTheOneInCpp) {
  if (std::system("command -v go >/dev/null") != 0) GTEST_SKIP() << "go is not installed: apt-get install golang-go";
  const TemporaryFolder folder;
  const std::string build =
      absl::StrCat("GOCACHE=", folder / "cache", " GOFLAGS=-mod=mod GO111MODULE=off timeout 100 go build -o ",
                   folder / "line_walk", " " TROUPE_SOURCE_DIR "/docs/clients/line_walk.go");
  ASSERT_EQ(std::system(build.c_str()), 0);
  EXPECT_EQ(RecordWith({{"server_program", folder / "line_walk"}}, 5, true), RecordWith(LineWalk(), 5, true));
}

}  // namespace
}  // namespace troupe
