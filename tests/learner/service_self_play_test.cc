// Saved opponents on the stream of weights: once each, before the first version that names them.
#include <map>

#include "tests/learner/service_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using testing::FakeWorker;
using testing::ServiceTest;

// "saved 3", "version 4 of 3, …", in the order they come.
class Subscriber {
 public:
  explicit Subscriber(FakeWorker& worker) {
    wire::SubscribeWeightsRequest request;
    request.set_worker_id(worker.worker_id());
    reader_ = worker.stub().SubscribeWeights(&context_, request);
  }
  ~Subscriber() {
    context_.TryCancel();
    reader_->Finish();
  }
  std::string Read() {
    wire::Weights message;
    if (!reader_->Read(&message)) return "the end";
    if (message.has_saved_version()) return absl::StrCat("saved ", message.saved_version());
    std::string text = absl::StrCat("version ", message.policy_version(), " of");
    for (const wire::SavedOpponent& opponent : message.roster().opponents()) {
      absl::StrAppend(&text, " ", opponent.saved_version());
    }
    return text;
  }
  std::vector<std::string> Read(int count) {
    std::vector<std::string> texts;
    for (int i = 0; i < count; ++i) texts.push_back(Read());
    return texts;
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<wire::Weights>> reader_;
};

class SelfPlayServiceTest : public ServiceTest {
 protected:
  void PublishWith(uint64_t version, const std::vector<uint64_t>& opponents) {
    auto weights = std::make_shared<PolicySnapshot>(*Weights(version));
    auto roster = std::make_shared<Roster>();
    for (const uint64_t opponent : opponents) {
      auto& actors = saved_[opponent];
      if (actors == nullptr) actors = Weights(opponent);
      roster->opponents.push_back({actors, {1}});
    }
    weights->roster = roster;
    server_->Publish(weights);
  }
  std::map<uint64_t, std::shared_ptr<const PolicySnapshot>> saved_;
};

TEST_F(SelfPlayServiceTest, OpponentsComeOnceEachAndLateComersGetAllThatPlay) {
  StartServer({.mode = PIPELINED});
  const auto early = Join();
  Subscriber first(*early);
  EXPECT_EQ(first.Read(), "version 0 of");
  PublishWith(1, {1});
  EXPECT_THAT(first.Read(2), ElementsAre("saved 1", "version 1 of 1"));
  PublishWith(2, {1, 2});
  EXPECT_THAT(first.Read(2), ElementsAre("saved 2", "version 2 of 1 2"));
  PublishWith(3, {1, 2});
  EXPECT_THAT(first.Read(1), ElementsAre("version 3 of 1 2"));
  PublishWith(4, {2, 4});
  EXPECT_THAT(first.Read(2), ElementsAre("saved 4", "version 4 of 2 4"));
  const auto late = Join();
  Subscriber second(*late);
  EXPECT_THAT(second.Read(5), ElementsAre("saved 1", "saved 2", "version 3 of 1 2", "saved 4", "version 4 of 2 4"));
}

}  // namespace
}  // namespace troupe
