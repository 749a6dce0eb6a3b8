// What every environment of the registry must keep to. A new row is tested by being there.
#include <cmath>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/registry/registry.h"
#include "actor_worker/environments/scene.h"
#include "common/base/random.h"
#include "gtest/gtest.h"
#include "tests/conformance/environment_buffers.h"

namespace troupe {
namespace {

constexpr int kMaxSteps = 20000;  // an episode must end by then
constexpr int kShortSteps = 400;  // of the tests that compare step by step

// A row of the registry with these settings, the others by default.
struct Case {
  std::string label;
  std::string environment;
  SettingsMap settings;
};

class EnvironmentConformance : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const auto found = FindEnvironment(GetParam().environment);
    ASSERT_TRUE(found.ok()) << found.status();
    entry_ = *found;
    auto environment = entry_->create(GetParam().settings);
    if (!environment.ok() && environment.status().code() != absl::StatusCode::kInvalidArgument) {
      GTEST_SKIP() << environment.status();
    }
    ASSERT_TRUE(environment.ok()) << environment.status();
    environment_ = *std::move(environment);
  }

  std::unique_ptr<Environment> Create(const SettingsMap& overrides = {}) {
    SettingsMap settings = overrides;
    settings.insert(GetParam().settings.begin(), GetParam().settings.end());
    auto environment = entry_->create(settings);
    EXPECT_TRUE(environment.ok()) << environment.status();
    return environment.ok() ? *std::move(environment) : nullptr;
  }
  // The first steps of random play, across episode ends.
  static std::vector<std::vector<float>> Record(Environment& environment, uint64_t seed, int num_steps) {
    std::vector<std::vector<float>> trace;
    EnvironmentBuffers buffers(environment.spec());
    RandomStream random(seed);
    uint64_t episode = 0;
    bool fresh = true;
    for (int step = 0; step < num_steps && !testing::Test::HasFatalFailure(); ++step) {
      if (fresh) {
        const absl::Status status = environment.Reset(MixKey({seed, episode++}));
        EXPECT_TRUE(status.ok()) << status;
        buffers.Begin();
        buffers.Observe(environment);
        trace.push_back(buffers.Everything());
      }
      buffers.ChooseRandomly(random);
      buffers.Step(environment);
      buffers.Observe(environment);
      trace.push_back(buffers.Everything());
      fresh = buffers.over();
    }
    return trace;
  }
  void PlayEpisode(Environment& environment, Controller* controller, uint64_t seed, int* length) {
    EnvironmentBuffers buffers(environment.spec());
    RandomStream random(seed, 1);
    const absl::Status status = environment.Reset(seed);
    ASSERT_TRUE(status.ok()) << status;
    if (controller != nullptr) controller->Begin(environment);
    for (*length = 0; !buffers.over() && *length < kMaxSteps; ++*length) {
      ASSERT_NO_FATAL_FAILURE(buffers.Observe(environment));
      if (controller != nullptr) {
        ASSERT_NO_FATAL_FAILURE(buffers.ChooseBy(*controller, environment)) << "step " << *length;
      } else {
        ASSERT_NO_FATAL_FAILURE(buffers.ChooseRandomly(random));
      }
      ASSERT_NO_FATAL_FAILURE(buffers.Step(environment)) << "step " << *length;
    }
    ASSERT_TRUE(buffers.over()) << "no end after " << kMaxSteps << " steps";
    ASSERT_NO_FATAL_FAILURE(buffers.Observe(environment)) << "the last state";
    std::vector<double> statistics(environment.spec().num_statistics(), NAN);
    environment.EpisodeStatistics(absl::MakeSpan(statistics));
    for (size_t i = 0; i < statistics.size(); ++i) {
      EXPECT_TRUE(std::isfinite(statistics[i])) << "number " << i << " of the episode's statistics";
    }
    EXPECT_FALSE(environment.Render().empty());
  }

  const EnvironmentEntry* entry_ = nullptr;
  std::unique_ptr<Environment> environment_;
};

