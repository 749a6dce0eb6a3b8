#include "learner/run/flags.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/command_line/command.h"
#include "common/command_line/command_table.h"
#include "learner/run/rank_addresses.h"

// train
ABSL_FLAG(std::string, experiment, "", "What to train: deploy/experiments/*.textproto.");
ABSL_FLAG(std::string, run_dir, "", "The run's folder; default: runs/NAME OF THE EXPERIMENT.");
ABSL_FLAG(std::string, listen, "127.0.0.1:0",
          "Where workers connect; port 0: any that is free. unix:PATH: where a gateway on this machine does "
          "(docs/security.md).");
ABSL_FLAG(bool, insecure, false,
          "Allow --listen on addresses that others can reach without credentials or encryption.");
ABSL_FLAG(std::string, tls_certificate, "", "Own certificate, PEM: serve TLS.");
ABSL_FLAG(std::string, tls_key, "", "Its private key, PEM.");
ABSL_FLAG(std::string, tls_client_ca, "", "Authority, PEM, of which workers must show a certificate: mutual TLS.");
ABSL_FLAG(std::string, token_file, "", "File with the token that every call must carry.");
ABSL_FLAG(std::string, metrics, "127.0.0.1:0", "Where Prometheus metrics are shown; \"\": nowhere.");
ABSL_FLAG(int, local_workers, 0, "Actor workers to run on this machine; 0: they are started elsewhere.");
ABSL_FLAG(int, expected_workers, 0,
          "Workers to wait for, up to 30 s, before the work is spread; 0: --local_workers, at least 1.");
ABSL_FLAG(
    int, max_workers, 0,
    "Workers that may be registered at once, from one address or many; 0: 1024, of one address 512, and in any case "
    "as many as are expected.");
ABSL_FLAG(std::string, device, "", "Override compute.device: auto, cpu or cuda.");
ABSL_FLAG(std::string, seed, "", "Override the experiment's seed.");
ABSL_FLAG(bool, fresh, false, "Refuse to go on with a run that is already in the folder.");
ABSL_FLAG(
    std::string, advertise, "",
    "With several learners: HOST:PORT by which workers reach this one, as the others tell them; default: where it "
    "listens (docs/data_parallel.md).");
ABSL_FLAG(double, rank_timeout, 60, "With several learners: seconds after which one that does not answer is gone.");
ABSL_FLAG(double, rank_rejoin, 0,
          "With several learners: seconds for which the others are waited for after some were lost, to go on with them "
          "from the last checkpoint; 0: this learner ends with 1.");
ABSL_FLAG(bool, insecure_ranks, false,
          "With several learners: allow a MASTER_ADDR that others can reach; nothing of it is encrypted.");
ABSL_FLAG(bool, no_final_evaluation, false, "No table against the baselines at the end.");
ABSL_FLAG(std::string, log_batches, "",
          "To look into a run: FILE to which all that is trained on is appended, a line of JSON an update. It grows "
          "fast.");
// plan
ABSL_FLAG(double, trial_seconds, 20, "Seconds that the trial may take; 0: none is made.");
// export
ABSL_FLAG(std::string, checkpoint, "best",
          "best (by evaluation), last, saved (the pool of self-play, a file each in the folder OUTPUT), or the path of "
          "a checkpoint or an actor file.");
ABSL_FLAG(
    std::string, format, "safetensors",
    "safetensors: one file, for `actor_worker evaluate`, `act`, `replay` and Python; onnx, torchscript: a file of "
    "each agent group, for ONNX Runtime and others, for torch.jit.load; card: a folder for a model hub, the "
    "first of these with a README.md.");
ABSL_FLAG(std::string, output, "", "File to write; of all formats but safetensors the folder for the files.");

namespace troupe {
namespace {

constexpr char kHelp[] =
    R"(Troupe's learner: trains the actors of a multi-agent environment with what actor workers collect.

