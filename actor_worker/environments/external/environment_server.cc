#include "actor_worker/environments/external/environment_server.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "actor_worker/environments/external/server_hello.h"
#include "common/base/shown_text.h"
#include "common/base/status_macros.h"
#include "common/clock/steady_time.h"

namespace troupe {
namespace {

constexpr absl::Duration kDeathNotice = absl::Milliseconds(500);
constexpr absl::Duration kPollInterval = absl::Milliseconds(2);
constexpr size_t kMostErrorBytes = 1200;
// Stands in `endings` until the server has said how a step ended; no code of its.
constexpr uint8_t kUnsaid = 255;
constexpr char kError[] = "error ", kHello[] = "hello ";

// Threads of numerical libraries, which would fight each other: the processes are what runs at once.
constexpr const char* kThreadVariables[] = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"};

std::vector<std::string> Variables(const EnvironmentServer::Options& options) {
  std::vector<std::string> variables = {absl::StrCat("TROUPE_PROTOCOL=", EnvironmentServer::kProtocolVersion),
                                        "TROUPE_SOCKET=3", "TROUPE_MEMORY=4",
                                        absl::StrCat("TROUPE_COPIES=", options.copies)};
  for (const auto& [name, value] : options.arguments) {
    variables.push_back(absl::StrCat("TROUPE_ARGUMENT_", name, "=", value));
  }
  for (const char* name : kThreadVariables) {
    if (std::getenv(name) == nullptr) variables.push_back(absl::StrCat(name, "=1"));
  }
  return variables;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EnvironmentServer>> EnvironmentServer::Launch(const Options& options) {
  std::unique_ptr<EnvironmentServer> server(new EnvironmentServer(options));
  ASSIGN_OR_RETURN(server->memory_, SharedMemory::Create());
  ASSIGN_OR_RETURN(server->connection_, ServerConnection::Create());
  ASSIGN_OR_RETURN(
      server->process_,
      LimitedProcess::Start({.command = options.command,
                             .environment_overrides = Variables(options),
                             .private_memory_limit_bytes = options.memory_limit_bytes,
                             .inherited_files = {server->connection_->servers_end(), server->memory_->file()}}));
  server->connection_->CloseServersEnd();
  return server;
}

absl::Status EnvironmentServer::WithObituary(const absl::Status& status) {
  if (absl::IsDeadlineExceeded(status)) {
    process_->Abort(kDeathNotice);
  } else {
    const SteadyTime patience = SteadyTime::Now() + kDeathNotice;
    while (process_->IsRunning() && SteadyTime::Now() < patience) absl::SleepFor(kPollInterval);
  }
  return absl::Status(status.code(), absl::StrCat(status.message(), "; it (", options_.command[0], ", process ",
                                                  process_->pid(), ") ", process_->Obituary()));
}

absl::StatusOr<absl::string_view> EnvironmentServer::Hear(absl::Duration timeout) {
  absl::StatusOr<absl::string_view> line = connection_->Receive(timeout, process_->end_file());
  if (!line.ok()) return WithObituary(line.status());
  if (absl::ConsumePrefix(&*line, kError)) {
    return absl::InternalError(absl::StrCat("the environment server: ", ShownText(*line, kMostErrorBytes)));
  }
  return line;
}

absl::Status EnvironmentServer::Greet() {
  ASSIGN_OR_RETURN(absl::string_view line, Hear(options_.start_timeout));
  if (!absl::ConsumePrefix(&line, kHello)) {
    return absl::InternalError(absl::StrCat("the environment server said \"", ShownText(line, kMostErrorBytes),
                                            "\", expected \"hello \" and a ServerHello"));
  }
  ASSIGN_OR_RETURN(spec_, DecodeServerHello(line));
  ASSIGN_OR_RETURN(const SharedLayout layout, PlanSharedMemory(spec_, options_.copies));
  RETURN_IF_ERROR(memory_->Allocate(layout.bytes));
  arrays_ = LayOut(spec_, options_.copies, layout, memory_->data());
  return absl::OkStatus();
}

absl::Status EnvironmentServer::Ring() {
  // An answer to nothing would be taken for that of this step, while the server still writes what came of it.
  if (connection_->HasUnread()) {
    ASSIGN_OR_RETURN(const absl::string_view line, Hear(absl::ZeroDuration()));
    return absl::InternalError(
        absl::StrCat("the environment server said \"", ShownText(line, kMostErrorBytes), "\" without being asked"));
  }
  for (size_t copy = 0; copy < arrays_.commands.size(); ++copy) {
    if (arrays_.commands[copy] == static_cast<uint8_t>(CopyCommand::kStep)) arrays_.endings[copy] = kUnsaid;
  }
  const absl::Status sent = connection_->Send("step\n");
  // It may have said why it ended.
  if (!sent.ok()) RETURN_IF_ERROR(Hear(absl::ZeroDuration()).status());
  return sent;
}

absl::Status EnvironmentServer::Await() {
  ASSIGN_OR_RETURN(const absl::string_view line, Hear(options_.step_timeout));
  if (line != "done") {
    return absl::InternalError(absl::StrCat("the environment server said \"", ShownText(line, kMostErrorBytes),
                                            "\", expected \"done\" after a step"));
  }
  const auto unsaid = std::ranges::find(arrays_.endings, kUnsaid);
  if (unsaid != arrays_.endings.end()) {
    return absl::InternalError(absl::StrCat("the environment server said \"done\" before it said how the step of copy ",
                                            unsaid - arrays_.endings.begin(), " ended"));
  }
  std::fill(arrays_.commands.begin(), arrays_.commands.end(), static_cast<uint8_t>(CopyCommand::kRest));
  process_->ForgetOldOutput();
  return absl::OkStatus();
}

}  // namespace troupe
