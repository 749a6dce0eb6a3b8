// IQL, VDN, QMIX and PQN-VDN whose agents remember, on what cannot be done without.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/algorithms/recall_task.h"

namespace troupe {
namespace {

constexpr char kRemembering[] = "policy { hidden_sizes: [16] recurrent_cell: GRU recurrent_size: 16 } ";
constexpr char kForgetful[] = "policy { hidden_sizes: [16] } ";
// Sequences over pieces' edges, long enough to hold an episode of five steps wherever they begin.
constexpr char kReplay[] =
    "q_learning { learning_rate: 0.005 discount: 0.9 minibatch_size: 160 gradient_steps: 6 target_interval: 30 "
    "learning_starts: 500 replay_bytes: 1000000 replay_sequence_length: 10 ";

AlgorithmContext Context(const std::string& algorithm, const std::string& policy, const std::string& settings,
                         int sequence_length = 4) {
  return RecallTask::Context("algorithm { name: \"" + algorithm + "\" } " + policy + settings, sequence_length);
}

TEST(RecurrentValues, RecallWhatTheySawAndFeedForwardOnesDoNot) {
  for (const std::string algorithm : {"iql", "vdn", "qmix"}) {
    const std::string settings = absl::StrCat(kReplay, "}");
    EXPECT_GT(LearnToRecall(Context(algorithm, kRemembering, settings), RecallTask::End::kTerminates, 100), 0.99)
        << algorithm << ": 1 is the optimum";
    EXPECT_LT(LearnToRecall(Context(algorithm, kForgetful, settings), RecallTask::End::kTerminates, 100), 0.6)
        << algorithm << ": 0.5 is chance";
  }
}

TEST(RecurrentValues, RecallWhenEpisodesAreCutAndWithBurnInAndPriorities) {
  EXPECT_GT(LearnToRecall(Context("vdn", kRemembering, absl::StrCat(kReplay, "burn_in: 3 priority_exponent: 0.6 }")),
                          RecallTask::End::kTruncates, 100),
            0.99);
}

TEST(RecurrentValues, PqnRecallsWithinItsSequences) {
  // Of eight steps, which hold an episode of five now and then.
  EXPECT_GT(LearnToRecall(Context("pqn_vdn", kRemembering, "pqn { learning_rate: 0.01 discount: 0.9 epochs: 4 }", 8),
                          RecallTask::End::kTerminates, 300),
            0.95);
}

}  // namespace
}  // namespace troupe
