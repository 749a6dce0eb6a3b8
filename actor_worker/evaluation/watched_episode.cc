#include "actor_worker/evaluation/watched_episode.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "actor_worker/acting/fit_policies.h"
#include "actor_worker/acting/own_actor.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

class DecentralisedChooser final : public Chooser {
 public:
  DecentralisedChooser(std::vector<std::vector<std::unique_ptr<OwnActor>>> actors, bool sample, uint64_t seed)
      : actors_(std::move(actors)), sample_(sample), seed_(seed) {
    for (const auto& group : actors_) {
      said_.emplace_back();
      for (const auto& actor : group) said_.back().emplace_back(actor->message_size());
    }
  }

  void Begin(const Environment&) override {
    for (size_t g = 0; g < actors_.size(); ++g) {
      for (const auto& actor : actors_[g]) actor->Begin();
      for (std::vector<float>& message : said_[g]) std::fill(message.begin(), message.end(), 0.0f);
    }
  }

  void Act(const Environment&, int step, EpisodeBuffers::Copy& copy) override {
    for (size_t g = 0; g < actors_.size(); ++g) {
      RandomStream draws = SampleStream(seed_, step, actors_.size(), g);
      const GroupObservation& seen = copy.observation.groups[g];
      for (size_t a = 0; a < actors_[g].size(); ++a) {
        OwnActor& actor = *actors_[g][a];
        uniforms_.resize(sample_ ? actor.draws() : 0);
        for (float& uniform : uniforms_) uniform = draws.Uniform();
        const GroupAction& action = actor.Act(
            seen.observations.subspan(a * actor.observation_size(), actor.observation_size()),
            seen.action_mask.subspan(a * actor.mask_size(), actor.mask_size()), uniforms_, HeardBy(actor, said_[g]));
        std::copy(action.discrete.begin(), action.discrete.end(),
                  copy.discrete[g].begin() + a * action.discrete.size());
        std::copy(action.continuous.begin(), action.continuous.end(),
                  copy.continuous[g].begin() + a * action.continuous.size());
      }
      // They hear it at the next step; the dead say nothing.
      for (size_t a = 0; a < said_[g].size(); ++a) {
        const absl::Span<const float> message = actors_[g][a]->message();
        std::copy(message.begin(), message.end(), said_[g][a].begin());
        if (seen.alive[a] == 0) std::fill(said_[g][a].begin(), said_[g][a].end(), 0.0f);
      }
    }
  }

 private:
  absl::Span<const float* const> HeardBy(const OwnActor& actor, const std::vector<std::vector<float>>& said) {
    heard_.clear();
    for (const int other : actor.neighbours()) heard_.push_back(said[other].data());
    return heard_;
  }

  std::vector<std::vector<std::unique_ptr<OwnActor>>> actors_;  // [group][agent]
  const bool sample_;
  const uint64_t seed_;
  std::vector<float> uniforms_;
  std::vector<std::vector<std::vector<float>>> said_;  // [group][agent], at the step before
  std::vector<const float*> heard_;
};

class BaselineChooser final : public Chooser {
 public:
  BaselineChooser(const EnvironmentSpec& spec, const Player& player, uint64_t seed)
      : spec_(spec), controller_(player.make_controller ? player.make_controller() : nullptr), seed_(seed) {}

  void Begin(const Environment& environment) override {
    if (controller_ != nullptr) controller_->Begin(environment);
  }

  void Act(const Environment& environment, int step, EpisodeBuffers::Copy& copy) override {
    if (controller_ != nullptr) return controller_->Act(environment, copy.observation, copy.discrete, copy.continuous);
    RandomStream draws = SampleStream(seed_, step, 1, 0);
    ChooseRandomActions(spec_, draws, copy.observation, copy.discrete, copy.continuous);
  }

 private:
  const EnvironmentSpec spec_;
  const std::unique_ptr<Controller> controller_;
  const uint64_t seed_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Chooser>> MakeDecentralisedChooser(const EnvironmentSpec& environment,
                                                                  const PolicyPlayer& policy, uint64_t seed) {
  ASSIGN_OR_RETURN(const std::vector<PolicySpec> fitted, FitPolicies(environment, *policy.policies));
  std::vector<std::vector<std::unique_ptr<OwnActor>>> actors;
  for (const PolicySpec& spec : fitted) {
    actors.emplace_back();
    for (int a = 0; a < spec.num_agents; ++a) {
      ASSIGN_OR_RETURN(auto actor, OwnActor::Create(spec, *policy.weights, a, policy.make_network));
      actors.back().push_back(std::move(actor));
    }
  }
  return std::make_unique<DecentralisedChooser>(std::move(actors), policy.sample_actions, seed);
}

std::unique_ptr<Chooser> MakeBaselineChooser(const EnvironmentSpec& environment, const Player& player, uint64_t seed) {
  return std::make_unique<BaselineChooser>(environment, player, seed);
}

absl::StatusOr<EpisodeResult> PlayWatched(Environment& environment, Chooser& chooser, const Watch& watch) try {
  const EnvironmentSpec& spec = environment.spec();
  EpisodeBuffers buffers(spec, 1);
  EpisodeBuffers::Copy& copy = buffers.copies[0];
  EpisodeResult result{.seed = watch.seed};
  result.group_returns.resize(spec.groups.size());
  result.statistics.resize(spec.num_statistics());
  RETURN_IF_ERROR(environment.Reset(watch.seed));
  environment.Observe(copy.observation);
  RETURN_IF_ERROR(CheckFinite(spec, copy));
  chooser.Begin(environment);
  watch.look(environment, copy, result, false);
  bool over = false;
  while (!over && (watch.max_steps == 0 || result.length < watch.max_steps)) {
    chooser.Act(environment, result.length, copy);
    copy.outcome.terminated = copy.outcome.truncated = false;
    RETURN_IF_ERROR(environment.Step(copy.action, copy.outcome));
    environment.Observe(copy.observation);
    RETURN_IF_ERROR(CheckFinite(spec, copy));
    ++result.length;
    for (size_t g = 0; g < spec.groups.size(); ++g) {
      double sum = 0;
      for (const float reward : copy.outcome.rewards[g]) sum += reward;
      result.group_returns[g] += sum / std::max(1, spec.groups[g].num_agents());
    }
    over = copy.outcome.terminated || copy.outcome.truncated;
    watch.look(environment, copy, result, over);
  }
  environment.EpisodeStatistics(absl::MakeSpan(result.statistics));
  return result;
} catch (const std::exception& thrown) {
  return absl::InternalError(absl::StrCat("the environment threw: ", thrown.what()));
}

std::string FormatEpisode(const EnvironmentSpec& spec, const EpisodeResult& result) {
  std::string text = absl::StrFormat("seed %d, %d steps\n", result.seed, result.length);
  for (size_t g = 0; g < spec.groups.size(); ++g) {
    absl::StrAppendFormat(&text, "  %-28s %g\n", absl::StrCat("return of ", spec.groups[g].name),
                          result.group_returns[g]);
  }
  for (size_t i = 0; i < spec.statistics.size(); ++i) {
    absl::StrAppendFormat(&text, "  %-28s %g\n", spec.statistics[i], result.statistics[i]);
  }
  return text;
}

}  // namespace troupe