  learner [train] --experiment=FILE [flags]      train, or go on with the run in the folder
  learner plan EXPERIMENT [flags]                what a run will take, and what will hold it up
  learner export --run_dir=DIR --output=FILE     write a checkpoint's actors to a file of their own, or as ONNX
  learner inspect RUN|FILE                       how far a run is; what a checkpoint or actor file holds
  learner sweep EXPERIMENT... [flags]            train experiments with several seeds and settings, and compare them
  learner health --connect=HOST:PORT [flags]     ask a learner whether it is well
  learner environments [NAME]                    list the environments; what one observes, does and can be set to
  learner algorithms [NAME]                      list the algorithms; what one needs and allows
  learner explain [FIELD...]                     what a field of an experiment means, its default and range
  learner completion bash|zsh, learner manual    for shells and man
  learner --version                              the project's version and what it was built with

Exit status: 0 done or stopped by request, 1 failed, 2 the command line or the experiment makes no sense, or the
experiment does not fit the memory.
Each command has its own --help; those of train, plan and export follow.
)";

Command TrainCommandLine() {
  return {.name = "learner train",
          .usage = {"--experiment=FILE [flags]"},
          .text =
              "Trains, or goes on with the run in the folder; the word `train` may be left out. The first SIGINT, "
              "SIGTERM or "
              "SIGHUP\n(Ctrl-C, a closed terminal) finishes the update, writes a checkpoint and ends with 0; a second "
              "SIGINT or "
              "SIGTERM ends\nat once. RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT in the environment (torchrun sets "
              "them) make "
              "this learner one of\nseveral that train the run together; LOCAL_RANK counts the ports of --listen and "
              "--metrics "
              "up. See\ndocs/data_parallel.md.",
          .flags = {"experiment=FILE",
                    "set FIELD=VALUE",
                    "seed=N",
                    "device=auto|cpu|cuda",
                    "run_dir=DIR",
                    "fresh",
                    "local_workers=N",
                    "expected_workers=N",
                    "max_workers=N",
                    "listen=HOST:PORT|unix:PATH",
                    "tls_certificate=FILE",
                    "tls_key=FILE",
                    "tls_client_ca=FILE",
                    "token_file=FILE",
                    "insecure",
                    "metrics=HOST:PORT",
                    "no_final_evaluation",
                    "log_batches=FILE",
                    "advertise=HOST:PORT",
                    "insecure_ranks",
                    "rank_timeout=SECONDS",
                    "rank_rejoin=SECONDS"},
          .examples = {
              "learner --experiment=deploy/experiments/traffic_grid.textproto --local_workers=2 --set ppo.clip=0.1"}};
}

Command ExportCommandLine() {
  return {.name = "learner export",
          .usage = {"--run_dir=DIR --output=FILE [--checkpoint=WHICH]", "--checkpoint=PATH --output=FILE",
                    "… --format=onnx|torchscript|card --output=DIR"},
          .text =
              "Writes a checkpoint's actors to a file of their own. With --format=onnx: to DIR/GROUP.onnx for each "
              "agent group,\nDIR/GROUP.SET.onnx for each parameter set of a group with several. observation [batch, "
              "O], and where there are any\naction_mask, state_in and agent, become logits, values or mean and "
              "log_std, the best action and state_out; what the\nnumbers are stands in the file's metadata. "
              "--format=torchscript: the same as "
              "DIR/GROUP.pt. --format=card: a model card, DIR/README.md,\nbeside DIR/actors.safetensors. See "
              "docs/export.md.",
          .flags = {"run_dir=DIR", "checkpoint=WHICH", "format=safetensors|onnx|torchscript|card", "output=FILE"},
          .examples = {"learner export --run_dir=runs/traffic_grid --checkpoint=last --output=actors.safetensors",
                       "learner export --checkpoint=runs/traffic_grid/actors/best.safetensors --format=onnx "
                       "--output=actors"}};
}

Command PlanCommandLine() {
  return {
      .name = "learner plan",
      .usage = {"EXPERIMENT [flags]"},
      .text =
          "What a run of the experiment will take on this machine: shards and batches, memory term by term, bytes a "
          "second, time,\nand whether collection or learning will hold it up. To know that it trains for a moment, in "
          "a folder that is removed\n(--trial_seconds=0: it does not). Settings that fight each other are named. Exit "
          "status: 2 where the experiment makes\nno sense, or does not fit the memory.",
      .flags = {"set FIELD=VALUE", "local_workers=N", "device=auto|cpu|cuda", "seed=N", "trial_seconds=S"},
      .examples = {"learner plan deploy/experiments/traffic_grid.textproto --local_workers=2"},
      .max_words = 1};
}

Command CommandOf(LearnerCommand command) {
  switch (command) {
    case LearnerCommand::kExport:
      return ExportCommandLine();
    case LearnerCommand::kPlan:
      return PlanCommandLine();
    case LearnerCommand::kTrain:
      break;
  }
  return TrainCommandLine();
}

// The help for a command line that names no command.
std::string FormatAllHelp() {
  std::string text = kHelp;
  for (const Command& command : {TrainCommandLine(), PlanCommandLine(), ExportCommandLine()}) {
    absl::StrAppend(&text, "\n", std::string(120, '-'), "\n", FormatHelp(command));
  }
  return text;
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
  if (word == "plan") return LearnerCommand::kPlan;
  return absl::InvalidArgumentError(absl::StrCat(word, ": ask the program learner, not learner_train"));
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
  options.max_workers = absl::GetFlag(FLAGS_max_workers);
  options.fresh = absl::GetFlag(FLAGS_fresh);
  options.final_evaluation = !absl::GetFlag(FLAGS_no_final_evaluation);
  options.batch_log = absl::GetFlag(FLAGS_log_batches);
  const double rank_timeout_seconds = absl::GetFlag(FLAGS_rank_timeout);
  if (!(rank_timeout_seconds >= 1 && rank_timeout_seconds <= 3600)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--rank_timeout=", rank_timeout_seconds, ": expected seconds from 1 to 3600"));
  }
  const double rank_rejoin_seconds = absl::GetFlag(FLAGS_rank_rejoin);
  if (!(rank_rejoin_seconds >= 0 && rank_rejoin_seconds <= 86400)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--rank_rejoin=", rank_rejoin_seconds, ": expected seconds from 0 to 86400"));
  }
  options.rank_rejoin = absl::Seconds(rank_rejoin_seconds);
  options.advertise = absl::GetFlag(FLAGS_advertise);
  if (!options.advertise.empty()) RETURN_IF_ERROR(CheckAdvertised(options.advertise));
  options.insecure_ranks = absl::GetFlag(FLAGS_insecure_ranks);
  options.rank_timeout = absl::Seconds(rank_timeout_seconds);
  ASSIGN_OR_RETURN(options.ranks, ReadRankEnvironment([](const char* name) { return std::getenv(name); }));
  if (!options.ranks.has_value()) return options;
  for (std::string* address : {&options.listen_address, &options.metrics_address, &options.advertise}) {
    if (address->empty()) continue;
    ASSIGN_OR_RETURN(*address, AddressOfLocalRank(*address, options.ranks->local_rank));
  }
  return options;
}

}  // namespace

