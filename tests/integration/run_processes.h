// Real learners and workers as child processes, over real sockets, in a folder of the test's own.
#ifndef TROUPE_TESTS_INTEGRATION_RUN_PROCESSES_H_
#define TROUPE_TESTS_INTEGRATION_RUN_PROCESSES_H_

#include <poll.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/processes/piped_process.h"
#include "tests/common/temporary_folder.h"

namespace troupe::testing {

inline std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// 256 environment steps per update.
inline constexpr char kGridWorld[] = "name: 'grid_world' settings { key: 'size' value: '3' }";
inline std::string SmallExperiment(const std::string& mode, int updates, const std::string& environment = kGridWorld) {
  return absl::StrCat(
      "name: 'small'\nseed: 7\ntotal_env_steps: ", updates * 256, "\nenvironment { ", environment,
      " }\n"
      "collection { mode: ",
      mode,
      " num_shards: 4 copies_per_shard: 4 rollout_length: 16 }\n"
      "policy { hidden_sizes: [16] }\ncritic { hidden_sizes: [16] }\n"
      "ppo { epochs: 2 minibatch_size: 128 }\ncompute { device: CPU learner_threads: 1 precision: F32 }\n"
      "checkpoint { interval_env_steps: 2560 }\n");
}

// A program of this build with its output kept. Killed when the test ends early.
class Process {
 public:
  // `environment`: NAME=VALUE, besides what this process has.
  Process(const std::string& program, const std::vector<std::string>& arguments,
          const std::vector<std::string>& environment = {}) {
    std::vector<std::string> command;
    if (!environment.empty()) command.push_back("/usr/bin/env");
    command.insert(command.end(), environment.begin(), environment.end());
    command.push_back(absl::StrCat(TROUPE_BIN_DIR "/", program));
    command.insert(command.end(), arguments.begin(), arguments.end());
    child_ = PipedProcess::Start(command).value();
  }

  pid_t pid() const { return child_->pid(); }
  const std::string& output() const { return output_; }
  void Signal(int signal) { child_->Signal(signal); }

  // Waits until `text` was printed.
  bool Prints(const std::string& text, absl::Duration patience = absl::Seconds(60)) {
    const absl::Time deadline = absl::Now() + patience;
    while (output_.find(text) == std::string::npos) {
      if (absl::Now() > deadline || !Read()) return output_.find(text) != std::string::npos;
    }
    return true;
  }
  // The wait status; -1 when it did not end in time.
  int Wait(absl::Duration patience = absl::Seconds(120)) {
    const absl::Time deadline = absl::Now() + patience;
    while (Read()) {
      if (absl::Now() > deadline) return -1;
    }
    return child_->Wait();
  }
  // The word after `before` in what was printed.
  std::string WordAfter(const std::string& before) const {
    const size_t found = output_.find(before);
    if (found == std::string::npos) return "";
    const std::string rest = output_.substr(found + before.size());
    return rest.substr(0, rest.find_first_of(" \n,"));
  }

  // Direct children.
  std::vector<pid_t> Children() const {
    std::vector<pid_t> children;
    std::error_code error;
    for (const auto& task : std::filesystem::directory_iterator(absl::StrCat("/proc/", pid(), "/task"), error)) {
      const std::string text = ReadText(task.path().string() + "/children");
      for (const absl::string_view word : absl::StrSplit(text, ' ', absl::SkipWhitespace())) {
        int child = 0;
        if (absl::SimpleAtoi(word, &child)) children.push_back(child);
      }
    }
    return children;
  }

 private:
  bool Read() {
    pollfd descriptor = {child_->output(), POLLIN, 0};
    poll(&descriptor, 1, /*milliseconds=*/50);
    return child_->ReadOutput(&output_);
  }

  std::unique_ptr<PipedProcess> child_;
  std::string output_;
};

// One run folder and its experiment; learners on it come and go.
struct SmallRun {
  SmallRun(const std::string& mode, int updates, const std::string& environment = kGridWorld) {
    std::ofstream(folder / "e.textproto") << SmallExperiment(mode, updates, environment);
  }

  std::unique_ptr<Process> Learner(int local_workers, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"train", absl::StrCat("--experiment=", folder / "e.textproto"),
                                          absl::StrCat("--run_dir=", folder / "run"),
                                          absl::StrCat("--local_workers=", local_workers), "--no_final_evaluation"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return std::make_unique<Process>("learner", arguments);
  }
  // metrics.jsonl's "update" of every line, in order.
  std::vector<int> RecordedUpdates() const {
    std::vector<int> updates;
    std::ifstream file(folder / "run/metrics.jsonl");
    for (std::string line; std::getline(file, line);) {
      int update = 0;
      const size_t begin = std::string("{\"update\":").size();
      if (line.size() > begin && absl::SimpleAtoi(line.substr(begin, line.find(',') - begin), &update))
        updates.push_back(update);
    }
    return updates;
  }
  // Waits until that many updates are recorded.
  bool Reaches(size_t updates) const {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (RecordedUpdates().size() < updates) {
      if (absl::Now() > deadline) return false;
      absl::SleepFor(absl::Milliseconds(5));
    }
    return true;
  }
  std::string Logs() const {
    std::string text;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "run/workers", error)) {
      absl::StrAppend(&text, entry.path().string(), ":\n", ReadText(entry.path().string()));
    }
    return text;
  }

  TemporaryFolder folder;
};

inline bool IsAlive(pid_t pid) {
  const std::string stat = ReadText(absl::StrCat("/proc/", pid, "/stat"));
  const size_t name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.substr(name_end + 2, 1) != "Z";
}

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_INTEGRATION_RUN_PROCESSES_H_
