#include "learner/reporting/banner.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/config/curriculum_settings.h"
#include "learner/reporting/progress.h"

namespace troupe {
namespace {

std::string Row(const std::string& name, const std::string& text) {
  return absl::StrFormat("\n  %-12s %s", name, text);
}

template <typename Sizes>
std::string Layers(int inputs, const Sizes& hidden, int outputs) {
  std::string text = absl::StrCat(inputs);
  for (const auto size : hidden) absl::StrAppend(&text, "-", size);
  return absl::StrCat(text, "-", outputs);
}

uint64_t NumParameters(const PolicySpec& policy) {
  uint64_t total = 0;
  for (const DenseStackSpec::Parameter& parameter : policy.Parameters()) {
    uint64_t count = 1;
    for (const int64_t size : parameter.shape) count *= size;
    total += count;
  }
  return total;
}

// "a GRU of 64 before the output".
std::string RecurrentText(Cell cell, int size) {
  return absl::StrCat(cell == Cell::kGru ? "a GRU of " : "an LSTM of ", size, " before the output");
}

// ", behind attention: 4 heads, tokens of 64, 1 layer".
std::string AttentionText(const CriticSettings& critic) {
  if (critic.attention_heads() == 0) return "";
  return absl::StrCat(", behind attention: ", critic.attention_heads(), " heads, tokens of ", critic.token_size(), ", ",
                      critic.attention_layers(), critic.attention_layers() == 1 ? " layer" : " layers");
}

std::string DescribePolicy(const PolicySpec& policy) {
  const DenseStackSpec& stack = policy.stack;
  const std::string sets = stack.num_sets == 1 ? "one network for all" : absl::StrCat(stack.num_sets, " networks");
  return absl::StrCat(
      policy.group, ": ", Layers(stack.input_size, stack.hidden_sizes, stack.output_size), ", ", sets, ", ",
      WithThousands(NumParameters(policy)), " parameters",
      stack.has_cell() ? absl::StrCat(", ", RecurrentText(stack.cell, stack.recurrent_size)) : "",
      stack.communicates() ? absl::StrCat(", each tells its neighbours ", stack.messages.size,
                                          stack.messages.size == 1 ? " number" : " numbers")
                           : "",
      policy.has_options() ? absl::StrCat(", and a manager that chooses one of ", policy.options.count,
                                          " options every ", policy.options.steps, " steps")
                           : "",
      policy.distribution == DistributionSpec{} ? "" : absl::StrCat(", ", Describe(policy.distribution)));
}

}  // namespace

std::string WithThousands(uint64_t value) {
  std::string digits = absl::StrCat(value);
  for (int i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3) digits.insert(static_cast<size_t>(i), 1, ',');
  return digits;
}

std::string FormatRun(const Experiment& experiment, const RunPlaces& places) {
  const CollectionSettings& collection = experiment.collection();
  const uint64_t batch =
      uint64_t{collection.num_shards()} * collection.copies_per_shard() * collection.rollout_length();
  std::string text =
      absl::StrCat("Troupe run ", experiment.name(), " (seed ", experiment.seed(), ", id ", places.run_id, ")");
  absl::StrAppend(&text,
                  Row("training", absl::StrCat(WithThousands(experiment.total_env_steps()), " environment steps with ",
                                               experiment.algorithm().name(), " on ", places.device)));
  absl::StrAppend(&text,
                  Row("collection",
                      absl::StrCat(CollectionMode_Name(collection.mode()), ", ", collection.num_shards(), " shards × ",
                                   collection.copies_per_shard(), " copies × ", collection.rollout_length(),
                                   " steps = ", WithThousands(batch), " steps per update")));
  absl::StrAppend(&text, Row("workers", absl::StrCat(places.local_workers, " local, ", places.expected_workers,
                                                     " expected; they connect to ", places.learner_address)));
  if (!places.metrics_url.empty()) absl::StrAppend(&text, Row("metrics", places.metrics_url));
  absl::StrAppend(&text, Row("run folder", places.run_folder));
  return text;
}

std::string FormatRank(int size, ShardRange shards, const RunPlaces& places) {
  return absl::StrCat("one of ", size, " learners, leases shards ", shards.first, " … ",
                      shards.first + shards.count - 1, "; its workers connect to ", places.learner_address,
                      places.metrics_url.empty() ? "" : "; metrics ", places.metrics_url);
}

std::string FormatTask(const Experiment& experiment, const EnvironmentSpec& environment,
                       const std::vector<PolicySpec>& policies) {
  std::vector<std::string> groups;
  const bool opposed = environment.teams().size() > 1;
  for (const AgentGroupSpec& group : environment.groups) {
    groups.push_back(absl::StrCat(
        group.num_agents(), " × ", group.name, opposed ? absl::StrCat(" of team \"", group.team, "\"") : "", " (",
        group.observation_size, " observed, ",
        group.action_kind == ActionKind::kMultiDiscrete ? absl::StrJoin(group.action_sizes, " × ")
                                                        : absl::StrCat(group.action_size),
        group.has_masks() ? " actions)" : " dimensions)"));
  }
  std::string text = absl::StrCat("environment ", environment.name, ": ", absl::StrJoin(groups, ", "),
                                  ", global state of ", environment.state_size());
  for (const PolicySpec& policy : policies) absl::StrAppend(&text, Row("actor", DescribePolicy(policy)));
  if (!experiment.has_ppo() && !experiment.has_maddpg()) return text;
  const CriticSettings& critic = experiment.critic();
  const Cell critic_cell = CellOf(critic.recurrent_cell());
  absl::StrAppend(
      &text, Row("critic",
                 absl::StrCat(
                     CriticInput_Name(critic.input()), ", hidden layers ", absl::StrJoin(critic.hidden_sizes(), "-"),
                     AttentionText(critic), ", value heads ", ValueHeads_Name(critic.heads()),
                     critic_cell == Cell::kNone
                         ? ""
                         : absl::StrCat(", ", RecurrentText(critic_cell, static_cast<int>(critic.recurrent_size()))))));
  return text;
}

std::string FormatCurriculum(const CurriculumSettings& curriculum, uint32_t stage) {
  std::string text;
  for (const CurriculumStage& one : curriculum.stages()) {
    const std::map<std::string, std::string> settings(one.settings().begin(), one.settings().end());
    const StagePromotion& promote = one.promote();
    std::vector<std::string> ends;
    if (promote.has_statistic()) {
      std::string bounds = promote.statistic();
      if (promote.has_at_least()) absl::StrAppend(&bounds, " at least ", promote.at_least());
      if (promote.has_at_most()) absl::StrAppend(&bounds, " at most ", promote.at_most());
      if (promote.evaluations() > 1) absl::StrAppend(&bounds, " in ", promote.evaluations(), " evaluations in a row");
      ends.push_back(bounds);
    }
    if (promote.has_after_env_steps()) ends.push_back(WithThousands(promote.after_env_steps()) + " steps");
    absl::StrAppend(&text, one.name(), " (", absl::StrJoin(settings, ", ", absl::PairFormatter(" ")), ") until ",
                    absl::StrJoin(ends, " or "), ", then ");
  }
  return Row("curriculum", absl::StrCat(text, "the task itself; now ", StageName(curriculum, stage))).substr(1);
}

std::string FormatSelfPlay(const SelfPlaySettings& self_play, const std::vector<PolicySpec>& policies, size_t saved) {
  double bytes = 0;
  for (const PolicySpec& policy : policies) bytes += static_cast<double>(NumParameters(policy) * sizeof(float));
  const std::string learning =
      self_play.has_learning_team() ? absl::StrCat(", where \"", self_play.learning_team(), "\" learns") : "";
  const std::string text = absl::StrFormat(
      "every %d updates a version is saved, at most %d of %.2f MiB (%s), %d now; %.4g %% of the episodes are against "
      "one "
      "of them (%s)%s",
      self_play.save_interval_updates(), self_play.pool_size(), bytes / (1 << 20), PoolRule_Name(self_play.stay()),
      saved, 100 * (1 - self_play.newest_probability()), OpponentRule_Name(self_play.opponents()), learning);
  return Row("self-play", text).substr(1);
}

std::string FormatArithmetic(const std::string& arithmetic) { return Row("arithmetic", arithmetic).substr(1); }

std::string FormatMemory(double needed_bytes, const std::optional<MemoryUse>& use) {
  const auto mebibytes = [](double bytes) { return WithThousands(static_cast<uint64_t>(bytes / (1 << 20))); };
  std::string text = absl::StrCat("about ", mebibytes(needed_bytes), " MiB");
  if (use.has_value()) {
    absl::StrAppend(&text, " besides the ", mebibytes(use->used_bytes), " in use, of ", mebibytes(use->limit_bytes));
  }
  return Row("memory", text).substr(1);
}

std::string FormatResume(const RunCounters& counters) {
  return absl::StrCat("goes on from update ", WithThousands(counters.update), " (", WithThousands(counters.env_steps),
                      " steps, ", FormatDuration(counters.wall_seconds), " trained)");
}

}  // namespace troupe
