#include "common/config/algorithm_settings.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/config/ppo_settings.h"
#include "common/config/q_learning_settings.h"
#include "common/config/settings_reader.h"
#include "proto/setting_options.pb.h"

namespace troupe {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;

struct Rules {
  Experiment::AlgorithmSettingsCase member;
  void (*complete)(Experiment* experiment);
  std::optional<FieldError> (*find_error)(const Experiment& experiment);
};

constexpr Rules kRules[] = {
    {Experiment::kPpo, &CompletePpoSettings, &FindPpoError},
    {Experiment::kQLearning, [](Experiment*) {}, &FindQLearningError},
};

const OneofDescriptor& Members(const Descriptor& experiment) {
  return *experiment.FindOneofByName("algorithm_settings");
}

const auto& AlgorithmsOf(const FieldDescriptor& member) { return member.options().GetExtension(setting).algorithms(); }

}  // namespace

const FieldDescriptor* FindAlgorithmSettings(const Descriptor& experiment, const std::string& algorithm) {
  const OneofDescriptor& members = Members(experiment);
  for (int i = 0; i < members.field_count(); ++i) {
    const auto& algorithms = AlgorithmsOf(*members.field(i));
    if (std::find(algorithms.begin(), algorithms.end(), algorithm) != algorithms.end()) return members.field(i);
  }
  return nullptr;
}

std::string UnknownAlgorithm(const Descriptor& experiment, const std::string& algorithm) {
  const OneofDescriptor& members = Members(experiment);
  std::vector<std::string> known;
  for (int i = 0; i < members.field_count(); ++i) {
    const auto& algorithms = AlgorithmsOf(*members.field(i));
    known.insert(known.end(), algorithms.begin(), algorithms.end());
  }
  const std::string nearest = NearestName(algorithm, known);
  return absl::StrCat("\"", algorithm, "\" is not known, ",
                      nearest.empty() ? absl::StrCat("expected one of ", absl::StrJoin(known, " | "))
                                      : absl::StrCat("did you mean \"", nearest, "\"?"));
}

std::optional<FieldError> FindMemberError(const Message& experiment, const std::string& algorithm) {
  const Descriptor& type = *experiment.GetDescriptor();
  const FieldDescriptor* const own = FindAlgorithmSettings(type, algorithm);
  if (own == nullptr) return FieldError{"algorithm.name", UnknownAlgorithm(type, algorithm)};
  const FieldDescriptor* const set = experiment.GetReflection()->GetOneofFieldDescriptor(experiment, &Members(type));
  if (set == nullptr || set == own) return std::nullopt;
  return FieldError{
      set->name(), absl::StrCat("is set, but algorithm.name is \"", algorithm, "\", whose settings are ", own->name())};
}

void CompleteAlgorithmSettings(Experiment* experiment) {
  for (const Rules& rules : kRules) {
    if (experiment->algorithm_settings_case() == rules.member) rules.complete(experiment);
  }
}

std::optional<FieldError> FindAlgorithmSettingsError(const Experiment& experiment) {
  for (const Rules& rules : kRules) {
    if (experiment.algorithm_settings_case() == rules.member) return rules.find_error(experiment);
  }
  return std::nullopt;
}

}  // namespace troupe
