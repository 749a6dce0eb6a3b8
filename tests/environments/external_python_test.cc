// Environments that the Python package serves (python/troupe/serve), by tests/serve's fakes and by mpe2 and Gymnasium.
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "actor_worker/environments/registry/registry.h"
#include "actor_worker/environments/vector_environment.h"
#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/conformance/environment_buffers.h"
#include "tests/environments/external_test_support.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kPython[] = TROUPE_SOURCE_DIR "/.deps/test_python/bin/python3";

class ExternalPython : public testing::Test {
 protected:
  void SetUp() override {
    setenv("PYTHONPATH", TROUPE_SOURCE_DIR "/python:" TROUPE_SOURCE_DIR "/tests/serve", 1);
    setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
    if (std::system((std::string(kPython) + " -c 'import mpe2, gymnasium' 2>/dev/null").c_str()) != 0) {
      GTEST_SKIP() << "no mpe2 and Gymnasium in .deps/test_python: ./deploy/setup.sh --tests";
    }
  }
  static SettingsMap Served(const std::string& options, SettingsMap more = {}) {
    more["server_program"] = std::string(kPython) + " -m troupe.serve";
    more["server_options"] = options;
    more.insert({"start_timeout_seconds", "100"});
    return more;
  }
  // What becomes of four copies of fakes.faulty, ten steps long, with this fault in their fourth step.
  static absl::Status PlayFaulty(const std::string& fault, SettingsMap more = {}) {
    more["argument_fault"] = fault;
    const SettingsMap settings = Served("--function fakes:faulty", more);
    const auto environment = VectorEnvironment::Create(ExternalEntry(), settings, 4);
    if (!environment.ok()) return environment.status();
    std::vector<float> seen(4), rewards(4);
    std::vector<uint8_t> masks(8), alive(4), terminated(4), truncated(4);
    const std::vector<int32_t> actions(4);
    ObservationRow row;
    row.groups.push_back({absl::MakeSpan(seen), absl::MakeSpan(masks), absl::MakeSpan(alive)});
    ActionRow taken;
    taken.groups.push_back({.discrete = actions, .continuous = {}});
    const OutcomeRow outcome{{absl::MakeSpan(rewards)}, absl::MakeSpan(terminated), absl::MakeSpan(truncated)};
    absl::Status status = (*environment)->Start({}, row);
    for (int t = 0; t < 12 && status.ok(); ++t) status = (*environment)->Step(taken, outcome, row);
    return status;
  }
};

TEST_F(ExternalPython, FaultsAreToldInPythonsWords) {
  struct Case {
    const char* fault;
    absl::StatusCode code;
    testing::Matcher<std::string> words;
  };
  const std::vector<Case> cases = {
      {"raise", absl::StatusCode::kInternal,
       AllOf(HasSubstr("external copy 0, episode 0, step 3: "), HasSubstr("ZeroDivisionError: the cake is a lie"),
             HasSubstr("while stepping copy 0"), HasSubstr("in happen"))},
      {"shape", absl::StatusCode::kInternal,
       HasSubstr("ValueError: agent agent: the observation has the shape (2, 3), the space says (1,)")},
      {"nan", absl::StatusCode::kInternal, HasSubstr("observation 0 of agent agent in group agent is nan")},
      {"exit", absl::StatusCode::kInternal, HasSubstr("SystemExit: enough")},
      {"die", absl::StatusCode::kUnavailable, HasSubstr("exited with status 3")},
      {"construct", absl::StatusCode::kInternal, HasSubstr("KeyError: 'no such cake' (while making the copies")},
      {"none", absl::StatusCode::kOk, HasSubstr("")}};
  for (const Case& one : cases) {
    const absl::Status status = PlayFaulty(one.fault);
    EXPECT_EQ(status.code(), one.code) << one.fault << ": " << status;
    EXPECT_THAT(std::string(status.message()), one.words) << one.fault;
  }
}

