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
  checkpoint.counters = {update, update * 8, 1.5, 4, BestEvaluation{-0.1, 3, 24, TinyBasis()}};
  const float value = 0.5f + update;
  checkpoint.algorithm_state = {HostTensor::Float32("updates", {1}, &value)};
  checkpoint.policy = algorithm.ExportPolicy({.update = update});
  checkpoint.policy.scalars = {{"epsilon", 0.1}, {"stage", 3}};
  return checkpoint;
}

void Cut(const std::string& path) { std::filesystem::resize_file(path, std::filesystem::file_size(path) - 5); }

std::vector<uint64_t> Numbers(const CheckpointStore& store) {
  std::vector<uint64_t> numbers;
  const auto listed = store.List();
  for (const auto& [update, path] : listed.value()) numbers.push_back(update);
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
  EXPECT_EQ(read->policy.scalars, written.policy.scalars);
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

TEST(Checkpoint, AnotherVersionsFileIsNoDamage) {
  TinyRun run;
  const std::string path = run.folder / "x.safetensors";
  SafetensorsFile file = EncodeCheckpoint(CheckpointAfter(1));
  file.metadata["format"] = "troupe-checkpoint/2";
  ASSERT_TRUE(WriteSafetensors(path, file).ok());
  EXPECT_TRUE(absl::IsUnimplemented(ReadCheckpoint(path).status()));
  EXPECT_THAT(std::string(ReadCheckpoint(path).status().message()),
              HasSubstr("written by another version of Troupe: its format is \"troupe-checkpoint/2\""));
  // A field that came later: the file is whole, so it is not damaged.
  file = EncodeCheckpoint(CheckpointAfter(1));
  file.metadata["experiment"] += "of_the_future: 1\n";
  ASSERT_TRUE(WriteSafetensors(path, file).ok());
  EXPECT_TRUE(absl::IsUnimplemented(ReadCheckpoint(path).status()));
  EXPECT_THAT(std::string(ReadCheckpoint(path).status().message()), HasSubstr("of_the_future"));
}

TEST(Checkpoint, AFlippedDigitOfACounterIsNotBelieved) {
  TinyRun run;
  CheckpointStore store = run.store();
  ASSERT_TRUE(store.Write(CheckpointAfter(12)).ok());
  std::string bytes = ReadText(store.PathOf(12));
  const size_t at = bytes.find("\"env_steps\":\"96\"");
  ASSERT_NE(at, std::string::npos);
  bytes[at + 13] = '8';
  std::ofstream(store.PathOf(12), std::ios::trunc) << bytes;
  const absl::Status status = ReadCheckpoint(store.PathOf(12)).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("header_checksum"));
}

TEST(Checkpoint, OneOfAnEarlierVersionStillOpens) {
  TinyRun run;
  CheckpointStore store = run.store();
  ASSERT_TRUE(store.Write(CheckpointAfter(12)).ok());
  std::string bytes = ReadText(store.PathOf(12));
  // Without the header's checksum and what the best value is of, as they were before both.
  bytes.replace(bytes.find(kHeaderChecksum), 6, "former");
  bytes.replace(bytes.find("best_statistic"), 4, "past");
  std::ofstream(store.PathOf(12), std::ios::trunc) << bytes;
  const auto read = ReadCheckpoint(store.PathOf(12));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->counters.best, (BestEvaluation{-0.1, 3, 24}));
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
  ASSERT_THAT(refused, SizeIs(2));
  EXPECT_THAT(refused[0], HasSubstr("unusable checkpoint passed over: "));
  EXPECT_THAT(refused[0], HasSubstr("000000000004.safetensors"));
  EXPECT_EQ(refused[1], absl::StrCat("set aside as ", store.PathOf(4), ".damaged"));
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

TEST(CheckpointStore, BestIsTheLastResort) {
  TinyRun run;
  CheckpointStore store = run.store();
  ASSERT_TRUE(store.Write(CheckpointAfter(4)).ok());
  ASSERT_TRUE(store.WriteBest(CheckpointAfter(2)).ok());
  Cut(store.PathOf(4));
  std::vector<std::string> refused;
  EXPECT_EQ((*store.LoadNewest("id", &refused))->counters.update, 2);
}

