// A peer's chunk: any bytes are parsed, alone, on top of a good chunk and as the learner reads a message, and viewed,
// checked and copied into a batch; every number of a view that is given out must be readable and the view's sizes those
// of the spec.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/wire/chunk_layout.h"
#include "common/wire/message_reader.h"
#include "learner/ingest/chunk_admission.h"
#include "learner/ingest/chunk_copy.h"
#include "tests/common/test_specs.h"
#include "tests/support/chunk_maker.h"

namespace troupe {
namespace {

const EnvironmentSpec& Spec() {
  static const auto& spec = *new EnvironmentSpec(TwoGroupSpec());
  return spec;
}

// The first group's network remembers, the second one's does not.
const ChunkShape& Shape() {
  static const auto& shape =
      *new ChunkShape{.rollout_length = 3, .copies = 2, .network_states = {{.state_size = 5, .sequence_length = 2}}};
  return shape;
}

template <typename T>
double Sum(absl::Span<const T> span) {
  double sum = 0;
  for (const T value : span) sum += static_cast<double>(value);
  return sum;
}

void ViewAndReadAll(const EnvironmentSpec& spec, const wire::Chunk& chunk) {
  const auto view = ViewChunk(spec, Shape(), chunk);
  if (!view.ok()) {
    if (view.status().code() != absl::StatusCode::kInvalidArgument || view.status().message().size() > 1000) abort();
    return;
  }
  if (view->terminated.size() != 6 || view->groups[0].observations.size() != 4 * 2 * 3 * 4) abort();
  volatile double sum = Sum(view->state_extras) + Sum(view->terminated) + Sum(view->truncated) +
                        Sum(view->truncated_at) + Sum(view->final_state_extras);
  for (const auto& group : view->groups) {
    sum = sum + Sum(group.observations) + Sum(group.discrete_actions) + Sum(group.multi_discrete_actions) +
          Sum(group.continuous_actions) + Sum(group.log_probabilities) + Sum(group.rewards) + Sum(group.action_masks) +
          Sum(group.alive) + Sum(group.final_observations) + Sum(group.network_states);
  }
}

// The bytes as a message, in pieces whose size they choose themselves, as far as the learner takes them: into a batch.
bool ReadCheckAndCopy(const EnvironmentSpec& spec, absl::string_view bytes) {
  std::vector<absl::string_view> pieces;
  const size_t piece_bytes = bytes.empty() ? 1 : 1 + static_cast<uint8_t>(bytes.back());
  for (size_t at = 0; at < bytes.size(); at += piece_bytes) pieces.push_back(bytes.substr(at, piece_bytes));
  ReceivedMessage received;
  if (!ReadMessage(pieces, LimitsOfChunks(spec, Shape()), &received).ok() || !received.has_chunk) return false;
  const auto view = CheckChunk(spec, Shape(), received.chunk);
  if (!view.ok()) {
    if (view.status().code() != absl::StatusCode::kInvalidArgument || view.status().message().size() > 1000) abort();
    return false;
  }
  static TrainingBatch& batch = *[&spec] {
    auto* const made = new TrainingBatch;
    AllocateBatch(spec, Shape(), /*num_chunks=*/2, made);
    return made;
  }();
  TruncatedEpisodes truncated;
  CopyColumns(spec, Shape(), *view, /*block=*/1, &batch);
  CopyTruncated(*view, Shape(), /*block=*/1, &truncated);
  return true;
}

// Good chunks, where mutation begins: random bytes get no further than the first tensor's shape.
std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    wire::WorkerMessage message;
    *message.mutable_chunk() = testing::MakeChunk(Spec(), Shape(), {}, seed);
    for (auto& group : *message.mutable_chunk()->mutable_groups()) {
      float* const states = reinterpret_cast<float*>(group.mutable_network_states()->mutable_data()->data());
      std::fill_n(states, group.network_states().data().size() / sizeof(float), 0.25f);
    }
    seeds.push_back(message.SerializeAsString());
    if (!ReadCheckAndCopy(Spec(), seeds.back())) abort();
  }
  return seeds;
}

}  // namespace
}  // namespace troupe

// The seeds become files of a folder of their own, which is one more that libFuzzer reads.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  static std::string folder = (std::filesystem::temp_directory_path() / "chunk_seeds_XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) abort();
  int number = 0;
  for (const std::string& seed : troupe::Seeds()) {
    std::ofstream(folder + "/" + std::to_string(++number), std::ios::binary) << seed;
  }
  static std::vector<char*> arguments(*argv, *argv + *argc);
  arguments.push_back(folder.data());
  arguments.push_back(nullptr);
  *argv = arguments.data();
  *argc += 1;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  troupe::wire::Chunk received;
  if (received.ParseFromString(bytes)) troupe::ViewAndReadAll(troupe::Spec(), received);
  troupe::wire::Chunk good;
  troupe::AllocateChunk(troupe::Spec(), troupe::Shape(), &good);
  // Merging appends to repeated fields: groups and shapes too many, bytes replaced.
  if (good.MergeFromString(bytes)) troupe::ViewAndReadAll(troupe::Spec(), good);
  troupe::ReadCheckAndCopy(troupe::Spec(), bytes);
  return 0;
}