TEST_P(EnvironmentConformance, HasASaneSpec) {
  const EnvironmentSpec& spec = environment_->spec();
  EXPECT_EQ(spec.name, entry_->name);
  EXPECT_FALSE(entry_->summary.empty());
  ASSERT_FALSE(spec.groups.empty());
  EXPECT_GE(spec.state_extras_size, 0);
  EXPECT_GT(spec.state_size(), 0);
  std::set<std::string> groups, agents, statistics(spec.statistics.begin(), spec.statistics.end());
  for (const AgentGroupSpec& group : spec.groups) {
    EXPECT_FALSE(group.name.empty());
    EXPECT_EQ(group.name.find('/'), std::string::npos) << group.name;
    EXPECT_TRUE(groups.insert(group.name).second) << group.name;
    EXPECT_FALSE(group.agents.empty()) << group.name;
    EXPECT_GT(group.observation_size, 0) << group.name;
    EXPECT_GT(group.action_size, group.action_kind == ActionKind::kDiscrete ? 1 : 0) << group.name;
    EXPECT_EQ(group.action_sizes.empty(), group.action_kind != ActionKind::kMultiDiscrete) << group.name;
    int choices = 0;
    for (const int size : group.action_sizes) {
      EXPECT_GT(size, 1) << group.name;
      choices += size;
    }
    EXPECT_EQ(choices, group.action_sizes.empty() ? 0 : group.action_size) << group.name;
    if (!group.action_bounds.empty()) {
      EXPECT_EQ(group.action_kind, ActionKind::kContinuous) << group.name;
      EXPECT_EQ(group.action_bounds.size(), group.action_size) << group.name;
    }
    for (const ActionBounds& bounds : group.action_bounds) EXPECT_LT(bounds.low, bounds.high) << group.name;
    for (const std::string& agent : group.agents) EXPECT_TRUE(agents.insert(agent).second) << agent;
  }
  EXPECT_EQ(statistics.size(), spec.statistics.size()) << "a statistic's name comes twice";
  const std::set<std::string> agent_statistics(spec.agent_statistics.begin(), spec.agent_statistics.end());
  EXPECT_EQ(agent_statistics.size(), spec.agent_statistics.size()) << "an agent statistic's name comes twice";
}

// For `actor_worker environments` and for whoever feeds an exported actor: as many names as numbers, each different.
TEST_P(EnvironmentConformance, NamesEveryNumberAndEveryAction) {
  const EnvironmentSpec& spec = environment_->spec();
  const auto check_numbers = [](const std::vector<ObservedNumber>& numbers, int expected) {
    EXPECT_EQ(numbers.size(), expected);
    std::set<std::string> names;
    for (const ObservedNumber& number : numbers) {
      EXPECT_FALSE(number.name.empty());
      EXPECT_EQ(number.name.find('/'), std::string::npos) << number.name;
      EXPECT_TRUE(names.insert(number.name).second) << number.name << " comes twice";
      EXPECT_GT(number.divided_by, 0) << number.name;
    }
  };
  check_numbers(spec.observed_extras, spec.state_extras_size);
  for (const AgentGroupSpec& group : spec.groups) {
    SCOPED_TRACE(group.name);
    check_numbers(group.observed, group.observation_size);
    EXPECT_EQ(group.actions.size(), group.action_size);
    std::set<std::string> names;
    for (const NamedAction& action : group.actions) {
      EXPECT_FALSE(action.name.empty());
      EXPECT_TRUE(names.insert(action.name).second) << action.name << " comes twice";
    }
  }
}

TEST_P(EnvironmentConformance, ObservesOnlyFiniteNumbersAndAlwaysLeavesAnAction) {
  ASSERT_NO_FATAL_FAILURE(Record(*environment_, 5, kShortSteps));
}

TEST_P(EnvironmentConformance, RepeatsItselfFromTheSameSeed) {
  const auto first = Record(*environment_, 21, kShortSteps);
  const auto again = Record(*environment_, 21, kShortSteps);
  const auto other_copy = Create();
  ASSERT_NE(other_copy, nullptr);
  const auto elsewhere = Record(*other_copy, 21, kShortSteps);
  ASSERT_FALSE(first.empty());
  for (size_t step = 0; step < first.size(); ++step) {
    ASSERT_EQ(first[step], again[step]) << "a used copy differs at step " << step;
    ASSERT_EQ(first[step], elsewhere[step]) << "a new copy differs at step " << step;
  }
}

