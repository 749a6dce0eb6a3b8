#include "actor_worker/evaluation/episode_runner.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "actor_worker/acting/actor_team.h"
#include "actor_worker/acting/fit_policies.h"
#include "actor_worker/environments/create_copies.h"
#include "actor_worker/environments/episode_buffers.h"
#include "actor_worker/environments/random_actions.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/threads/named_thread.h"

namespace troupe {
namespace {

constexpr uint64_t kSampleDomain = 0x73616d706c65;
constexpr int kStepsBetweenChecks = 64;

// Plays blocks of episodes with its own copies of the environment. One per thread.
class BlockPlayer {
 public:
  // `finished` counts the episodes that are over, those of other threads as well, and outlives the player.
  static absl::StatusOr<std::unique_ptr<BlockPlayer>> Create(const EpisodePlan& plan, const Player& player, int copies,
                                                             std::atomic<int>* finished);

  // Episodes [first, first + count) into results[0 … count).
  absl::Status Play(int first, int count, EpisodeResult* results);

 private:
  BlockPlayer(const EpisodePlan& plan, const Player& player, std::vector<std::unique_ptr<Environment>> environments,
              std::atomic<int>* finished)
      : plan_(plan),
        player_(player),
        finished_(*finished),
        environments_(std::move(environments)),
        spec_(environments_.front()->spec()),
        buffers_(spec_, static_cast<int>(environments_.size())) {
    for (EpisodeBuffers::Group& group : buffers_.groups) {
      chosen_.push_back({.discrete = absl::MakeSpan(group.discrete),
                         .sampled = absl::MakeSpan(group.sampled),
                         .taken = absl::MakeSpan(group.continuous),
                         .log_probabilities = absl::MakeSpan(group.log_probabilities)});
    }
  }

  absl::Status Begin(int c, EpisodeResult* result);
  void ChooseActions(const std::vector<bool>& playing, const EpisodeResult* results);
  void ActAsTeam(const std::vector<bool>& playing, const EpisodeResult* results);
  absl::Status Step(int c, EpisodeResult* result, bool* over);

