#include "common/wire/chunk_layout.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "common/wire/chunk_bytes.h"

namespace troupe {
namespace {

using Shape = std::vector<uint32_t>;

// One tensor of a chunk: where it is, what it must be.
struct TensorLayout {
  wire::DataType type;
  Shape shape;

  size_t num_elements() const {
    size_t count = 1;
    for (const uint32_t size : shape) count *= size;
    return count;
  }
  size_t num_bytes() const { return num_elements() * (type == wire::UINT8 ? 1 : type == wire::FLOAT16 ? 2 : 4); }
};

struct GroupLayout {
  TensorLayout observations, actions, log_probabilities, rewards, action_masks, alive, final_observations;
  bool discrete;
};

struct Layout {
  std::vector<GroupLayout> groups;
  TensorLayout state_extras, terminated, truncated, truncated_at, final_state_extras;
};

Layout MakeLayout(const EnvironmentSpec& spec, ChunkShape shape, uint32_t num_truncated) {
  const uint32_t T = shape.rollout_length, E = shape.copies, K = num_truncated, S = spec.state_extras_size;
  Layout layout;
  for (const AgentGroupSpec& group : spec.groups) {
    const uint32_t A = group.num_agents(), O = group.observation_size, N = group.action_size;
    const bool discrete = group.action_kind == ActionKind::kDiscrete;
    layout.groups.push_back({
        .observations = {shape.half_observations ? wire::FLOAT16 : wire::FLOAT32, {T + 1, E, A, O}},
        .actions = discrete ? TensorLayout{wire::INT32, {T, E, A}} : TensorLayout{wire::FLOAT32, {T, E, A, N}},
        .log_probabilities = {wire::FLOAT32, {T, E, A}},
        .rewards = {wire::FLOAT32, {T, E, A}},
        .action_masks = {wire::UINT8, {T + 1, E, A, N}},
        .alive = {wire::UINT8, {T + 1, E, A}},
        .final_observations = {wire::FLOAT32, {K, A, O}},
        .discrete = discrete,
    });
  }
  layout.state_extras = {wire::FLOAT32, {T + 1, E, S}};
  layout.terminated = {wire::UINT8, {T, E}};
  layout.truncated = {wire::UINT8, {T, E}};
  layout.truncated_at = {wire::INT32, {K, 2}};
  layout.final_state_extras = {wire::FLOAT32, {K, S}};
  return layout;
}

template <typename T>
absl::Span<T> Allocate(const TensorLayout& layout, wire::Tensor* tensor) {
  tensor->set_data_type(layout.type);
  tensor->mutable_shape()->Assign(layout.shape.begin(), layout.shape.end());
  std::string* const data = tensor->mutable_data();
  data->resize(layout.num_bytes());
  return absl::MakeSpan(reinterpret_cast<T*>(data->data()), layout.num_elements());
}

// Checks one received tensor's type, shape and number of bytes.
absl::Status CheckTensor(const std::string& field, const TensorLayout& layout, const wire::Tensor& tensor,
                         size_t num_bytes) {
  if (tensor.data_type() != layout.type) {
    return absl::InvalidArgumentError(absl::StrCat(field, ".data_type: came ", static_cast<int>(tensor.data_type()),
                                                   ", expected ", wire::DataType_Name(layout.type), " (",
                                                   static_cast<int>(layout.type), ")"));
  }
  if (!std::equal(layout.shape.begin(), layout.shape.end(), tensor.shape().begin(), tensor.shape().end())) {
    constexpr int kShown = 8;
    const int shown = std::min(tensor.shape_size(), kShown);
    return absl::InvalidArgumentError(absl::StrCat(
        field, ".shape: came [", absl::StrJoin(tensor.shape().begin(), tensor.shape().begin() + shown, ", "),
        tensor.shape_size() > kShown ? ", …" : "", "], expected [", absl::StrJoin(layout.shape, ", "), "]"));
  }
  if (num_bytes != layout.num_bytes()) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ".data: came ", num_bytes, " bytes, expected ", layout.num_bytes()));
  }
  return absl::OkStatus();
}

// Checks a tensor and points the view at the message's own bytes.
template <typename T>
absl::Status View(const std::string& field, const TensorLayout& layout, const wire::Tensor& tensor,
                  absl::Span<const T>* view) {
  RETURN_IF_ERROR(CheckTensor(field, layout, tensor, tensor.data().size()));
  *view = absl::MakeConstSpan(reinterpret_cast<const T*>(tensor.data().data()), layout.num_elements());
  return absl::OkStatus();
}

// Where the large tensors are: in the message …
struct InMessage {
  using Large = absl::Span<const float>;
  const wire::Chunk& chunk;

  absl::Status Observations(size_t group, const std::string& field, const TensorLayout& layout, Large* view) const {
    const wire::Tensor& tensor = chunk.groups(static_cast<int>(group)).observations();
    if (layout.type == wire::FLOAT16) return CheckTensor(field, layout, tensor, tensor.data().size());
    return View(field, layout, tensor, view);
  }
  absl::Status StateExtras(const TensorLayout& layout, Large* view) const {
    return View("state_extras", layout, chunk.state_extras(), view);
  }
};