TEST_P(EnvironmentConformance, DiffersBetweenSeeds) {
  EXPECT_NE(Record(*environment_, 21, kShortSteps), Record(*environment_, 22, kShortSteps));
}

TEST_P(EnvironmentConformance, RunsRandomEpisodesToTheirEnd) {
  for (uint64_t seed = 0; seed < 3; ++seed) {
    int length = 0;
    ASSERT_NO_FATAL_FAILURE(PlayEpisode(*environment_, nullptr, seed, &length));
    EXPECT_GT(length, 0);
  }
}

TEST_P(EnvironmentConformance, IsNotChangedByLookingAtIt) {
  EnvironmentBuffers buffers(environment_->spec());
  ASSERT_TRUE(environment_->Reset(9).ok());
  RandomStream random(9);
  for (int step = 0; step < 20 && !buffers.over(); ++step) {
    ASSERT_NO_FATAL_FAILURE(buffers.Observe(*environment_));
    const std::vector<float> once = buffers.Everything();
    environment_->Render();
    Scene scene;
    environment_->Draw(scene);
    ASSERT_NO_FATAL_FAILURE(buffers.Observe(*environment_));
    ASSERT_EQ(once, buffers.Everything());
    ASSERT_NO_FATAL_FAILURE(buffers.ChooseRandomly(random));
    ASSERT_NO_FATAL_FAILURE(buffers.Step(*environment_));
  }
}

// Most of what is drawn lies on the map that is declared; environments that draw nothing declare none.
TEST_P(EnvironmentConformance, DrawsFiniteShapesOnItsMap) {
  EnvironmentBuffers buffers(environment_->spec());
  ASSERT_TRUE(environment_->Reset(9).ok());
  RandomStream random(9);
  int shapes = 0, outside = 0;
  for (int step = 0; step < 60 && !buffers.over(); ++step) {
    ASSERT_NO_FATAL_FAILURE(buffers.Observe(*environment_));
    Scene scene;
    environment_->Draw(scene);
    EXPECT_TRUE(scene.has_map() || scene.shapes().empty());
    for (const SceneFigure& figure : scene.figures()) EXPECT_TRUE(std::isfinite(figure.value)) << figure.chart;
    for (const Shape& shape : scene.shapes()) {
      EXPECT_TRUE(std::isfinite(shape.size) && shape.size >= 0) << "size " << shape.size << " at step " << step;
      ASSERT_FALSE(shape.points.empty());
      for (const ScenePoint& at : shape.points) {
        ASSERT_TRUE(std::isfinite(at.x) && std::isfinite(at.y)) << "step " << step;
        ++shapes;
        outside += at.x < scene.left() || at.x > scene.right() || at.y < scene.bottom() || at.y > scene.top();
      }
    }
    ASSERT_NO_FATAL_FAILURE(buffers.ChooseRandomly(random));
    ASSERT_NO_FATAL_FAILURE(buffers.Step(*environment_));
  }
  EXPECT_LE(10 * outside, 7 * shapes) << outside << " of " << shapes << " points lie outside of the map";
}

TEST_P(EnvironmentConformance, RefusesAnUnknownSettingByName) {
  const auto refused = entry_->create({{"no_such_setting", "1"}});
  ASSERT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  EXPECT_NE(refused.status().message().find("environment.settings.no_such_setting"), std::string::npos)
      << refused.status();
}

TEST_P(EnvironmentConformance, SettingsOfTheMachineAreSettings) {
  const std::string text = "\n" + entry_->describe_settings();
  for (const std::string& name : entry_->machine_settings) {
    EXPECT_NE(text.find("\n" + name + " "), std::string::npos) << name;
  }
}

TEST_P(EnvironmentConformance, DescribesEverySettingOnALineOfItsOwn) {
  const std::string text = entry_->describe_settings();
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    EXPECT_NE(line.find("default"), std::string::npos) << line;
    // Each name is a setting that create knows: a value no range admits is refused by that name.
    const std::string name = line.substr(0, line.find(' '));
    const auto refused = entry_->create({{name, "\x01 no value"}});
    if (!refused.ok() && refused.status().code() == absl::StatusCode::kInvalidArgument) {
      EXPECT_EQ(refused.status().message().find("unknown setting"), std::string::npos) << refused.status();
    }
    begin = end + 1;
  }
}

