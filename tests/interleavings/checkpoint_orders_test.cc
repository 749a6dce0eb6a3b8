// Every step of writing a checkpoint before and after everything that the training thread gives, and what somebody
// reads meanwhile.
#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/config/experiment_loader.h"
#include "common/files/atomic_file.h"
#include "common/specs/actor_file.h"
#include "common/specs/policy_spec.h"
#include "gtest/gtest.h"
#include "learner/checkpoint/checkpoint_writer.h"
#include "learner/export/export_actors.h"
#include "tests/common/temporary_folder.h"
#include "tests/interleavings/orders.h"
#include "tests/support/chunk_maker.h"

namespace troupe::testing {
namespace {

constexpr int kKept = 1;

Checkpoint After(uint64_t update) {
  Checkpoint checkpoint{.run_id = "id", .environment = TwoGroupSpec()};
  checkpoint.experiment = ParseExperiment(
                              "name: 'tiny' total_env_steps: 800 environment { name: 'two_groups' } "
                              "policy { hidden_sizes: [4] }",
                              "tiny", {})
                              .value();
  checkpoint.counters.update = update;
  checkpoint.counters.env_steps = 8 * update;
  checkpoint.policy.policy_version = update;
  const std::vector<PolicySpec> specs = MakePolicySpecs(checkpoint.experiment, checkpoint.environment).value();
  for (const PolicySpec& spec : specs) {
    for (const DenseStackSpec::Parameter& parameter : spec.Parameters()) {
      HostTensor tensor{absl::StrCat(spec.group, "/", parameter.name), DataType::kFloat32, parameter.shape, {}};
      const std::vector<float> values(tensor.num_elements(), static_cast<float>(update));
      checkpoint.policy.tensors.push_back(HostTensor::Float32(tensor.name, tensor.shape, values.data()));
    }
  }
  return checkpoint;
}

// A run folder whose newest checkpoint is of update 1, the best of update 1 too.
class CheckpointWorld {
 public:
  CheckpointWorld() {
    for (const char* name : {"checkpoints", "actors"}) EXPECT_TRUE(MakeFolder(folder_ / name).ok());
    writer_ = std::make_unique<CheckpointWriter>(CheckpointStore(folder_ / "checkpoints", kKept), folder_ / "actors",
                                                 [](const CheckpointWrite& write) { EXPECT_TRUE(write.status.ok()); });
    Give();
    GiveBest();
    Flush();
  }

  void Give() { writer_->Write(std::make_shared<const Checkpoint>(After(++given_))); }
  void GiveBest() {
    best_ = given_;
    writer_->WriteBest(std::make_shared<const Checkpoint>(After(best_)));
  }
  void Flush() {
    const absl::Status status = writer_->Flush();
    EXPECT_TRUE(status.ok()) << status;
    // What was given on this thread before.
    EXPECT_TRUE(FileExists(CheckpointStore(folder_ / "checkpoints", kKept).PathOf(given_)).value());
  }
  void Close() { writer_ = nullptr; }
  void Export() {
    const auto exported =
        ExportActors(folder_.path(), "last", ActorFormat::kSafetensors, folder_ / "exported.safetensors");
    EXPECT_TRUE(exported.ok()) << exported.status();
  }

  // What was given last is there, whole, and nothing else.
  void Finish() {
    Close();
    const CheckpointStore store(folder_ / "checkpoints", kKept);
    const auto numbered = store.List().value();
    ASSERT_EQ(numbered.size(), kKept);
    EXPECT_EQ(numbered.back().first, given_);
    const auto newest = ReadCheckpoint(numbered.back().second);
    ASSERT_TRUE(newest.ok()) << newest.status();
    EXPECT_EQ(newest->policy.tensors, After(given_).policy.tensors);
    const auto best = store.LoadBest("id");
    ASSERT_TRUE(best.ok() && best->has_value()) << best.status();
    EXPECT_EQ((*best)->counters.update, best_);
    for (const auto& [name, update] : {std::pair("last", given_), std::pair("best", best_)}) {
      const auto actors = ReadActorFile(folder_ / absl::StrCat("actors/", name, ".safetensors"));
      ASSERT_TRUE(actors.ok()) << actors.status();
      EXPECT_EQ(actors->weights.policy_version, update);
    }
    for (const char* where : {"checkpoints", "actors"}) {
      const std::vector<std::string> names = ListFolder(folder_ / where).value();
      for (const std::string& name : names) {
        EXPECT_FALSE(absl::StrContains(name, ".tmp.")) << name;
      }
    }
  }

 private:
  TemporaryFolder folder_;
  uint64_t given_ = 0, best_ = 0;
  std::unique_ptr<CheckpointWriter> writer_;
};

enum class Role { kTraining, kWriter, kReader };

struct Row {
  const char* name;
  const char* event;
  Role role;
  void (CheckpointWorld::*act)();
  bool waits = false;  // for the writer to be done with what was given
};

// An event is in all pairs by having a row here.
const Row kRows[] = {
    {"give", "checkpoint.give", Role::kTraining, &CheckpointWorld::Give},
    {"give the best", "checkpoint.give_best", Role::kTraining, &CheckpointWorld::GiveBest},
    {"flush", "checkpoint.flush", Role::kTraining, &CheckpointWorld::Flush, true},
    {"close", "checkpoint.close", Role::kTraining, &CheckpointWorld::Close},
    {"write", "file.write", Role::kWriter, &CheckpointWorld::Give},
    {"rename", "file.rename", Role::kWriter, &CheckpointWorld::Give},
    {"prune", "checkpoint.prune", Role::kWriter, &CheckpointWorld::Give},
    {"note", "checkpoint.note", Role::kWriter, &CheckpointWorld::Give},
    {"settle", "checkpoint.settle", Role::kWriter, &CheckpointWorld::Give},
    {"export", "checkpoint.read", Role::kReader, &CheckpointWorld::Export},
};

Act ActOf(const Row& row, CheckpointWorld& world) {
  return {.name = row.name,
          .event = row.event,
          .body = [&row, &world] { (world.*row.act)(); },
          .own_thread = row.role == Role::kWriter,
          .waits = row.waits};
}

TEST(CheckpointOrders, EveryPairBothWays) {
  int orders = 0;
  for (const Row& one : kRows) {
    for (const Row& other : kRows) {
      // Of the writer's thread and the one that gives it work, the latter drives both.
      if (one.role == other.role || (one.role == Role::kWriter && other.role == Role::kTraining)) continue;
      for (const bool one_first : {true, false}) {
        SCOPED_TRACE(absl::StrCat(one_first ? one.name : other.name, ", then ", one_first ? other.name : one.name));
        CheckpointWorld world;
        const bool one_thread = one.role == Role::kTraining && other.role == Role::kWriter;
        if (one_first && one.waits && other.role == Role::kWriter) {
          // It ends after the writer's event, which is held meanwhile.
          EXPECT_FALSE(EndsWithout(ActOf(one, world), ActOf(other, world)));
        } else {
          EXPECT_EQ(RunInOrder(ActOf(one, world), ActOf(other, world), one_first, one_thread), Came::kInOrder);
        }
        world.Finish();
        if (HasFailure()) return;
        ++orders;
      }
    }
  }
  EXPECT_EQ(orders, 2 * (4 * 5 + 2 * (4 + 5)));
}

}  // namespace
}  // namespace troupe::testing