// … or beside it.
struct BesideMessage {
  using Large = ScatteredFloats;
  const ReceivedChunk& received;

  static absl::Status ViewPieces(const std::string& field, const TensorLayout& layout, const wire::Tensor& tensor,
                                 const ReceivedChunk::Bytes& bytes, Large* view) {
    size_t num_bytes = 0;
    for (const absl::string_view piece : bytes) num_bytes += piece.size();
    RETURN_IF_ERROR(CheckTensor(field, layout, tensor, num_bytes));
    *view = ScatteredFloats(bytes, layout.type == wire::FLOAT16 ? FloatFormat::kHalf : FloatFormat::kFloat32);
    return absl::OkStatus();
  }
  absl::Status Observations(size_t group, const std::string& field, const TensorLayout& layout, Large* view) const {
    return ViewPieces(field, layout, received.chunk.groups(static_cast<int>(group)).observations(),
                      received.observations[group], view);
  }
  absl::Status StateExtras(const TensorLayout& layout, Large* view) const {
    return ViewPieces("state_extras", layout, received.chunk.state_extras(), received.state_extras, view);
  }
};

template <typename Large>
absl::Status ViewGroup(const std::string& field, const GroupLayout& layout, const wire::GroupTrajectory& message,
                       GroupChunkViewOf<const float, const int32_t, const uint8_t, Large>* view) {
  if (layout.discrete) {
    RETURN_IF_ERROR(View(field + ".actions", layout.actions, message.actions(), &view->discrete_actions));
    RETURN_IF_ERROR(View(field + ".action_masks", layout.action_masks, message.action_masks(), &view->action_masks));
  } else {
    RETURN_IF_ERROR(View(field + ".actions", layout.actions, message.actions(), &view->continuous_actions));
    if (message.action_masks().shape_size() != 0 || !message.action_masks().data().empty()) {
      return absl::InvalidArgumentError(absl::StrCat(field, ".action_masks: came ",
                                                     message.action_masks().data().size(),
                                                     " bytes, expected none: the group's actions are continuous"));
    }
  }
  RETURN_IF_ERROR(View(field + ".log_probabilities", layout.log_probabilities, message.log_probabilities(),
                       &view->log_probabilities));
  RETURN_IF_ERROR(View(field + ".rewards", layout.rewards, message.rewards(), &view->rewards));
  RETURN_IF_ERROR(View(field + ".alive", layout.alive, message.alive(), &view->alive));
  return View(field + ".final_observations", layout.final_observations, message.final_observations(),
              &view->final_observations);
}

// The sender's K, bounded by the rollout.
absl::StatusOr<uint32_t> CountTruncated(ChunkShape shape, const wire::Tensor& truncated_at) {
  const uint32_t most = static_cast<uint32_t>(shape.rollout_length) * shape.copies;
  if (truncated_at.shape_size() != 2 || truncated_at.shape(0) > most) {
    return absl::InvalidArgumentError(
        absl::StrCat("truncated_at.shape: came ", truncated_at.shape_size(), " dimensions",
                     truncated_at.shape_size() > 0 ? absl::StrCat(", the first ", truncated_at.shape(0)) : "",
                     ", expected [K, 2] with K at most ", most));
  }
  return truncated_at.shape(0);
}

template <typename Source>
absl::StatusOr<ChunkViewOf<const float, const int32_t, const uint8_t, typename Source::Large>> ViewFrom(
    const EnvironmentSpec& spec, ChunkShape shape, const wire::Chunk& chunk, const Source& large) {
  if (chunk.groups_size() != static_cast<int>(spec.groups.size())) {
    return absl::InvalidArgumentError(
        absl::StrCat("groups: came ", chunk.groups_size(), " groups, expected ", spec.groups.size()));
  }
  ASSIGN_OR_RETURN(const uint32_t num_truncated, CountTruncated(shape, chunk.truncated_at()));
  const Layout layout = MakeLayout(spec, shape, num_truncated);
  ChunkViewOf<const float, const int32_t, const uint8_t, typename Source::Large> view;
  view.groups.resize(layout.groups.size());
  for (size_t g = 0; g < layout.groups.size(); ++g) {
    const std::string field = absl::StrCat("groups[", g, "]");
    RETURN_IF_ERROR(
        large.Observations(g, field + ".observations", layout.groups[g].observations, &view.groups[g].observations));
    RETURN_IF_ERROR(ViewGroup(field, layout.groups[g], chunk.groups(static_cast<int>(g)), &view.groups[g]));
  }
  RETURN_IF_ERROR(large.StateExtras(layout.state_extras, &view.state_extras));
  RETURN_IF_ERROR(View("terminated", layout.terminated, chunk.terminated(), &view.terminated));
  RETURN_IF_ERROR(View("truncated", layout.truncated, chunk.truncated(), &view.truncated));
  RETURN_IF_ERROR(View("truncated_at", layout.truncated_at, chunk.truncated_at(), &view.truncated_at));
  RETURN_IF_ERROR(
      View("final_state_extras", layout.final_state_extras, chunk.final_state_extras(), &view.final_state_extras));
  return view;
}

}  // namespace

