// A worker's message, from the wire into a batch: whatever protobuf's own parser makes of the bytes, the learner's
// reader makes the same or refuses; what passes the checks of values is copied, and nothing but its own columns is
// touched.
//
// Input: a byte that says which run it comes to, one that says how the network cuts it, a wire::WorkerMessage.
#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/wire/chunk_layout.h"
#include "common/wire/message_reader.h"
#include "learner/ingest/chunk_admission.h"
#include "learner/ingest/chunk_copy.h"
#include "tests/common/test_specs.h"
#include "tests/fuzz/support/byte_source.h"
#include "tests/fuzz/support/corpus.h"
#include "tests/fuzz/support/target.h"
#include "tests/support/chunk_maker.h"

namespace troupe::fuzz {
namespace {

constexpr int kBlocks = 2, kBlock = 1;

// What a chunk comes to.
struct Run {
  EnvironmentSpec spec;
  ChunkShape shape;
  MessageLimits limits;
};

std::vector<Run> MakeRuns() {
  ChunkShape every{.rollout_length = 3, .copies = 2, .half_observations = true, .values_actions = true};
  every.network_states = {{.state_size = 5, .sequence_length = 2}, {}, {.state_size = 1, .sequence_length = 3}};
  every.asks_who_lives = true;
  every.meets_saved = true;
  std::vector<Run> runs = {{TheRecordedRun().environment, TheRecordedRun().shape, {}},
                           {EveryActionKindSpec(), {.rollout_length = 3, .copies = 2}, {}},
                           {EveryActionKindSpec(), every, {}}};
  for (Run& run : runs) run.limits = LimitsOfChunks(run.spec, run.shape);
  return runs;
}

const std::vector<Run>& Runs() {
  static const auto& runs = *new std::vector<Run>(MakeRuns());
  return runs;
}

// Puts large tensors' bytes where protobuf puts them.
template <typename Tensors>
void JoinTensors(const Tensors& received, google::protobuf::Message* message) {
  ForEachField(
      [&](const TrajectoryField& field, const auto& where) {
        if constexpr (std::is_same_v<std::decay_t<decltype(where)>, TensorPieces>) {
          Must(TensorOf(*message, field.number).data().empty(), "a large tensor's bytes were copied");
          if (where.empty()) return;
          std::string* const bytes = MutableTensorOf(message, field.number)->mutable_data();
          for (const absl::string_view piece : where) bytes->append(piece.data(), piece.size());
        }
      },
      received);
}

wire::Chunk Whole(const ReceivedChunk& received) {
  wire::Chunk chunk = received.chunk;
  Must(received.groups.size() == static_cast<size_t>(chunk.groups_size()), "groups and their large tensors");
  for (int g = 0; g < chunk.groups_size(); ++g) JoinTensors(received.groups[g], chunk.mutable_groups(g));
  JoinTensors(received, &chunk);
  return chunk;
}

bool WithinLimits(const Run& run, const wire::Chunk& chunk) {
  const auto dimensions = [](const google::protobuf::Message& message, auto fields) {
    int most = 0;
    decltype(fields)::ForEach(
        [&](const TrajectoryField& field) { most = std::max(most, TensorOf(message, field.number).shape_size()); });
    return most;
  };
  int most = dimensions(chunk, JointFields());
  for (const auto& group : chunk.groups()) most = std::max(most, dimensions(group, GroupFields()));
  const ChunkCounts& counts = *run.limits.counts;
  return most <= 8 && static_cast<size_t>(chunk.groups_size()) <= counts.groups &&
         static_cast<size_t>(chunk.episodes_size()) <= counts.episodes &&
         std::ranges::all_of(chunk.episodes(),
                             [&](const auto& episode) { return episode.ByteSizeLong() <= counts.episode_bytes; });
}

// Holds what was read to protobuf's parser.
void CompareParsers(const Run& run, std::string_view bytes, const absl::Status& status,
                    const ReceivedMessage& received) {
  wire::WorkerMessage expected;
  const bool parses = status.ok() ? expected.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))
                                  : ParseWhole(bytes, &expected);
  expected.DiscardUnknownFields();
  if (!status.ok()) {
    MustRefuse(status);
    // A message as protobuf writes it, within the bounds, is not refused.
    if (!parses || expected.SerializeAsString() != bytes) return;
    const bool welcome = expected.has_chunk()
                             ? bytes.size() <= run.limits.chunk_bytes && WithinLimits(run, expected.chunk())
                             : bytes.size() <= run.limits.control_bytes;
    if (welcome) Must(false, absl::StrCat("refused what protobuf wrote: ", status.ToString()));
    return;
  }
  Must(parses, "the reader takes what protobuf does not");
  if (received.has_chunk) {
    wire::Chunk whole = Whole(received.chunk);
    Must(expected.has_chunk(), "a chunk that protobuf does not find");
    Must(whole.SerializeAsString() == expected.chunk().SerializeAsString(), "another chunk than protobuf reads");
  } else {
    wire::WorkerMessage message = received.message;
    message.DiscardUnknownFields();
    Must(!expected.has_chunk(), "a chunk that the reader does not find");
    Must(message.SerializeAsString() == expected.SerializeAsString(), "another message than protobuf reads");
  }
}

