#include "learner/run/curriculum.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/base/status_macros.h"
#include "common/config/curriculum_settings.h"
#include "common/specs/best_by.h"

namespace troupe {

absl::Status CheckStageStatistics(const CurriculumSettings& curriculum, const EnvironmentSpec& environment) {
  for (int i = 0; i < curriculum.stages_size(); ++i) {
    const StagePromotion& promote = curriculum.stages(i).promote();
    if (!promote.has_statistic()) continue;
    const std::string field = absl::StrCat("curriculum.stages.", i, ".promote.statistic");
    RETURN_IF_ERROR(CheckStatistic(environment, field, promote.statistic()));
  }
  return absl::OkStatus();
}

std::optional<CurriculumState> FirstStage(const Experiment& experiment) {
  if (experiment.curriculum().stages().empty()) return std::nullopt;
  return CurriculumState{};
}

void AddStage(const std::optional<CurriculumState>& state, PolicySnapshot* policy) {
  if (state.has_value()) policy->scalars.push_back({kCurriculumStageScalar, static_cast<double>(state->stage)});
}

bool Meets(const StagePromotion& promote, double value) {
  if (promote.has_at_most() && !(value <= promote.at_most())) return false;
  if (promote.has_at_least() && !(value >= promote.at_least())) return false;
  return promote.has_at_most() || promote.has_at_least();
}

Curriculum::Curriculum(LearnerServer* server, const Checkpoint& start, bool decides)
    : settings_(start.experiment.curriculum()),
      decides_(decides),
      state_(start.curriculum.has_value() ? start.curriculum : FirstStage(start.experiment)),
      evaluation_(server, settings_, start.environment) {
  if (is_on() && decides_ && state_->judged != nullptr) evaluation_.Ask(state_->judged, state_->stage);
}

absl::StatusOr<bool> Curriculum::IsKnown(uint64_t version, absl::Duration timeout) {
  if (!is_on() || !decides_ || answer_.has_value() || !IsVerdictDue(version)) return true;
  ASSIGN_OR_RETURN(answer_, evaluation_.Answer(timeout));
  return answer_.has_value();
}

std::optional<StageVerdictRecord> Curriculum::TakeVerdict(uint64_t version, uint64_t env_steps) {
  if (!IsVerdictDue(version) || !answer_.has_value()) return std::nullopt;
  StageVerdictRecord verdict{.update = version, .env_steps = env_steps};
  verdict.stage = StageName(settings_, state_->stage);
  verdict.judged_update = std::exchange(state_->judged, nullptr)->policy_version;
  verdict.episodes = *std::exchange(answer_, std::nullopt);
  verdict.statistic = promotion().statistic();
  verdict.value = verdict.episodes.Find(verdict.statistic).value_or(std::nan(""));
  verdict.met = Meets(promotion(), verdict.value);
  verdict.met_in_a_row = state_->passed = verdict.met ? state_->passed + 1 : 0;
  return verdict;
}

Curriculum::Step Curriculum::Advance(uint64_t version, uint64_t env_steps, Collective* ranks) {
  Step step;
  if (decides_ && !is_last()) {
    step.verdict = TakeVerdict(version, env_steps);
    const bool by_verdict = step.verdict.has_value() && state_->passed >= promotion().evaluations();
    const bool by_steps =
        promotion().has_after_env_steps() && env_steps - state_->began_env_steps >= promotion().after_env_steps();
    if (by_verdict || by_steps) {
      *state_ = {.stage = state_->stage + 1, .began_env_steps = env_steps};
      answer_.reset();
      evaluation_.Forget();
      step.promoted = true;
    }
  }
  if (ranks->size() > 1) {
    std::vector<double> stage = {decides_ ? static_cast<double>(state_->stage) : 0.0};
    ranks->Sum(absl::MakeSpan(stage));
    // With a rank lost the sum is of no use, and the run ends.
    if (ranks->status().ok()) state_->stage = static_cast<uint32_t>(stage[0]);
  }
  step.stage = state_->stage;
  return step;
}

void Curriculum::Judge(const std::shared_ptr<const PolicySnapshot>& policy) {
  if (!is_on() || !decides_ || is_last() || state_->judged != nullptr || !promotion().has_statistic()) return;
  if (policy->policy_version % settings_.interval_updates() != 0) return;
  state_->judged = policy;
  evaluation_.Ask(policy, state_->stage);
}

}  // namespace troupe
