#include "learner/ingest/chunk_values.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/finite.h"
#include "common/base/status_macros.h"
#include "common/specs/reward_bound.h"
#include "learner/batch/option_values.h"
#include "learner/ingest/field_values.h"

namespace troupe {
namespace {

using ReceivedGroup = decltype(ReceivedChunkView::groups)::value_type;

constexpr float kLogProbabilityRounding = 1e-3f;

template <typename... Parts>
absl::Status Invalid(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

// What CheckDiscreteActions asks, without saying what is wrong. Where an allowed action was chosen, one is allowed.
bool DiscreteActionsAreGood(const AgentGroupSpec& group, const ReceivedGroup& view) {
  const size_t N = group.action_size, steps = view.discrete_actions.size();
  const float* const log_probabilities = view.log_probabilities.empty() ? nullptr : view.log_probabilities.data();
  bool bad = false;
  for (size_t i = 0; i < steps; ++i) {
    const bool in_range = static_cast<uint32_t>(view.discrete_actions[i]) < N;
    const size_t action = in_range ? view.discrete_actions[i] : 0;
    const bool forbidden = view.action_masks[i * N + action] == 0;
    const bool impossible = log_probabilities != nullptr && log_probabilities[i] > kLogProbabilityRounding;
    bad |= (in_range ^ true) | ((view.alive[i] != 0) & (forbidden | impossible));
  }
  for (size_t i = steps; i < view.alive.size(); ++i) {
    const uint8_t* const mask = &view.action_masks[i * N];
    bad |= view.alive[i] != 0 && std::find(mask, mask + N, 1) == mask + N;
  }
  return !bad;
}

// Of discrete actions, or of every index of multi-discrete ones.
absl::Status CheckDiscreteActions(const std::string& field, const AgentGroupSpec& group, uint32_t copies,
                                  const ReceivedGroup& view) {
  const bool multi = group.action_kind == ActionKind::kMultiDiscrete;
  if (!multi && DiscreteActionsAreGood(group, view)) return absl::OkStatus();
  const absl::Span<const int32_t> actions = multi ? view.multi_discrete_actions : view.discrete_actions;
  const int D = group.num_choices();
  const std::vector<uint32_t> shape = {0, copies, static_cast<uint32_t>(group.num_agents())};
  std::vector<uint32_t> action_shape = shape;
  if (multi) action_shape.push_back(D);
  const uint8_t* mask = view.action_masks.data();
  for (size_t i = 0; i < view.alive.size(); ++i) {
    for (int d = 0; d < D; mask += group.choices_of(d++)) {
      const uint8_t* const end = mask + group.choices_of(d);
      if (view.alive[i] == 0 || std::find(mask, end, 1) != end) continue;
      return Invalid(field, ".action_masks", PlaceIn(i, shape), ": allows no action",
                     multi ? absl::StrCat(" in dimension ", d) : "", ", expected at least one");
    }
  }
  mask = view.action_masks.data();
  for (size_t i = 0; i < actions.size() / D; ++i) {
    for (int d = 0; d < D; mask += group.choices_of(d++)) {
      const int32_t action = actions[i * D + d];
      const auto invalid = [&](const auto&... why) {
        return Invalid(field, ".actions", PlaceIn(i * D + d, action_shape), ": came ", action, why...);
      };
      if (action < 0 || action >= group.choices_of(d)) return invalid(", expected [0, ", group.choices_of(d), ")");
      if (view.alive[i] != 0 && mask[action] == 0) return invalid(", which action_masks does not allow");
    }
    if (view.alive[i] == 0) continue;
    if (!view.log_probabilities.empty() && view.log_probabilities[i] > kLogProbabilityRounding) {
      return Invalid(field, ".log_probabilities", PlaceIn(i, shape), ": came ", view.log_probabilities[i],
                     ", expected at most 0");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckRewards(const std::string& field, const AgentGroupSpec& group, uint32_t copies,
                          const ReceivedGroup& view) {
  if (LargestMagnitude(view.rewards) <= kLargestReward) return absl::OkStatus();
  const auto bad = std::ranges::find_if(view.rewards, [](float reward) { return std::fabs(reward) > kLargestReward; });
  return Invalid(field, ".rewards",
                 PlaceIn(bad - view.rewards.begin(), {0, copies, static_cast<uint32_t>(group.num_agents())}), ": came ",
                 *bad, ", expected at most ", kLargestReward, " in magnitude");
}

absl::Status CheckEndings(const ChunkShape& shape, const ReceivedChunkView& view) {
  const uint32_t E = shape.copies;
  size_t k = 0;
  const size_t num_truncated = view.truncated_at.size() / 2;
  for (size_t i = 0; i < view.truncated.size(); ++i) {
    if (view.truncated[i] == 0) continue;
    if (view.terminated[i] != 0) {
      return Invalid("truncated", PlaceIn(i, {0, E}), ": came 1 where terminated is 1, expected one of them");
    }
    if (k < num_truncated && (view.truncated_at[2 * k] != static_cast<int32_t>(i / E) ||
                              view.truncated_at[2 * k + 1] != static_cast<int32_t>(i % E))) {
      return Invalid("truncated_at[", k, "]: came [", view.truncated_at[2 * k], ", ", view.truncated_at[2 * k + 1],
                     "], expected ", PlaceIn(i, {0, E}), " as in truncated");
    }
    ++k;
  }
  if (k != num_truncated) {
    return Invalid("truncated_at.shape: came ", num_truncated, " rows, expected ", k,
                   ", one per set place of truncated");
  }
  return absl::OkStatus();
}

absl::Status CheckFinishedEpisode(const EnvironmentSpec& spec, const ChunkShape& shape, const std::string& field,
                                  const wire::FinishedEpisode& episode, const ReceivedChunkView& view,
                                  std::vector<bool>& place_seen) {
  if (episode.copy() >= static_cast<uint32_t>(shape.copies)) {
    return Invalid(field, ".copy: came ", episode.copy(), ", expected below ", shape.copies);
  }
  if (episode.step() >= static_cast<uint32_t>(shape.rollout_length)) {
    return Invalid(field, ".step: came ", episode.step(), ", expected below ", shape.rollout_length);
  }
  const size_t place = static_cast<size_t>(episode.step()) * shape.copies + episode.copy();
  if (view.terminated[place] == 0 && view.truncated[place] == 0) {
    return Invalid(field, ".step: came ", episode.step(), ", where copy ", episode.copy(),
                   " is neither terminated nor truncated");
  }
  if (place_seen[place])
    return Invalid(field, ": a second episode of copy ", episode.copy(), " at step ", episode.step());
  place_seen[place] = true;
  if (episode.length() == 0) return Invalid(field, ".length: came 0, expected at least 1");
  if (episode.group_returns_size() != static_cast<int>(spec.groups.size())) {
    return Invalid(field, ".group_returns: came ", episode.group_returns_size(), " numbers, expected ",
                   spec.groups.size());
  }
  if (episode.statistics_size() != spec.num_statistics()) {
    return Invalid(field, ".statistics: came ", episode.statistics_size(), " numbers, expected ",
                   spec.num_statistics());
  }
  if (episode.has_saved_version() && !shape.meets_saved) {
    return Invalid(field, ".saved_version: came ", episode.saved_version(),
                   ", expected none: the run has no pool of saved opponents");
  }
  if (episode.learning_team() >= spec.teams().size()) {
    return Invalid(field, ".learning_team: came ", episode.learning_team(), ", expected below ", spec.teams().size());
  }
  RETURN_IF_ERROR(CheckFinite(field + ".group_returns", episode.group_returns(), {0}));
  return CheckFinite(field + ".statistics", episode.statistics(), {0});
}

absl::Status CheckSeconds(const std::string& field, double seconds) {
  if (std::isfinite(seconds) && seconds >= 0) return absl::OkStatus();
  return Invalid(field, ": came ", seconds, ", expected a finite number, at least 0");
}

}  // namespace

absl::Status CheckChunkValues(const EnvironmentSpec& spec, const ChunkShape& shape, const wire::Chunk& chunk,
                              const ReceivedChunkView& view) {
  const uint32_t num_truncated = static_cast<uint32_t>(view.truncated_at.size() / 2);
  for (size_t g = 0; g < spec.groups.size(); ++g) {
    const std::string group = absl::StrCat("groups[", g, "]");
    const FieldSizes sizes = GroupSizes(spec, shape, g, num_truncated);
    RETURN_IF_ERROR(CheckFieldValues(absl::StrCat(group, "."), sizes, view.groups[g]));
    RETURN_IF_ERROR(CheckOptionValues(absl::StrCat(group, "."), sizes, view.groups[g].options,
                                      view.groups[g].option_log_probabilities, view.groups[g].option_states));
    RETURN_IF_ERROR(CheckRewards(group, spec.groups[g], shape.copies, view.groups[g]));
    if (spec.groups[g].action_kind == ActionKind::kContinuous) continue;
    RETURN_IF_ERROR(CheckDiscreteActions(group, spec.groups[g], shape.copies, view.groups[g]));
  }
  RETURN_IF_ERROR(CheckFieldValues("", JointSizes(spec, shape, num_truncated), view));
  RETURN_IF_ERROR(CheckEndings(shape, view));
  std::vector<bool> place_seen(view.terminated.size());
  for (int i = 0; i < chunk.episodes_size(); ++i) {
    RETURN_IF_ERROR(
        CheckFinishedEpisode(spec, shape, absl::StrCat("episodes[", i, "]"), chunk.episodes(i), view, place_seen));
  }
  RETURN_IF_ERROR(CheckSeconds("environment_seconds", chunk.environment_seconds()));
  return CheckSeconds("inference_seconds", chunk.inference_seconds());
}

}  // namespace troupe
