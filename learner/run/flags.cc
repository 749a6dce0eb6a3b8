#include "learner/run/flags.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/config/settings_reader.h"
#include "common/status_macros.h"

// train
ABSL_FLAG(std::string, experiment, "", "Experiment file (textproto).");
ABSL_FLAG(std::string, run_dir, "", "The run's folder; default runs/<name of the experiment>.");
ABSL_FLAG(std::string, listen, "127.0.0.1:0", "Where workers connect; port 0: any.");
ABSL_FLAG(bool, insecure, false, "Allow --listen on addresses that others can reach without credentials or encryption.");
ABSL_FLAG(std::string, tls_certificate, "", "Own certificate, PEM: serve TLS.");
ABSL_FLAG(std::string, tls_key, "", "Its private key, PEM.");
ABSL_FLAG(std::string, tls_client_ca, "", "Authority, PEM, of which clients must show a certificate: mutual TLS.");
ABSL_FLAG(std::string, token_file, "", "File with the token that every call must carry.");
ABSL_FLAG(std::string, metrics, "127.0.0.1:0", "Where Prometheus metrics are shown; empty: nowhere.");
ABSL_FLAG(int, local_workers, 0, "Actor workers to run on this machine.");
ABSL_FLAG(int, expected_workers, 0,
          "Workers to wait for before shards are spread; default --local_workers, at least 1.");
ABSL_FLAG(std::string, device, "", "auto, cpu or cuda; overrides compute.device.");
ABSL_FLAG(std::string, seed, "", "Overrides the experiment's seed.");
ABSL_FLAG(bool, fresh, false, "Refuse to go on with a run that is already in the folder.");
ABSL_FLAG(double, rank_timeout, 60, "Seconds after which a learner of the group that does not answer is gone.");
ABSL_FLAG(bool, insecure_ranks, false, "Allow a MASTER_ADDR that others can reach.");
ABSL_FLAG(bool, no_final_evaluation, false, "No table against the baselines at the end.");
// export
ABSL_FLAG(std::string, checkpoint, "best", "best, last, or a checkpoint's path.");
ABSL_FLAG(std::string, output, "", "File to write.");

namespace troupe {
namespace {

constexpr char kHelp[] =
    R"(Troupe's learner: trains the actors of a multi-agent environment with what actor workers collect.

