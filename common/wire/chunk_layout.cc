#include "common/wire/chunk_layout.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/self_play_settings.h"
#include "common/specs/algorithm_card.h"
#include "common/wire/chunk_bytes.h"

namespace troupe {
namespace {

// The sender's K, bounded by the rollout.
absl::StatusOr<uint32_t> CountTruncated(const ChunkShape& shape, const wire::Tensor& truncated_at) {
  const uint32_t most = static_cast<uint32_t>(shape.rollout_length) * shape.copies;
  if (truncated_at.shape_size() != 2 || truncated_at.shape(0) > most) {
    return absl::InvalidArgumentError(
        absl::StrCat("truncated_at.shape: came ", truncated_at.shape_size(), " dimensions",
                     truncated_at.shape_size() > 0 ? absl::StrCat(", the first ", truncated_at.shape(0)) : "",
                     ", expected [K, 2] with K at most ", most));
  }
  return truncated_at.shape(0);
}

// Allocates the tensors of `which` rows.
template <typename Which>
void AllocateRows(const EnvironmentSpec& spec, const ChunkShape& shape, uint32_t num_truncated, wire::Chunk* chunk,
                  MutableChunkView* view, const Which& which) {
  for (size_t g = 0; g < spec.groups.size(); ++g) {
    AllocateTensors(GroupSizes(spec, shape, g, num_truncated), chunk->mutable_groups(static_cast<int>(g)),
                    &view->groups[g], which);
  }
  AllocateTensors(JointSizes(spec, shape, num_truncated), chunk, view, which);
}

// `where`: as ViewTensors asks, of the group and of what is joint.
template <typename View, typename WhereOfGroup, typename Where>
absl::StatusOr<View> ViewFrom(const EnvironmentSpec& spec, const ChunkShape& shape, const wire::Chunk& chunk,
                              const WhereOfGroup& where_of_group, const Where& where) {
  if (chunk.groups_size() != static_cast<int>(spec.groups.size())) {
    return absl::InvalidArgumentError(
        absl::StrCat("groups: came ", chunk.groups_size(), " groups, expected ", spec.groups.size()));
  }
  ASSIGN_OR_RETURN(const uint32_t num_truncated, CountTruncated(shape, chunk.truncated_at()));
  View view;
  view.groups.resize(spec.groups.size());
  for (size_t g = 0; g < spec.groups.size(); ++g) {
    RETURN_IF_ERROR(ViewTensors(absl::StrCat("groups[", g, "]."), GroupSizes(spec, shape, g, num_truncated),
                                chunk.groups(static_cast<int>(g)), where_of_group(g), &view.groups[g]));
  }
  RETURN_IF_ERROR(ViewTensors("", JointSizes(spec, shape, num_truncated), chunk, where, &view));
  return view;
}

}  // namespace

ChunkShape ChunkShapeOf(const Experiment& experiment, const std::vector<PolicySpec>& policies) {
  const CollectionSettings& collection = experiment.collection();
  ChunkShape shape{.rollout_length = static_cast<int>(collection.rollout_length()),
                   .copies = static_cast<int>(collection.copies_per_shard()),
                   .half_observations = collection.half_observations()};
  const absl::StatusOr<const AlgorithmCard*> card = FindAlgorithmCard(experiment.algorithm().name());
  shape.asks_who_lives = experiment.critic().attention_heads() > 0 || experiment.critic().death_masking();
  if (card.ok()) shape.left_out = OptionalFieldsBut((*card)->trajectory_fields);
  shape.values_actions = card.ok() && (*card)->values_actions;
  shape.asks_who_lives |= shape.values_actions;
  shape.meets_saved = HasPool(experiment.self_play());
  for (const PolicySpec& policy : policies) {
    shape.network_states.push_back(
        {.state_size = policy.stack.state_size(), .sequence_length = static_cast<int>(collection.sequence_length())});
    shape.options.push_back({policy.options.count, policy.options.steps});
  }
  return shape;
}

MutableChunkView AllocateChunk(const EnvironmentSpec& spec, const ChunkShape& shape, wire::Chunk* chunk) {
  const int num_groups = static_cast<int>(spec.groups.size());
  while (chunk->groups_size() > num_groups) chunk->mutable_groups()->RemoveLast();
  while (chunk->groups_size() < num_groups) chunk->add_groups();
  chunk->clear_episodes();

  MutableChunkView view;
  view.groups.resize(num_groups);
  AllocateRows(spec, shape, /*num_truncated=*/0, chunk, &view, [](const TrajectoryField&) { return true; });
  return view;
}

absl::Span<uint16_t> HalfObservations(wire::GroupTrajectory* group) {
  std::string* const data = group->mutable_observations()->mutable_data();
  return absl::MakeSpan(reinterpret_cast<uint16_t*>(data->data()), data->size() / sizeof(uint16_t));
}

void AllocateTruncated(const EnvironmentSpec& spec, const ChunkShape& shape, int num_truncated, wire::Chunk* chunk,
                       MutableChunkView* view) {
  AllocateRows(spec, shape, num_truncated, chunk, view,
               [](const TrajectoryField& field) { return field.rows == FieldRows::kTruncated; });
}

absl::StatusOr<ChunkView> ViewChunk(const EnvironmentSpec& spec, const ChunkShape& shape, const wire::Chunk& chunk) {
  const GroupTensors<InMessage, InMessage, InMessage> group;
  const JointTensors<InMessage, InMessage, InMessage> joint;
  return ViewFrom<ChunkView>(
      spec, shape, chunk, [&](size_t) -> const auto& { return group; }, joint);
}

absl::StatusOr<ReceivedChunkView> ViewChunk(const EnvironmentSpec& spec, const ChunkShape& shape,
                                            const ReceivedChunk& received) {
  return ViewFrom<ReceivedChunkView>(
      spec, shape, received.chunk, [&](size_t g) -> const auto& { return received.groups[g]; }, received);
}

size_t MaxChunkBytes(const EnvironmentSpec& spec, const ChunkShape& shape) {
  return ChunkBytes(spec, shape, size_t{static_cast<uint32_t>(shape.rollout_length)} * shape.copies);
}

size_t ChunkBytes(const EnvironmentSpec& spec, const ChunkShape& shape, size_t truncated_episodes) {
  // A tensor's type, shape, byte count and tags; the chunk's own numbers; an episode's numbers and tags.
  constexpr size_t kTensorOverhead = 64, kChunkOverhead = 128, kEpisodeOverhead = 72;
  const uint32_t num_truncated = static_cast<uint32_t>(truncated_episodes);
  size_t bytes = kChunkOverhead;
  for (size_t g = 0; g < spec.groups.size(); ++g) {
    bytes += BytesOfTensors<GroupTensors<ConstSpan<float>, ConstSpan<int32_t>, ConstSpan<uint8_t>>>(
        GroupSizes(spec, shape, g, num_truncated), kTensorOverhead);
  }
  bytes += BytesOfTensors<ChunkView>(JointSizes(spec, shape, num_truncated), kTensorOverhead);
  return bytes + truncated_episodes * (kEpisodeOverhead + sizeof(float) * (spec.groups.size() + spec.num_statistics()));
}

}  // namespace troupe
