// Any algorithm on any environment whose actions it has, by one line of an experiment: every pair trains for some
// updates or is refused by the algorithm's card, and docs/algorithms.md says which. TROUPE_UPDATE_GOLDEN=1 rewrites its
// table.
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/registry/registry.h"
#include "common/specs/algorithm_card.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/run_processes.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;

// A row of the registry, with settings that give its agents other actions than they have by default.
struct Task {
  std::string environment;
  SettingsMap settings{};

  std::string Label(absl::string_view between) const {
    std::string label = environment;
    for (const auto& [name, value] : settings) absl::StrAppend(&label, between, name, between, value);
    return label;
  }
};

// All but those that need a program which may not be there.
std::vector<Task> AllTasks() {
  std::vector<Task> tasks;
  for (const EnvironmentEntry& entry : AllEnvironments()) {
    if (entry.name != "sumo" && entry.name != "external") tasks.push_back({entry.name});
  }
  tasks.push_back({"simple_spread", {{"continuous_actions", "true"}}});
  tasks.push_back({"simple_reference", {{"actions", "MULTI_DISCRETE"}}});
  tasks.push_back({"smax", {{"actions", "continuous"}}});
  tasks.push_back({"smax", {{"opponent", "self"}}});
  return tasks;
}

// Why the algorithm is refused, in words of its own; empty: it has a distribution for every group's actions, and those
// whose papers value what one team does together have one team.
std::string Refusal(const AlgorithmCard& card, const EnvironmentSpec& spec) {
  const bool has_actions = std::all_of(spec.groups.begin(), spec.groups.end(), [&](const AgentGroupSpec& group) {
    return std::any_of(card.distributions.begin(), card.distributions.end(),
                       [&](DistributionKind kind) { return TraitsOf(kind).action_kind == group.action_kind; });
  });
  if (!has_actions) return FormatCard(card);
  return card.joins_one_team && spec.teams().size() > 1 ? card.name + " joins the values of one team" : "";
}

EnvironmentSpec SpecOf(const Task& task) {
  const auto entry = FindEnvironment(task.environment);
  EXPECT_TRUE(entry.ok()) << entry.status();
  const auto environment = (*entry)->create(task.settings);
  EXPECT_TRUE(environment.ok()) << environment.status();
  return (*environment)->spec();
}

// Three updates of 64 environment steps. Where there are several teams, values are each agent's: of its own team's
// play.
std::string ExperimentOf(const Task& task, const std::string& algorithm, bool several_teams) {
  std::string settings;
  for (const auto& [name, value] : task.settings) {
    absl::StrAppend(&settings, " settings { key: '", name, "' value: '", value, "' }");
  }
  return absl::StrCat("name: 'pair' seed: 3 total_env_steps: 192 environment { name: '", task.environment, "'",
                      settings,
                      " } collection { mode: SYNCHRONOUS num_shards: 2 copies_per_shard: 2 rollout_length: 16 "
                      "stagger_first_episode: false } policy { hidden_sizes: [16] } critic { hidden_sizes: [16] ",
                      several_teams ? "heads: EACH_AGENT " : "",
                      "} "
                      "compute { device: CPU learner_threads: 1 } algorithm { name: '",
                      algorithm, "' }");
}

class EveryPair : public ::testing::TestWithParam<Task> {};

TEST_P(EveryPair, TrainsOrIsRefusedByTheCard) {
  const EnvironmentSpec spec = SpecOf(GetParam());
  for (const AlgorithmCard& card : AllAlgorithmCards()) {
    SCOPED_TRACE(card.name);
    TemporaryFolder folder;
    std::ofstream(folder / "e.textproto") << ExperimentOf(GetParam(), card.name, spec.teams().size() > 1);
    Process learner("learner",
                    {"train", absl::StrCat("--experiment=", folder / "e.textproto"),
                     absl::StrCat("--run_dir=", folder / "run"), "--local_workers=1", "--no_final_evaluation"});
    const int wait_status = learner.Wait();
    ASSERT_TRUE(WIFEXITED(wait_status)) << learner.output();
    const std::string refusal = Refusal(card, spec);
    if (refusal.empty()) {
      EXPECT_EQ(WEXITSTATUS(wait_status), 0) << learner.output();
      EXPECT_EQ(learner.WordAfter("weights sha256 ").size(), 64) << learner.output();
    } else {
      EXPECT_EQ(WEXITSTATUS(wait_status), 2) << "the experiment makes no sense";
      EXPECT_THAT(learner.output(), HasSubstr(refusal));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryPair, ::testing::ValuesIn(AllTasks()),
                         [](const auto& info) { return info.param.Label("_"); });

constexpr char kBegin[] = "<!-- every pair -->\n", kEnd[] = "<!-- end -->\n";

std::string PairsTable() {
  std::string table = "| environment |";
  for (const AlgorithmCard& card : AllAlgorithmCards()) absl::StrAppend(&table, " `", card.name, "` |");
  absl::StrAppend(&table, "\n|---|");
  for (size_t i = 0; i < AllAlgorithmCards().size(); ++i) absl::StrAppend(&table, "---|");
  for (const Task& task : AllTasks()) {
    const EnvironmentSpec spec = SpecOf(task);
    absl::StrAppend(&table, "\n| `", task.environment, "`");
    for (const auto& [name, value] : task.settings) absl::StrAppend(&table, " `", name, ": ", value, "`");
    absl::StrAppend(&table, " |");
    for (const AlgorithmCard& card : AllAlgorithmCards())
      absl::StrAppend(&table, Refusal(card, spec).empty() ? " yes |" : " – |");
  }
  return table + "\n";
}

TEST(EveryPairDocument, IsUpToDate) {
  const std::string path = std::string(TROUPE_SOURCE_DIR) + "/docs/algorithms.md", text = ReadText(path);
  const size_t begin = text.find(kBegin) + std::string(kBegin).size(), end = text.find(kEnd);
  ASSERT_NE(end, std::string::npos) << path << " has no table between its marks";
  const std::string table = PairsTable();
  if (std::getenv("TROUPE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << text.substr(0, begin) << table << text.substr(end);
  } else {
    EXPECT_EQ(text.substr(begin, end - begin), table)
        << "write it anew:\n"
           "  TROUPE_UPDATE_GOLDEN=1 build/release/bin/integration_tests --gtest_filter=EveryPairDocument.*";
  }
}

}  // namespace
}  // namespace troupe::testing
