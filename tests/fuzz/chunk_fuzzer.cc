// A peer's chunk: any bytes are parsed, alone, on top of a good chunk and as the learner reads a message, and viewed;
// every number of a view that is given out must be readable and the view's sizes those of the spec.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "common/wire/chunk_layout.h"
#include "common/wire/message_reader.h"
#include "tests/common/test_specs.h"

namespace troupe {
namespace {

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

// The bytes as a message, in pieces whose size they choose themselves.
void ReadAndView(const EnvironmentSpec& spec, absl::string_view bytes) {
  std::vector<absl::string_view> pieces;
  const size_t piece_bytes = bytes.empty() ? 1 : 1 + static_cast<uint8_t>(bytes.back());
  for (size_t at = 0; at < bytes.size(); at += piece_bytes) pieces.push_back(bytes.substr(at, piece_bytes));
  ReceivedMessage received;
  if (!ReadMessage(pieces, &received).ok() || !received.has_chunk) return;
  const auto view = ViewChunk(spec, Shape(), received.chunk);
  if (!view.ok()) return;
  std::vector<float> values(view->groups[0].observations.size());
  ScatteredFloats::Reader(view->groups[0].observations).Read(values.size(), values.data());
  volatile double sum = Sum(absl::MakeConstSpan(values));
  sum = sum + (view->state_extras.AllFinite() ? 1 : 0);
}

}  // namespace
}  // namespace troupe

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto& spec = *new troupe::EnvironmentSpec(troupe::TwoGroupSpec());
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  troupe::wire::Chunk received;
  if (received.ParseFromString(bytes)) troupe::ViewAndReadAll(spec, received);
  troupe::wire::Chunk good;
  troupe::AllocateChunk(spec, troupe::Shape(), &good);
  // Merging appends to repeated fields: groups and shapes too many, bytes replaced.
  if (good.MergeFromString(bytes)) troupe::ViewAndReadAll(spec, good);
  troupe::ReadAndView(spec, bytes);
  return 0;
}
