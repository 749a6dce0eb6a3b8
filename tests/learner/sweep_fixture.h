// Runs as a sweep finds them, written by hand.
#ifndef TROUPE_TESTS_LEARNER_SWEEP_FIXTURE_H_
#define TROUPE_TESTS_LEARNER_SWEEP_FIXTURE_H_

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/config/experiment_loader.h"
#include "learner/sweep/sweep_plan.h"
#include "tests/common/temporary_folder.h"

namespace troupe::testing {

inline void WriteText(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
}

inline std::string SweptExperiment(const std::string& name, const std::string& size = "3") {
  return absl::StrCat("name: '", name,
                      "'\ntotal_env_steps: 1024\nenvironment { name: 'grid_world' settings { key: "
                      "'size' value: '",
                      size,
                      "' } }\ncollection { num_shards: 4 copies_per_shard: 4 rollout_length: "
                      "16 }\nppo { minibatch_size: 128 }\nevaluation { interval_env_steps: 256 episodes: 2 }\n");
}

// A folder with experiments, and below it the sweep's.
struct SweptFolder {
  SweptFolder() {
    options.seeds = {1, 2};
    options.run_folder = folder / "sweep";
  }

  void AddExperiment(const std::string& name, const std::string& text) {
    options.experiments.push_back(folder / (name + ".textproto"));
    WriteText(options.experiments.back(), text);
  }
  // The run's folder as training leaves it: an evaluation of each of these returns, every 256 steps.
  void Finish(const PlannedRun& run, const std::vector<double>& returns) const {
    const std::string own = absl::StrCat(options.run_folder, "/", run.name);
    WriteText(own + "/experiment.textproto", FormatExperiment(run.experiment));
    WriteText(own + "/actors/final.safetensors", "");
    std::string lines;
    for (size_t i = 0; i < returns.size(); ++i) {
      absl::StrAppend(&lines, "{\"update\":", i + 1, ",\"env_steps\":", 256 * (i + 1),
                      ",\"wall_seconds\":", 0.5 * (i + 1),
                      ",\"episodes\":{\"count\":0}}\n{\"evaluation\":{\"count\":2,\"episode_return\":", returns[i],
                      ",\"episode_length\":7,\"statistics\":{\"goals\":", 2 * returns[i], "}},\"update\":", i + 1,
                      ",\"env_steps\":", 256 * (i + 1), "}\n");
    }
    WriteText(own + "/metrics.jsonl", lines);
  }

  TemporaryFolder folder;
  SweepOptions options;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_LEARNER_SWEEP_FIXTURE_H_
