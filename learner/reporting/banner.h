// What a run says about itself before it begins.
#ifndef TROUPE_LEARNER_REPORTING_BANNER_H_
#define TROUPE_LEARNER_REPORTING_BANNER_H_

#include <optional>
#include <string>
#include <vector>

#include "common/metrics/memory_use.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"
#include "learner/checkpoint/checkpoint.h"
#include "learner/ingest/shard_range.h"
#include "proto/experiment.pb.h"

namespace troupe {

struct RunPlaces {
  std::string run_folder;
  std::string run_id;
  std::string learner_address;  // where workers connect
  std::string metrics_url;      // empty: none
  std::string device;           // for people
  int local_workers = 0;
  int expected_workers = 1;
};

// Known before any worker is there.
std::string FormatRun(const Experiment& experiment, const RunPlaces& places);

// "one of 2 learners, leases shards 2 … 3; its workers connect to 127.0.0.1:7071; metrics http://…".
std::string FormatRank(int size, ShardRange shards, const RunPlaces& places);

// Known once one is: agents and networks.
std::string FormatTask(const Experiment& experiment, const EnvironmentSpec& environment,
                       const std::vector<PolicySpec>& policies);

// The curriculum's stages as a row of the task: "calm (vehicles_per_hour 1800) until mean_waiting_seconds at most 20 in
// 2 evaluations in a row, then the task itself; now calm".
std::string FormatCurriculum(const CurriculumSettings& curriculum, uint32_t stage);

// The pool of saved versions as a row of the task, with its bound: "every 10 updates a version is saved, at most 16
// of 0.05 MiB (NEWEST_STAY), 3 now; 50 % of the episodes are against one of them (UNIFORM)".
std::string FormatSelfPlay(const SelfPlaySettings& self_play, const std::vector<PolicySpec>& policies, size_t saved);

// How the algorithm multiplies, as the last row of the task.
std::string FormatArithmetic(const std::string& arithmetic);

// What the run will take besides what is in use, and of how much, as a row of the task.
std::string FormatMemory(double needed_bytes, const std::optional<MemoryUse>& use);

// "goes on from update 120 (491,520 steps, 0:46 trained)".
std::string FormatResume(const RunCounters& counters);

// 1234567 → "1,234,567".
std::string WithThousands(uint64_t value);

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPORTING_BANNER_H_
