#include "learner/self_play/self_play.h"

#include "common/config/self_play_settings.h"
#include "common/specs/self_play_check.h"
#include "learner/self_play/match_results.h"
#include "learner/self_play/opponent_pool.h"

namespace troupe {

std::optional<SelfPlayState> FirstPool(const Experiment& experiment) {
  if (!HasPool(experiment.self_play())) return std::nullopt;
  return SelfPlayState{};
}

SelfPlay::SelfPlay(const Checkpoint& start)
    : settings_(start.experiment.self_play()),
      seed_(start.experiment.seed()),
      environment_(start.environment),
      learning_(TrainedTeams(start.experiment, start.environment)),
      state_(start.self_play.has_value() ? start.self_play : FirstPool(start.experiment)) {
  if (!settings_.has_learning_team()) return;
  const std::vector<std::string> teams = environment_.teams();
  for (size_t team = 0; team < teams.size(); ++team) learning_[team] = teams[team] == settings_.learning_team();
}

void SelfPlay::Advance(const PolicySnapshot& actors, absl::Span<const EpisodeSummary> episodes, Collective* ranks) {
  CountMatches(environment_, episodes, settings_.remembered_matches(), ranks, &*state_);
  if (actors.policy_version % settings_.save_interval_updates() != 0) return;
  auto saved = std::make_shared<PolicySnapshot>(actors);
  saved->roster = nullptr;
  SaveVersion(settings_, seed_, static_cast<int>(learning_.size()), std::move(saved), &*state_);
}

std::shared_ptr<const Roster> SelfPlay::roster() const {
  return is_on() ? MakeRoster(settings_, learning_, *state_) : nullptr;
}

std::vector<std::pair<std::string, double>> SelfPlay::figures() const {
  if (!is_on()) return {};
  MatchRecord all;
  for (const SavedVersion& version : state_->pool) {
    for (const MatchRecord& record : version.records) {
      all.matches += record.matches;
      all.won += record.won;
    }
  }
  std::vector<std::pair<std::string, double>> figures = {{"self_play_pool", static_cast<double>(state_->pool.size())}};
  if (all.matches > 0) figures.emplace_back("self_play_win_rate", all.won / all.matches);
  return figures;
}

}  // namespace troupe