  const EpisodePlan& plan_;
  const Player& player_;
  std::atomic<int>& finished_;
  std::vector<std::unique_ptr<Environment>> environments_;
  const EnvironmentSpec spec_;
  EpisodeBuffers buffers_;
  std::vector<ChosenActions> chosen_;  // per group, in the buffers
  std::unique_ptr<ActorTeam> team_;    // null where no trained actors play
  RecurrentState state_;
  std::vector<std::unique_ptr<Controller>> controllers_;  // per copy
};

absl::StatusOr<std::unique_ptr<BlockPlayer>> BlockPlayer::Create(const EpisodePlan& plan, const Player& player,
                                                                 int copies, std::atomic<int>* finished) {
  SettingsMap settings = plan.settings;
  for (const auto& [name, value] : player.setting_overrides) settings[name] = value;
  ASSIGN_OR_RETURN(std::vector<std::unique_ptr<Environment>> environments,
                   CreateCopies(*plan.environment, settings, copies));
  std::unique_ptr<BlockPlayer> made(new BlockPlayer(plan, player, std::move(environments), finished));
  if (player.policy.policies != nullptr) {
    ASSIGN_OR_RETURN(const std::vector<PolicySpec> fitted, FitPolicies(made->spec_, *player.policy.policies));
    ASSIGN_OR_RETURN(made->team_, ActorTeam::Create(fitted, copies, player.policy.make_network));
    RETURN_IF_ERROR(made->team_->SetSnapshot(*player.policy.weights));
    made->state_ = made->team_->NewState();
  } else if (player.make_controller) {
    for (int c = 0; c < copies; ++c) made->controllers_.push_back(player.make_controller());
  }
  return made;
}

absl::Status BlockPlayer::Begin(int c, EpisodeResult* result) {
  result->length = 0;
  result->group_returns.assign(spec_.groups.size(), 0.0);
  result->statistics.assign(spec_.num_statistics(), 0.0);
  RETURN_IF_ERROR(environments_[c]->Reset(result->seed));
  environments_[c]->Observe(buffers_.copies[c].observation);
  RETURN_IF_ERROR(CheckFinite(spec_, buffers_.copies[c]));
  state_.Reset(c);
  if (!controllers_.empty()) controllers_[c]->Begin(*environments_[c]);
  return absl::OkStatus();
}

void BlockPlayer::ActAsTeam(const std::vector<bool>& playing, const EpisodeResult* results) {
  const auto draw = [&](int group, absl::Span<float> uniforms) {
    const size_t numbers = uniforms.size() / buffers_.copies.size();
    for (size_t c = 0; c < playing.size(); ++c) {
      if (!playing[c]) continue;
      RandomStream draws = SampleStream(results[c].seed, results[c].length, spec_.groups.size(), group);
      std::generate_n(uniforms.begin() + c * numbers, numbers, [&] { return draws.Uniform(); });
    }
  };
  team_->Act(buffers_.row, player_.policy.sample_actions ? std::optional<ActorTeam::DrawUniforms>(draw) : std::nullopt,
             state_, chosen_);
}

void BlockPlayer::ChooseActions(const std::vector<bool>& playing, const EpisodeResult* results) {
  if (team_ != nullptr) return ActAsTeam(playing, results);
  for (size_t c = 0; c < playing.size(); ++c) {
    if (!playing[c]) continue;
    EpisodeBuffers::Copy& copy = buffers_.copies[c];
    if (!controllers_.empty()) {
      controllers_[c]->Act(*environments_[c], copy.observation, copy.discrete, copy.continuous);
      continue;
    }
    RandomStream draws = SampleStream(results[c].seed, results[c].length, 1, 0);
    ChooseRandomActions(spec_, draws, copy.observation, copy.discrete, copy.continuous);
  }
}

absl::Status BlockPlayer::Step(int c, EpisodeResult* result, bool* over) {
  EpisodeBuffers::Copy& copy = buffers_.copies[c];
  copy.outcome.terminated = copy.outcome.truncated = false;
  RETURN_IF_ERROR(environments_[c]->Step(copy.action, copy.outcome));
  environments_[c]->Observe(copy.observation);
  RETURN_IF_ERROR(CheckFinite(spec_, copy));
  ++result->length;
  for (size_t g = 0; g < spec_.groups.size(); ++g) {
    double sum = 0;
    for (const float reward : copy.outcome.rewards[g]) sum += reward;
    result->group_returns[g] += sum / std::max(1, spec_.groups[g].num_agents());
  }
  *over = copy.outcome.terminated || copy.outcome.truncated;
  if (*over) environments_[c]->EpisodeStatistics(absl::MakeSpan(result->statistics));
  return absl::OkStatus();
}

absl::Status BlockPlayer::Play(int first, int count, EpisodeResult* results) {
  std::vector<bool> playing(count, true);
  const auto where = [&](int c, const absl::Status& status) {
    if (status.ok()) return status;
    return absl::Status(status.code(), absl::StrCat(player_.name, ", seed ", results[c].seed, ", step ",
                                                    results[c].length, ": ", status.message()));
  };
  for (int c = 0; c < count; ++c) {
    results[c].seed = plan_.first_seed + first + c;
    environments_[c]->PrepareReset(results[c].seed);
  }
  for (int c = 0; c < count; ++c) {
    RETURN_IF_ERROR(where(c, Begin(c, &results[c])));
  }
  int left = count;
  for (int64_t step = 0; left > 0; ++step) {
    if (step % kStepsBetweenChecks == 0) {
      if (plan_.cancelled && plan_.cancelled()) return absl::CancelledError("the evaluation was stopped");
      if (plan_.progress) plan_.progress(finished_);
    }
    ChooseActions(playing, results);
    for (int c = 0; c < count; ++c) {
      if (playing[c]) environments_[c]->PrepareStep(buffers_.copies[c].action);
    }
    for (int c = 0; c < count; ++c) {
      if (!playing[c]) continue;
      bool over = false;
      RETURN_IF_ERROR(where(c, Step(c, &results[c], &over)));
      if (!over) continue;
      playing[c] = false;
      --left;
      ++finished_;
    }
  }
  return absl::OkStatus();
}

// What the threads of one RunEpisodes share.
struct Shared {
  std::atomic<int> next_block{0};
  std::atomic<int> finished{0};
  absl::Mutex mutex;
  int failed_block ABSL_GUARDED_BY(mutex) = -1;
  absl::Status status ABSL_GUARDED_BY(mutex);

