#include "actor_worker/environments/episode_buffers.h"

#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace troupe {

EpisodeBuffers::EpisodeBuffers(const EnvironmentSpec& spec, int num_copies)
    : groups(spec.groups.size()), copies(num_copies) {
  const size_t extras = spec.state_extras_size;
  state_extras.resize(num_copies * extras);
  row.state_extras = absl::MakeSpan(state_extras);
  for (int c = 0; c < num_copies; ++c) {
    copies[c].observation.state_extras = absl::MakeSpan(state_extras).subspan(c * extras, extras);
  }
  for (size_t g = 0; g < groups.size(); ++g) {
    const AgentGroupSpec& of = spec.groups[g];
    const bool masked = of.has_masks();
    const size_t agents = of.num_agents(), seen = agents * of.observation_size, numbers = agents * of.action_size,
                 indices = agents * of.num_choices();
    Group& group = groups[g];
    group.observations.resize(num_copies * seen);
    group.action_masks.resize(masked ? num_copies * numbers : 0, 1);
    group.alive.resize(num_copies * agents, 1);
    group.discrete.resize(num_copies * indices);
    group.continuous.resize(masked ? 0 : num_copies * numbers);
    group.rewards.resize(num_copies * agents);
    group.sampled.resize(group.continuous.size());
    group.log_probabilities.resize(num_copies * agents);
    row.groups.push_back(
        {absl::MakeSpan(group.observations), absl::MakeSpan(group.action_masks), absl::MakeSpan(group.alive)});
    for (int c = 0; c < num_copies; ++c) {
      const auto part = [c](auto& values, size_t size) {
        return values.empty() ? absl::MakeSpan(values) : absl::MakeSpan(values).subspan(c * size, size);
      };
      Copy& copy = copies[c];
      copy.observation.groups.push_back(
          {part(group.observations, seen), part(group.action_masks, numbers), part(group.alive, agents)});
      copy.discrete.push_back(part(group.discrete, indices));
      copy.continuous.push_back(part(group.continuous, numbers));
      copy.action.groups.push_back({copy.discrete.back(), copy.continuous.back()});
      copy.outcome.rewards.push_back(part(group.rewards, agents));
    }
  }
}

absl::Status CheckFinite(const EnvironmentSpec& spec, const EpisodeBuffers::Copy& copy) {
  const auto check = [](absl::Span<const float> values, const std::string& what) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (!std::isfinite(values[i])) {
        return absl::InternalError(
            absl::StrCat(what, " is ", values[i], " at element ", i, ", expected finite numbers"));
      }
    }
    return absl::OkStatus();
  };
  for (size_t g = 0; g < spec.groups.size(); ++g) {
    RETURN_IF_ERROR(
        check(copy.observation.groups[g].observations, absl::StrCat("observation of group ", spec.groups[g].name)));
    RETURN_IF_ERROR(check(copy.outcome.rewards[g], absl::StrCat("reward of group ", spec.groups[g].name)));
  }
  return check(copy.observation.state_extras, "state extras");
}

}  // namespace troupe
