#include "learner/run/initial_actors.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/finite.h"
#include "common/base/status_macros.h"
#include "common/files/sha256.h"
#include "common/specs/actor_file.h"
#include "learner/run/rank_agreement.h"

namespace troupe {
namespace {

constexpr char kForAll[] = "initial_actors";

// The setting that says where a group's actors come from, and the file; "" where nothing does.
struct Source {
  std::string setting, path;
};

Source SourceOf(const Experiment& experiment, const std::string& group) {
  const auto own = experiment.group_initial_actors().find(group);
  if (own == experiment.group_initial_actors().end()) return {kForAll, experiment.initial_actors()};
  return {absl::StrCat("group_initial_actors.", group), own->second};
}

absl::StatusOr<ActorFile> ReadFrom(const Source& source) {
  absl::StatusOr<ActorFile> file = ReadActorFile(source.path);
  if (file.ok()) return file;
  return absl::Status(file.status().code(), absl::StrCat(source.setting, ": ", file.status().message()));
}

std::string ShapeText(const std::vector<int64_t>& shape) { return absl::StrCat("[", absl::StrJoin(shape, ", "), "]"); }

// Parameters that belong together: "layers.0" has layers.0.weight and layers.0.bias; "log_std" is one by itself.
struct Layer {
  std::string name;
  std::vector<DenseStackSpec::Parameter> parameters;
};

std::vector<Layer> LayersOf(const PolicySpec& policy) {
  std::vector<Layer> layers;
  for (const DenseStackSpec::Parameter& parameter : policy.Parameters()) {
    const std::string name = parameter.name.substr(0, parameter.name.rfind('.'));
    if (layers.empty() || layers.back().name != name) layers.push_back({name, {}});
    layers.back().parameters.push_back(parameter);
  }
  return layers;
}

// "layers.0 (weight [1, 3, 4], bias [1, 4])".
std::string FormatLayer(const Layer& layer) {
  std::vector<std::string> parameters;
  for (const DenseStackSpec::Parameter& parameter : layer.parameters) {
    const std::string name = parameter.name == layer.name ? "" : parameter.name.substr(layer.name.size() + 1) + " ";
    parameters.push_back(name + ShapeText(parameter.shape));
  }
  return absl::StrCat(layer.name, " (", absl::StrJoin(parameters, ", "), ")");
}

// The file's group to take from; null: there is none.
const PolicySpec* GroupToTakeFrom(const ActorFile& file, const std::string& group) {
  for (const PolicySpec& policy : file.policies) {
    if (policy.group == group) return &policy;
  }
  return file.policies.size() == 1 ? &file.policies.front() : nullptr;
}

// The first place where two lists that both tell something name different things; "" if nowhere.
template <typename Named>
std::string DescribeOtherNames(const std::string& what, const std::vector<Named>& own, const std::vector<Named>& came) {
  for (size_t i = 0; i < std::min(own.size(), came.size()); ++i) {
    if (own[i].name == came[i].name) continue;
    return absl::StrCat(what, " ", i, " is ", own[i].name, " here and ", came[i].name, " there");
  }
  return "";
}

class Taker {
 public:
  // Takes what fits a group; `source` names a file.
  absl::Status Take(const AgentGroupSpec& group, const PolicySpec& policy, const Source& source) {
    ASSIGN_OR_RETURN(const ActorFile* const file, Open(source));
    const PolicySpec* const from = GroupToTakeFrom(*file, group.name);
    if (from == nullptr) {
      std::vector<std::string> there;
      for (const PolicySpec& other : file->policies) there.push_back(other.group);
      return absl::InvalidArgumentError(absl::StrCat(source.setting, ": ", source.path, " has no group \"", group.name,
                                                     "\" but ", absl::StrJoin(there, ", "),
                                                     "; group_initial_actors names a file for each group"));
    }
    Say(absl::StrCat("actors of ", group.name, " from ", source.path, " (run ", file->experiment.name(), ", group ",
                     from->group, ", policy of update ", file->weights.policy_version, "):"));
    TellOtherNames(*file, *from, group);
    const size_t before = made.tensors.size();
    for (const Layer& layer : LayersOf(policy)) RETURN_IF_ERROR(TakeLayer(group.name, layer, *file, *from, source));
    TellUnused(policy, *from);
    if (source.setting != kForAll && made.tensors.size() == before) return NothingFits(source);
    return absl::OkStatus();
  }

  absl::Status NothingFits(const Source& source) const {
    return absl::InvalidArgumentError(absl::StrCat(source.setting, ": nothing of ", source.path,
                                                   " has name and shape of what begins here:\n",
                                                   absl::StrJoin(made.lines, "\n")));
  }

  InitialActors made;
  int wanted = 0, fitting = 0;  // layers of groups that have a file, and those of them that were taken

 private:
  absl::StatusOr<const ActorFile*> Open(const Source& source) {
    const auto known = files_.find(source.path);
    if (known != files_.end()) return &known->second;
    ASSIGN_OR_RETURN(ActorFile file, ReadFrom(source));
    absl::StrAppend(&made.summary, made.summary.empty() ? "" : "; ", source.path, " (run ", file.experiment.name(),
                    ", policy of update ", file.weights.policy_version, ", weights sha256 ",
                    WeightsSha256(file.weights), ")");
    return &files_.emplace(source.path, std::move(file)).first->second;
  }