// Whether two views of one chunk, of the network's memory and of protobuf's, say the same: bit for bit, NaN too.
void CompareViews(const ReceivedChunkView& received, const ChunkView& whole, bool half) {
  const auto bytes = [](const auto& values) {
    return std::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0]));
  };
  const auto compare = [&](const TrajectoryField& field, const auto& one, const auto& other) {
    if constexpr (std::is_same_v<std::decay_t<decltype(one)>, ScatteredFloats>) {
      if (field.half && half) return;  // left empty in protobuf's
      std::vector<float> floats(one.size());
      ScatteredFloats::Reader(one).Read(floats.size(), floats.data());
      Must(bytes(floats) == bytes(other), field.name);
    } else {
      Must(bytes(one) == bytes(other), field.name);
    }
  };
  Must(received.groups.size() == whole.groups.size(), "groups");
  for (size_t g = 0; g < received.groups.size(); ++g) ForEachField(compare, received.groups[g], whole.groups[g]);
  ForEachField(compare, received, whole);
}

// Calls visit(row, the tensor) for every tensor of a batch.
template <typename Batch, typename Visit>
void ForEachTensor(Batch& batch, const Visit& visit) {
  for (auto& group : batch.groups) ForEachField(visit, group);
  ForEachField(visit, batch);
}

// Copies the checked chunk and looks at the batch.
void CopyAndLook(const Run& run, const ReceivedChunkView& view) {
  TrainingBatch batch;
  AllocateBatch(run.spec, run.shape, kBlocks, &batch);
  // Stands where nothing was copied to; no flag, no index, and nothing that a chunk with it would pass with.
  const auto unlike = []<typename T>(T) { return std::is_same_v<T, float> ? T(1e30) : T(-7); };
  ForEachTensor(batch, [&](const TrajectoryField& field, auto& tensor) {
    if (field.rows != FieldRows::kTruncated)
      std::ranges::fill(tensor, unlike(typename std::decay_t<decltype(tensor)>::value_type{}));
  });
  CopyColumns(run.spec, run.shape, view, kBlock, &batch);
  TruncatedEpisodes truncated;
  CopyTruncated(view, run.shape, kBlock, &truncated);
  ClearTruncated(&batch);
  AppendTruncated(truncated, &batch);
  ForEachTensor(batch, [&](const TrajectoryField& field, const auto& tensor) {
    using T = typename std::decay_t<decltype(tensor)>::value_type;
    if constexpr (std::is_same_v<T, float>) {
      Must(std::ranges::all_of(tensor, [](float value) { return std::isfinite(value); }), field.name);
    }
    if (field.rows != FieldRows::kTruncated) {
      Must(2 * std::ranges::count(tensor, unlike(T{})) == static_cast<std::ptrdiff_t>(tensor.size()), field.name);
    }
  });
  for (size_t k = 0; k + 1 < batch.truncated_at.size(); k += 2) {
    const int32_t step = batch.truncated_at[k], column = batch.truncated_at[k + 1];
    Must(step >= 0 && step < run.shape.rollout_length, "truncated_at: step");
    Must(column >= kBlock * run.shape.copies && column < (kBlock + 1) * run.shape.copies, "truncated_at: column");
  }
}

