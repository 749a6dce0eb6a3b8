// The stream on which the learner sends new weights.
#ifndef TROUPE_ACTOR_WORKER_STREAM_WEIGHTS_SUBSCRIPTION_H_
#define TROUPE_ACTOR_WORKER_STREAM_WEIGHTS_SUBSCRIPTION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "actor_worker/acting/policy_store.h"
#include "common/specs/policy_spec.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"
#include "proto/training_service.grpc.pb.h"

namespace troupe {

// One call of SubscribeWeights. Every version is checked against the policy specs and put into the store, with its
// roster, whose saved versions have come before; what does not fit ends the call with INVALID_ARGUMENT naming the
// tensor or field. Saved versions are kept as long as the newest roster names them, and by whoever still plays by them.
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
  absl::Status Take();
  // RESOURCE_EXHAUSTED: more than any two rosters name.
  absl::Status Save(PolicySnapshot actors);
  void OnDone(const grpc::Status& status) override;

  const std::vector<PolicySpec>& policies_;
  const int num_teams_;
  PolicyStore* const store_;
  const std::function<void()> changed_;
  grpc::ClientContext context_;
  wire::SubscribeWeightsRequest request_;
  wire::Weights message_;                                            // read reaction only
  std::map<uint64_t, std::shared_ptr<const PolicySnapshot>> saved_;  // by version; read reaction only
  absl::Status bad_message_;                                         // read reaction, then OnDone

  mutable absl::Mutex mutex_;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_STREAM_WEIGHTS_SUBSCRIPTION_H_