  learner [train] --experiment=FILE [flags]      train, or go on with the run in the folder
  learner export --run_dir=DIR --output=FILE     write a checkpoint's actors to a file of their own
  learner inspect FILE                           print what a checkpoint or actor file holds
  learner health --connect=HOST:PORT [flags]     ask a learner whether it is well

train
  --experiment=FILE       what to train: deploy/experiments/*.textproto
  --set FIELD=VALUE       override a field of it, repeatable: --set ppo.clip=0.1 --set policy.hidden_sizes=128,64
  --seed=N                override its seed
  --device=auto|cpu|cuda  override its device
  --run_dir=DIR           the run's folder (runs/<name of the experiment>); an interrupted run there goes on
  --fresh                 refuse to go on with a run that is already there
  --local_workers=N       actor workers to run on this machine (0: they are started elsewhere)
  --expected_workers=N    workers to wait for, up to 30 s, before the work is spread (--local_workers, at least 1)
  --listen=HOST:PORT      where workers connect (127.0.0.1:0, any free port)
  --tls_certificate=FILE --tls_key=FILE   serve TLS
  --tls_client_ca=FILE    mutual TLS: workers must show a certificate of this authority
  --token_file=FILE       workers must know the token in this file
  --insecure              allow a --listen address that others can reach without the above
  --metrics=HOST:PORT     where Prometheus metrics are shown (127.0.0.1:0; "": nowhere)
  --no_final_evaluation   no table against the baselines at the end
  --insecure_ranks        with several learners: allow a MASTER_ADDR that others can reach; nothing of it is encrypted
  --rank_timeout=SECONDS  with several learners: one that does not answer for so long is gone (60)
  RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT in the environment (torchrun sets them) make this learner one of several
  that train the run together; LOCAL_RANK counts the ports of --listen and --metrics up. See docs/data_parallel.md.

export
  --run_dir=DIR           the run's folder
  --checkpoint=WHICH      best (by evaluation), last, or a checkpoint's path (best)
  --output=FILE           file to write, for `actor_worker evaluate`, `act`, `replay` and Python

health: exit status 0 and the phase (starting, training, finishing) as long as the learner lives and answers, 1 with a
  line that says why not
  --connect=HOST:PORT     the learner
  --tls_ca=FILE           TLS: the learner must show a certificate of this authority
  --tls_certificate=FILE --tls_key=FILE   mutual TLS: what to show
  --tls_server_name=NAME  the name the learner's certificate must have, instead of HOST
  --token_file=FILE       the token, for a learner with one

The first SIGINT or SIGTERM (Ctrl-C) finishes the update, writes a checkpoint and ends with 0; the second ends at once.
Exit status: 0 done or stopped by request, 1 failed, 2 the command line or the experiment makes no sense, or the
experiment does not fit the memory.
)";

// Removes `--set X` and `--set=X` from the words; abseil's flags keep the last of repeated ones only.
absl::StatusOr<std::vector<std::string>> TakeOverrides(std::vector<char*>* words) {
  std::vector<std::string> overrides;
  std::vector<char*> kept;
  for (size_t i = 0; i < words->size(); ++i) {
    absl::string_view word = (*words)[i];
    const bool is_flag = i > 0 && absl::ConsumePrefix(&word, "-");
    absl::ConsumePrefix(&word, "-");
    if (is_flag && word == "set") {
      if (i + 1 == words->size()) return absl::InvalidArgumentError("--set: expected FIELD=VALUE after it");
      overrides.push_back((*words)[++i]);
    } else if (is_flag && absl::ConsumePrefix(&word, "set=")) {
      overrides.push_back(std::string(word));
    } else {
      kept.push_back((*words)[i]);
    }
  }
  *words = std::move(kept);
  return overrides;
}

bool AsksForHelp(const std::vector<char*>& words) {
  for (size_t i = 1; i < words.size(); ++i) {
    const absl::string_view word = words[i];
    if (word == "--help" || word == "-help" || word == "-h" || (i == 1 && word == "help")) return true;
  }
  return false;
}

absl::Status ReadDevice(std::vector<std::string>* overrides) {
  const std::string device = absl::GetFlag(FLAGS_device);
  if (device.empty()) return absl::OkStatus();
  const std::string name = absl::AsciiStrToUpper(device);
  if (name != "AUTO" && name != "CPU" && name != "CUDA") {
    return absl::InvalidArgumentError(absl::StrCat("--device=", device, ": expected auto, cpu or cuda"));
  }
  overrides->push_back("compute.device=" + name);
  return absl::OkStatus();
}

absl::StatusOr<LearnerCommand> FindCommand(const std::string& word) {
  if (word == "train") return LearnerCommand::kTrain;
  if (word == "export") return LearnerCommand::kExport;
  if (word == "inspect") return LearnerCommand::kInspect;
  if (word == "health") return absl::InvalidArgumentError("health: expected as the first word, its flags after it");
  const std::string nearest = NearestName(word, {"train", "export", "inspect", "health"});
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown command \"", word, "\"; ",
      nearest.empty() ? "there are train, export, inspect and health" : absl::StrCat("did you mean \"", nearest, "\"?")));
}

absl::StatusOr<TrainOptions> ReadTrainFlags(std::vector<std::string> overrides) {
  TrainOptions options;
  options.experiment_path = absl::GetFlag(FLAGS_experiment);
  options.overrides = std::move(overrides);
  options.run_folder = absl::GetFlag(FLAGS_run_dir);
  options.listen_address = absl::GetFlag(FLAGS_listen);
  options.security = {absl::GetFlag(FLAGS_tls_certificate), absl::GetFlag(FLAGS_tls_key),
                      absl::GetFlag(FLAGS_tls_client_ca), absl::GetFlag(FLAGS_token_file),
                      absl::GetFlag(FLAGS_insecure)};
  options.metrics_address = absl::GetFlag(FLAGS_metrics);
  options.local_workers = absl::GetFlag(FLAGS_local_workers);
  options.expected_workers = absl::GetFlag(FLAGS_expected_workers);
  options.fresh = absl::GetFlag(FLAGS_fresh);
  options.final_evaluation = !absl::GetFlag(FLAGS_no_final_evaluation);
  const double rank_timeout_seconds = absl::GetFlag(FLAGS_rank_timeout);
  if (!(rank_timeout_seconds >= 1 && rank_timeout_seconds <= 3600)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--rank_timeout=", rank_timeout_seconds, ": expected seconds from 1 to 3600"));
  }
  options.insecure_ranks = absl::GetFlag(FLAGS_insecure_ranks);
  options.rank_timeout = absl::Seconds(rank_timeout_seconds);
  ASSIGN_OR_RETURN(options.ranks, ReadRankEnvironment([](const char* name) { return std::getenv(name); }));
  if (!options.ranks.has_value()) return options;
  for (std::string* address : {&options.listen_address, &options.metrics_address}) {
    if (address->empty()) continue;
    ASSIGN_OR_RETURN(*address, AddressOfLocalRank(*address, options.ranks->local_rank));
  }
  return options;
}

}  // namespace

absl::StatusOr<LearnerCommandLine> ParseLearnerCommandLine(int argc, char** argv) {
  std::vector<char*> words(argv, argv + argc);
  if (AsksForHelp(words)) {
    std::fputs(kHelp, stdout);
    std::exit(0);
  }
  ASSIGN_OR_RETURN(std::vector<std::string> overrides, TakeOverrides(&words));
  std::vector<char*> rest = absl::ParseCommandLine(static_cast<int>(words.size()), words.data());
  LearnerCommandLine line;
  size_t next = 1;
  if (rest.size() > next) {
    ASSIGN_OR_RETURN(line.command, FindCommand(rest[next]));
    ++next;
  }
  if (line.command == LearnerCommand::kInspect) {
    if (rest.size() <= next) return absl::InvalidArgumentError("inspect: expected a file");
    line.file = rest[next++];
  }
  if (rest.size() > next) return absl::InvalidArgumentError(absl::StrCat("unexpected \"", rest[next], "\""));
  RETURN_IF_ERROR(ReadDevice(&overrides));
  if (const std::string seed = absl::GetFlag(FLAGS_seed); !seed.empty()) overrides.push_back("seed=" + seed);
  if (line.command == LearnerCommand::kTrain) {
    ASSIGN_OR_RETURN(line.train, ReadTrainFlags(std::move(overrides)));
  }
  line.run_folder = absl::GetFlag(FLAGS_run_dir);
  line.checkpoint = absl::GetFlag(FLAGS_checkpoint);
  line.output = absl::GetFlag(FLAGS_output);
  if (line.command == LearnerCommand::kExport && line.output.empty()) {
    return absl::InvalidArgumentError("export: --output=FILE is needed");
  }
  if (line.command == LearnerCommand::kExport && line.run_folder.empty() &&
      (line.checkpoint == "best" || line.checkpoint == "last")) {
    return absl::InvalidArgumentError("export: --run_dir=DIR is needed (or --checkpoint=PATH)");
  }
  return line;
}

}  // namespace troupe
