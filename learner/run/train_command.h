// `learner train`: puts a run together from its parts and sees it through.
#ifndef TROUPE_LEARNER_RUN_TRAIN_COMMAND_H_
#define TROUPE_LEARNER_RUN_TRAIN_COMMAND_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/security/server_security.h"
#include "common/threads/shutdown.h"
#include "learner/run/rank_environment.h"
#include "proto/experiment.pb.h"

namespace troupe {

struct TrainOptions {
  static constexpr int kMostWorkers = 16384;

  std::string experiment_path;
  std::vector<std::string> overrides;  // as for LoadExperiment
  std::string run_folder;              // empty: runs/<experiment.name>
  std::string listen_address = "127.0.0.1:0";
  ServerSecurity security;
  std::string metrics_address = "127.0.0.1:0";  // empty: none
  int local_workers = 0;
  int expected_workers = 0;  // 0: local_workers, at least 1
  int max_workers = 0;       // registered at once; 0: as LearnerServerOptions, but the expected ones in any case
  bool fresh = false;
  bool final_evaluation = true;
  std::string batch_log;  // file for BatchLog's lines; empty: none
  // Why the final table cannot be played on this machine; "" when it can (CheckBeforeTraining). It is said when the run
  // begins and where the table would come.
  std::string no_final_evaluation_here;
  // One of several learners of this run: they share its shards and take its gradient steps together. Rank 0 has the run
  // folder; the others keep their log and their workers' in RUN_FOLDER/rank-N.
  std::optional<RankEnvironment> ranks;
  std::string advertise;        // HOST:PORT by which workers reach this rank; empty: AddressForWorkers finds out
  bool insecure_ranks = false;  // allows a master that others can reach
  absl::Duration rank_timeout = absl::Seconds(60);      // a rank that does not answer for so long is gone
  absl::Duration rank_join_timeout = absl::Minutes(5);  // how long ranks wait for each other to come
  absl::Duration rank_rejoin = absl::ZeroDuration();    // the same after a loss; 0: this learner ends (rank_rejoin.h)
  int rejoins = 0;                                      // times that this process has lost the others before
};

// The run's folder: the option, else runs/NAME OF THE EXPERIMENT.
std::string RunFolderOf(const TrainOptions& options, const Experiment& experiment);

// Checks the options and reads the experiment; nothing is written or started.
// Errors: INVALID_ARGUMENT naming the option or, with file and line, the field; NOT_FOUND: no such file.
absl::StatusOr<Experiment> ReadTrainExperiment(const TrainOptions& options);

// Trains to the end, or until `shutdown`; both are OK. Where other ranks are lost: rank_rejoin.h.
// Errors: FAILED_PRECONDITION of the run folder; RESOURCE_EXHAUSTED: it would not fit the memory, nothing was trained;
// whatever ended the run.
absl::Status RunTraining(const TrainOptions& options, const Experiment& experiment, ShutdownSignal* shutdown);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_TRAIN_COMMAND_H_
