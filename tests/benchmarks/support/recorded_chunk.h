// A chunk as a worker would send it: what a shard of the run's environment lived through under random weights.
#ifndef TROUPE_TESTS_BENCHMARKS_SUPPORT_RECORDED_CHUNK_H_
#define TROUPE_TESTS_BENCHMARKS_SUPPORT_RECORDED_CHUNK_H_

#include <memory>
#include <vector>

#include "actor_worker/rollout/worker_run.h"
#include "common/base/policy_snapshot.h"
#include "common/specs/policy_spec.h"
#include "proto/trajectory.pb.h"

namespace troupe::testing {

// Random weights of every policy, version 0.
std::shared_ptr<PolicySnapshot> RandomPolicies(const std::vector<PolicySpec>& policies);

// The shard's first chunk.
wire::Chunk RecordChunk(const RolloutPlan& plan);

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_BENCHMARKS_SUPPORT_RECORDED_CHUNK_H_
