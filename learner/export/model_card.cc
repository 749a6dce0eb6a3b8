#include "learner/export/model_card.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/base/status_macros.h"
#include "common/config/experiment_loader.h"
#include "common/files/atomic_file.h"

namespace troupe {
namespace {

constexpr char kActors[] = "actors.safetensors";
constexpr size_t kMostNames = 12;  // of agents in a line

// In quotes, in which any text is one scalar: JSON's strings are YAML's.
std::string Quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

// Within a cell of a table.
std::string InTable(const std::string& text) {
  return absl::StrReplaceAll(text, {{"|", "\\|"}, {"\n", " "}, {"<", "&lt;"}});
}

std::string Head(const ActorFile& file) {
  const std::string& environment = file.experiment.environment().name();
  std::string yaml = "---\nlibrary_name: troupe\npipeline_tag: reinforcement-learning\ntags:\n";
  for (const std::string& tag :
       {std::string("reinforcement-learning"), std::string("multi-agent-reinforcement-learning"), std::string("troupe"),
        environment, file.experiment.algorithm().name()}) {
    absl::StrAppend(&yaml, "- ", Quoted(tag), "\n");
  }
  if (file.best.has_value()) {
    absl::StrAppend(&yaml, "model-index:\n- name: ", Quoted(file.experiment.name()),
                    "\n  results:\n  - task:\n      type: reinforcement-learning\n      name: Reinforcement learning\n"
                    "    dataset:\n      type: ",
                    Quoted(environment), "\n      name: ", Quoted(environment),
                    "\n    metrics:\n    - type: ", Quoted(file.best->basis.statistic),
                    "\n      name: ", Quoted(DescribeBasis(file.best->basis)),
                    absl::StrFormat("\n      value: %.9g\n", file.best->value));
  }
  return yaml + "---\n";
}

std::string Evaluation(const ActorFile& file) {
  if (!file.best.has_value()) return "These actors have not been evaluated, or are not a run's best.\n";
  return absl::StrFormat(
      "**%.6g** %s, after %d environment steps: the best of the run's evaluations. `actor_worker evaluate` plays other "
      "episodes, beside the environment's baselines.\n",
      file.best->value, DescribeBasis(file.best->basis), file.best->env_steps);
}

std::string NamesOfAgents(const PolicySpec& policy, const AgentGroupSpec* group) {
  if (group == nullptr) return absl::StrCat(policy.num_agents);
  std::vector<std::string> names(group->agents.begin(),
                                 group->agents.begin() + std::min(group->agents.size(), kMostNames));
  for (std::string& name : names) name = InTable(name);
  return absl::StrCat(policy.num_agents, ": ", absl::StrJoin(names, ", "),
                      group->agents.size() > kMostNames ? ", …" : "");
}

std::string ActionText(const PolicySpec& policy) {
  switch (policy.action_kind) {
    case ActionKind::kDiscrete:
      return absl::StrCat("one of ", policy.action_size);
    case ActionKind::kMultiDiscrete:
      return absl::StrCat("one of each of ", absl::StrJoin(policy.action_sizes, ", "));
    case ActionKind::kContinuous:
      break;
  }
  return absl::StrCat(policy.action_size, " numbers");
}

std::string StateText(const DenseStackSpec& stack) {
  std::vector<std::string> parts;
  if (stack.has_cell()) {
    parts.push_back(absl::StrCat(stack.cell == Cell::kGru ? "a GRU" : "an LSTM", " of ", stack.recurrent_size));
  }
  if (stack.communicates()) parts.push_back(absl::StrCat(stack.messages.size, " numbers told to neighbours"));
  return parts.empty() ? "nothing" : absl::StrJoin(parts, ", ");
}

std::string Bounds(const PolicySpec& policy, size_t dimension) {
  if (policy.action_kind != ActionKind::kContinuous) return "";
  const ActionBounds of = policy.action_bounds.empty() ? ActionBounds{} : policy.action_bounds[dimension];
  return absl::StrCat("[", of.low, ", ", of.high, "]");
}

std::string Group(const PolicySpec& policy, const AgentGroupSpec* group) {
  std::string text = absl::StrCat(
      "### ", InTable(policy.group), "\n\n| | |\n|---|---|\n| agents | ", NamesOfAgents(policy, group),
      " |\n| networks | ", policy.stack.num_sets, ", ", policy.stack.num_parameters(),
      " parameters, hidden layers of [", absl::StrJoin(policy.stack.hidden_sizes, ", "), "] |\n| observes | ",
      policy.observation_size, " numbers", policy.agent_id_input ? ", and its own number in the group" : "",
      " |\n| acts | ", ActionText(policy), ", ", Describe(policy.distribution), " |\n| remembers | ",
      StateText(policy.stack), " |\n");
  if (group == nullptr) return text;
  if (!group->observed.empty())
    absl::StrAppend(&text, "\n| input | number | unit | divided by | meaning |\n|---|---|---|---|---|\n");
  for (size_t i = 0; i < group->observed.size(); ++i) {
    const ObservedNumber& of = group->observed[i];
    absl::StrAppend(&text, "| ", i, " | ", InTable(of.name), " | ", InTable(of.unit), " | ", of.divided_by, " | ",
                    InTable(of.meaning), " |\n");
  }
  if (!group->actions.empty()) absl::StrAppend(&text, "\n| output | action | bounds | meaning |\n|---|---|---|---|\n");
  for (size_t i = 0; i < group->actions.size(); ++i) {
    absl::StrAppend(&text, "| ", i, " | ", InTable(group->actions[i].name), " | ", Bounds(policy, i), " | ",
                    InTable(group->actions[i].meaning), " |\n");
  }
  return text;
}

std::string Use(const ActorFile& file, const std::string& actors) {
  const std::string agent = !file.groups.empty() && file.groups[0].num_agents() > 0
                                ? file.groups[0].agents[0]
                                : absl::StrCat(file.policies[0].group, "/0");
  return absl::StrCat("```sh\nactor_worker evaluate --actors=", actors, "\nactor_worker act --actors=", actors,
                      " --agent=", agent, " < observations.txt\nlearner export --checkpoint=", actors,
                      " --format=onnx --output=onnx\n```\n\n```python\nimport troupe\n\npolicy = troupe.load_policy(\"",
                      actors, "\")\nactions, state = policy.act(observations)   # {agent: numbers}\n```\n");
}

}  // namespace

std::string FormatModelCard(const ActorFile& file, const std::string& actors) {
  std::string text = absl::StrCat(Head(file), "\n# ", file.experiment.name(), "\n\nActors of the environment `",
                                  file.experiment.environment().name(), "`, trained by Troupe with ",
                                  file.experiment.algorithm().name(), " for ", file.env_steps,
                                  " environment steps (policy version ", file.weights.policy_version,
                                  "), one per agent, each on its own observations alone.\n\n## Evaluation\n\n",
                                  Evaluation(file), "\n## Inputs and outputs\n");
  for (size_t g = 0; g < file.policies.size(); ++g) {
    absl::StrAppend(&text, "\n", Group(file.policies[g], g < file.groups.size() ? &file.groups[g] : nullptr));
  }
  return absl::StrCat(text, "\n## Use\n\n", Use(file, actors), "\n## Experiment\n\n```textproto\n",
                      FormatExperiment(file.experiment), "```\n");
}

absl::Status WriteModelFolder(const std::string& folder, const ActorFile& file) {
  RETURN_IF_ERROR(MakeFolder(folder));
  RETURN_IF_ERROR(WriteActorFile(absl::StrCat(folder, "/", kActors), file));
  return WriteFileAtomically(absl::StrCat(folder, "/README.md"), {FormatModelCard(file, kActors)});
}

}  // namespace troupe
