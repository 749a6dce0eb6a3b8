// Peers of other versions: what was only added on one side does no harm on the other.
#include "google/protobuf/unknown_field_set.h"
#include "tests/learner/service_fixture.h"

namespace troupe {
namespace {

using testing::FakeWorker;
using testing::kRunId;
using testing::ServiceTest;
using ::testing::SizeIs;

template <typename Message>
void AddUnknownField(Message* message) {
  message->GetReflection()->MutableUnknownFields(message)->AddLengthDelimited(900, "of a later version");
}

TEST_F(ServiceTest, FieldsOfTheFutureArePassedOver) {
  StartServer({.num_shards = 1});
  FakeWorker worker(server_->port());
  wire::RegisterRequest request = FakeWorker::Registration(Spec(), kRunId, 1);
  AddUnknownField(&request);
  AddUnknownField(request.mutable_environment_spec());
  ASSERT_TRUE(worker.Register(request).ok());
  worker.OpenStream(/*hello=*/false);
  wire::WorkerMessage hello;
  hello.mutable_hello()->set_worker_id(worker.worker_id());
  AddUnknownField(hello.mutable_hello());
  ASSERT_TRUE(worker.Send(hello));
  ASSERT_THAT(worker.ReadGrants(1), SizeIs(1));
  wire::Chunk chunk = Chunk({0, 1, 0, 0});
  AddUnknownField(&chunk);
  ASSERT_TRUE(worker.SendChunk(chunk));
  const auto acknowledgement = worker.ReadAcknowledgement();
  ASSERT_TRUE(acknowledgement.has_value());
  EXPECT_EQ(acknowledgement->result(), wire::ADMITTED);
}

}  // namespace
}  // namespace troupe