TEST(CheckpointStore, NothingUsableIsAnErrorAtEveryStartAndChangesNothing) {
  TinyRun run;
  CheckpointStore store = run.store();
  ASSERT_TRUE(store.Write(CheckpointAfter(4)).ok());
  ASSERT_TRUE(store.WriteBest(CheckpointAfter(2)).ok());
  Cut(store.PathOf(4));
  Cut(store.best_path());
  for (int start = 1; start <= 3; ++start) {
    std::vector<std::string> refused;
    const auto newest = store.LoadNewest("id", &refused);
    EXPECT_TRUE(absl::IsDataLoss(newest.status())) << start;
    EXPECT_THAT(std::string(newest.status().message()), HasSubstr("none of the 2 checkpoints"));
    EXPECT_THAT(refused, SizeIs(2));
    EXPECT_THAT(Numbers(store), ElementsAre(4)) << start;
  }
}

TEST(CheckpointStore, WhatWasSetAsideTellsThatThereWereCheckpoints) {
  TinyRun run;
  CheckpointStore store = run.store();
  ASSERT_TRUE(store.Write(CheckpointAfter(4)).ok());
  std::filesystem::rename(store.PathOf(4), store.PathOf(4) + ".damaged");
  std::vector<std::string> refused;
  const absl::Status status = store.LoadNewest("id", &refused).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("000000000004.safetensors.damaged"));
}

TEST(CheckpointStore, AnotherVersionsNewestIsNeitherPassedOverNorRenamed) {
  TinyRun run;
  CheckpointStore store = run.store();
  ASSERT_TRUE(store.Write(CheckpointAfter(3)).ok());
  SafetensorsFile file = EncodeCheckpoint(CheckpointAfter(4));
  file.metadata["format"] = "troupe-checkpoint/2";
  ASSERT_TRUE(WriteSafetensors(store.PathOf(4), file).ok());
  std::vector<std::string> refused;
  const absl::Status status = store.LoadNewest("id", &refused).status();
  EXPECT_TRUE(absl::IsUnimplemented(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(store.PathOf(4)));
  EXPECT_THAT(Numbers(store), ElementsAre(3, 4));
}

TEST(CheckpointStore, WhatCannotBeReadOrListedIsNoBeginning) {
  TinyRun run;
  CheckpointStore store = run.store();
  ASSERT_TRUE(store.Write(CheckpointAfter(3)).ok());
  std::filesystem::create_directory(store.PathOf(4));  // can be opened, but not read
  std::vector<std::string> refused;
  EXPECT_THAT(std::string(store.LoadNewest("id", &refused).status().message()), HasSubstr(store.PathOf(4)));
  EXPECT_TRUE(std::filesystem::exists(store.PathOf(4)));
  std::ofstream(run.folder / "file") << "no folder";
  EXPECT_FALSE(CheckpointStore(run.folder / "file", 1).LoadNewest("id", &refused).ok());
  EXPECT_FALSE(CheckpointStore(run.folder / "none", 1).LoadNewest("id", &refused).ok());
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
    const absl::Status status = writer.Flush();
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("gone/000000000002.safetensors of update 2 is not written, what is there is older: "));
  }
  ASSERT_THAT(writes, SizeIs(2));  // Flush tried once more
  for (const CheckpointWrite& write : writes) {
    EXPECT_FALSE(write.status.ok());
    EXPECT_EQ(write.update, 2);
  }
  EXPECT_THAT(Numbers(run.store()), ElementsAre(1));
}

TEST(CheckpointWriter, FlushNamesTheActorFileThatIsOlderAndItsUpdate) {
  TinyRun run;
  CheckpointWriter writer(run.store(), run.folder / "actors", [](const CheckpointWrite&) {});
  writer.Write(std::make_shared<const Checkpoint>(CheckpointAfter(1)));
  EXPECT_TRUE(writer.Flush().ok());
  std::filesystem::rename(run.folder / "actors", run.folder / "elsewhere");
  writer.Write(std::make_shared<const Checkpoint>(CheckpointAfter(2)));
  EXPECT_THAT(std::string(writer.Flush().message()),
              HasSubstr("actors/last.safetensors of update 2 is not written, the newest there is of update 1: "));
  std::filesystem::rename(run.folder / "elsewhere", run.folder / "actors");
  EXPECT_TRUE(writer.Flush().ok());  // tried again, and now there is a place
  EXPECT_EQ(ReadActorFile(run.folder / "actors/last.safetensors")->weights.policy_version, 2);
}

