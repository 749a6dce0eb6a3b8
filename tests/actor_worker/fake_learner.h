// A learner without learning: the real protocol over loopback, driven by a test.
#ifndef TROUPE_TESTS_ACTOR_WORKER_FAKE_LEARNER_H_
#define TROUPE_TESTS_ACTOR_WORKER_FAKE_LEARNER_H_

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/policy_snapshot.h"
#include "grpcpp/server.h"
#include "proto/training_service.grpc.pb.h"

namespace troupe {

// Thread-safe. Records everything that comes; what it does about it is up to the test's policies, called under no lock.
class FakeLearner final : public wire::TrainingService::Service {
 public:
  using Stream = grpc::ServerReaderWriter<wire::LearnerMessage, wire::WorkerMessage>;

  // port 0: any.
  explicit FakeLearner(const Experiment& experiment, int port = 0);
  ~FakeLearner() override;

  std::string address() const;
  int port() const { return port_; }

  // Policies; set before the worker starts.
  std::function<void(const std::string& worker_id)> on_hello;
  // A status that is not OK ends the stream with it.
  std::function<grpc::Status(const wire::Chunk& chunk)> on_chunk;
  grpc::Status describe_status, register_status, leave_status;

  // To the worker's present stream. False: there is none.
  bool Send(const wire::LearnerMessage& message);
  bool Grant(uint32_t shard, uint32_t epoch, uint64_t first_update = 0, uint64_t oldest_version = 0);
  bool Acknowledge(const wire::Chunk& chunk, wire::ChunkResult result = wire::ADMITTED);
  bool Drain();
  // Subscribers get the last two versions and every later one, in order.
  void Publish(std::shared_ptr<const PolicySnapshot> weights);
  // Ends the present streams as a network failure would.
  void CutStreams();
  // As a restarted learner: registered ids and published weights are unknown from now on.
  void ForgetWorkers();
  // Who asks for the run from now on is told that it has ended.
  void EndRun();
  // Another run from now on.
  void BeginRun(const std::string& run_id);

  // What came, in order, over all streams.
  std::vector<wire::WorkerMessage> messages() const;
  std::vector<wire::Chunk> chunks() const;
  // Waits until `reached` holds of the messages that came. False: not within ten seconds.
  bool Await(const std::function<bool(const std::vector<wire::WorkerMessage>&)>& reached);
  bool AwaitChunks(size_t count);
  int num_registrations() const;
  int num_streams() const;
  bool AwaitStreams(int count);
  wire::RegisterRequest last_registration() const;
  // The worker id of every Leave.
  std::vector<std::string> left() const;
  // Waits until as many StillHere came, which are not answered with OK: older learners do not know the call.
  bool AwaitStillHere(int count);

 private:
  grpc::Status DescribeRun(grpc::ServerContext*, const wire::DescribeRunRequest*, wire::DescribeRunResponse*) override;
  grpc::Status Register(grpc::ServerContext*, const wire::RegisterRequest*, wire::RegisterResponse*) override;
  grpc::Status Leave(grpc::ServerContext*, const wire::LeaveRequest*, wire::LeaveResponse*) override;
  grpc::Status StillHere(grpc::ServerContext*, const wire::StillHereRequest*, wire::StillHereResponse*) override;
  grpc::Status StreamTrajectories(grpc::ServerContext*, Stream*) override;
  grpc::Status SubscribeWeights(grpc::ServerContext*, const wire::SubscribeWeightsRequest*,
                                grpc::ServerWriter<wire::Weights>*) override;

  int port_ = 0;
  mutable absl::Mutex mutex_;
  wire::DescribeRunResponse description_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> workers_ ABSL_GUARDED_BY(mutex_);
  wire::RegisterRequest last_registration_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> left_ ABSL_GUARDED_BY(mutex_);
  int still_here_ ABSL_GUARDED_BY(mutex_) = 0;
  int registrations_ ABSL_GUARDED_BY(mutex_) = 0;
  int streams_ ABSL_GUARDED_BY(mutex_) = 0;
  int cuts_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  Stream* stream_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::set<grpc::ServerContext*> calls_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<const PolicySnapshot>> weights_ ABSL_GUARDED_BY(mutex_);  // all, in order
  std::vector<wire::WorkerMessage> messages_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTOR_WORKER_FAKE_LEARNER_H_
