#include "common/config/curriculum_settings.h"

#include <set>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

std::optional<FieldError> FindPromotionError(const StagePromotion& promote, const std::string& path) {
  if (!promote.has_statistic() && !promote.has_after_env_steps()) {
    return FieldError{path, "nothing ends this stage, expected statistic with a bound, or after_env_steps"};
  }
  const bool bounded = promote.has_at_most() || promote.has_at_least();
  if (promote.has_statistic() && !bounded) {
    return FieldError{path + ".statistic",
                      absl::StrCat("\"", promote.statistic(), "\" without a bound, expected at_most or at_least too")};
  }
  if (!promote.has_statistic() && bounded) {
    return FieldError{path + ".statistic", "absent, but there is a bound for it"};
  }
  if (promote.has_at_most() && promote.has_at_least() && promote.at_least() > promote.at_most()) {
    return FieldError{path + ".at_least", absl::StrCat(promote.at_least(), " is above at_most, which is ",
                                                       promote.at_most(), ": nothing is both")};
  }
  return std::nullopt;
}

}  // namespace

std::optional<FieldError> FindCurriculumError(const CurriculumSettings& curriculum) {
  if (curriculum.stages_size() > kMaxStages) {
    return FieldError{"curriculum.stages",
                      absl::StrCat(curriculum.stages_size(), " stages, expected at most ", kMaxStages)};
  }
  std::set<std::string> names = {kOwnTask};
  for (int i = 0; i < curriculum.stages_size(); ++i) {
    const CurriculumStage& stage = curriculum.stages(i);
    const std::string path = absl::StrCat("curriculum.stages.", i);
    if (!names.insert(stage.name()).second) {
      return FieldError{path + ".name", absl::StrCat("\"", stage.name(), "\" ",
                                                     stage.name() == kOwnTask ? "is what follows the stages"
                                                                              : "is another stage's name too")};
    }
    if (auto error = FindPromotionError(stage.promote(), path + ".promote")) return error;
  }
  if (curriculum.verdict_updates() > curriculum.interval_updates()) {
    return FieldError{"curriculum.verdict_updates",
                      absl::StrCat(curriculum.verdict_updates(), " is above interval_updates, which is ",
                                   curriculum.interval_updates())};
  }
  return std::nullopt;
}

std::string StageName(const CurriculumSettings& curriculum, uint32_t stage) {
  return stage < static_cast<uint32_t>(curriculum.stages_size()) ? curriculum.stages(stage).name() : kOwnTask;
}

}  // namespace troupe
