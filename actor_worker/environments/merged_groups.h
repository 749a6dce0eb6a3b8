// The groups of an environment as one, so that agents of all of them tell each other something (docs/communication.md):
// messages pass within a group. Whose policies were apart is then said by `policy.sharing`: PER_AGENT, or a partition
// with a part for each of the groups.
//
// Of the group "agents": its agents are those of the groups in their order. What one observes is its own group's
// numbers among the numbers of all groups side by side ("GROUP_NAME"), and zeros instead of the others. Discrete
// actions are numbered as in the agent's group; what that group has not is masked. Everybody may hear whom it may hear
// in its group, and everybody of the other groups.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_MERGED_GROUPS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_MERGED_GROUPS_H_

#include <memory>
#include <string>
#include <vector>

#include "actor_worker/environments/environment.h"
#include "common/config/settings_reader.h"

namespace troupe {

// The setting `groups`: APART or MERGED.
bool ReadMergedGroups(SettingsReader& reader);

class MergedGroups final : public Environment {
 public:
  // Errors: INVALID_ARGUMENT naming environment.settings.groups, of groups that play against each other, whose actions
  // are of different kinds, or that have an agent's name in common. Groups whose actions are not discrete must have the
  // same actions.
  static absl::StatusOr<std::unique_ptr<Environment>> Create(std::unique_ptr<Environment> apart);

  const EnvironmentSpec& spec() const override { return spec_; }
  // As it is with its groups apart.
  const Environment& apart() const { return *apart_; }

  absl::Status Reset(uint64_t seed) override { return apart_->Reset(seed); }
  absl::Status Step(const JointAction& action, StepOutcome& outcome) override;
  void PrepareReset(uint64_t seed) override { apart_->PrepareReset(seed); }
  void PrepareStep(const JointAction& action) override { apart_->PrepareStep(Apart(action)); }
  void Observe(JointObservation& observation) const override;
  void EpisodeStatistics(absl::Span<double> statistics) const override { apart_->EpisodeStatistics(statistics); }
  std::string Render() const override { return apart_->Render(); }
  void Draw(Scene& scene) const override { apart_->Draw(scene); }

 private:
  explicit MergedGroups(std::unique_ptr<Environment> apart);
  const JointAction& Apart(const JointAction& action);

  const std::unique_ptr<Environment> apart_;
  EnvironmentSpec spec_;
  JointAction action_;  // of the groups apart, as is all that follows
  StepOutcome outcome_;
  // What Observe has the groups write to.
  mutable std::vector<std::vector<float>> observations_;
  mutable std::vector<std::vector<uint8_t>> masks_;
  mutable JointObservation seen_;
};

// Baselines of an environment that may have its groups merged: they play it either way.
std::vector<Baseline> OfMergedGroups(std::vector<Baseline> apart);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_MERGED_GROUPS_H_
