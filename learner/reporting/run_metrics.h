// What the learner's series say about the run as a whole, from the moment it serves:
//
//   troupe_run_info{run, run_id, experiment, environment, algorithm} 1, troupe_target_env_steps,
//   troupe_expected_workers, troupe_max_policy_lag; of the disk that holds the run folder, at each scrape:
//   troupe_run_folder_free_bytes (as a user without privileges may take them), troupe_run_folder_size_bytes
#ifndef TROUPE_LEARNER_REPORTING_RUN_METRICS_H_
#define TROUPE_LEARNER_REPORTING_RUN_METRICS_H_

#include <string>

#include "common/metrics/metrics.h"
#include "proto/experiment.pb.h"

namespace troupe {

// `experiment` is complete; the run is called by the last part of `run_folder`.
void ShowRun(const Experiment& experiment, const std::string& run_folder, const std::string& run_id,
             int expected_workers, Metrics* metrics);

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPORTING_RUN_METRICS_H_
