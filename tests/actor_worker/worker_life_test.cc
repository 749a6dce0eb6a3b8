// The whole worker against a fake learner over loopback.
#include <map>
#include <optional>
#include <thread>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "actor_worker/worker.h"
#include "common/wire/spec_codec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/fake_learner.h"
#include "tests/actor_worker/running_worker.h"
#include "tests/actor_worker/worker_fixture.h"

namespace troupe {
namespace {

using ChunkKey = std::tuple<uint32_t, uint32_t, uint64_t>;

ChunkKey KeyOf(const wire::Chunk& chunk) { return {chunk.shard(), chunk.lease_epoch(), chunk.sequence()}; }

// Trains nothing, but publishes a version per complete update as the deterministic modes do, until `updates` are full.
std::map<ChunkKey, std::string> CollectDeterministically(CollectionMode mode, int threads, uint64_t updates) {
  const int shards = 3;
  const Experiment experiment = TinyExperiment(mode, shards);
  const RolloutPlan plan = TinyPlan(experiment);
  FakeLearner learner(experiment);
  learner.Publish(WeightsOf(plan, 0));
  absl::Mutex mutex;
  std::map<uint64_t, int> filled;
  std::map<ChunkKey, std::string> collected;
  learner.on_hello = [&](const std::string&) {
    for (int shard = 0; shard < shards; ++shard) learner.Grant(shard, 1);
  };
  learner.on_chunk = [&](const wire::Chunk& chunk) {
    absl::MutexLock lock(&mutex);
    const uint64_t lag = mode == SYNCHRONOUS ? 0 : 1;
    EXPECT_EQ(chunk.policy_version(), chunk.sequence() < lag ? 0 : chunk.sequence() - lag);
    EXPECT_TRUE(collected.emplace(KeyOf(chunk), Contents(chunk)).second) << "sent twice";
    learner.Acknowledge(chunk);
    if (++filled[chunk.sequence()] == shards) {
      learner.Publish(WeightsOf(plan, chunk.sequence() + 1));
      if (chunk.sequence() + 1 == updates) learner.Drain();
    }
    return grpc::Status::OK;
  };
  RunningWorker worker(learner.address(), [&](WorkerOptions& options) { options.rollout_threads = threads; });
  EXPECT_EQ(worker.Wait(), kWorkerDone);
  absl::MutexLock lock(&mutex);
  std::erase_if(collected, [&](const auto& item) { return std::get<2>(item.first) >= updates; });
  return collected;
}

TEST_F(WorkerTest, GoesWhenTheRunEndedWhileItWasAway) {
  FakeLearner learner(TinyExperiment(PIPELINED, 1));
  RunningWorker worker(learner.address());
  ASSERT_TRUE(learner.AwaitStreams(1));
  learner.EndRun();
  learner.ForgetWorkers();
  learner.CutStreams();
  EXPECT_EQ(worker.Wait(), kWorkerDone);
  EXPECT_EQ(learner.num_streams(), 1);
}

TEST_F(WorkerTest, WithoutAShardItSaysThatThereIsNothingToCollect) {
  testing::internal::CaptureStderr();
  Experiment experiment = TinyExperiment(PIPELINED, 1);
  experiment.mutable_collection()->set_lease_timeout_seconds(1);
  FakeLearner learner(experiment);
  {
    RunningWorker worker(learner.address(),
                         [](WorkerOptions& options) { options.idle_notice = absl::Milliseconds(1); });
    // Each heartbeat has a look at the leases after it.
    EXPECT_TRUE(learner.Await([](const Messages& messages) {
      return std::count_if(messages.begin(), messages.end(),
                           [](const auto& message) { return message.has_heartbeat(); }) >= 2;
    }));
    learner.Drain();
    EXPECT_EQ(worker.Wait(), kWorkerDone);
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr("The run has 1 shard (collection.num_shards)"));
}

TEST_F(WorkerTest, ChunksFollowFromTheSeedWhateverTheNumberOfThreads) {
  for (const CollectionMode mode : {SYNCHRONOUS, PIPELINED}) {
    const auto one = CollectDeterministically(mode, 1, 6);
    EXPECT_EQ(one.size(), 18);
    EXPECT_EQ(CollectDeterministically(mode, 3, 6), one);
  }
}

TEST_F(WorkerTest, AnnouncesItsEnvironmentAndSpeaksTheGrammar) {
  const Experiment experiment = TinyExperiment(ASYNCHRONOUS);
  const RolloutPlan plan = TinyPlan(experiment);
  FakeLearner learner(experiment);
  learner.Publish(WeightsOf(plan, 4));
  learner.on_hello = [&](const std::string&) { learner.Grant(1, 1); };
  learner.on_chunk = [&](const wire::Chunk& chunk) {
    EXPECT_EQ(chunk.policy_version(), 4);
    learner.Acknowledge(chunk);
    return grpc::Status::OK;
  };
  RunningWorker worker(learner.address());
  ASSERT_TRUE(learner.AwaitChunks(5));
  learner.Drain();
  EXPECT_EQ(worker.Wait(), kWorkerDone);

  EnvironmentSpec spec = DecodeEnvironmentSpec(learner.last_registration().environment_spec()).value();
  EXPECT_EQ(spec, plan.spec);
  EXPECT_EQ(learner.last_registration().run_id(), "run-1");
  EXPECT_EQ(learner.last_registration().max_shards(), 1024);
  const Messages messages = learner.messages();
  ASSERT_TRUE(messages.front().has_hello());
  EXPECT_EQ(messages.front().hello().worker_id(), "worker-1");
  uint64_t expected = 0;
  for (size_t i = 1; i < messages.size(); ++i) {
    ASSERT_TRUE(messages[i].has_chunk());
    EXPECT_EQ(messages[i].chunk().sequence(), expected++);
  }
  EXPECT_GE(worker.Count("troupe_worker_env_steps_total"), 5 * 15);
  EXPECT_GE(worker.Count("troupe_worker_agent_steps_total"), 5 * 15 * 3);
}

TEST_F(WorkerTest, SendsNoMoreThanTheWindowUnacknowledged) {
  const Experiment experiment = TinyExperiment(ASYNCHRONOUS);
  FakeLearner learner(experiment);
  learner.Publish(WeightsOf(TinyPlan(experiment), 0));
  learner.on_hello = [&](const std::string&) { learner.Grant(0, 1); };
  RunningWorker worker(learner.address());
  ASSERT_TRUE(learner.AwaitChunks(2));
  // The evaluation's answer shows that the worker had time and a stream to send a third chunk.
  wire::LearnerMessage task;
  task.mutable_evaluation_task()->set_task_id(1);
  task.mutable_evaluation_task()->set_episodes(1);
  learner.Send(task);
  ASSERT_TRUE(learner.Await([](const Messages& messages) { return messages.back().has_evaluation_result(); }));
  ASSERT_EQ(learner.chunks().size(), 2);
  learner.Acknowledge(learner.chunks()[0]);
  ASSERT_TRUE(learner.AwaitChunks(3));
  EXPECT_EQ(learner.chunks()[2].sequence(), 2);
}

TEST_F(WorkerTest, ACutStreamIsOpenedAgainBySameIdAndSendsExactlyTheUnacknowledgedAgain) {
  const Experiment experiment = TinyExperiment(ASYNCHRONOUS);
  FakeLearner learner(experiment);
  learner.Publish(WeightsOf(TinyPlan(experiment), 0));
  learner.on_hello = [&](const std::string&) { learner.Grant(0, 1); };
  RunningWorker worker(learner.address());
  ASSERT_TRUE(learner.AwaitChunks(2));
  learner.Acknowledge(learner.chunks()[0]);
  ASSERT_TRUE(learner.AwaitChunks(3));
  learner.CutStreams();
  ASSERT_TRUE(learner.AwaitChunks(5));
  const std::vector<wire::Chunk> chunks = learner.chunks();
  EXPECT_EQ(chunks[3].SerializeAsString(), chunks[1].SerializeAsString());
  EXPECT_EQ(chunks[4].SerializeAsString(), chunks[2].SerializeAsString());
  EXPECT_EQ(learner.num_registrations(), 1);
  learner.Acknowledge(chunks[3]);
  learner.Acknowledge(chunks[4], wire::DUPLICATE);
  ASSERT_TRUE(learner.AwaitChunks(7));
  EXPECT_EQ(learner.chunks()[5].sequence(), 3);
  EXPECT_EQ(worker.Count("troupe_worker_resends_total"), 2);
  EXPECT_EQ(worker.Count("troupe_worker_reconnects_total"), 1);
}

TEST_F(WorkerTest, AForgottenWorkerRegistersAnewAndDropsWhatItHeld) {
  const Experiment experiment = TinyExperiment(ASYNCHRONOUS);
  FakeLearner learner(experiment);
  learner.Publish(WeightsOf(TinyPlan(experiment), 6));
  std::atomic<uint32_t> epoch = 0;
  learner.on_hello = [&](const std::string&) { learner.Grant(0, ++epoch); };
  RunningWorker worker(learner.address());
  ASSERT_TRUE(learner.AwaitChunks(2));
  learner.ForgetWorkers();
  learner.Publish(WeightsOf(TinyPlan(experiment), 2));
  learner.CutStreams();
  ASSERT_TRUE(learner.AwaitChunks(4));
  EXPECT_EQ(learner.num_registrations(), 2);
  const wire::Chunk chunk = learner.chunks()[2];
  EXPECT_EQ(chunk.lease_epoch(), 2);
  EXPECT_EQ(chunk.sequence(), 0);
  EXPECT_EQ(chunk.policy_version(), 2) << "a restarted learner may begin at a lower version";
}

TEST_F(WorkerTest, AnotherRunMeansEverythingAnew) {
  const Experiment experiment = TinyExperiment(ASYNCHRONOUS);
  FakeLearner learner(experiment);
  learner.Publish(WeightsOf(TinyPlan(experiment), 0));
  learner.on_hello = [&](const std::string&) { learner.Grant(0, 1); };
  RunningWorker worker(learner.address());
  ASSERT_TRUE(learner.AwaitChunks(2));
  learner.BeginRun("run-2");
  learner.CutStreams();
  ASSERT_TRUE(learner.AwaitChunks(4));
  EXPECT_EQ(learner.last_registration().run_id(), "run-2");
  EXPECT_EQ(learner.chunks()[2].sequence(), 0);
  const std::string series = worker.Series();
  EXPECT_THAT(series, testing::HasSubstr(
                          "troupe_worker_run_info{environment=\"tiny\",experiment=\"tiny\",run_id=\"run-2\"} 1"));
  EXPECT_THAT(series, testing::Not(testing::HasSubstr("run-1")));
}

TEST_F(WorkerTest, WaitsForALearnerThatStartsLaterAndFindsOneThatComesBack) {
  const Experiment experiment = TinyExperiment(ASYNCHRONOUS);
  const auto weights = WeightsOf(TinyPlan(experiment), 0);
  auto learner = std::make_unique<FakeLearner>(experiment);
  const int port = learner->port();
  learner->Publish(weights);
  learner->on_hello = [&](const std::string&) { learner->Grant(0, 1); };
  RunningWorker worker(learner->address());
  ASSERT_TRUE(learner->AwaitChunks(2));
  learner.reset();
  auto next = std::make_unique<FakeLearner>(experiment, port);
  if (next->port() != port) GTEST_SKIP() << "the port was taken meanwhile";
  next->Publish(weights);
  next->on_hello = [&](const std::string&) { next->Grant(1, 5); };
  ASSERT_TRUE(next->AwaitStreams(1));
  next->CutStreams();
  ASSERT_TRUE(next->AwaitChunks(2));
  EXPECT_EQ(next->chunks()[0].shard(), 1);
}

TEST_F(WorkerTest, GivesUpWhenToldTo) {
  RunningWorker worker("127.0.0.1:1", [](WorkerOptions& options) { options.give_up_after = absl::Milliseconds(50); });
  EXPECT_EQ(worker.Wait(), kWorkerGaveUp);
}

TEST_F(WorkerTest, EndsWithStatusThreeWhenItDoesNotFit) {
  FakeLearner other_version(TinyExperiment());
  other_version.describe_status = {grpc::StatusCode::FAILED_PRECONDITION, "protocol_version: came 1, expected 3"};
  EXPECT_EQ(RunningWorker(other_version.address()).Wait(), kWorkerDoesNotFit);

  FakeLearner other_spec(TinyExperiment());
  other_spec.register_status = {grpc::StatusCode::FAILED_PRECONDITION, "environment_spec"};
  EXPECT_EQ(RunningWorker(other_spec.address()).Wait(), kWorkerDoesNotFit);

  Experiment unknown = TinyExperiment();
  unknown.mutable_environment()->set_name("huge");
  FakeLearner other_environment(unknown);
  EXPECT_EQ(RunningWorker(other_environment.address()).Wait(), kWorkerDoesNotFit);
}

TEST_F(WorkerTest, SettingsThatTouchItsMachineAreTakenOnlyWithItsLeave) {
  Experiment experiment = TinyExperiment();
  (*experiment.mutable_environment()->mutable_settings())["simulator_home"] = "/tmp/not_mine";
  FakeLearner learner(experiment);
  testing::internal::CaptureStderr();
  EXPECT_EQ(RunningWorker(learner.address()).Wait(), kWorkerDoesNotFit);
  EXPECT_THAT(
      testing::internal::GetCapturedStderr(),
      testing::AllOf(testing::HasSubstr("environment.settings.simulator_home: the learner says \"/tmp/not_mine\""),
                     testing::HasSubstr("--allow_machine_settings")));
  EXPECT_EQ(learner.num_registrations(), 0);

  RunningWorker trusting(learner.address(), [](WorkerOptions& options) { options.allow_machine_settings = true; });
  EXPECT_TRUE(learner.AwaitStreams(1));
  trusting.Stop();
  EXPECT_EQ(trusting.Wait(), kWorkerDone);
}

TEST_F(WorkerTest, AThrowingEnvironmentCostsItsLeaseOnly) {
  TinyFaults::Get().throw_at_step = 60;
  const Experiment experiment = TinyExperiment(ASYNCHRONOUS);
  FakeLearner learner(experiment);
  learner.Publish(WeightsOf(TinyPlan(experiment), 0));
  learner.on_hello = [&](const std::string&) { learner.Grant(0, 1); };
  learner.on_chunk = [&](const wire::Chunk& chunk) {
    learner.Acknowledge(chunk);
    return grpc::Status::OK;
  };
  RunningWorker worker(learner.address());
  ASSERT_TRUE(learner.Await([](const Messages& messages) { return Failures(messages) == 1; }));
  const wire::LeaseFailure failure = learner.messages().back().lease_failure();
  EXPECT_EQ(failure.shard(), 0);
  EXPECT_EQ(failure.lease_epoch(), 1);
  EXPECT_TRUE(absl::StrContains(failure.error(), "the simulator fell over")) << failure.error();
  const size_t before = learner.chunks().size();
  learner.Grant(0, 2);
  ASSERT_TRUE(learner.AwaitChunks(before + 3));
  EXPECT_EQ(learner.chunks()[before].lease_epoch(), 2);
  EXPECT_EQ(learner.chunks()[before].sequence(), 0);
  EXPECT_EQ(learner.num_streams(), 1);
}

TEST_F(WorkerTest, ARefusedChunkCostsItsLeaseAndTheStream) {
  const Experiment experiment = TinyExperiment(ASYNCHRONOUS);
  FakeLearner learner(experiment);
  learner.Publish(WeightsOf(TinyPlan(experiment), 0));
  std::atomic<bool> granted = false;
  learner.on_hello = [&](const std::string&) {
    if (!granted.exchange(true)) learner.Grant(0, 1);
  };
  learner.on_chunk = [](const wire::Chunk&) {
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "groups[0]: bad");
  };
  RunningWorker worker(learner.address());
  ASSERT_TRUE(learner.Await([](const Messages& messages) { return Failures(messages) == 1; }));
  EXPECT_TRUE(absl::StrContains(learner.messages().back().lease_failure().error(), "groups[0]: bad"));
  EXPECT_EQ(learner.num_streams(), 2);
  EXPECT_EQ(learner.num_registrations(), 1);
}

TEST_F(WorkerTest, AnswersEvaluationTasksWithTheWeightsTheyBring) {
  const Experiment experiment = TinyExperiment(ASYNCHRONOUS);
  const RolloutPlan plan = TinyPlan(experiment);
  FakeLearner learner(experiment);
  RunningWorker worker(learner.address());
  ASSERT_TRUE(learner.AwaitStreams(1));
  wire::LearnerMessage task;
  task.mutable_evaluation_task()->set_task_id(17);
  task.mutable_evaluation_task()->set_first_seed(100);
  task.mutable_evaluation_task()->set_episodes(6);
  EncodeWeights(*WeightsOf(plan, 3), task.mutable_evaluation_task()->mutable_weights());
  ASSERT_TRUE(learner.Send(task));
  task.mutable_evaluation_task()->set_task_id(18);
  task.mutable_evaluation_task()->mutable_weights()->mutable_tensors(0)->set_name("nobody/output.weight");
  ASSERT_TRUE(learner.Send(task));
  ASSERT_TRUE(learner.Await([](const Messages& messages) { return messages.size() == 3; }));
  const wire::EvaluationResult result = learner.messages()[1].evaluation_result();
  EXPECT_EQ(result.task_id(), 17);
  EXPECT_EQ(result.error(), "");
  ASSERT_EQ(result.episodes_size(), 6);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(result.episodes(i).seed(), 100 + i);
    EXPECT_EQ(result.episodes(i).length(), i % 2 == 1 ? 7 : 3 + (100 + i) % 5);
    EXPECT_EQ(result.episodes(i).group_returns_size(), 2);
    EXPECT_EQ(result.episodes(i).statistics_size(), 1);
  }
  const wire::EvaluationResult refusal = learner.messages()[2].evaluation_result();
  EXPECT_EQ(refusal.task_id(), 18);
  EXPECT_TRUE(absl::StrContains(refusal.error(), "nobody/output.weight")) << refusal.error();
}

