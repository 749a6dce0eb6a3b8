#include "common/wire/trajectory_fields.h"

namespace troupe {
namespace {

FieldSizes CommonSizes(const ChunkShape& shape, uint32_t truncated) {
  return {.steps = static_cast<uint32_t>(shape.rollout_length),
          .copies = static_cast<uint32_t>(shape.copies),
          .truncated = truncated,
          .asks_who_lives = shape.asks_who_lives,
          .half_observations = shape.half_observations,
          .meets_saved = shape.meets_saved,
          .left_out = shape.left_out};
}

}  // namespace

FieldSizes GroupSizes(const EnvironmentSpec& spec, const ChunkShape& shape, size_t group, uint32_t truncated) {
  const AgentGroupSpec& agents = spec.groups[group];
  FieldSizes sizes = CommonSizes(shape, truncated);
  sizes.agents = agents.num_agents();
  sizes.observation_size = agents.observation_size;
  sizes.action_size = agents.action_size;
  sizes.num_choices = agents.num_choices();
  sizes.action_sizes = agents.action_sizes;
  sizes.discrete = agents.action_kind == ActionKind::kDiscrete;
  sizes.continuous = agents.action_kind == ActionKind::kContinuous;
  sizes.multi_discrete = agents.action_kind == ActionKind::kMultiDiscrete;
  sizes.has_masks = agents.has_masks();
  sizes.values_actions = shape.values_actions && sizes.has_masks;
  sizes.remembers = group < shape.network_states.size() && shape.network_states[group].state_size > 0;
  if (sizes.remembers) {
    sizes.state_size = shape.network_states[group].state_size;
    sizes.sequence_length = shape.network_states[group].sequence_length;
  }
  sizes.has_options = group < shape.options.size() && shape.options[group].count > 0;
  if (sizes.has_options) {
    sizes.num_options = shape.options[group].count;
    sizes.option_steps = shape.options[group].steps;
  }
  return sizes;
}

FieldSizes JointSizes(const EnvironmentSpec& spec, const ChunkShape& shape, uint32_t truncated) {
  FieldSizes sizes = CommonSizes(shape, truncated);
  sizes.state_extras_size = spec.state_extras_size;
  return sizes;
}

absl::string_view WhyNot(const TrajectoryField& field, const FieldSizes& sizes) {
  if (field.only_where.holds != nullptr && !(sizes.*field.only_where.holds)) return field.only_where.otherwise;
  return "the run's algorithm does not ask for them";
}

uint32_t RowsOf(const TrajectoryField& field, const FieldSizes& sizes) {
  switch (field.rows) {
    case FieldRows::kSteps:
      return sizes.steps;
    case FieldRows::kObserved:
      return sizes.steps + 1;
    case FieldRows::kSequenceStarts:
      return (sizes.steps + sizes.sequence_length - 1) / sizes.sequence_length;
    case FieldRows::kTruncated:
      break;
  }
  return sizes.truncated;
}

std::vector<uint32_t> ShapeOf(const TrajectoryField& field, const FieldSizes& sizes) {
  std::vector<uint32_t> shape = {RowsOf(field, sizes)};
  if (field.rows != FieldRows::kTruncated) shape.push_back(sizes.copies);
  if (field.per_agent) shape.push_back(sizes.agents);
  if (field.width != nullptr) shape.push_back(sizes.*field.width);
  return shape;
}

size_t NumElements(const TrajectoryField& field, const FieldSizes& sizes) {
  if (!Exists(field, sizes)) return 0;
  size_t count = 1;
  for (const uint32_t size : ShapeOf(field, sizes)) count *= size;
  return count;
}

std::vector<absl::string_view> OptionalFieldsBut(const std::vector<std::string>& wanted) {
  std::vector<absl::string_view> others;
  const auto visit = [&](const TrajectoryField& field) {
    if (field.optional && std::ranges::find(wanted, field.name) == wanted.end()) others.push_back(field.name);
  };
  GroupFields::ForEach(visit);
  JointFields::ForEach(visit);
  return others;
}

}  // namespace troupe
