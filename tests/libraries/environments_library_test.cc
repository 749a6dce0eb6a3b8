// libtroupe_environments, linked as a C program links it: episodes are those of the worker's environments, bit for bit.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/registry/registry.h"
#include "actor_worker/libraries/troupe_environments.h"
#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/conformance/environment_buffers.h"

namespace troupe {
namespace {

using testing::AllOf;
using testing::ElementsAreArray;
using testing::HasSubstr;

constexpr int kCopies = 3, kSteps = 300;

struct Close {
  void operator()(troupe_environment* environment) const { troupe_environment_destroy(environment); }
};
using Library = std::unique_ptr<troupe_environment, Close>;

Library Create(const std::string& name, const SettingsMap& settings, int copies) {
  std::vector<const char*> words;
  for (const auto& [setting, value] : settings) words.insert(words.end(), {setting.c_str(), value.c_str()});
  return Library(troupe_environment_create(name.c_str(), words.data(), settings.size(), copies));
}

// What a copy shows, in the order of EnvironmentBuffers::Everything but for the state.
class Arrays {
 public:
  Arrays(const Library& library, const EnvironmentSpec& spec) : spec_(spec), groups_(spec.groups.size()) {
    for (size_t g = 0; g < groups_.size(); ++g) {
      EXPECT_EQ(troupe_environment_group_arrays(library.get(), g, &groups_[g]), 0);
    }
    troupe_environment_copy_arrays(library.get(), &copies_);
  }

  std::vector<float> Everything(int c) const {
    std::vector<float> all;
    const auto append = [&](const auto* values, size_t count) {
      if (values != nullptr) all.insert(all.end(), values + c * count, values + (c + 1) * count);
    };
    for (size_t g = 0; g < groups_.size(); ++g) {
      const size_t agents = spec_.groups[g].num_agents();
      append(groups_[g].observations, agents * spec_.groups[g].observation_size);
      append(groups_[g].action_masks, agents * spec_.groups[g].action_size);
      append(groups_[g].alive, agents);
      append(groups_[g].rewards, agents);
    }
    const size_t state = spec_.state_size(), extras = spec_.state_extras_size;
    all.insert(all.end(), copies_.state + (c + 1) * state - extras, copies_.state + (c + 1) * state);
    append(copies_.terminated, 1);
    append(copies_.truncated, 1);
    return all;
  }
  // Of the state, what stands before the extras.
  std::vector<float> StateOfObservations(int c) const {
    const float* const first = copies_.state + size_t(c) * spec_.state_size();
    return {first, first + spec_.state_size() - spec_.state_extras_size};
  }
  void Choose(int c, const JointAction& action) {
    for (size_t g = 0; g < groups_.size(); ++g) {
      const GroupAction& of = action.groups[g];
      std::ranges::copy(of.discrete, groups_[g].indices + c * of.discrete.size());
      std::ranges::copy(of.continuous, groups_[g].numbers + c * of.continuous.size());
    }
  }
  std::vector<double> Statistics(int c) const {
    const size_t count = spec_.num_statistics();
    return {copies_.statistics + c * count, copies_.statistics + (c + 1) * count};
  }