void RunChunk(std::string_view input) {
  ByteSource source(input);
  const Run& run = Runs()[source.Byte() % Runs().size()];
  const size_t piece_bytes = 1 + source.Byte();
  const std::string_view bytes = source.Rest();
  std::vector<absl::string_view> pieces;
  for (size_t at = 0; at < bytes.size(); at += piece_bytes) {
    pieces.emplace_back(bytes.data() + at, std::min(piece_bytes, bytes.size() - at));
  }
  ReceivedMessage received;
  const absl::Status status = ReadMessage(pieces, run.limits, &received);
  CompareParsers(run, bytes, status, received);
  if (!status.ok() || !received.has_chunk) return;

  const wire::Chunk whole = Whole(received.chunk);
  const auto view = ViewChunk(run.spec, run.shape, received.chunk);
  const auto expected = ViewChunk(run.spec, run.shape, whole);
  Must(view.status() == expected.status(), "two views of one chunk are not refused alike");
  if (!view.ok()) return MustRefuse(view.status());
  CompareViews(*view, *expected, run.shape.half_observations);
  const auto checked = CheckChunk(run.spec, run.shape, received.chunk);
  if (!checked.ok()) return MustRefuse(checked.status());
  CopyAndLook(run, *checked);
}

std::string Input(int run, uint8_t piece_bytes, const std::string& message) {
  return std::string{static_cast<char>(run), static_cast<char>(piece_bytes)} + message;
}

wire::WorkerMessage GoodChunk(const Run& run, uint64_t seed) {
  wire::WorkerMessage message;
  *message.mutable_chunk() = testing::MakeChunk(run.spec, run.shape, {1, 2, 3, 4}, seed);
  for (auto& group : *message.mutable_chunk()->mutable_groups()) {
    for (wire::Tensor* tensor : {group.mutable_final_action_masks(), group.mutable_learns()}) {
      std::ranges::fill(*tensor->mutable_data(), '\1');
    }
    if (group.final_action_masks().shape_size() == 0) group.clear_final_action_masks();
    if (group.learns().shape_size() == 0) group.clear_learns();
  }
  return message;
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds = {Input(0, 255, Recorded("worker_message.bin"))};
  for (int run = 0; run < static_cast<int>(Runs().size()); ++run) {
    const wire::WorkerMessage message = GoodChunk(Runs()[run], run);
    ReceivedMessage received;
    const std::string bytes = message.SerializeAsString();
    Must(ReadMessage({bytes}, Runs()[run].limits, &received).ok(), "a good chunk is read");
    const auto checked = CheckChunk(Runs()[run].spec, Runs()[run].shape, received.chunk);
    if (!checked.ok()) Must(false, absl::StrCat("a good chunk: ", checked.status().ToString()));
    seeds.push_back(Input(run, 100, bytes));
  }
  wire::WorkerMessage message;
  message.mutable_hello()->set_worker_id("worker-1-0a1b2c3d");
  seeds.push_back(Input(1, 3, message.SerializeAsString()));
  message.mutable_lease_failure()->set_error("it threw");
  message.mutable_lease_failure()->set_shard(1);
  seeds.push_back(Input(1, 3, message.SerializeAsString()));
  auto* const episode = message.mutable_evaluation_result()->add_episodes();
  episode->set_seed(7);
  episode->set_length(3);
  episode->add_group_returns(0.5);
  episode->add_statistics(1);
  seeds.push_back(Input(0, 50, message.SerializeAsString()));
  return seeds;
}

const Register kRegister({.name = "chunk",
                          .run = RunChunk,
                          .seeds = Seeds,
                          .most_bytes = 256 << 10,
                          .most_bytes_per_byte = 400,
                          .longest = 6144});

}  // namespace
}  // namespace troupe::fuzz
