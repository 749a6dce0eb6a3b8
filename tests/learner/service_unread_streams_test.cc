// Peers that do not read what is sent to them.
#include "learner/service/weights_publisher.h"
#include "learner/service/write_watch.h"
#include "tests/learner/service_fixture.h"

namespace troupe {
namespace {

using testing::FakeWorker;
using ::testing::IsEmpty;
using testing::kPatience;
using testing::ServiceTest;
using ::testing::SizeIs;

const SteadyTime kStart;

class FakeStream final : public WritingStream {
 public:
  std::optional<Write> write_under_way() const override { return write; }
  void Cut() override {}
  std::optional<Write> write;
};

TEST(WriteWatch, AWriteMayTakeTheLeasesTimeAndThatOfItsBytes) {
  WriteWatch watch(absl::Seconds(20));
  const auto small = std::make_shared<FakeStream>(), large = std::make_shared<FakeStream>();
  watch.Add(small);
  watch.Add(large);
  small->write = WritingStream::Write{1, 100};
  large->write = WritingStream::Write{1, 16 << 20};  // 1,024 s at the slowest
  EXPECT_THAT(watch.TakeStuck(kStart), IsEmpty());
  EXPECT_THAT(watch.TakeStuck(kStart + absl::Seconds(20)), IsEmpty());
  EXPECT_THAT(watch.TakeStuck(kStart + absl::Seconds(21)), ::testing::ElementsAre(small));
  EXPECT_THAT(watch.TakeStuck(kStart + absl::Seconds(1043)), IsEmpty());
  EXPECT_THAT(watch.TakeStuck(kStart + absl::Seconds(1044)), ::testing::ElementsAre(large));
  EXPECT_EQ(watch.size(), 0);
}

TEST(WriteWatch, WhoReadsAndWhoIsGoneIsNotStuck) {
  WriteWatch watch(absl::Seconds(20));
  auto stream = std::make_shared<FakeStream>();
  watch.Add(stream);
  for (uint64_t number = 1; number < 10; ++number) {
    stream->write = WritingStream::Write{number, 100};
    EXPECT_THAT(watch.TakeStuck(kStart + number * absl::Seconds(19)), IsEmpty());
  }
  stream->write.reset();
  EXPECT_THAT(watch.TakeStuck(kStart + absl::Seconds(300)), IsEmpty());
  EXPECT_EQ(watch.size(), 1);
  stream = nullptr;
  EXPECT_THAT(watch.TakeStuck(kStart + absl::Seconds(400)), IsEmpty());
  EXPECT_EQ(watch.size(), 0);
}

// Takes a version when it is there and then reads no further.
class Slow final : public WeightsSubscriber {
 public:
  explicit Slow(const WeightsPublisher& publisher) : publisher_(publisher) {}
  void Wake() override {
    absl::MutexLock lock(&mutex_);
    if (taken_ == nullptr) taken_ = publisher_.Next(std::nullopt);
  }
  void Close(const absl::Status&) override { closed = true; }
  std::optional<uint64_t> version_under_way() const override {
    absl::MutexLock lock(&mutex_);
    return taken_ == nullptr ? std::nullopt : std::optional(taken_->version);
  }
  void Cut() override {
    cut = true;
    absl::MutexLock lock(&mutex_);
    taken_ = nullptr;
  }
  std::atomic<bool> closed = false, cut = false;