TEST(CheckpointWriter, ABestThatCouldNotBeWrittenComesWithTheNextWrite) {
  TinyRun run;
  CheckpointWriter writer(run.store(), run.folder / "actors", [](const CheckpointWrite&) {});
  std::filesystem::create_directory(run.store().best_path());  // no file can take its place
  writer.WriteBest(std::make_shared<const Checkpoint>(CheckpointAfter(1)));
  EXPECT_FALSE(writer.Flush().ok());
  std::filesystem::remove(run.store().best_path());
  writer.Write(std::make_shared<const Checkpoint>(CheckpointAfter(2)));
  EXPECT_TRUE(writer.Flush().ok());
  EXPECT_EQ(ReadCheckpoint(run.store().best_path())->counters.update, 1);
}

TEST(CheckpointWriter, ARunWhoseFolderVanishesWarnsGoesOnAndSaysSoAtItsEnd) {
  TinyRun run;
  TinyProcess process(run, TinyExperiment("checkpoint { interval_env_steps: 8 }"));
  process.parts.stop_requested = [&] {
    if (process.algorithm.updates() == 2) std::filesystem::remove_all(run.folder / "checkpoints");
    return false;
  };
  const auto result = process.Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->finished);
  EXPECT_FALSE(result->kept.ok());
  EXPECT_THAT(std::string(result->kept.message()), HasSubstr("000000000010.safetensors of update 10 is not written"));
  EXPECT_THAT(process.Printed(), HasSubstr("not written, the one before stays: "));
  EXPECT_THAT(process.Series(), HasSubstr("troupe_checkpoints_total{result=\"failed\"}"));
}

TEST(ResumeCheck, DecisiveFieldsAreNamedWithBothValues) {
  const Experiment before = TinyExperiment();
  Experiment now = before;
  now.set_seed(9);
  now.mutable_policy()->set_hidden_sizes(0, 16);
  const absl::Status status = CheckResumable(before, now).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("(seed: 1 -> 9; policy.hidden_sizes: [4] -> [16])"));
}

TEST(ResumeCheck, FreeFieldsMayChangeAndTotalStepsMayGrowOnly) {
  const Experiment before = TinyExperiment();
  Experiment now = before;
  now.mutable_checkpoint()->set_keep(9);
  now.mutable_evaluation()->set_episodes(99);
  now.mutable_collection()->set_lease_timeout_seconds(99);
  auto changes = CheckResumable(before, now);
  ASSERT_TRUE(changes.ok()) << changes.status();
  EXPECT_THAT(changes->told, IsEmpty());
  now.set_total_env_steps(before.total_env_steps() + 1);
  EXPECT_TRUE(CheckResumable(before, now).ok());
  now.set_total_env_steps(before.total_env_steps() - 1);
  EXPECT_THAT(std::string(CheckResumable(before, now).status().message()),
              HasSubstr("total_env_steps may only grow: the run has 80"));
}

TEST(ResumeCheck, TheAlgorithmsKnobsMayChangeAndAreTold) {
  const Experiment before = TinyExperiment();
  Experiment now = before;
  now.mutable_ppo()->set_actor_learning_rate(1e-4);
  now.mutable_compute()->set_learner_threads(8);
  const auto changes = CheckResumable(before, now);
  ASSERT_TRUE(changes.ok()) << changes.status();
  EXPECT_EQ(FormatChanges(changes->told), "ppo.actor_learning_rate: 0.0005 -> 0.0001; compute.learner_threads: 2 -> 8");
}

TEST(ResumeCheck, SettingsOfTheMachineMayChangeAndThoseOfTheTaskNot) {
  Experiment before = TinyExperiment();
  (*before.mutable_environment()->mutable_settings())["home"] = "/a";
  Experiment now = before;
  (*now.mutable_environment()->mutable_settings())["home"] = "/b";
  EnvironmentSpec environment = TinyEnvironment();
  environment.machine_settings = {"home"};
  auto changes = CheckResumable(before, now);
  ASSERT_TRUE(changes.ok()) << changes.status();
  EXPECT_TRUE(CheckEnvironmentChanges(changes->environment, environment).ok());
  (*now.mutable_environment()->mutable_settings())["size"] = "4";
  changes = CheckResumable(before, now);
  const absl::Status status = CheckEnvironmentChanges(changes->environment, environment);
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("(environment.settings.size: (none) -> \"4\")"));
}