  // Keeps the error of the earliest block, so that the message does not depend on which thread was faster.
  void Fail(int block, const absl::Status& error) ABSL_LOCKS_EXCLUDED(mutex) {
    absl::MutexLock lock(&mutex);
    if (failed_block < 0 || block < failed_block) {
      failed_block = block;
      status = error;
    }
  }
};

void PlayBlocks(const EpisodePlan& plan, const Player& player, std::vector<EpisodeResult>& results, Shared& shared) {
  int block = 0;
  try {
    const int copies = std::min(kCopiesPerBlock, plan.episodes);
    auto made = BlockPlayer::Create(plan, player, copies, &shared.finished);
    if (!made.ok()) return shared.Fail(0, made.status());
    while ((block = shared.next_block.fetch_add(1)) * copies < plan.episodes) {
      const int first = block * copies;
      const absl::Status status = (*made)->Play(first, std::min(copies, plan.episodes - first), &results[first]);
      if (!status.ok()) return shared.Fail(block, status);
    }
  } catch (const std::exception& thrown) {
    shared.Fail(block, absl::InternalError(absl::StrCat(player.name, ": the environment threw: ", thrown.what())));
  }
}

}  // namespace

RandomStream SampleStream(uint64_t seed, int step, size_t num_groups, size_t group) {
  return RandomStream(MixKey({seed, kSampleDomain}), uint64_t(step) * num_groups + group);
}

void ChooseRandomActions(const EnvironmentSpec& spec, RandomStream& random, const JointObservation& observation,
                         std::vector<absl::Span<int32_t>>& discrete, std::vector<absl::Span<float>>& continuous) {
  for (size_t g = 0; g < spec.groups.size(); ++g) {
    ChooseRandomActions(spec.groups[g], observation.groups[g].action_mask, random, discrete[g], continuous[g]);
  }
}

absl::StatusOr<std::vector<EpisodeResult>> RunEpisodes(const EpisodePlan& plan, const Player& player) {
  if (plan.episodes < 1)
    return absl::InvalidArgumentError(absl::StrCat("episodes is ", plan.episodes, ", expected at least 1"));
  std::vector<EpisodeResult> results(plan.episodes);
  Shared shared;
  const int blocks = (plan.episodes + kCopiesPerBlock - 1) / kCopiesPerBlock;
  {
    std::vector<NamedThread> others;
    for (int i = 1; i < std::min(plan.threads, blocks); ++i) {
      others.emplace_back("evaluate", [&] { PlayBlocks(plan, player, results, shared); });
    }
    PlayBlocks(plan, player, results, shared);
  }
  absl::MutexLock lock(&shared.mutex);
  if (!shared.status.ok()) return shared.status;
  return results;
}

std::vector<Player> BaselinePlayers(const EnvironmentEntry& environment, const SettingsMap& settings) {
  std::vector<Player> players = {{.name = "random"}};
  for (const Baseline& baseline : environment.baselines(settings)) {
    players.push_back(
        {.name = baseline.name, .make_controller = baseline.make, .setting_overrides = baseline.setting_overrides});
  }
  return players;
}

}  // namespace troupe
