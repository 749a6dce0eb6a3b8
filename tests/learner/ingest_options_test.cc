// What a chunk says of options is held to what can be before anything is trained on it.
#include <functional>
#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/ingest/chunk_admission.h"
#include "tests/support/chunk_in_pieces.h"
#include "tests/support/chunk_maker.h"

namespace troupe {
namespace {

using ::testing::StartsWith;
using troupe::testing::MakeChunk;
using troupe::testing::TwoGroupSpec;

constexpr int kSteps = 4, kCopies = 3, kAgents = 2;

// Of the walkers alone: three options, each followed for two steps.
ChunkShape Shape() { return {.rollout_length = kSteps, .copies = kCopies, .options = {{3, 2}, {}}}; }

// Every walker chooses option 1 at steps 0 and 2.
wire::Chunk Chunk() {
  wire::Chunk chunk = MakeChunk(TwoGroupSpec(), Shape(), {}, 1);
  wire::GroupTrajectory& walkers = *chunk.mutable_groups(0);
  auto* const options = reinterpret_cast<int32_t*>(walkers.mutable_options()->mutable_data()->data());
  auto* const chosen = reinterpret_cast<float*>(walkers.mutable_option_log_probabilities()->mutable_data()->data());
  auto* const states = reinterpret_cast<float*>(walkers.mutable_option_states()->mutable_data()->data());
  for (int i = 0; i < (kSteps + 1) * kCopies * kAgents; ++i) {
    const int t = i / (kCopies * kAgents);
    states[2 * i] = t == 0 ? 0.0f : 1.0f;
    states[2 * i + 1] = t == 0 ? 0.0f : t % 2 == 0 ? 2.0f : 1.0f;
    if (t == kSteps) continue;
    options[i] = 1;
    chosen[i] = t % 2 == 0 ? -1.0f : 0.0f;
  }
  return chunk;
}

absl::Status Check(const wire::Chunk& chunk) {
  const testing::ChunkInPieces received(chunk, /*piece_bytes=*/101);
  return CheckChunk(TwoGroupSpec(), Shape(), received.get()).status();
}

template <typename T>
T* Data(wire::Tensor* tensor) {
  return reinterpret_cast<T*>(tensor->mutable_data()->data());
}

TEST(ChunksWithOptions, AreAdmittedAndHaveNoMoreTensorsThanTheirGroupNeeds) {
  const wire::Chunk chunk = Chunk();
  EXPECT_TRUE(Check(chunk).ok()) << Check(chunk);
  EXPECT_FALSE(chunk.groups(1).has_options());
  wire::Chunk more = chunk;
  *more.mutable_groups(1)->mutable_options() = chunk.groups(0).options();
  EXPECT_THAT(std::string(Check(more).message()), StartsWith("groups[1].options"));
  wire::Chunk without = chunk;
  without.mutable_groups(0)->clear_option_states();
  EXPECT_THAT(std::string(Check(without).message()), StartsWith("groups[0].option_states"));
}

struct Spoilt {
  std::string name;
  std::function<void(wire::GroupTrajectory&)> spoil;
  std::string message;
};

class SpoiltOptions : public ::testing::TestWithParam<Spoilt> {};

TEST_P(SpoiltOptions, AreRefusedWithTheirFieldAndPlace) {
  wire::Chunk chunk = Chunk();
  GetParam().spoil(*chunk.mutable_groups(0));
  const absl::Status status = Check(chunk);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(status.message()), "groups[0]." + GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    All, SpoiltOptions,
    ::testing::Values(
        Spoilt{"Option", [](auto& of) { Data<int32_t>(of.mutable_options())[7] = 3; },
               "options[1, 0, 1]: came 3, expected [0, 3)"},
        Spoilt{"NegativeOption", [](auto& of) { Data<int32_t>(of.mutable_options())[0] = -1; },
               "options[0, 0, 0]: came -1, expected [0, 3)"},
        Spoilt{"Changed", [](auto& of) { Data<int32_t>(of.mutable_options())[6] = 2; },
               "options[1, 0, 0]: came 2, expected 1, which is still followed"},
        Spoilt{"Held", [](auto& of) { Data<float>(of.mutable_option_states())[12] = 3; },
               "option_states[1, 0, 0]: came 3 for 1 steps, expected whole numbers in [0, 3) and [0, 2]"},
        Spoilt{"LastHeld", [](auto& of) { Data<float>(of.mutable_option_states())[2 * 24] = -1; },
               "option_states[4, 0, 0]: came -1 for 2 steps, expected whole numbers in [0, 3) and [0, 2]"},
        Spoilt{"Age", [](auto& of) { Data<float>(of.mutable_option_states())[13] = 2.5f; },
               "option_states[1, 0, 0]: came 1 for 2.5 steps, expected whole numbers in [0, 3) and [0, 2]"},
        Spoilt{"NanAge",
               [](auto& of) { Data<float>(of.mutable_option_states())[1] = std::numeric_limits<float>::quiet_NaN(); },
               "option_states[0, 0, 0]: came 0 for nan steps, expected whole numbers in [0, 3) and [0, 2]"},
        Spoilt{"Certain", [](auto& of) { Data<float>(of.mutable_option_log_probabilities())[1] = 0.5f; },
               "option_log_probabilities[0, 0, 1]: came 0.5, expected at most 0"},
        Spoilt{"Infinite",
               [](auto& of) {
                 Data<float>(of.mutable_option_log_probabilities())[1] = -std::numeric_limits<float>::infinity();
               },
               "option_log_probabilities[0, 0, 1]: came -inf, expected a finite number"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace troupe