ChunkShape ChunkShapeOf(const CollectionSettings& collection) {
  return {.rollout_length = static_cast<int>(collection.rollout_length()),
          .copies = static_cast<int>(collection.copies_per_shard()),
          .half_observations = collection.half_observations()};
}

MutableChunkView AllocateChunk(const EnvironmentSpec& spec, ChunkShape shape, wire::Chunk* chunk) {
  const Layout layout = MakeLayout(spec, shape, /*num_truncated=*/0);
  const int num_groups = static_cast<int>(layout.groups.size());
  while (chunk->groups_size() > num_groups) chunk->mutable_groups()->RemoveLast();
  while (chunk->groups_size() < num_groups) chunk->add_groups();
  chunk->clear_episodes();

  MutableChunkView view;
  for (int g = 0; g < num_groups; ++g) {
    const GroupLayout& group = layout.groups[g];
    wire::GroupTrajectory* const message = chunk->mutable_groups(g);
    auto& into = view.groups.emplace_back();
    if (shape.half_observations) {
      Allocate<uint16_t>(group.observations, message->mutable_observations());
    } else {
      into.observations = Allocate<float>(group.observations, message->mutable_observations());
    }
    if (group.discrete) {
      into.discrete_actions = Allocate<int32_t>(group.actions, message->mutable_actions());
      into.action_masks = Allocate<uint8_t>(group.action_masks, message->mutable_action_masks());
    } else {
      into.continuous_actions = Allocate<float>(group.actions, message->mutable_actions());
      message->clear_action_masks();
    }
    into.log_probabilities = Allocate<float>(group.log_probabilities, message->mutable_log_probabilities());
    into.rewards = Allocate<float>(group.rewards, message->mutable_rewards());
    into.alive = Allocate<uint8_t>(group.alive, message->mutable_alive());
  }
  view.state_extras = Allocate<float>(layout.state_extras, chunk->mutable_state_extras());
  view.terminated = Allocate<uint8_t>(layout.terminated, chunk->mutable_terminated());
  view.truncated = Allocate<uint8_t>(layout.truncated, chunk->mutable_truncated());
  AllocateTruncated(spec, 0, chunk, &view);
  return view;
}

absl::Span<uint16_t> HalfObservations(wire::GroupTrajectory* group) {
  std::string* const data = group->mutable_observations()->mutable_data();
  return absl::MakeSpan(reinterpret_cast<uint16_t*>(data->data()), data->size() / sizeof(uint16_t));
}

void AllocateTruncated(const EnvironmentSpec& spec, int num_truncated, wire::Chunk* chunk, MutableChunkView* view) {
  const Layout layout = MakeLayout(spec, ChunkShape{}, num_truncated);
  for (size_t g = 0; g < layout.groups.size(); ++g) {
    view->groups[g].final_observations =
        Allocate<float>(layout.groups[g].final_observations, chunk->mutable_groups(g)->mutable_final_observations());
  }
  view->truncated_at = Allocate<int32_t>(layout.truncated_at, chunk->mutable_truncated_at());
  view->final_state_extras = Allocate<float>(layout.final_state_extras, chunk->mutable_final_state_extras());
}

absl::StatusOr<ChunkView> ViewChunk(const EnvironmentSpec& spec, ChunkShape shape, const wire::Chunk& chunk) {
  return ViewFrom(spec, shape, chunk, InMessage{chunk});
}

absl::StatusOr<ReceivedChunkView> ViewChunk(const EnvironmentSpec& spec, ChunkShape shape,
                                            const ReceivedChunk& received) {
  return ViewFrom(spec, shape, received.chunk, BesideMessage{received});
}

size_t MaxChunkBytes(const EnvironmentSpec& spec, ChunkShape shape) {
  return ChunkBytes(spec, shape, size_t{static_cast<uint32_t>(shape.rollout_length)} * shape.copies);
}

size_t ChunkBytes(const EnvironmentSpec& spec, ChunkShape shape, size_t truncated_episodes) {
  const Layout layout = MakeLayout(spec, shape, static_cast<uint32_t>(truncated_episodes));
  // A tensor's type, shape, byte count and tags; the chunk's own numbers; an episode's numbers and tags.
  constexpr size_t kTensorOverhead = 64, kChunkOverhead = 128, kEpisodeOverhead = 48;
  size_t bytes = kChunkOverhead;
  for (const GroupLayout& group : layout.groups) {
    for (const TensorLayout* tensor : {&group.observations, &group.actions, &group.log_probabilities, &group.rewards,
                                       &group.action_masks, &group.alive, &group.final_observations}) {
      bytes += tensor->num_bytes() + kTensorOverhead;
    }
  }
  for (const TensorLayout* tensor : {&layout.state_extras, &layout.terminated, &layout.truncated, &layout.truncated_at,
                                     &layout.final_state_extras}) {
    bytes += tensor->num_bytes() + kTensorOverhead;
  }
  return bytes + truncated_episodes * (kEpisodeOverhead + sizeof(float) * (spec.groups.size() + spec.num_statistics()));
}

}  // namespace troupe
