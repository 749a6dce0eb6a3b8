// Step by step against PyPI's mpe2 1.1.1 and the code that MAPPO's authors publish with: from their starts, their
// actions lead to their places, velocities, observations and rewards. tests/golden/mpe/record.py recorded them.
#include <fstream>
#include <sstream>

#include "tests/environments/mpe_test_support.h"

namespace troupe {
namespace {

constexpr double kTolerance = 1e-5;

// A line of a golden file: a word and numbers.
struct Line {
  std::string word;
  std::string rest;
  std::vector<double> Numbers() const {
    std::istringstream text(rest);
    std::vector<double> numbers;
    for (double number; text >> number;) numbers.push_back(number);
    return numbers;
  }
  SettingsMap Settings() const {
    std::istringstream text(rest);
    SettingsMap settings;
    for (std::string setting; text >> setting;) {
      settings[setting.substr(0, setting.find('='))] = setting.substr(setting.find('=') + 1);
    }
    return settings;
  }
};

std::vector<Line> ReadGolden(const std::string& scenario) {
  std::ifstream file(std::string(TROUPE_SOURCE_DIR) + "/tests/golden/mpe/" + scenario + ".txt");
  EXPECT_TRUE(file.is_open()) << scenario;
  std::vector<Line> lines;
  for (std::string text; std::getline(file, text);) {
    if (text.starts_with("#")) continue;
    const size_t space = std::min(text.find(' '), text.size());
    lines.push_back({text.substr(0, space), text.substr(space)});
  }
  return lines;
}

void ExpectNear(const std::vector<double>& expected, const std::vector<double>& actual, const std::string& what) {
  ASSERT_EQ(expected.size(), actual.size()) << what;
  for (size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(expected[i], actual[i], kTolerance) << what << " " << i;
}

// The same scene in both reward conventions.
class Replay {
 public:
  Replay(const std::string& scenario, SettingsMap settings) {
    for (const char* rewards : {"PETTINGZOO", "ORIGINAL"}) {
      settings["rewards"] = rewards;
      environments_.push_back(MakeMpe(scenario, settings));
    }
    buffers_ = std::make_unique<EnvironmentBuffers>(environments_[0]->spec());
  }
  void Start(const std::vector<double>& motion, const std::vector<double>& landmarks,
             const std::vector<double>& goals) {
    MpeWorld world = environments_[0]->world();
    ASSERT_EQ(motion.size(), 4 * world.agents.size());
    ASSERT_EQ(landmarks.size(), 2 * world.landmarks.size());
    for (size_t i = 0; i < world.agents.size(); ++i) {
      world.agents[i].position = {motion[4 * i], motion[4 * i + 1]};
      world.agents[i].velocity = {motion[4 * i + 2], motion[4 * i + 3]};
    }
    for (size_t i = 0; i < world.landmarks.size(); ++i) {
      world.landmarks[i].position = {landmarks[2 * i], landmarks[2 * i + 1]};
    }
    world.goals.assign(goals.begin(), goals.end());
    std::fill(world.messages.begin(), world.messages.end(), 0.0);
    for (const auto& environment : environments_) environment->Restart(world);
    steps_ = 0;
  }
  void Act(const std::vector<double>& numbers) {
    std::vector<std::vector<float>> rewards(environments_[0]->spec().groups.size());
    StepOutcome outcome;
    std::vector<std::vector<int32_t>> discrete(rewards.size());
    std::vector<std::vector<float>> continuous(rewards.size());
    JointAction action;
    size_t next = 0;
    for (size_t g = 0; g < rewards.size(); ++g) {
      const AgentGroupSpec& group = environments_[0]->spec().groups[g];
      const bool moves = environments_[0]->roles()[g].moves;
      for (int a = 0; a < group.num_agents(); ++a) {
        if (group.has_masks()) {
          const auto recorded = static_cast<int32_t>(numbers.at(next++));
          // One number, move + 5 × word, or both.
          if (group.num_choices() == 1) discrete[g].push_back(recorded);
          if (group.num_choices() == 2) discrete[g].insert(discrete[g].end(), {recorded % 5, recorded / 5});
          continue;
        }
        for (int d = 0; d < group.action_size; ++d, ++next) {
          // Words are recorded as numbers in [0, 1].
          const bool word = !moves || d >= 2;
          continuous[g].push_back(static_cast<float>(word ? 2 * numbers.at(next) - 1 : numbers.at(next)));
        }
      }
      action.groups.push_back({.discrete = discrete[g], .continuous = continuous[g]});
      rewards[g].resize(group.num_agents());
      outcome.rewards.push_back(absl::MakeSpan(rewards[g]));
    }
    ASSERT_EQ(next, numbers.size());
    ++steps_;
    for (const auto& environment : environments_) {
      ASSERT_TRUE(environment->Step(action, outcome).ok());
      EXPECT_EQ(outcome.truncated, steps_ == 25);
      EXPECT_FALSE(outcome.terminated);
    }
  }
  std::vector<double> Motion() const {
    std::vector<double> motion;
    for (const Disc& agent : environments_[0]->world().agents) {
      motion.insert(motion.end(), {agent.position.x, agent.position.y, agent.velocity.x, agent.velocity.y});
    }
    return motion;
  }
  std::vector<double> Observed() {
    buffers_->Observe(*environments_[0]);
    // Observations, masks, alive flags and rewards of each group, one behind the other.
    const std::vector<float> everything = buffers_->Everything();
    std::vector<double> observed;
    size_t begin = 0;
    for (const AgentGroupSpec& group : environments_[0]->spec().groups) {
      const size_t size = size_t{1} * group.num_agents() * group.observation_size;
      observed.insert(observed.end(), everything.begin() + begin, everything.begin() + begin + size);
      begin += size + group.num_agents() * (2 + (group.has_masks() ? group.action_size : 0));
    }
    return observed;
  }
  std::vector<double> Rewards(bool original) const {
    const absl::Span<const double> rewards = environments_[original]->rewards();
    return {rewards.begin(), rewards.end()};
  }

 private:
  std::vector<std::unique_ptr<MpeEnvironment>> environments_;  // PETTINGZOO, ORIGINAL
  std::unique_ptr<EnvironmentBuffers> buffers_;
  int steps_ = 0;
};

class MpeGolden : public testing::TestWithParam<std::string> {};

TEST_P(MpeGolden, FollowsTheRecordedEpisodesStepByStep) {
  std::unique_ptr<Replay> replay;
  std::string settings;
  int cases = 0, episodes = 0, steps = 0;
  std::vector<double> agents, landmarks;
  for (const Line& line : ReadGolden(GetParam())) {
    SCOPED_TRACE(testing::Message() << "case" << settings << ", episode " << episodes << ", step " << steps);
    if (line.word == "case") {
      settings = line.rest;
      replay = std::make_unique<Replay>(GetParam(), line.Settings());
      ++cases;
    } else if (line.word == "start") {
      ++episodes;
      steps = 0;
    } else if (line.word == "act") {
      ASSERT_NO_FATAL_FAILURE(replay->Act(line.Numbers()));
      ++steps;
    } else if (line.word == "agents") {
      agents = line.Numbers();
      if (steps == 0) continue;  // of the start, which comes to the replay with the goals
      ASSERT_NO_FATAL_FAILURE(ExpectNear(agents, replay->Motion(), "motion"));
    } else if (line.word == "landmarks") {
      landmarks = line.Numbers();
    } else if (line.word == "goals") {
      ASSERT_NO_FATAL_FAILURE(replay->Start(agents, landmarks, line.Numbers()));
    } else if (line.word == "observed") {
      ASSERT_NO_FATAL_FAILURE(ExpectNear(line.Numbers(), replay->Observed(), "observation"));
    } else if (line.word == "pettingzoo") {
      ASSERT_NO_FATAL_FAILURE(ExpectNear(line.Numbers(), replay->Rewards(false), "PETTINGZOO reward"));
    } else if (line.word == "original") {
      ASSERT_NO_FATAL_FAILURE(ExpectNear(line.Numbers(), replay->Rewards(true), "ORIGINAL reward"));
    } else {
      FAIL() << line.word;
    }
  }
  EXPECT_GE(cases, 3);  // discrete, continuous, the original's dynamics
  EXPECT_GE(episodes, 4);
  EXPECT_EQ(steps, 25);
}

// What mpe2 takes as one number is the same as two.
TEST(MpeGoldenTest, MultiDiscreteActionsDoWhatTheRecordedOnesDo) {
  std::unique_ptr<Replay> replay;
  std::vector<double> agents, landmarks;
  int compared = 0;
  for (const Line& line : ReadGolden("simple_reference")) {
    if (line.word == "case") {
      SettingsMap settings = line.Settings();
      const bool discrete = settings["continuous_actions"] == "false";
      settings["actions"] = "MULTI_DISCRETE";
      replay = discrete ? std::make_unique<Replay>("simple_reference", settings) : nullptr;
    }
    if (replay == nullptr) continue;
    if (line.word == "act") {
      ASSERT_NO_FATAL_FAILURE(replay->Act(line.Numbers()));
    } else if (line.word == "agents") {
      agents = line.Numbers();
    } else if (line.word == "landmarks") {
      landmarks = line.Numbers();
    } else if (line.word == "goals") {
      ASSERT_NO_FATAL_FAILURE(replay->Start(agents, landmarks, line.Numbers()));
    } else if (line.word == "observed") {
      ASSERT_NO_FATAL_FAILURE(ExpectNear(line.Numbers(), replay->Observed(), "observation"));
      ++compared;
    } else if (line.word == "pettingzoo") {
      ASSERT_NO_FATAL_FAILURE(ExpectNear(line.Numbers(), replay->Rewards(false), "PETTINGZOO reward"));
    }
  }
  EXPECT_GT(compared, 10);
}

INSTANTIATE_TEST_SUITE_P(Scenarios, MpeGolden,
                         testing::Values("simple_spread", "simple_tag", "simple_adversary", "simple_speaker_listener",
                                         "simple_reference"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace troupe
