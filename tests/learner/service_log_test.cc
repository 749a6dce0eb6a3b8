// What peers can make the learner say.
#include <algorithm>

#include "learner/ingest/outlier_watch.h"
#include "learner/service/line_limiter.h"
#include "tests/learner/service_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using testing::FakeWorker;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kRunId;
using ::testing::Not;
using testing::ServiceTest;

class ServiceLogTest : public ServiceTest {
 protected:
  std::string Log() {
    absl::MutexLock lock(&log_mutex_);
    return log_;
  }
  int64_t CountLines() { return std::ranges::count(Log(), '\n'); }
};

TEST_F(ServiceLogTest, AHostIsOneLineThatATerminalDoesNotObey) {
  StartServer({});
  FakeWorker hostile(server_->port());
  wire::RegisterRequest request = FakeWorker::Registration(Spec(), kRunId, 1);
  request.set_host("a\nwarning: disk full\x1b[2J");
  ASSERT_TRUE(hostile.Register(request).ok());
  EXPECT_TRUE(Says("registered from a\\nwarning: disk full\\x1B[2J, takes"));
  EXPECT_THAT(Log(), Not(HasSubstr("\nwarning")));
  EXPECT_THAT(Log(), Not(HasSubstr("\x1b")));
}

TEST_F(ServiceLogTest, AReasonIsOneBoundedLineInTheLogAndInTheRunsError) {
  StartServer({.num_shards = 1});
  const auto worker = Join();
  const auto grants = worker->ReadGrants(1);
  ASSERT_EQ(grants.size(), 1u);
  wire::WorkerMessage message;
  message.mutable_lease_failure()->set_shard(grants[0].shard());
  message.mutable_lease_failure()->set_lease_epoch(grants[0].lease_epoch());
  message.mutable_lease_failure()->set_error("no\n\x1b]0;x\x07" + std::string(10000, 'x'));
  ASSERT_TRUE(worker->Send(message));
  ASSERT_TRUE(Says("gave shard 0 up: no\\n\\x1B]0;x\\x07xxx"));
  EXPECT_LT(Log().size(), 4096u);
}

TEST_F(ServiceLogTest, JoiningAndLeavingInALoopIsCountedAndNotTold) {
  StartServer({});
  FakeWorker hostile(server_->port());
  for (int i = 0; i < 3 * LineLimiter::kAtOnce; ++i) {
    ASSERT_TRUE(hostile.Register(FakeWorker::Registration(Spec(), kRunId, 1)).ok());
    grpc::ClientContext context;
    wire::LeaveRequest leave;
    leave.set_worker_id(hostile.worker_id());
    wire::LeaveResponse left;
    ASSERT_TRUE(hostile.stub().Leave(&context, leave, &left).ok());
  }
  EXPECT_LE(CountLines(), 2 * LineLimiter::kAtOnce);
  Advance(LineLimiter::kPeriod);
  EXPECT_TRUE(Says("registrations: 128 more lines were left out"));
  EXPECT_TRUE(Says("workers that left: 128 more lines were left out"));
}

TEST_F(ServiceLogTest, ARewardUnlikeAllBeforeIsToldByWorkerShardAndGroup) {
  StartServer({.num_shards = 1});
  const auto worker = Join();
  const auto grants = worker->ReadGrants(1);
  ASSERT_EQ(grants.size(), 1u);
  const uint32_t epoch = grants[0].lease_epoch();
  uint64_t sequence = 0;
  for (; sequence < OutlierWatch::kChunks; ++sequence) {
    ExpectResult(*worker, {0, epoch, sequence, sequence - std::min<uint64_t>(sequence, 1)}, wire::ADMITTED);
    TrainAndPublish(sequence);
  }
  EXPECT_EQ(Counter("troupe_outlier_chunks_total", {}), 0);
  wire::Chunk chunk = Chunk({0, epoch, sequence, sequence - 1});
  reinterpret_cast<float*>(chunk.mutable_groups(1)->mutable_rewards()->mutable_data()->data())[3] = -1e6f;
  ASSERT_TRUE(worker->SendChunk(chunk));
  const auto acknowledgement = worker->ReadAcknowledgement();
  ASSERT_TRUE(acknowledgement.has_value());
  EXPECT_EQ(acknowledgement->result(), wire::ADMITTED) << "it may be a task's own";
  EXPECT_TRUE(Says("shard 0: groups[1].rewards (pilots) has 1e+06 in magnitude, where the largest of the run was 0."));
  EXPECT_EQ(Counter("troupe_outlier_chunks_total", {}), 1);
}

TEST(LineLimiterTest, GivesALineBackPerPeriodAndTellsOnceWhatWasLeftOut) {
  LineLimiter limiter;
  const SteadyTime begin = SteadyTime() + absl::Seconds(1);
  for (int i = 0; i < LineLimiter::kAtOnce; ++i) EXPECT_TRUE(limiter.Admit("a", begin));
  EXPECT_FALSE(limiter.Admit("a", begin));
  EXPECT_FALSE(limiter.Admit("a", begin + LineLimiter::kPeriod / 2));
  EXPECT_TRUE(limiter.Admit("b", begin));
  EXPECT_THAT(limiter.TellLeftOut(begin), IsEmpty());
  EXPECT_THAT(limiter.TellLeftOut(begin + LineLimiter::kPeriod), ElementsAre("a: 2 more lines were left out"));
  EXPECT_FALSE(limiter.Admit("a", begin + LineLimiter::kPeriod));
  EXPECT_TRUE(limiter.Admit("a", begin + 2 * LineLimiter::kPeriod));
  EXPECT_THAT(limiter.TellLeftOut(begin + 3 * LineLimiter::kPeriod), ElementsAre("a: 1 more lines were left out"));
}

TEST(LineLimiterTest, HoldsNoMoreThanItBeganWith) {
  LineLimiter limiter;
  SteadyTime now = SteadyTime() + absl::Seconds(1);
  EXPECT_TRUE(limiter.Admit("a", now));
  now = now + absl::Hours(24);
  int said = 0;
  while (said < 1000 && limiter.Admit("a", now)) said += 1;
  EXPECT_EQ(said, LineLimiter::kAtOnce);
}

}  // namespace
}  // namespace troupe
