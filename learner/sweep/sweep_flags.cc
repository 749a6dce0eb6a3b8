#include "learner/sweep/sweep_flags.h"

#include <set>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "common/files/atomic_file.h"
#include "learner/sweep/sweep_rows.h"

ABSL_FLAG(std::string, seeds, "1,2,3", "Seeds of every experiment and row: numbers and ranges, 1-5,8.");
ABSL_FLAG(std::string, run_dir, "runs/sweep", "The sweep's folder.");
ABSL_FLAG(std::string, rows, "", "File of rows to compare: deploy/experiments/ablations/*.rows.");
ABSL_FLAG(std::string, statistic, "episode_return",
          "What evaluations are compared by: a statistic of the environment, episode_return or episode_length.");
ABSL_FLAG(int, last_evaluations, 3, "A run's score is the mean over so many of its last evaluations.");
ABSL_FLAG(int, parallel, 1, "Runs at a time.");
ABSL_FLAG(int, local_workers, 1, "Actor workers of each run.");
ABSL_FLAG(double, run_minutes, 0, "Minutes after which a run is ended and has failed; 0: never.");

namespace troupe {
namespace {

absl::Status CheckRange(const char* flag, int value, int low, int high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--", flag, "=", value, ": expected ", low, " to ", high));
}

}  // namespace

Command SweepCommandLine() {
  return {
      .name = "learner sweep",
      .usage = {"EXPERIMENT... [flags]"},
      .text =
          "Trains every experiment, as every row has it, with every seed; each run is a `learner train` of its own, "
          "with the\nmachine's workers. Ends with a table, results.json (for marl_eval) and scores.json (for "
          "rliable) in the sweep's folder.\nThe same command skips what is finished and goes on with what is "
          "half-done. The first SIGINT, SIGTERM or SIGHUP has\nall runs write a checkpoint and ends with 0. Exit "
          "status: 0 done or stopped by request, 1 a run failed, 2 the command\nline or an experiment makes no "
          "sense. See docs/sweeps.md.",
      .flags = {"seeds=N,…", "run_dir=DIR", "set FIELD=VALUE", "vary FIELD=A,B,…", "rows=FILE", "statistic=NAME",
                "last_evaluations=N", "parallel=N", "local_workers=N", "run_minutes=M"},
      .examples = {"learner sweep deploy/experiments/grid_world.textproto --seeds=1-5 --vary ppo.clip=0.1,0.2,0.3",
                   "learner sweep deploy/experiments/grid_world.textproto "
                   "--rows=deploy/experiments/ablations/mappo.rows --run_dir=runs/ablations"},
      .max_words = 1000};
}

absl::StatusOr<std::vector<uint64_t>> ParseSeeds(const std::string& text) {
  const auto wrong = [&](const std::string& what) {
    return absl::InvalidArgumentError(absl::StrCat("--seeds=", text, ": ", what));
  };
  std::vector<uint64_t> seeds;
  std::set<uint64_t> seen;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::vector<std::string> ends = absl::StrSplit(part, '-');
    uint64_t first = 0, last = 0;
    if (ends.size() > 2 || !absl::SimpleAtoi(ends.front(), &first) || !absl::SimpleAtoi(ends.back(), &last)) {
      return wrong(absl::StrCat("\"", part, "\": expected a whole number or a range such as 1-5"));
    }
    if (last < first) return wrong(absl::StrCat("\"", part, "\": ends before it begins"));
    if (last - first >= kMostSweptRuns) return wrong(absl::StrCat("expected at most ", kMostSweptRuns, " seeds"));
    for (uint64_t i = 0; i <= last - first; ++i) {
      if (!seen.insert(first + i).second) return wrong(absl::StrCat(first + i, " stands there twice"));
      seeds.push_back(first + i);
    }
  }
  return seeds;
}

absl::StatusOr<SweepOptions> ReadSweepFlags(const CommandWords& words) {
  SweepOptions options;
  if (words.words.empty()) {
    return absl::InvalidArgumentError("an experiment is needed, for example deploy/experiments/grid_world.textproto");
  }
  options.experiments = words.words;
  ASSIGN_OR_RETURN(options.seeds, ParseSeeds(absl::GetFlag(FLAGS_seeds)));
  options.run_folder = absl::GetFlag(FLAGS_run_dir);
  if (options.run_folder.empty()) return absl::InvalidArgumentError("--run_dir=: expected a folder");
  options.overrides = words.overrides;
  if (const std::string path = absl::GetFlag(FLAGS_rows); !path.empty()) {
    const absl::StatusOr<std::string> text = ReadWholeFile(path);
    if (!text.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("--rows=", path, ": ", text.status().message()));
    }
    ASSIGN_OR_RETURN(options.rows, ParseSweepRows(*text, path));
  }
  for (const std::string& vary : words.varied) {
    ASSIGN_OR_RETURN(options.rows, VaryRows(options.rows, vary));
  }
  options.statistic = absl::GetFlag(FLAGS_statistic);
  options.last_evaluations = absl::GetFlag(FLAGS_last_evaluations);
  options.parallel = absl::GetFlag(FLAGS_parallel);
  options.local_workers = absl::GetFlag(FLAGS_local_workers);
  options.run_minutes = absl::GetFlag(FLAGS_run_minutes);
  RETURN_IF_ERROR(CheckRange("last_evaluations", options.last_evaluations, 1, 1000));
  RETURN_IF_ERROR(CheckRange("parallel", options.parallel, 1, 64));
  RETURN_IF_ERROR(CheckRange("local_workers", options.local_workers, 1, 1024));
  if (!(options.run_minutes >= 0 && options.run_minutes <= 1e6)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--run_minutes=", options.run_minutes, ": expected minutes from 0 to 1,000,000"));
  }
  return options;
}

}  // namespace troupe