TEST(Export, WritesTheActorsOfTheCheckpointAskedFor) {
  TinyRun run;
  ASSERT_TRUE(run.store().Write(CheckpointAfter(3)).ok());
  ASSERT_TRUE(run.store().Write(CheckpointAfter(4)).ok());
  const auto said = ExportActors(run.folder.path(), "last", ActorFormat::kSafetensors, run.folder / "out.safetensors");
  ASSERT_TRUE(said.ok()) << said.status();
  const auto actors = ReadActorFile(run.folder / "out.safetensors");
  ASSERT_TRUE(actors.ok()) << actors.status();
  EXPECT_EQ(actors->env_steps, 32);
  EXPECT_EQ(actors->weights.policy_version, 4);
  EXPECT_EQ(actors->weights.tensors, CheckpointAfter(4).policy.tensors);
  ASSERT_TRUE(ExportActors("", run.store().PathOf(3), ActorFormat::kSafetensors, run.folder / "out.safetensors").ok());
  EXPECT_EQ(ReadActorFile(run.folder / "out.safetensors")->weights.policy_version, 3);
  EXPECT_TRUE(absl::IsNotFound(
      ExportActors(run.folder.path(), "best", ActorFormat::kSafetensors, run.folder / "out.safetensors").status()));
}

TEST(Export, WritesEverySavedVersionOfThePool) {
  TinyRun run;
  ASSERT_TRUE(run.store().Write(CheckpointAfter(3)).ok());
  const auto saved = [&](ActorFormat format) {
    return ExportActors(run.folder.path(), "saved", format, run.folder / "pool");
  };
  EXPECT_TRUE(absl::IsNotFound(saved(ActorFormat::kSafetensors).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(saved(ActorFormat::kOnnx).status()));
  Checkpoint with_pool = CheckpointAfter(8);
  with_pool.self_play.emplace();
  const auto teams = static_cast<int>(TinyEnvironment().teams().size());
  for (const uint64_t version : {2, 6}) {
    with_pool.self_play->pool.push_back(
        {std::make_shared<const PolicySnapshot>(CheckpointAfter(version).policy), std::vector<MatchRecord>(teams)});
  }
  ASSERT_TRUE(run.store().Write(with_pool).ok());
  const auto said = saved(ActorFormat::kSafetensors);
  ASSERT_TRUE(said.ok()) << said.status();
  EXPECT_THAT(*said, HasSubstr("2 saved versions"));
  const auto actors = ReadActorFile(run.folder / "pool/6.safetensors");
  ASSERT_TRUE(actors.ok()) << actors.status();
  EXPECT_EQ(actors->weights.policy_version, 6);
  EXPECT_EQ(actors->weights.tensors, CheckpointAfter(6).policy.tensors);
}

TEST(Export, ReadsActorFilesAsWellAsCheckpoints) {
  TinyRun run;
  ASSERT_TRUE(run.store().Write(CheckpointAfter(3)).ok());
  const std::string actors = run.folder / "out.safetensors";
  ASSERT_TRUE(ExportActors("", run.store().PathOf(3), ActorFormat::kSafetensors, actors).ok());
  const auto from_checkpoint = ExportActors("", run.store().PathOf(3), ActorFormat::kOnnx, run.folder / "a");
  ASSERT_TRUE(from_checkpoint.ok()) << from_checkpoint.status();
  ASSERT_TRUE(ExportActors("", actors, ActorFormat::kOnnx, run.folder / "b").ok());
  const auto names = ListFolder(run.folder / "a");
  ASSERT_THAT(*names, SizeIs(TinyEnvironment().groups.size()));
  for (const std::string& name : *names) {
    EXPECT_THAT(*from_checkpoint, HasSubstr(name));
    EXPECT_EQ(*ReadWholeFile(run.folder / ("a/" + name)), *ReadWholeFile(run.folder / ("b/" + name)));
  }
  ASSERT_TRUE(WriteSafetensors(run.folder / "x.safetensors", {{{"format", "pt"}}, {}}).ok());
  EXPECT_THAT(
      std::string(
          ExportActors("", run.folder / "x.safetensors", ActorFormat::kOnnx, run.folder / "c").status().message()),
      HasSubstr("x.safetensors: not an actor file"));
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