TEST_F(ExternalPython, OneThatHangsSaysWhere) {
  const absl::Status status = PlayFaulty("hang", {{"timeout_seconds", "1"}});
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), HasSubstr("in sleep_for_ever"));
}

TEST_F(ExternalPython, OneThatLeaksIsStoppedByItsLimit) {
  const absl::Status status = PlayFaulty("leak", {{"memory_limit_mb", "512"}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("MemoryError"));
}

// Steps of random play, episodes' ends and beginnings included.
std::vector<std::vector<float>> Record(Environment& environment, uint64_t seed, int steps) {
  EnvironmentBuffers buffers(environment.spec());
  RandomStream random(seed);
  std::vector<std::vector<float>> trace;
  for (int t = 0; t < steps; ++t) {
    if (t == 0 || buffers.over()) {
      EXPECT_TRUE(environment.Reset(MixKey({seed, uint64_t(t)})).ok());
      buffers.Begin();
    }
    buffers.Observe(environment);
    buffers.ChooseRandomly(random);
    buffers.Step(environment);
    buffers.Observe(environment);
    trace.push_back(buffers.Everything());
  }
  return trace;
}

TEST_F(ExternalPython, ACopyInPythonPlaysAsTheOneInCpp) {
  const auto python = ExternalEntry().create(Served("--function line_walk:LineWalk"));
  ASSERT_TRUE(python.ok()) << python.status();
  EXPECT_EQ(Record(**python, 3, 200), Record(**ExternalEntry().create(LineWalk()), 3, 200));
}

TEST_F(ExternalPython, SpacesOfThirdPartiesAreServedAndRepeatThemselves) {
  for (const char* options : {"--pettingzoo mpe2.simple_spread_v3", "--pettingzoo mpe2.simple_tag_v3 --teams --state",
                              "--pettingzoo mpe2.simple_speaker_listener_v4 --set continuous_actions=true",
                              "--gymnasium CartPole-v1", "--gymnasium Pendulum-v1", "--gymnasium Taxi-v4"}) {
    const auto environment = ExternalEntry().create(Served(options));
    ASSERT_TRUE(environment.ok()) << options << ": " << environment.status();
    const auto trace = Record(**environment, 1, 60);
    EXPECT_EQ(Record(**environment, 1, 60), trace) << options;
    EXPECT_NE(Record(**environment, 2, 60), trace) << options;
    EXPECT_EQ(Record(**ExternalEntry().create(Served(options)), 1, 60), trace) << options;
  }
}

// mpe2 is PettingZoo's MPE, whose physics the built-in simple_spread has. Rewards of a state that both have reached by
// the same moves differ by single precision alone; random play of both then has the same mean return.
TEST_F(ExternalPython, Mpe2sSpreadReturnsWhatTheBuiltInOneDoes) {
  const auto mean_return = [](Environment& environment) {
    double sum = 0;
    constexpr int kEpisodes = 400;
    EnvironmentBuffers buffers(environment.spec());
    RandomStream random(5);
    for (uint64_t episode = 0; episode < kEpisodes; ++episode) {
      EXPECT_TRUE(environment.Reset(MixKey({episode})).ok());
      for (buffers.Begin(); !buffers.over();) {
        buffers.Observe(environment);
        buffers.ChooseRandomly(random);
        buffers.Step(environment);
        for (const float reward : buffers.rewards(0)) sum += reward;
      }
    }
    return sum / kEpisodes;
  };
  const auto external = ExternalEntry().create(Served("--pettingzoo mpe2.simple_spread_v3"));
  ASSERT_TRUE(external.ok()) << external.status();
  const auto built_in = (*FindEnvironment("simple_spread"))->create({});
  ASSERT_TRUE(built_in.ok()) << built_in.status();
  // A return's standard deviation is about 27, so that of the difference of the means is about 2.
  EXPECT_NEAR(mean_return(**external), mean_return(**built_in), 8);
}

}  // namespace
}  // namespace troupe
