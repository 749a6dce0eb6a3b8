#include "learner/checkpoint/checkpoint_store.h"

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/checkpoint/resume_check.h"
#include "learner/export/export_actors.h"
#include "learner/export/inspect.h"
#include "tests/learner/run_harness.h"

namespace troupe::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Checkpoint CheckpointAfter(uint64_t update) {
  CallLog log;
  const Experiment experiment = TinyExperiment();
  const FakeAlgorithm algorithm(experiment, &log);
  Checkpoint checkpoint{"id", experiment, TinyEnvironment(), {}, {{7, 8}, update * 2}, {}, {}};
  checkpoint.counters = {update, update * 8, 1.5, 4, BestEvaluation{-0.1, 3, 24}};
  const float value = 0.5f + update;
  checkpoint.algorithm_state = {HostTensor::Float32("updates", {1}, &value)};
  checkpoint.policy = algorithm.ExportPolicy(update);
  return checkpoint;
}

void Cut(const std::string& path) { std::filesystem::resize_file(path, std::filesystem::file_size(path) - 5); }

std::vector<uint64_t> Numbers(const CheckpointStore& store) {
  std::vector<uint64_t> numbers;
  for (const auto& [update, path] : store.List()) numbers.push_back(update);
  return numbers;
}

TEST(Checkpoint, ComesBackAsItWas) {
  TinyRun run;
  CheckpointStore store = run.store();
  const Checkpoint written = CheckpointAfter(12);
  ASSERT_TRUE(store.Write(written).ok());
  const auto read = ReadCheckpoint(run.folder / "checkpoints/000000000012.safetensors");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->run_id, "id");
  EXPECT_EQ(read->counters, written.counters);
  EXPECT_EQ(read->ingest.lease_epochs, written.ingest.lease_epochs);
  EXPECT_EQ(read->ingest.chunks_trained, 24);
  EXPECT_EQ(read->environment, written.environment);
  EXPECT_EQ(FormatExperiment(read->experiment), FormatExperiment(written.experiment));
  EXPECT_EQ(read->algorithm_state, written.algorithm_state);
  EXPECT_EQ(read->policy.tensors, written.policy.tensors);
  EXPECT_EQ(read->policy.policy_version, 12);
}

TEST(Checkpoint, OtherFilesAreRefusedByName) {
  TinyRun run;
  ASSERT_TRUE(WriteSafetensors(run.folder / "x.safetensors", {{{"format", "pt"}}, {}}).ok());
  EXPECT_THAT(std::string(ReadCheckpoint(run.folder / "x.safetensors").status().message()),
              HasSubstr("x.safetensors: not a checkpoint: its format is \"pt\""));
  SafetensorsFile file = EncodeCheckpoint(CheckpointAfter(1));
  file.metadata["env_steps"] = "many";
  EXPECT_EQ(DecodeCheckpoint(file).status().message(), "metadata env_steps: \"many\" is not a whole number");
  file = EncodeCheckpoint(CheckpointAfter(1));
  file.metadata.erase("lease_epochs");
  EXPECT_EQ(DecodeCheckpoint(file).status().message(), "metadata entry \"lease_epochs\" is missing");
}

TEST(CheckpointStore, KeepsTheNewestAndTheBest) {
  TinyRun run;
  CheckpointStore store = run.store();
  ASSERT_TRUE(store.WriteBest(CheckpointAfter(1)).ok());
  for (const uint64_t update : {1, 2, 5, 9, 10}) ASSERT_TRUE(store.Write(CheckpointAfter(update)).ok());
  EXPECT_THAT(Numbers(store), ElementsAre(5, 9, 10));
  EXPECT_EQ(ReadCheckpoint(store.best_path())->counters.update, 1);
}

TEST(CheckpointStore, EmptyFolderHoldsNoCheckpointAndThatIsNoError) {
  TinyRun run;
  std::vector<std::string> refused;
  const auto newest = run.store().LoadNewest("id", &refused);
  ASSERT_TRUE(newest.ok());
  EXPECT_FALSE(newest->has_value());
}

TEST(CheckpointStore, DamagedNewestIsSetAsideAndThePreviousUsed) {
  TinyRun run;
  CheckpointStore store = run.store();
  for (const uint64_t update : {3, 4}) ASSERT_TRUE(store.Write(CheckpointAfter(update)).ok());
  Cut(store.PathOf(4));
  std::vector<std::string> refused;
  const auto newest = store.LoadNewest("id", &refused);
  ASSERT_TRUE(newest.ok()) << newest.status();
  EXPECT_EQ((*newest)->counters.update, 3);
  ASSERT_THAT(refused, SizeIs(1));
  EXPECT_THAT(refused[0], HasSubstr("unusable checkpoint passed over: "));
  EXPECT_THAT(refused[0], HasSubstr("000000000004.safetensors"));
  EXPECT_TRUE(std::filesystem::exists(store.PathOf(4) + ".damaged"));
  EXPECT_THAT(Numbers(store), ElementsAre(3));
}

TEST(CheckpointStore, EveryCutOfAFileIsNoticed) {
  TinyRun run;
  CheckpointStore store = run.store();
  ASSERT_TRUE(store.Write(CheckpointAfter(4)).ok());
  const std::string whole = ReadText(store.PathOf(4));
  for (size_t length = 0; length < whole.size(); length += 97) {
    std::ofstream(run.folder / "cut.safetensors", std::ios::trunc) << whole.substr(0, length);
    EXPECT_FALSE(ReadCheckpoint(run.folder / "cut.safetensors").ok()) << length;
  }
}

