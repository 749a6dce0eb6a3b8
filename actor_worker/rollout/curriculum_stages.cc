#include "actor_worker/rollout/curriculum_stages.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "actor_worker/environments/same_spaces.h"
#include "common/base/status_macros.h"
#include "common/specs/best_by.h"

namespace troupe {

absl::StatusOr<CurriculumStages> CurriculumStages::Create(const Experiment& experiment,
                                                          const EnvironmentEntry& environment,
                                                          const EnvironmentSpec& spec) {
  CurriculumStages made;
  const SettingsMap own(experiment.environment().settings().begin(), experiment.environment().settings().end());
  for (int i = 0; i < experiment.curriculum().stages_size(); ++i) {
    const CurriculumStage& stage = experiment.curriculum().stages(i);
    const std::string path = absl::StrCat("curriculum.stages.", i);
    SettingsMap settings = own;
    for (const auto& [name, value] : stage.settings()) settings[name] = value;
    const absl::StatusOr<std::unique_ptr<Environment>> tried = environment.create(settings);
    if (!tried.ok()) {
      // The environment takes the stage's settings for the experiment's own.
      const std::string words = absl::StrReplaceAll(tried.status().message(), {{"environment.settings", "settings"}});
      return absl::Status(tried.status().code(), absl::StrCat(path, ".", words, " (stage ", stage.name(), ")"));
    }
    const std::string difference = DescribeOtherSpaces(spec, (*tried)->spec());
    if (!difference.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ".settings: they change what agents see or can do, which a ",
                                                     "stage may not (stage ", stage.name(), "): ", difference));
    }
    if (stage.promote().has_statistic()) {
      RETURN_IF_ERROR(CheckStatistic(spec, path + ".promote.statistic", stage.promote().statistic()));
    }
    made.settings_.push_back(std::make_shared<const SettingsMap>(std::move(settings)));
  }
  made.settings_.push_back(std::make_shared<const SettingsMap>(own));
  return made;
}

absl::StatusOr<std::shared_ptr<const SettingsMap>> CurriculumStages::Of(const PolicySnapshot& snapshot) const {
  const std::optional<double> stage = snapshot.Scalar(kCurriculumStageScalar);
  if (!stage.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("policy version ", snapshot.policy_version, " names no stage of the curriculum"));
  }
  for (size_t i = 0; i < settings_.size(); ++i) {
    if (*stage == static_cast<double>(i)) return settings_[i];
  }
  return absl::InvalidArgumentError(absl::StrCat("policy version ", snapshot.policy_version, ": stage ", *stage,
                                                 ", expected one of 0 … ", settings_.size() - 1));
}

}  // namespace troupe
