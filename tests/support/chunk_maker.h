// Chunks as a well-behaved worker would send them, with contents that depend on a seed alone.
#ifndef TROUPE_TESTS_SUPPORT_CHUNK_MAKER_H_
#define TROUPE_TESTS_SUPPORT_CHUNK_MAKER_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "common/base/random.h"
#include "common/specs/environment_spec.h"
#include "common/wire/chunk_layout.h"
#include "proto/trajectory.pb.h"

namespace troupe::testing {

// Two groups, one discrete (two agents, four actions) and one continuous, extras and one statistic.
inline EnvironmentSpec TwoGroupSpec() {
  EnvironmentSpec spec;
  spec.name = "two_groups";
  spec.groups = {{"walkers", {"a", "b"}, 3, ActionKind::kDiscrete, 4},
                 {"pilots", {"c"}, 2, ActionKind::kContinuous, 2}};
  spec.state_extras_size = 2;
  spec.statistics = {"distance"};
  return spec;
}

struct ChunkIdentity {
  uint32_t shard = 0;
  uint32_t lease_epoch = 1;
  uint64_t sequence = 0;
  uint64_t policy_version = 0;
};

// Copy 0 terminates at step 0; copy 1 (if there is one) is truncated at the last step. Both report an episode.
inline wire::Chunk MakeChunk(const EnvironmentSpec& spec, const ChunkShape& shape, ChunkIdentity identity,
                             uint64_t seed) {
  wire::Chunk chunk;
  chunk.set_shard(identity.shard);
  chunk.set_lease_epoch(identity.lease_epoch);
  chunk.set_sequence(identity.sequence);
  chunk.set_policy_version(identity.policy_version);
  RandomStream random(seed);
  const auto fill = [&random](absl::Span<float> values) {
    for (float& value : values) value = random.Uniform() - 0.5f;
  };
  MutableChunkView view = AllocateChunk(spec, shape, &chunk);
  std::ranges::fill(view.terminated, 0);
  std::ranges::fill(view.truncated, 0);
  view.terminated[0] = 1;
  const int last = shape.rollout_length - 1;
  const bool truncates = shape.copies > 1;
  if (truncates) view.truncated[last * shape.copies + 1] = 1;
  AllocateTruncated(spec, shape, truncates ? 1 : 0, &chunk, &view);
  if (truncates) {
    view.truncated_at[0] = last;
    view.truncated_at[1] = 1;
  }
  for (size_t g = 0; g < spec.groups.size(); ++g) {
    auto& group = view.groups[g];
    fill(group.observations);
    fill(group.continuous_actions);
    fill(group.rewards);
    fill(group.final_observations);
    fill(group.network_states);
    for (float& value : group.log_probabilities) value = -random.Uniform();
    std::ranges::fill(group.alive, 1);
    std::ranges::fill(group.final_alive, 1);
    std::ranges::fill(group.action_masks, 1);
    for (int32_t& action : group.discrete_actions)
      action = static_cast<int32_t>(random.Below(spec.groups[g].action_size));
    for (size_t i = 0; i < group.multi_discrete_actions.size(); ++i) {
      const int index = static_cast<int>(i) % spec.groups[g].num_choices();
      group.multi_discrete_actions[i] = static_cast<int32_t>(random.Below(spec.groups[g].choices_of(index)));
    }
  }
  fill(view.state_extras);
  fill(view.final_state_extras);
  for (int k = 0; k < (truncates ? 2 : 1); ++k) {
    wire::FinishedEpisode* const episode = chunk.add_episodes();
    episode->set_copy(k);
    episode->set_step(k == 0 ? 0 : last);
    episode->set_length(10 + k);
    for (size_t g = 0; g < spec.groups.size(); ++g) episode->add_group_returns(random.Uniform());
    for (int s = 0; s < spec.num_statistics(); ++s) episode->add_statistics(random.Uniform());
  }
  chunk.set_environment_seconds(0.5);
  chunk.set_inference_seconds(0.25);
  return chunk;
}

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_SUPPORT_CHUNK_MAKER_H_