TEST(CheckpointStore, BestIsTheLastResortAndNothingUsableIsAnError) {
  TinyRun run;
  CheckpointStore store = run.store();
  ASSERT_TRUE(store.Write(CheckpointAfter(4)).ok());
  ASSERT_TRUE(store.WriteBest(CheckpointAfter(2)).ok());
  Cut(store.PathOf(4));
  std::vector<std::string> refused;
  EXPECT_EQ((*store.LoadNewest("id", &refused))->counters.update, 2);
  Cut(store.best_path());
  const auto newest = store.LoadNewest("id", &refused);
  EXPECT_TRUE(absl::IsDataLoss(newest.status()));
  EXPECT_THAT(std::string(newest.status().message()), HasSubstr("can be used"));
}

TEST(CheckpointStore, AnotherRunsCheckpointIsPassedOverButLeftAlone) {
  TinyRun run;
  CheckpointStore store = run.store();
  ASSERT_TRUE(store.Write(CheckpointAfter(4)).ok());
  std::vector<std::string> refused;
  EXPECT_FALSE(store.LoadNewest("other", &refused).ok());
  EXPECT_THAT(refused[0], HasSubstr("belongs to run id, this is run other"));
  EXPECT_THAT(Numbers(store), ElementsAre(4));
}

TEST(CheckpointWriter, AFailedWriteIsToldAndTheOlderFileStays) {
  TinyRun run;
  ASSERT_TRUE(run.store().Write(CheckpointAfter(1)).ok());
  std::vector<CheckpointWrite> writes;
  {
    CheckpointWriter writer(CheckpointStore(run.folder / "gone", 3), run.folder / "actors",
                            [&writes](const CheckpointWrite& write) { writes.push_back(write); });
    writer.Write(std::make_shared<const Checkpoint>(CheckpointAfter(2)));
    writer.Flush();
  }
  ASSERT_THAT(writes, SizeIs(1));
  EXPECT_FALSE(writes[0].status.ok());
  EXPECT_EQ(writes[0].update, 2);
  EXPECT_THAT(Numbers(run.store()), ElementsAre(1));
}

TEST(CheckpointWriter, ARunWhoseFolderVanishesWarnsAndGoesOn) {
  TinyRun run;
  TinyProcess process(run, TinyExperiment("checkpoint { interval_env_steps: 8 }"));
  process.parts.stop_requested = [&] {
    if (process.algorithm.updates() == 2) std::filesystem::remove_all(run.folder / "checkpoints");
    return false;
  };
  const auto result = process.Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->finished);
  EXPECT_THAT(process.Printed(), HasSubstr("not written, the one before stays: "));
  EXPECT_THAT(process.Series(), HasSubstr("troupe_checkpoints_total{result=\"failed\"}"));
}

TEST(ResumeCheck, DecisiveFieldsAreNamedWithBothValues) {
  const Experiment before = TinyExperiment();
  Experiment now = before;
  now.mutable_ppo()->set_clip(0.25);
  now.mutable_policy()->set_hidden_sizes(0, 16);
  const absl::Status status = CheckResumable(before, now);
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("ppo.clip: 0.2 -> 0.25"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("policy.hidden_sizes[0]: 4 -> 16"));
}

TEST(ResumeCheck, FreeFieldsMayChangeAndTotalStepsMayGrowOnly) {
  const Experiment before = TinyExperiment();
  Experiment now = before;
  now.set_total_env_steps(before.total_env_steps() + 1);
  now.mutable_checkpoint()->set_keep(9);
  now.mutable_evaluation()->set_episodes(99);
  now.mutable_collection()->set_lease_timeout_seconds(99);
  now.mutable_compute()->set_device(CPU);
  now.mutable_compute()->set_precision(BF16);
  EXPECT_TRUE(CheckResumable(before, now).ok());
  now.set_total_env_steps(before.total_env_steps() - 1);
  EXPECT_THAT(std::string(CheckResumable(before, now).message()),
              HasSubstr("total_env_steps may only grow: the run has 80"));
}

TEST(Export, WritesTheActorsOfTheCheckpointAskedFor) {
  TinyRun run;
  ASSERT_TRUE(run.store().Write(CheckpointAfter(3)).ok());
  ASSERT_TRUE(run.store().Write(CheckpointAfter(4)).ok());
  const auto said = ExportActors(run.folder.path(), "last", run.folder / "out.safetensors");
  ASSERT_TRUE(said.ok()) << said.status();
  const auto actors = ReadActorFile(run.folder / "out.safetensors");
  ASSERT_TRUE(actors.ok()) << actors.status();
  EXPECT_EQ(actors->env_steps, 32);
  EXPECT_EQ(actors->weights.policy_version, 4);
  EXPECT_EQ(actors->weights.tensors, CheckpointAfter(4).policy.tensors);
  ASSERT_TRUE(ExportActors("", run.store().PathOf(3), run.folder / "out.safetensors").ok());
  EXPECT_EQ(ReadActorFile(run.folder / "out.safetensors")->weights.policy_version, 3);
  EXPECT_TRUE(absl::IsNotFound(ExportActors(run.folder.path(), "best", run.folder / "out.safetensors").status()));
}

TEST(Inspect, PrintsCountersAndTensors) {
  TinyRun run;
  ASSERT_TRUE(run.store().Write(CheckpointAfter(3)).ok());
  const auto text = DescribeFile(run.store().PathOf(3));
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_THAT(*text, HasSubstr("env_steps: 24\n"));
  EXPECT_THAT(*text, HasSubstr("total_env_steps: 80"));
  EXPECT_THAT(*text, HasSubstr("FLOAT32 [1]  mean 3.5, largest magnitude 3.5"));
}

}  // namespace
}  // namespace troupe::testing