TEST_F(WorkerTest, ARepeatedEvaluationTaskIsAnsweredAgainAndNotPlayedAgain) {
  const Experiment experiment = TinyExperiment(ASYNCHRONOUS);
  FakeLearner learner(experiment);
  RunningWorker worker(learner.address());
  ASSERT_TRUE(learner.AwaitStreams(1));
  wire::LearnerMessage task;
  task.mutable_evaluation_task()->set_task_id(17);
  task.mutable_evaluation_task()->set_episodes(3);
  EncodeWeights(*WeightsOf(TinyPlan(experiment), 3), task.mutable_evaluation_task()->mutable_weights());
  const auto results = [](const Messages& messages) {
    return std::count_if(messages.begin(), messages.end(), [](const auto& m) { return m.has_evaluation_result(); });
  };
  ASSERT_TRUE(learner.Send(task));
  ASSERT_TRUE(learner.Await([&](const Messages& messages) { return results(messages) == 1; }));
  learner.CutStreams();
  ASSERT_TRUE(learner.AwaitStreams(2));
  ASSERT_TRUE(learner.Send(task));
  ASSERT_TRUE(learner.Await([&](const Messages& messages) { return results(messages) == 2; }));
  const Messages messages = learner.messages();
  EXPECT_EQ(messages.back().evaluation_result().SerializeAsString(),
            messages[1].evaluation_result().SerializeAsString());
  EXPECT_EQ(worker.Count("troupe_worker_evaluation_episodes_total"), 3);
  learner.ForgetWorkers();
  learner.CutStreams();
  ASSERT_TRUE(learner.AwaitStreams(3));
  ASSERT_TRUE(learner.Send(task)) << "another learner's task of the same number";
  ASSERT_TRUE(learner.Await([&](const Messages& messages) { return results(messages) == 3; }));
  EXPECT_EQ(worker.Count("troupe_worker_evaluation_episodes_total"), 6);
}

}  // namespace
}  // namespace troupe
