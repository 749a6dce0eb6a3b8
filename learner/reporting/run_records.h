// metrics.jsonl: what happened in a run, one JSON object per line.
//
//   {"update":12,"env_steps":49152,"time":1764000000.1,"wall_seconds":8.1,"env_steps_per_second":6040.2,"policy_lag":1,
//    "statistics":{"policy_loss":…},"stage_seconds":{"wait":…,"update":…,"publish":…},
//    "episodes":{"count":32,"episode_return":…,"episode_length":…,"group_returns":{"GROUP":…},"statistics":{"NAME":…}}}
//   {"evaluation":{"count":8, … as episodes …},"update":12,"env_steps":49152,"time":…,"best":true}
//
//   {"stage_verdict":{"stage":"calm","judged_update":20,"statistic":"waiting","value":18.2,"met":true,"met_in_a_row":1,
//    "episodes":{ … as episodes … }},"update":22,"env_steps":90112,"time":…}
//
// With a curriculum an update's line has "curriculum_stage" too, the stage that its policy implies.
//
// An update that left out minibatches because a loss or gradient was not finite has
//    "divergence":{"skipped_minibatches":4,"in_a_row":3,"batch":"diverged/000000000012.safetensors","back_to_update":8,
//    "rollbacks":1,"learning_rate_scale":0.5}
// ("batch": where it was kept; "back_to_update": where the networks went back to that update's).
//
// "update" counts updates done, so it is also the version of the policy that came out. "env_steps" are those trained
// on. A number that is not finite is written as null; "episodes" has only its count when no episode ended; "error"
// stands there when the batch could not be used.
#ifndef TROUPE_LEARNER_REPORTING_RUN_RECORDS_H_
#define TROUPE_LEARNER_REPORTING_RUN_RECORDS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "learner/reporting/episode_means.h"

namespace troupe {

using NamedFigures = std::vector<std::pair<std::string, double>>;

// What became of an update with a loss or gradient that was not finite (learner/run/divergence_guard.h).
struct DivergenceRecord {
  double skipped_minibatches = 0;
  uint32_t in_a_row = 0;                     // such updates
  std::string batch{};                       // its file below the run's folder; empty: it was not kept
  std::optional<uint64_t> back_to_update{};  // the networks are again as after that one
  uint32_t rollbacks = 0;                    // of the run so far
  double learning_rate_scale = 1;            // from here on
};

struct UpdateRecord {
  uint64_t update = 0;
  uint64_t env_steps = 0;
  absl::Time time;          // the date
  double wall_seconds = 0;  // trained for, by the steady clock, since the run began
  double env_steps_per_second = 0;
  double policy_lag = 0;
  NamedFigures statistics;         // UpdateStatistics
  NamedFigures stage_seconds;      // by stage
  EpisodeMeans episodes;           // finished since the update before
  std::string error;               // empty: the update was done
  std::string curriculum_stage{};  // its name; empty: there is no curriculum
  std::optional<DivergenceRecord> divergence{};
};

struct EvaluationRecord {
  uint64_t update = 0;     // policy version evaluated
  uint64_t env_steps = 0;  // it had been trained on
  absl::Time time;
  EpisodeMeans episodes;
  bool best = false;
};

// What an evaluation on a curriculum's stage came to, as it counts after `update`.
struct StageVerdictRecord {
  uint64_t update = 0;
  uint64_t env_steps = 0;
  absl::Time time;
  std::string stage;
  uint64_t judged_update = 0;  // policy version evaluated
  std::string statistic;
  double value = 0;  // its mean
  bool met = false;
  uint32_t met_in_a_row = 0;
  EpisodeMeans episodes;
};

std::string FormatRecord(const UpdateRecord& record);
std::string FormatRecord(const EvaluationRecord& record);
std::string FormatRecord(const StageVerdictRecord& record);

// Appends lines. Not thread-safe.
class RunRecords {
 public:
  // Opens FOLDER/metrics.jsonl for appending, after moving what a checkpoint has not seen to the end of
  // FOLDER/metrics.dropped.jsonl: updates beyond `update`, evaluations of policies beyond `evaluated_env_steps`, and a
  // line cut short. Errors: those of files; metrics.jsonl is as it was then.
  static absl::StatusOr<std::unique_ptr<RunRecords>> Open(const std::string& folder, uint64_t update,
                                                          uint64_t evaluated_env_steps);
  ~RunRecords();
  RunRecords(const RunRecords&) = delete;
  RunRecords& operator=(const RunRecords&) = delete;

  // RESOURCE_EXHAUSTED or INTERNAL: nothing of the line is there, a later call may succeed again.
  absl::Status Append(const std::string& line);

  // Lines that Open moved.
  int num_dropped() const { return num_dropped_; }

 private:
  RunRecords(std::string path, int file, int num_dropped)
      : path_(std::move(path)), file_(file), num_dropped_(num_dropped) {}

  const std::string path_;
  const int file_;
  const int num_dropped_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPORTING_RUN_RECORDS_H_
