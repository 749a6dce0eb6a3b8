#include "actor_worker/rollout/shard_rollout.h"

#include <chrono>
#include <string>
#include <utility>

#include "common/base/status_macros.h"
#include "common/config/self_play_settings.h"
#include "common/wire/spec_codec.h"

namespace troupe {
namespace {

using Clock = std::chrono::steady_clock;

double Seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

ShardRollout::ShardRollout(const RolloutPlan& plan, std::shared_ptr<const HeldLease> lease)
    : plan_(plan), lease_(std::move(lease)), builder_(plan.spec, plan.chunk_shape()) {
  if (!HasPool(plan.experiment.self_play())) return;
  matches_.emplace(plan.spec, plan.chunk_shape().copies,
                   Matches::Source{plan.experiment.seed(), lease_->shard, lease_->lease_epoch});
}

absl::StatusOr<std::unique_ptr<ShardRollout>> ShardRollout::Create(const RolloutPlan& plan,
                                                                   std::shared_ptr<const HeldLease> lease) {
  std::unique_ptr<ShardRollout> rollout(new ShardRollout(plan, std::move(lease)));
  ASSIGN_OR_RETURN(rollout->environment_,
                   VectorEnvironment::Create(*plan.environment, plan.settings, plan.chunk_shape().copies));
  const std::string difference = DescribeDifference(plan.spec, rollout->environment_->spec());
  if (!difference.empty()) {
    return absl::FailedPreconditionError("the environment is not what it was for this worker's registration: " +
                                         difference);
  }
  return rollout;
}

absl::Status ShardRollout::BeginEpisodes(const PolicySnapshot& snapshot, ActorTeam& team, RolloutProgress& progress) {
  if (!plan_.stages.empty()) {
    ASSIGN_OR_RETURN(std::shared_ptr<const SettingsMap> settings, plan_.stages.Of(snapshot));
    environment_->BeginEpisodesWith(std::move(settings));
  }
  if (std::exchange(started_, true)) return absl::OkStatus();
  progress.Tick(RolloutProgress::Stage::kStarting);
  state_ = team.NewState();
  const bool stagger = plan_.experiment.collection().stagger_first_episode();
  RETURN_IF_ERROR(environment_->Start({.run_seed = plan_.experiment.seed(),
                                       .shard = lease_->shard,
                                       .lease_epoch = lease_->lease_epoch,
                                       .max_warm_up_steps = stagger ? StartOptions::kOneEpisode : 0},
                                      builder_.observations()));
  for (int copy = 0; matches_.has_value() && copy < environment_->copies(); ++copy) {
    matches_->Begin(copy, snapshot.roster.get());
  }
  return absl::OkStatus();
}

absl::Status ShardRollout::Act(ActorTeam& team) {
  const auto draw = [this](int group, absl::Span<float> uniforms) { environment_->DrawUniforms(group, uniforms); };
  if (!matches_.has_value()) {
    team.Act(builder_.observations(), draw, state_, builder_.chosen());
    return absl::OkStatus();
  }
  for (size_t g = 0; g < builder_.learns().size(); ++g) {
    matches_->WriteLearns(static_cast<int>(g), builder_.learns()[g]);
  }
  return team.ActAmong(matches_->seats(), builder_.observations(), draw, state_, builder_.chosen());
}

absl::Status ShardRollout::Collect(uint64_t sequence, const PolicySnapshot& snapshot, ActorTeam& team,
                                   RolloutProgress& progress, wire::Chunk* chunk) {
  chunk->set_shard(lease_->shard);
  chunk->set_lease_epoch(lease_->lease_epoch);
  chunk->set_sequence(sequence);
  chunk->set_policy_version(snapshot.policy_version);
  builder_.Begin(chunk);
  RETURN_IF_ERROR(BeginEpisodes(snapshot, team, progress));
  Clock::duration acting{}, stepping{};
  const int steps = static_cast<int>(plan_.experiment.collection().rollout_length());
  for (int t = 0; t < steps; ++t) {
    progress.Tick(RolloutProgress::Stage::kStepping);
    if (lease_->gone.load(std::memory_order_relaxed)) return absl::CancelledError("the lease is gone");
    builder_.SetStep(t);
    state_.Record(builder_.network_states());
    const Clock::time_point begin = Clock::now();
    RETURN_IF_ERROR(Act(team));
    const Clock::time_point acted = Clock::now();
    RETURN_IF_ERROR(environment_->Step(builder_.actions(), builder_.outcome(), builder_.next()));
    builder_.Record(environment_->truncated(), environment_->finished(), matches_.has_value() ? &*matches_ : nullptr);
    for (const FinishedCopy& ended : environment_->finished()) {
      state_.Reset(ended.copy);
      if (matches_.has_value()) matches_->Begin(ended.copy, snapshot.roster.get());
    }
    state_.Record(builder_.option_states());
    acting += acted - begin;
    stepping += Clock::now() - acted;
  }
  RETURN_IF_ERROR(builder_.Finish());
  chunk->set_inference_seconds(Seconds(acting));
  chunk->set_environment_seconds(Seconds(stepping));
  return absl::OkStatus();
}

}  // namespace troupe