 private:
  const WeightsPublisher& publisher_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<const PublishedWeights> taken_ ABSL_GUARDED_BY(mutex_);
};

std::shared_ptr<const PolicySnapshot> Weights(uint64_t version, size_t numbers) {
  auto weights = std::make_shared<PolicySnapshot>();
  weights->policy_version = version;
  const std::vector<float> values(numbers, 0.5f);
  weights->tensors.push_back(
      HostTensor::Float32("walkers/output.bias", {static_cast<int64_t>(numbers)}, values.data()));
  return weights;
}

TEST(WeightsPublisher, WhoIsFurthestBehindIsCutOffBeforeTheMemoryIsFull) {
  WeightsPublisher publisher(/*every_version=*/false);
  std::vector<std::shared_ptr<Slow>> slow;
  size_t bytes = 0;
  for (uint64_t version = 1; version < 6; ++version) {
    bytes = publisher.Publish(*Weights(version, 1000));
    slow.push_back(std::make_shared<Slow>(publisher));
    publisher.Subscribe(absl::StrCat(version), slow.back());
    ASSERT_EQ(slow.back()->version_under_way(), version);
  }
  EXPECT_EQ(publisher.bytes_behind(), 3 * bytes) << "the newest two are kept anyway";
  EXPECT_EQ(publisher.CutFurthestBehind(3 * bytes), 0);
  EXPECT_EQ(publisher.CutFurthestBehind(2 * bytes), 1);
  EXPECT_TRUE(slow[0]->cut);
  EXPECT_FALSE(slow[1]->cut);
  EXPECT_EQ(publisher.bytes_behind(), 2 * bytes);
}

TEST(WeightsPublisher, WhoIsDroppedOrReplacedIsNotWaitedFor) {
  WeightsPublisher publisher(/*every_version=*/false);
  publisher.Publish(*Weights(0, 10));
  const auto first = std::make_shared<Slow>(publisher), second = std::make_shared<Slow>(publisher);
  publisher.Subscribe("w", first);
  publisher.Subscribe("w", second);
  EXPECT_TRUE(first->closed && first->cut);
  EXPECT_FALSE(second->cut);
  publisher.Drop("w", absl::OkStatus());
  EXPECT_TRUE(second->closed && second->cut);
}

class UnreadStreamsTest : public ServiceTest {
 protected:
  // By a client that takes messages of any size, and no more ahead of its reader than it began with.
  std::unique_ptr<grpc::ClientReader<wire::Weights>> Subscribe(const std::string& worker_id,
                                                               grpc::ClientContext* context) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetInt("grpc.use_local_subchannel_pool", 1);
    stub_ = wire::TrainingService::NewStub(grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", server_->port()),
                                                                     grpc::InsecureChannelCredentials(), arguments));
    wire::SubscribeWeightsRequest request;
    request.set_worker_id(worker_id);
    return stub_->SubscribeWeights(context, request);
  }

  std::unique_ptr<wire::TrainingService::Stub> stub_;
  double Cut() { return Counter("troupe_rejected_requests_total", {{"reason", "does_not_read"}}); }
};

TEST_F(UnreadStreamsTest, WeightsThatNobodyReadsAreEndedAndCounted) {
  StartServer({});
  const auto worker = Join();
  grpc::ClientContext context;
  const auto reader = Subscribe(worker->worker_id(), &context);
  wire::Weights weights;
  ASSERT_TRUE(reader->Read(&weights));
  server_->Publish(troupe::Weights(1, 4 << 20));  // far more than gRPC takes ahead of its reader
  while (Cut() == 0) {
    Advance(absl::Seconds(19));
    grpc::ClientContext alive;
    wire::StillHereRequest here;
    wire::StillHereResponse response;
    here.set_worker_id(worker->worker_id());
    ASSERT_TRUE(worker->stub().StillHere(&alive, here, &response).ok()) << "the worker itself is not lost";
    absl::SleepFor(absl::Milliseconds(1));
  }
  EXPECT_EQ(Cut(), 1);
  EXPECT_FALSE(reader->Read(&weights)) << "the rest of it is no longer kept";
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_THAT(server_->workers(), SizeIs(1));
}

TEST_F(UnreadStreamsTest, ALostWorkersWeightsAreNotKeptForIt) {
  StartServer({});
  const auto worker = Join();
  grpc::ClientContext context;
  const auto reader = Subscribe(worker->worker_id(), &context);
  wire::Weights weights;
  ASSERT_TRUE(reader->Read(&weights));
  server_->Publish(troupe::Weights(1, 4 << 20));
  Advance(absl::Seconds(21));
  while (!server_->workers().empty()) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_FALSE(reader->Read(&weights)) << "the rest of it is no longer kept";
  EXPECT_FALSE(reader->Finish().ok());
}

TEST_F(UnreadStreamsTest, AWorkerWhoseChunkIsLongOnItsWayKeepsItsLeases) {
  StartServer({});
  const auto worker = Join();
  ASSERT_THAT(worker->ReadGrants(2), SizeIs(2));
  for (int i = 0; i < 10; ++i) {
    Advance(absl::Seconds(15));
    grpc::ClientContext context;
    wire::StillHereRequest request;
    wire::StillHereResponse response;
    request.set_worker_id(worker->worker_id());
    ASSERT_TRUE(worker->stub().StillHere(&context, request, &response).ok());
  }
  testing::ServiceTest::ExpectResult(*worker, {0, 1, 0, 0}, wire::ADMITTED);
  Advance(absl::Seconds(21));
  while (!server_->workers().empty()) absl::SleepFor(absl::Milliseconds(1));
  grpc::ClientContext context;
  wire::StillHereRequest request;
  wire::StillHereResponse response;
  request.set_worker_id(worker->worker_id());
  EXPECT_EQ(worker->stub().StillHere(&context, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace troupe
