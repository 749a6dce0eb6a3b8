#include "actor_worker/environments/external/external_copies.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/external/server_pool.h"
#include "common/base/status_macros.h"
#include "common/wire/spec_codec.h"

namespace troupe {
namespace {

EnvironmentServer::Options ServerOptions(const ExternalSettings& settings, int copies) {
  return {.command = settings.command,
          .arguments = settings.arguments,
          .copies = copies,
          .start_timeout = absl::Seconds(settings.start_timeout_seconds),
          .step_timeout = absl::Seconds(settings.timeout_seconds),
          .memory_limit_bytes = settings.memory_limit_mb << 20};
}

}  // namespace

absl::StatusOr<std::shared_ptr<ExternalCopies>> ExternalCopies::Create(const ExternalSettings& settings, int copies) {
  std::shared_ptr<ExternalCopies> made(new ExternalCopies());
  made->copies_per_child_ = (copies + settings.processes - 1) / settings.processes;
  std::vector<EnvironmentServer*> fresh;
  for (int first = 0; first < copies; first += made->copies_per_child_) {
    const EnvironmentServer::Options options =
        ServerOptions(settings, std::min(made->copies_per_child_, copies - first));
    std::unique_ptr<EnvironmentServer> server = ServerPool::Get().Take(options);
    if (server == nullptr) {
      ASSIGN_OR_RETURN(server, EnvironmentServer::Launch(options));
      fresh.push_back(server.get());
    }
    made->children_.push_back({.server = std::move(server), .first_copy = first});
  }
  // They start at the same time. Until all are greeted none is fit for the pool.
  for (Child& child : made->children_) child.status = absl::UnavailableError("not greeted");
  for (EnvironmentServer* server : fresh) RETURN_IF_ERROR(server->Greet());
  for (Child& child : made->children_) {
    const std::string difference = DescribeDifference(made->spec(), child.server->spec());
    if (!difference.empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat("two processes of the same environment server differ: ", difference));
    }
  }
  for (Child& child : made->children_) child.status = absl::OkStatus();
  return made;
}

ExternalCopies::~ExternalCopies() {
  for (Child& child : children_) {
    if (child.rung) Await(child);
    if (child.status.ok() && !child.prepared) ServerPool::Get().Give(std::move(child.server));
  }
}

ExternalCopies::Place ExternalCopies::Find(int copy) {
  Child& child = ChildOf(copy);
  return {&child.server->arrays(), copy - child.first_copy};
}

void ExternalCopies::Await(Child& child) {
  child.rung = false;
  child.status.Update(child.server->Await());
}

SharedArrays& ExternalCopies::Prepare(Child& child) {
  if (child.rung) Await(child);
  child.prepared = true;
  return child.server->arrays();
}

void ExternalCopies::PrepareReset(int copy, uint64_t seed) {
  Child& child = ChildOf(copy);
  SharedArrays& arrays = Prepare(child);
  const int slot = copy - child.first_copy;
  arrays.commands[slot] = static_cast<uint8_t>(CopyCommand::kReset);
  arrays.seeds[slot] = seed;
}

void ExternalCopies::PrepareStep(int copy, const JointAction& action) {
  Child& child = ChildOf(copy);
  SharedArrays& arrays = Prepare(child);
  const int slot = copy - child.first_copy;
  arrays.commands[slot] = static_cast<uint8_t>(CopyCommand::kStep);
  for (size_t g = 0; g < arrays.groups.size(); ++g) {
    const GroupAction& taken = action.groups[g];
    SharedArrays::Group& group = arrays.groups[g];
    if (group.continuous.empty()) {
      std::copy(taken.discrete.begin(), taken.discrete.end(), group.discrete.begin() + slot * taken.discrete.size());
    } else {
      std::copy(taken.continuous.begin(), taken.continuous.end(),
                group.continuous.begin() + slot * taken.continuous.size());
    }
  }
}

absl::Status ExternalCopies::Finish(int copy) {
  Child& own = ChildOf(copy);
  const uint8_t command = own.server->arrays().commands[copy - own.first_copy];
  if (command == static_cast<uint8_t>(CopyCommand::kRest)) return own.status;
  for (Child& child : children_) {
    if (!child.prepared || child.rung) continue;
    child.prepared = false;
    if (!child.status.ok()) continue;
    child.status.Update(child.server->Ring());
    child.rung = child.status.ok();
  }
  if (own.rung) Await(own);
  return own.status;
}

}  // namespace troupe
