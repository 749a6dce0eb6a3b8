// What a worker makes of the messages that bring it weights, in the order in which they come.
#ifndef TROUPE_ACTOR_WORKER_STREAM_WEIGHTS_INTAKE_H_
#define TROUPE_ACTOR_WORKER_STREAM_WEIGHTS_INTAKE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "actor_worker/acting/policy_store.h"
#include "common/base/policy_snapshot.h"
#include "common/specs/policy_spec.h"
#include "proto/weights.pb.h"

namespace troupe {

// Every version is checked against the policy specs and put into the store, with its roster, whose saved versions have
// come before. Saved versions are kept as long as the newest roster names them, and by whoever still plays by them. Not
// thread-safe.
class WeightsIntake {
 public:
  // `num_teams`: of the environment, for which rosters have weights. `policies` and `store` outlive the intake.
  WeightsIntake(const std::vector<PolicySpec>& policies, int num_teams, PolicyStore* store)
      : policies_(policies), num_teams_(num_teams), store_(store) {}

  // INVALID_ARGUMENT naming the tensor or field; RESOURCE_EXHAUSTED: more saved versions than any two rosters name.
  absl::Status Take(const wire::Weights& message);

  size_t num_saved() const { return saved_.size(); }

 private:
  absl::Status Save(PolicySnapshot actors);

  const std::vector<PolicySpec>& policies_;
  const int num_teams_;
  PolicyStore* const store_;
  std::map<uint64_t, std::shared_ptr<const PolicySnapshot>> saved_;  // by version
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_STREAM_WEIGHTS_INTAKE_H_