TEST_P(EnvironmentConformance, HasBaselinesThatFinishAnEpisodeWithAllowedActions) {
  std::set<std::string> names = {"random"};
  for (const Baseline& baseline : entry_->baselines({})) {
    SCOPED_TRACE(baseline.name);
    EXPECT_TRUE(names.insert(baseline.name).second) << "the name comes twice";
    const auto environment = Create(baseline.setting_overrides);
    ASSERT_NE(environment, nullptr);
    const auto controller = baseline.make();
    ASSERT_NE(controller, nullptr);
    int length = 0;
    ASSERT_NO_FATAL_FAILURE(PlayEpisode(*environment, controller.get(), 31, &length));
  }
  EXPECT_GT(names.size(), 1) << "a hand-written baseline is missing";
}

std::vector<std::string> AllNames() {
  std::vector<std::string> names;
  for (const EnvironmentEntry& entry : AllEnvironments()) names.push_back(entry.name);
  return names;
}

std::vector<Case> AllCases() {
  std::vector<Case> cases;
  for (const std::string& name : AllNames()) cases.push_back({name, name, {}});
  cases.push_back(
      {"traffic_grid_by_phase", "traffic_grid", {{"observation", "PHASES"}, {"action_set", "CHOOSE_PHASE"}}});
  cases.push_back({"simple_spread_original", "simple_spread", {{"rewards", "ORIGINAL"}, {"dynamics", "ORIGINAL"}}});
  cases.push_back({"simple_tag_scripted_prey", "simple_tag", {{"prey", "SCRIPTED"}, {"num_obstacles", "0"}}});
  cases.push_back({"simple_adversary_scripted_good_agents", "simple_adversary", {{"good_agents", "SCRIPTED"}}});
  for (const char* scenario : {"simple_spread", "simple_tag", "simple_speaker_listener", "simple_reference"}) {
    cases.push_back({absl::StrCat(scenario, "_continuous"), scenario, {{"continuous_actions", "true"}}});
  }
  cases.push_back({"simple_speaker_listener_without_words", "simple_speaker_listener", {{"channel", "NONE"}}});
  cases.push_back({"simple_speaker_listener_merged", "simple_speaker_listener", {{"groups", "MERGED"}}});
  cases.push_back({"simple_reference_multi_discrete", "simple_reference", {{"actions", "MULTI_DISCRETE"}}});
  cases.push_back({"smax_of_drawn_units", "smax", {{"map", "smacv2_10_units"}, {"observations", "conic"}}});
  cases.push_back({"smax_self_play", "smax", {{"map", "5m_vs_6m"}, {"opponent", "self"}, {"state", "scaled"}}});
  cases.push_back({"smax_continuous", "smax", {{"map", "3s5z"}, {"actions", "continuous"}}});
  cases.push_back({"retail_one_warehouse", "retail", {{"warehouses", "1"}, {"lead_time", "0"}}});
  cases.push_back({"retail_owing", "retail", {{"unmet_demand", "BACKORDERED"}, {"transfers", "false"}}});
  cases.push_back({"payments_bursts", "payments", {{"burst_probability", "1"}, {"routers", "2"}}});
  cases.push_back({"external_line_walk", "external", {{"server_program", TROUPE_BIN_DIR "/line_walk_server"}}});
  cases.push_back({"grid_world_swap", "grid_world", {{"starts", "SWAP_CORNERS"}}});
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Registry, EnvironmentConformance, testing::ValuesIn(AllCases()),
                         [](const auto& info) { return info.param.label; });

TEST(EnvironmentRegistry, HasEveryNameOnceAndFindsTheNearest) {
  const std::vector<std::string> names = AllNames();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  const auto missing = FindEnvironment("grid_wordl");
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(missing.status().message().find("\"grid_world\""), std::string::npos) << missing.status();
}

}  // namespace
}  // namespace troupe