  void Say(const std::string& line) { made.lines.push_back(line); }

  void TellOtherNames(const ActorFile& file, const PolicySpec& from, const AgentGroupSpec& group) {
    for (const AgentGroupSpec& other : file.groups) {
      if (other.name != from.group) continue;
      for (const std::string& line : {DescribeOtherNames("observed number", group.observed, other.observed),
                                      DescribeOtherNames("action", group.actions, other.actions)}) {
        if (!line.empty()) Say(absl::StrCat("  mind: ", line));
      }
    }
  }

  // All of the layer's parameters or none: one without the others is of no use.
  absl::Status TakeLayer(const std::string& group, const Layer& layer, const ActorFile& file, const PolicySpec& from,
                         const Source& source) {
    ++wanted;
    const std::string own = absl::StrCat("  ", group, "/", FormatLayer(layer));
    std::vector<HostTensor> taken;
    for (const DenseStackSpec::Parameter& parameter : layer.parameters) {
      const std::string there = absl::StrCat(from.group, "/", parameter.name);
      const auto found =
          std::ranges::find_if(file.weights.tensors, [&](const HostTensor& tensor) { return tensor.name == there; });
      if (found == file.weights.tensors.end()) {
        Say(absl::StrCat(own, ": begins at random, ", parameter.name, " is not there"));
        return absl::OkStatus();
      }
      if (found->shape != parameter.shape) {
        Say(absl::StrCat(own, ": begins at random, ", parameter.name, " is ", ShapeText(found->shape), " there"));
        return absl::OkStatus();
      }
      if (!AllFinite(absl::MakeConstSpan(found->floats(), found->num_elements()))) {
        return absl::InvalidArgumentError(
            absl::StrCat(source.setting, ": ", source.path, ": tensor \"", there, "\" is not finite"));
      }
      taken.push_back(*found);
      taken.back().name = absl::StrCat(group, "/", parameter.name);
    }
    Say(own + ": taken");
    ++fitting;
    std::ranges::move(taken, std::back_inserter(made.tensors));
    return absl::OkStatus();
  }

  void TellUnused(const PolicySpec& policy, const PolicySpec& from) {
    std::set<std::string> own;
    for (const Layer& layer : LayersOf(policy)) own.insert(layer.name);
    for (const Layer& layer : LayersOf(from)) {
      if (!own.contains(layer.name))
        Say(absl::StrCat("  ", from.group, "/", FormatLayer(layer), ": there, but not here"));
    }
  }

  std::map<std::string, ActorFile> files_;  // by path
};

}  // namespace

absl::Status CheckInitialActors(const Experiment& experiment) {
  std::map<std::string, std::string> paths = {{kForAll, experiment.initial_actors()}};
  for (const auto& [group, path] : experiment.group_initial_actors()) {
    paths[SourceOf(experiment, group).setting] = path;
  }
  for (const auto& [setting, path] : paths) {
    if (!path.empty()) RETURN_IF_ERROR(ReadFrom({setting, path}).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<InitialActors> ReadInitialActors(const Experiment& experiment, const EnvironmentSpec& environment,
                                                const std::vector<PolicySpec>& policies) {
  std::set<std::string> groups;
  for (const AgentGroupSpec& group : environment.groups) groups.insert(group.name);
  for (const auto& [group, path] : experiment.group_initial_actors()) {
    if (groups.contains(group)) continue;
    return absl::InvalidArgumentError(absl::StrCat("group_initial_actors.", group, ": ", environment.name,
                                                   " has no such group; there are: ", absl::StrJoin(groups, ", ")));
  }
  Taker taker;
  for (size_t g = 0; g < environment.groups.size(); ++g) {
    const Source source = SourceOf(experiment, environment.groups[g].name);
    if (!source.path.empty()) RETURN_IF_ERROR(taker.Take(environment.groups[g], policies[g], source));
  }
  InitialActors& made = taker.made;
  if (taker.wanted == 0) return made;
  if (made.tensors.empty()) return taker.NothingFits({kForAll, experiment.initial_actors()});
  const std::string count = absl::StrCat(taker.fitting, " of ", taker.wanted, " layers");
  absl::StrAppend(&made.summary, ": ", count);
  made.lines.push_back(count + " taken; critics and optimisers begin as ever");
  return made;
}

absl::StatusOr<InitialActors> ShareInitialActors(const Experiment& experiment, const EnvironmentSpec& environment,
                                                 const std::vector<PolicySpec>& policies, Collective* ranks) {
  absl::StatusOr<InitialActors> initial = InitialActors();
  if (ranks->rank() == 0) initial = ReadInitialActors(experiment, environment, policies);
  RETURN_IF_ERROR(AgreeAllIsWell(initial.status(), ranks));
  RETURN_IF_ERROR(ShareTensors(&initial->tensors, ranks));
  return initial;
}

}  // namespace troupe
