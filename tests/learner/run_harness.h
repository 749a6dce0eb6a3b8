// One training loop over fakes in a folder of its own, started as often as a test likes.
#ifndef TROUPE_TESTS_LEARNER_RUN_HARNESS_H_
#define TROUPE_TESTS_LEARNER_RUN_HARNESS_H_

#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "common/files/atomic_file.h"
#include "common/metrics/metrics.h"
#include "learner/checkpoint/checkpoint_store.h"
#include "learner/checkpoint/checkpoint_writer.h"
#include "learner/reporting/console.h"
#include "learner/reporting/run_reporter.h"
#include "learner/run/training_loop.h"
#include "prometheus/text_serializer.h"
#include "tests/common/temporary_folder.h"
#include "tests/learner/run_fakes.h"

namespace troupe::testing {

inline std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::vector<std::string> ReadLines(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// A run folder that outlives the "processes" working in it.
struct TinyRun {
  TinyRun() {
    for (const char* name : {"checkpoints", "actors"}) (void)MakeFolder(folder / name);
  }
  CheckpointStore store() const { return CheckpointStore(folder / "checkpoints", keep); }

  TemporaryFolder folder;
  int keep = 3;
};

// One start of the learner: loads the newest checkpoint, then Run trains on.
struct TinyProcess {
  TinyProcess(const TinyRun& run, const Experiment& experiment)
      : run(run), server(experiment, &log), algorithm(experiment, &log), out(std::tmpfile()), console(out, false) {
    auto newest = run.store().LoadNewest("id", &refused);
    load_status = newest.status();
    if (newest.ok() && newest->has_value()) {
      start = **std::move(newest);
      (void)algorithm.LoadState(start.algorithm_state);
    }
    start.run_id = "id";
    start.experiment = experiment;
    start.environment = TinyEnvironment();
    auto weights = std::make_shared<const PolicySnapshot>(algorithm.ExportPolicy({.update = start.counters.update}));
    (void)server.Begin(start.environment, {}, weights, start.ingest);
  }
  ~TinyProcess() { std::fclose(out); }

  absl::StatusOr<TrainingResult> Run() {
    const auto reporter = RunReporter::Create(run.folder.path(), start, &console, &metrics, absl::Now()).value();
    CheckpointWriter writer(run.store(), run.folder / "actors",
                            [&reporter](const CheckpointWrite& write) { reporter->OnCheckpoint(write, absl::Now()); });
    parts.server = &server;
    parts.algorithm = &algorithm;
    parts.checkpoints = &writer;
    parts.reporter = reporter.get();
    parts.console = &console;
    return TrainingLoop(parts, start).Run();
  }
  std::string Printed() {
    std::rewind(out);
    std::string text;
    for (int letter; (letter = std::fgetc(out)) != EOF;) text.push_back(static_cast<char>(letter));
    return text;
  }
  std::string Series() { return prometheus::TextSerializer().Serialize(metrics.registry()->Collect()); }

  const TinyRun& run;
  CallLog log;
  FakeServer server;
  FakeAlgorithm algorithm;
  std::FILE* out;
  Console console;
  Metrics metrics;
  Checkpoint start;
  std::vector<std::string> refused;
  absl::Status load_status;
  TrainingParts parts;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_LEARNER_RUN_HARNESS_H_