 private:
  const EnvironmentSpec& spec_;
  std::vector<troupe_group_arrays> groups_;
  troupe_copy_arrays copies_{};
};

struct Case {
  std::string label, environment;
  SettingsMap settings;
};

std::vector<Case> AllCases() {
  std::vector<Case> cases;
  for (const EnvironmentEntry& entry : AllEnvironments()) {
    if (entry.name != "sumo" && entry.name != "external") cases.push_back({entry.name, entry.name, {}});
  }
  cases.push_back({"continuous", "simple_tag", {{"continuous_actions", "true"}}});
  cases.push_back({"multi_discrete", "simple_reference", {{"actions", "MULTI_DISCRETE"}}});
  cases.push_back({"two_teams_that_die", "smax", {{"map", "5m_vs_6m"}, {"opponent", "self"}}});
  cases.push_back({"continuous_that_die", "smax", {{"map", "3s5z"}, {"actions", "continuous"}}});
  cases.push_back({"phases", "traffic_grid", {{"observation", "PHASES"}, {"action_set", "CHOOSE_PHASE"}}});
  return cases;
}

class EnvironmentsLibrary : public testing::TestWithParam<Case> {};

TEST_P(EnvironmentsLibrary, CopiesPlayTheEpisodesOfTheWorkersEnvironment) {
  const EnvironmentEntry* const entry = *FindEnvironment(GetParam().environment);
  const Library library = Create(GetParam().environment, GetParam().settings, kCopies);
  ASSERT_NE(library, nullptr) << troupe_environments_error();
  std::vector<std::unique_ptr<Environment>> own;
  std::vector<std::unique_ptr<EnvironmentBuffers>> buffers;
  for (int c = 0; c < kCopies; ++c) {
    own.push_back(*entry->create(GetParam().settings));
    buffers.push_back(std::make_unique<EnvironmentBuffers>(own[0]->spec()));
  }
  const EnvironmentSpec& spec = own[0]->spec();
  Arrays arrays(library, spec);
  RandomStream random(3);
  uint64_t episodes = 0;
  std::vector<bool> fresh(kCopies, true);
  for (int step = 0; step < kSteps; ++step) {
    for (int c = 0; c < kCopies; ++c) {
      if (!fresh[c]) continue;
      const uint64_t seed = MixKey({9, episodes++});
      ASSERT_TRUE(own[c]->Reset(seed).ok());
      buffers[c] = std::make_unique<EnvironmentBuffers>(spec);  // no rewards yet
      ASSERT_NO_FATAL_FAILURE(buffers[c]->Observe(*own[c]));
      ASSERT_EQ(troupe_environment_reset(library.get(), c, seed), 0) << troupe_environments_error();
      ASSERT_THAT(arrays.Everything(c), ElementsAreArray(buffers[c]->Everything())) << "reset of copy " << c;
      ASSERT_EQ(std::string(troupe_environment_render(library.get(), c)), own[c]->Render());
    }
    for (int c = 0; c < kCopies; ++c) {
      buffers[c]->ChooseRandomly(random);
      arrays.Choose(c, buffers[c]->action());
      ASSERT_NO_FATAL_FAILURE(buffers[c]->Step(*own[c]));
      ASSERT_NO_FATAL_FAILURE(buffers[c]->Observe(*own[c]));
    }
    ASSERT_EQ(troupe_environment_step(library.get(), nullptr), 0) << troupe_environments_error();
    for (int c = 0; c < kCopies; ++c) {
      ASSERT_THAT(arrays.Everything(c), ElementsAreArray(buffers[c]->Everything())) << "step " << step << " of " << c;
      fresh[c] = buffers[c]->over();
      if (spec.state_includes_observations) {
        std::vector<float> seen;
        for (size_t g = 0; g < spec.groups.size(); ++g) {
          seen.insert(seen.end(), buffers[c]->observations(g).begin(), buffers[c]->observations(g).end());
        }
        ASSERT_EQ(arrays.StateOfObservations(c), seen);
      }
      if (!fresh[c]) continue;
      std::vector<double> statistics(spec.num_statistics());
      own[c]->EpisodeStatistics(absl::MakeSpan(statistics));
      ASSERT_EQ(arrays.Statistics(c), statistics);
    }
  }
}

TEST_P(EnvironmentsLibrary, TellsItsSpecAsJson) {
  const Library library = Create(GetParam().environment, GetParam().settings, 2);
  ASSERT_NE(library, nullptr) << troupe_environments_error();
  const auto own = *(*FindEnvironment(GetParam().environment))->create(GetParam().settings);
  const auto told = nlohmann::json::parse(troupe_environment_spec(library.get()));
  EXPECT_EQ(told["name"], own->spec().name);
  EXPECT_EQ(told["copies"], 2);
  EXPECT_EQ(told["state_size"], own->spec().state_size());
  EXPECT_EQ(told["statistics"].size(), own->spec().num_statistics());
  ASSERT_EQ(told["groups"].size(), own->spec().groups.size());
  for (size_t g = 0; g < own->spec().groups.size(); ++g) {
    const AgentGroupSpec& group = own->spec().groups[g];
    const auto& json = told["groups"][g];
    EXPECT_EQ(json["name"], group.name);
    EXPECT_EQ(json["team"], group.team);
    EXPECT_EQ(json["agents"], group.agents);
    EXPECT_EQ(json["observation_size"], group.observation_size);
    EXPECT_EQ(json["observation"].size(), group.observed.size());
    EXPECT_EQ(json["action_kind"], NameOf(group.action_kind));
    EXPECT_EQ(json["action_size"], group.action_size);
    EXPECT_EQ(json["action_sizes"], group.action_sizes);
    EXPECT_EQ(json["action_bounds"].size(), group.has_masks() ? 0 : group.action_size);
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, EnvironmentsLibrary, testing::ValuesIn(AllCases()),
                         [](const auto& info) { return info.param.label; });

std::string Refusal(const std::string& name, const SettingsMap& settings, int copies = 1) {
  EXPECT_EQ(Create(name, settings, copies), nullptr);
  return troupe_environments_error();
}

TEST(EnvironmentsLibraryTest, SaysWhatCannotBeMade) {
  EXPECT_THAT(Refusal("grid_wrold", {}), HasSubstr("did you mean \"grid_world\"?"));
  EXPECT_THAT(Refusal("grid_world", {{"sise", "4"}}), HasSubstr("did you mean \"size\"?"));
  EXPECT_THAT(Refusal("grid_world", {}, 0), HasSubstr("copies: 0, expected 1 …"));
  for (const std::string name : {"sumo", "external"}) {
    EXPECT_THAT(Refusal(name, {}), AllOf(HasSubstr(name), HasSubstr("processes of its own")));
  }
  const char* const twice[] = {"size", "4", "size", "5"};
  EXPECT_EQ(troupe_environment_create("grid_world", twice, 2, 1), nullptr);
  EXPECT_THAT(troupe_environments_error(), HasSubstr("\"size\" comes twice"));
  const char* const none[] = {"size", nullptr};
  EXPECT_EQ(troupe_environment_create("grid_world", none, 1, 1), nullptr);
  EXPECT_THAT(troupe_environments_error(), HasSubstr("name or value 0 is NULL"));
  EXPECT_EQ(troupe_environment_create(nullptr, nullptr, 0, 1), nullptr);
}

TEST(EnvironmentsLibraryTest, NamesWhatThereIs) {
  std::vector<std::string> names;
  for (size_t i = 0; troupe_environments_name(i) != nullptr; ++i) names.push_back(troupe_environments_name(i));
  std::vector<std::string> expected;
  for (const EnvironmentEntry& entry : AllEnvironments()) {
    if (entry.name != "sumo" && entry.name != "external") expected.push_back(entry.name);
  }
  EXPECT_EQ(names, expected);
  EXPECT_EQ(troupe_environments_summary("grid_world"), (*FindEnvironment("grid_world"))->summary);
  EXPECT_EQ(troupe_environments_settings("grid_world"), (*FindEnvironment("grid_world"))->describe_settings());
  EXPECT_EQ(troupe_environments_summary("sumo"), nullptr);
  EXPECT_EQ(troupe_environments_settings(nullptr), nullptr);
  EXPECT_EQ(troupe_environments_interface(), TROUPE_ENVIRONMENTS_INTERFACE);
}

TEST(EnvironmentsLibraryTest, StepsNothingWhereAnActionIsNotAllowed) {
  const Library library = Create("simple_spread", {}, 2), continuous = Create("pendulum", {}, 1);
  troupe_group_arrays arrays{}, numbers{};
  ASSERT_EQ(troupe_environment_group_arrays(library.get(), 0, &arrays), 0);
  ASSERT_EQ(troupe_environment_group_arrays(continuous.get(), 0, &numbers), 0);
  EXPECT_EQ(troupe_environment_step(library.get(), nullptr), -1);
  EXPECT_THAT(troupe_environments_error(), HasSubstr("copy 0: no episode goes on; reset it"));
  EXPECT_EQ(troupe_environment_render(library.get(), 0), nullptr);
  EXPECT_EQ(troupe_environment_reset(library.get(), 2, 1), -1);
  EXPECT_THAT(troupe_environments_error(), HasSubstr("copy: 2, expected 0 … 1"));
  EXPECT_EQ(troupe_environment_reset(library.get(), -1, 1), -1);
  EXPECT_EQ(troupe_environment_group_arrays(library.get(), 1, &numbers), -1);
  EXPECT_THAT(troupe_environments_error(), HasSubstr("group: 1, there are 1"));

  ASSERT_EQ(troupe_environment_reset(library.get(), 0, 1), 0);
  ASSERT_EQ(troupe_environment_reset(library.get(), 1, 2), 0);
  const std::vector<float> before(arrays.observations, arrays.observations + 2 * 3 * 18);
  arrays.indices[4] = 5;
  EXPECT_EQ(troupe_environment_step(library.get(), nullptr), -1);
  EXPECT_THAT(troupe_environments_error(),
              AllOf(HasSubstr("in copy 1: 5, expected an index in [0, 5)"), HasSubstr("agent_1")));
  EXPECT_THAT(before, ElementsAreArray(arrays.observations, before.size()));
  const uint8_t first_alone[] = {1, 0};
  arrays.indices[0] = 1;
  EXPECT_EQ(troupe_environment_step(library.get(), first_alone), 0);
  EXPECT_THAT(std::vector<float>(before.begin() + 54, before.end()), ElementsAreArray(arrays.observations + 54, 54));
  EXPECT_THAT(std::vector<float>(before.begin(), before.begin() + 54),
              testing::Not(ElementsAreArray(arrays.observations, 54)));

  ASSERT_EQ(troupe_environment_reset(continuous.get(), 0, 1), 0);
  for (const float bad : {NAN, 2.5f, -INFINITY}) {
    numbers.numbers[0] = bad;
    EXPECT_EQ(troupe_environment_step(continuous.get(), nullptr), -1);
    EXPECT_THAT(troupe_environments_error(), HasSubstr("in dimension 0, expected a number in [-2, 2]"));
  }
}

TEST(EnvironmentsLibraryTest, AMaskedActionIsRefusedUnlessItsAgentIsDead) {
  const Library library = Create("smax", {{"map", "3m"}}, 1);
  troupe_group_arrays arrays{};
  ASSERT_EQ(troupe_environment_group_arrays(library.get(), 0, &arrays), 0);
  ASSERT_EQ(troupe_environment_reset(library.get(), 0, 4), 0);
  const auto spec = nlohmann::json::parse(troupe_environment_spec(library.get()));
  const int agents = static_cast<int>(spec["groups"][0]["agents"].size());
  const int actions = spec["groups"][0]["action_size"];
  troupe_copy_arrays copies{};
  troupe_environment_copy_arrays(library.get(), &copies);
  bool refused = false, died = false;
  int32_t masked_action = 0;
  RandomStream random(1);
  for (int step = 0; step < 200 && !(refused && died); ++step) {
    for (int a = 0; a < agents; ++a) {
      const uint8_t* const mask = arrays.action_masks + a * actions;
      died = died || arrays.alive[a] == 0;
      do {
        arrays.indices[a] = static_cast<int32_t>(random.Below(actions));
      } while (mask[arrays.indices[a]] == 0);
      if (arrays.alive[a] == 0) arrays.indices[a] = -7;
      const int masked = static_cast<int>(std::find(mask, mask + actions, 0) - mask);
      if (refused || masked == actions || arrays.alive[a] == 0) continue;
      std::swap(arrays.indices[a], masked_action = masked);
      EXPECT_EQ(troupe_environment_step(library.get(), nullptr), -1);
      EXPECT_THAT(troupe_environments_error(), HasSubstr("which the mask does not allow"));
      std::swap(arrays.indices[a], masked_action);
      refused = true;
    }
    ASSERT_EQ(troupe_environment_step(library.get(), nullptr), 0) << troupe_environments_error();
    if (copies.terminated[0] + copies.truncated[0] > 0) {
      ASSERT_EQ(troupe_environment_reset(library.get(), 0, step), 0);
    }
  }
  EXPECT_TRUE(refused && died);
}

}  // namespace
}  // namespace troupe
