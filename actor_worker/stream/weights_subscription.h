// The stream on which the learner sends new weights.
#ifndef TROUPE_ACTOR_WORKER_STREAM_WEIGHTS_SUBSCRIPTION_H_
#define TROUPE_ACTOR_WORKER_STREAM_WEIGHTS_SUBSCRIPTION_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "actor_worker/acting/policy_store.h"
#include "actor_worker/stream/weights_intake.h"
#include "common/specs/policy_spec.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"
#include "proto/training_service.grpc.pb.h"

namespace troupe {

// One call of SubscribeWeights, whose messages a WeightsIntake takes; what does not fit ends the call with its error.
// Thread-safe.
class WeightsSubscription final : private grpc::ClientReadReactor<wire::Weights> {
 public:
  // Begins at once. `changed` is called from a gRPC thread after every new version and at the end; it must be short and
  // may not call the subscription. Everything passed by pointer or reference outlives the subscription.
  // `num_teams`: of the environment, for which rosters have weights.
  WeightsSubscription(wire::TrainingService::Stub& stub, const std::string& worker_id,
                      const std::vector<PolicySpec>& policies, int num_teams, PolicyStore* store,
                      std::function<void()> changed);
  // Cancels and waits for the end.
  ~WeightsSubscription() override;

  bool done() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Why it ended; OK: the run did.
  absl::Status status() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  WeightsIntake intake_;  // read reaction only
  const std::function<void()> changed_;
  grpc::ClientContext context_;
  wire::SubscribeWeightsRequest request_;
  wire::Weights message_;     // read reaction only
  absl::Status bad_message_;  // read reaction, then OnDone

  mutable absl::Mutex mutex_;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_STREAM_WEIGHTS_SUBSCRIPTION_H_