absl::StatusOr<LearnerCommandLine> ParseLearnerCommandLine(int argc, char** argv) {
  LearnerCommandLine line;
  const bool named = argc > 1 && argv[1][0] != '-' && absl::string_view(argv[1]) != "help";
  if (!named && AsksForHelp(argc, argv)) {
    std::fputs(FormatAllHelp().c_str(), stdout);
    std::exit(0);
  }
  if (named) {
    ASSIGN_OR_RETURN(line.command, FindCommand(argv[1]));
    // What follows is the command's own line.
    argv[1] = argv[0];
    --argc;
    ++argv;
  }
  const Command command = CommandOf(line.command);
  if (AsksForHelp(argc, argv)) {
    std::fputs(FormatHelp(command).c_str(), stdout);
    std::exit(0);
  }
  if (argc == 2 && absl::string_view(argv[1]) == kDescribeCommand) {
    std::puts(FormatCommandRow(RowOf(command)).c_str());
    std::exit(0);
  }
  ASSIGN_OR_RETURN(CommandWords words, ReadCommandLine(argc, argv, command));
  std::vector<std::string> overrides = std::move(words.overrides);
  RETURN_IF_ERROR(ReadDevice(&overrides));
  if (const std::string seed = absl::GetFlag(FLAGS_seed); !seed.empty()) overrides.push_back("seed=" + seed);
  if (line.command == LearnerCommand::kTrain) {
    ASSIGN_OR_RETURN(line.train, ReadTrainFlags(std::move(overrides)));
  }
  if (line.command == LearnerCommand::kPlan) {
    if (words.words.empty()) return absl::InvalidArgumentError("plan: expected an experiment");
    line.train.experiment_path = words.words[0];
    line.train.overrides = std::move(overrides);
    line.train.local_workers = absl::GetFlag(FLAGS_local_workers);
    line.trial_seconds = absl::GetFlag(FLAGS_trial_seconds);
    if (!(line.trial_seconds >= 0 && line.trial_seconds <= 3600)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--trial_seconds=", line.trial_seconds, ": expected seconds from 0 to 3600"));
    }
  }
  line.run_folder = absl::GetFlag(FLAGS_run_dir);
  line.checkpoint = absl::GetFlag(FLAGS_checkpoint);
  ASSIGN_OR_RETURN(line.format, ParseActorFormat(absl::GetFlag(FLAGS_format)));
  line.output = absl::GetFlag(FLAGS_output);
  if (line.command == LearnerCommand::kExport && line.output.empty()) {
    return absl::InvalidArgumentError("export: --output=FILE is needed");
  }
  if (line.command == LearnerCommand::kExport && line.run_folder.empty() &&
      (line.checkpoint == "best" || line.checkpoint == "last" || line.checkpoint == "saved")) {
    return absl::InvalidArgumentError("export: --run_dir=DIR is needed (or --checkpoint=PATH)");
  }
  return line;
}

}  // namespace troupe
