// A signal to stop before and after every step of training, and of the checkpoints written beside it.
#include <string>

#include "absl/strings/str_cat.h"
#include "common/threads/shutdown.h"
#include "gtest/gtest.h"
#include "tests/interleavings/orders.h"
#include "tests/learner/run_harness.h"

namespace troupe::testing {
namespace {

constexpr int kUpdatesBeforeStop = 3;

Experiment StoppedExperiment() { return TinyExperiment("checkpoint { interval_env_steps: 8 }"); }

// Trains to the end without being stopped.
std::string UndisturbedWeights() {
  TinyRun run;
  TinyProcess process(run, StoppedExperiment());
  return process.Run().value().weights_sha256;
}

// A learner that trains a few updates, a checkpoint each, and then has no batch until it is to stop.
class StoppedWorld {
 public:
  StoppedWorld() : process_(run_, StoppedExperiment()) {
    process_.parts.stop_requested = [this] { return shutdown_.requested(); };
    process_.server.next_batch = [this, given = 0]() mutable {
      if (++given <= kUpdatesBeforeStop) return absl::OkStatus();
      EXPECT_TRUE(shutdown_.WaitFor(absl::Minutes(1))) << "nobody asks it to stop";
      return absl::DeadlineExceededError("no batch");
    };
  }

  void Train() { result_ = process_.Run(); }
  void Stop() { shutdown_.Request(); }

  // It stopped in good order, its newest checkpoint is of its last update, and the run goes on from there to the same
  // weights.
  void Finish(const std::string& weights) {
    ASSERT_TRUE(result_.ok()) << result_.status();
    EXPECT_FALSE(result_->finished);
    EXPECT_TRUE(result_->kept.ok()) << result_->kept;
    const auto numbered = run_.store().List().value();
    ASSERT_FALSE(numbered.empty());
    EXPECT_EQ(numbered.back().first, result_->counters.update);
    EXPECT_LE(static_cast<int>(numbered.size()), run_.keep);
    TinyProcess next(run_, StoppedExperiment());
    EXPECT_EQ(next.start.counters.update, result_->counters.update);
    EXPECT_EQ(next.refused, std::vector<std::string>());
    const auto rest = next.Run();
    ASSERT_TRUE(rest.ok()) << rest.status();
    EXPECT_TRUE(rest->finished);
    EXPECT_EQ(rest->weights_sha256, weights);
  }

 private:
  TinyRun run_;
  ShutdownSignal shutdown_;
  TinyProcess process_;
  absl::StatusOr<TrainingResult> result_ = absl::UnknownError("Run did not return");
};

enum class Role { kTraining, kWriter, kSignals };

struct Row {
  const char* name;
  const char* event;
  Role role;
};

const Row kStop = {"ask to stop", "shutdown.request", Role::kSignals};
// An event is tried before and after that by having a row here.
const Row kRows[] = {
    {"look whether to stop", "update.look", Role::kTraining},
    {"train", "update.train", Role::kTraining},
    {"pass a checkpoint", "update.checkpoint", Role::kTraining},
    {"give a checkpoint", "checkpoint.give", Role::kTraining},
    {"write a checkpoint", "file.write", Role::kWriter},
    {"rename a checkpoint", "file.rename", Role::kWriter},
    {"prune", "checkpoint.prune", Role::kWriter},
    {"note", "checkpoint.note", Role::kWriter},
    {"settle", "checkpoint.settle", Role::kWriter},
};

TEST(RunOrders, AStopBeforeAndAfterEveryStep) {
  const std::string weights = UndisturbedWeights();
  for (const Row& row : kRows) {
    for (const bool stop_first : {true, false}) {
      SCOPED_TRACE(absl::StrCat(stop_first ? "stop, then " : "stop after ", row.name));
      StoppedWorld world;
      const Act step = {.name = row.name,
                        .event = row.event,
                        .body = [&world] { world.Train(); },
                        .own_thread = row.role == Role::kWriter};
      const Act stop = {.name = kStop.name, .event = kStop.event, .body = [&world] { world.Stop(); }};
      EXPECT_EQ(RunInOrder(step, stop, !stop_first), Came::kInOrder);
      world.Finish(weights);
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace troupe::testing
