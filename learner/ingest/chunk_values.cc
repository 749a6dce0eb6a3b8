#include "learner/ingest/chunk_values.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/finite.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

using ReceivedGroup = decltype(ReceivedChunkView::groups)::value_type;

constexpr float kLogProbabilityRounding = 1e-3f;

// "[3, 1, 0]" from a flat index and the sizes of the axes after the first.
std::string Place(size_t index, std::vector<size_t> inner_sizes) {
  std::vector<size_t> place(inner_sizes.size() + 1);
  for (size_t axis = inner_sizes.size(); axis > 0; --axis) {
    place[axis] = index % inner_sizes[axis - 1];
    index /= inner_sizes[axis - 1];
  }
  place[0] = index;
  return absl::StrCat("[", absl::StrJoin(place, ", "), "]");
}

template <typename... Parts>
absl::Status Invalid(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

absl::Status CheckFinite(const std::string& field, absl::Span<const float> values, std::vector<size_t> inner_sizes) {
  if (AllFinite(values)) return absl::OkStatus();
  const auto bad = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
  return Invalid(field, Place(bad - values.begin(), inner_sizes), ": came ", *bad, ", expected a finite number");
}

absl::Status CheckFinite(const std::string& field, const ScatteredFloats& values, std::vector<size_t> inner_sizes) {
  if (values.AllFinite()) return absl::OkStatus();
  std::vector<float> together(values.size());
  ScatteredFloats::Reader(values).Read(together.size(), together.data());
  return CheckFinite(field, absl::MakeConstSpan(together), std::move(inner_sizes));
}

absl::Status CheckFlags(const std::string& field, absl::Span<const uint8_t> flags, std::vector<size_t> inner_sizes) {
  if (!AnyOf(flags, [](uint8_t flag) { return static_cast<uint8_t>(flag & 0xFE); })) return absl::OkStatus();
  const auto bad = std::ranges::find_if(flags, [](uint8_t flag) { return flag > 1; });
  return Invalid(field, Place(bad - flags.begin(), inner_sizes), ": came ", static_cast<int>(*bad),
                 ", expected 0 or 1");
}

// What CheckDiscreteActions asks, without saying what is wrong. Where an allowed action was chosen, one is allowed.
bool DiscreteActionsAreGood(const AgentGroupSpec& group, const ReceivedGroup& view) {
  const size_t N = group.action_size, steps = view.discrete_actions.size();
  bool bad = false;
  for (size_t i = 0; i < steps; ++i) {
    const bool in_range = static_cast<uint32_t>(view.discrete_actions[i]) < N;
    const size_t action = in_range ? view.discrete_actions[i] : 0;
    const bool forbidden = view.action_masks[i * N + action] == 0;
    const bool impossible = view.log_probabilities[i] > kLogProbabilityRounding;
    bad |= (in_range ^ true) | ((view.alive[i] != 0) & (forbidden | impossible));
  }
  for (size_t i = steps; i < view.alive.size(); ++i) {
    const uint8_t* const mask = &view.action_masks[i * N];
    bad |= view.alive[i] != 0 && std::find(mask, mask + N, 1) == mask + N;
  }
  return !bad;
}

absl::Status CheckDiscreteActions(const std::string& field, const AgentGroupSpec& group, size_t copies,
                                  const ReceivedGroup& view) {
  if (DiscreteActionsAreGood(group, view)) return absl::OkStatus();
  const size_t A = group.num_agents(), N = group.action_size;
  for (size_t i = 0; i < view.alive.size(); ++i) {
    if (view.alive[i] == 0) continue;
    const uint8_t* const mask = &view.action_masks[i * N];
    if (std::find(mask, mask + N, 1) == mask + N) {
      return Invalid(field, ".action_masks", Place(i, {copies, A}), ": allows no action, expected at least one");
    }
  }
  for (size_t i = 0; i < view.discrete_actions.size(); ++i) {
    const int32_t action = view.discrete_actions[i];
    if (action < 0 || action >= group.action_size) {
      return Invalid(field, ".actions", Place(i, {copies, A}), ": came ", action, ", expected [0, ", N, ")");
    }
    if (view.alive[i] == 0) continue;
    if (view.action_masks[i * N + action] == 0) {
      return Invalid(field, ".actions", Place(i, {copies, A}), ": came ", action,
                     ", which action_masks does not allow");
    }
    if (view.log_probabilities[i] > kLogProbabilityRounding) {
      return Invalid(field, ".log_probabilities", Place(i, {copies, A}), ": came ", view.log_probabilities[i],
                     ", expected at most 0");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckGroup(const std::string& field, const AgentGroupSpec& group, size_t copies,
                        const ReceivedGroup& view) {
  const size_t E = copies, A = group.num_agents(), O = group.observation_size, N = group.action_size;
  RETURN_IF_ERROR(CheckFinite(field + ".observations", view.observations, {E, A, O}));
  RETURN_IF_ERROR(CheckFinite(field + ".actions", view.continuous_actions, {E, A, N}));
  RETURN_IF_ERROR(CheckFinite(field + ".log_probabilities", view.log_probabilities, {E, A}));
  RETURN_IF_ERROR(CheckFinite(field + ".rewards", view.rewards, {E, A}));
  RETURN_IF_ERROR(CheckFinite(field + ".final_observations", view.final_observations, {A, O}));
  RETURN_IF_ERROR(CheckFlags(field + ".action_masks", view.action_masks, {E, A, N}));
  RETURN_IF_ERROR(CheckFlags(field + ".alive", view.alive, {E, A}));
  if (group.action_kind == ActionKind::kContinuous) return absl::OkStatus();
  return CheckDiscreteActions(field, group, copies, view);
}

absl::Status CheckEndings(ChunkShape shape, const ReceivedChunkView& view) {
  const size_t E = shape.copies;
  RETURN_IF_ERROR(CheckFlags("terminated", view.terminated, {E}));
  RETURN_IF_ERROR(CheckFlags("truncated", view.truncated, {E}));
  size_t k = 0;
  const size_t num_truncated = view.truncated_at.size() / 2;
  for (size_t i = 0; i < view.truncated.size(); ++i) {
    if (view.truncated[i] == 0) continue;
    if (view.terminated[i] != 0) {
      return Invalid("truncated", Place(i, {E}), ": came 1 where terminated is 1, expected one of them");
    }
    if (k < num_truncated && (view.truncated_at[2 * k] != static_cast<int32_t>(i / E) ||
                              view.truncated_at[2 * k + 1] != static_cast<int32_t>(i % E))) {
      return Invalid("truncated_at[", k, "]: came [", view.truncated_at[2 * k], ", ", view.truncated_at[2 * k + 1],
                     "], expected ", Place(i, {E}), " as in truncated");
    }
    ++k;
  }
  if (k != num_truncated) {
    return Invalid("truncated_at.shape: came ", num_truncated, " rows, expected ", k,
                   ", one per set place of truncated");
  }
  return absl::OkStatus();
}

absl::Status CheckFinishedEpisode(const EnvironmentSpec& spec, ChunkShape shape, const std::string& field,
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
  RETURN_IF_ERROR(CheckFinite(field + ".group_returns", episode.group_returns(), {}));
  return CheckFinite(field + ".statistics", episode.statistics(), {});
}

absl::Status CheckSeconds(const std::string& field, double seconds) {
  if (std::isfinite(seconds) && seconds >= 0) return absl::OkStatus();
  return Invalid(field, ": came ", seconds, ", expected a finite number, at least 0");
}

}  // namespace

absl::Status CheckChunkValues(const EnvironmentSpec& spec, ChunkShape shape, const wire::Chunk& chunk,
                              const ReceivedChunkView& view) {
  const size_t E = shape.copies, S = spec.state_extras_size;
  for (size_t g = 0; g < spec.groups.size(); ++g) {
    RETURN_IF_ERROR(CheckGroup(absl::StrCat("groups[", g, "]"), spec.groups[g], shape.copies, view.groups[g]));
  }
  RETURN_IF_ERROR(CheckFinite("state_extras", view.state_extras, {E, S}));
  RETURN_IF_ERROR(CheckFinite("final_state_extras", view.final_state_extras, {S}));
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
