#include "learner/checkpoint/checkpoint_writer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/status_macros.h"
#include "common/clock/steady_time.h"
#include "common/specs/actor_file.h"
#include "common/threads/sync_point.h"

namespace troupe {
namespace {

absl::Status WriteActors(const Checkpoint& checkpoint, const std::string& path) {
  ASSIGN_OR_RETURN(const ActorFile actors, MakeActorFile(checkpoint));
  return WriteActorFile(path, actors);
}

}  // namespace

CheckpointWriter::CheckpointWriter(CheckpointStore store, std::string actors_folder,
                                   std::function<void(const CheckpointWrite&)> report)
    : store_(std::move(store)),
      actors_folder_(std::move(actors_folder)),
      report_(std::move(report)),
      thread_("checkpoints", [this] { Run(); }) {}

CheckpointWriter::~CheckpointWriter() {
  {
    const SyncPoint point("checkpoint.close");
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }
  thread_.Join();
}

void CheckpointWriter::Write(std::shared_ptr<const Checkpoint> checkpoint) {
  const SyncPoint point("checkpoint.give");
  absl::MutexLock lock(&mutex_);
  regular_ = std::move(checkpoint);
  failed_regular_ = nullptr;
  if (best_ == nullptr) best_ = std::exchange(failed_best_, nullptr);
}

void CheckpointWriter::WriteBest(std::shared_ptr<const Checkpoint> checkpoint) {
  const SyncPoint point("checkpoint.give_best");
  absl::MutexLock lock(&mutex_);
  best_ = std::move(checkpoint);
  failed_best_ = nullptr;
}

absl::Status CheckpointWriter::Flush() {
  const SyncPoint point("checkpoint.flush");
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &CheckpointWriter::IsIdle));
  regular_ = std::exchange(failed_regular_, nullptr);
  best_ = std::exchange(failed_best_, nullptr);
  mutex_.Await(absl::Condition(this, &CheckpointWriter::IsIdle));
  std::string older;
  for (const FileState& file : files_) {
    if (file.status.ok()) continue;
    absl::StrAppend(&older, older.empty() ? "" : "; ", file.path, " of update ", file.wanted, " is not written, ",
                    file.written.has_value() ? absl::StrCat("the newest there is of update ", *file.written)
                                             : "what is there is older",
                    ": ", file.status.message());
  }
  return older.empty() ? absl::OkStatus() : absl::DataLossError(older);
}

void CheckpointWriter::Run() {
  while (true) {
    Pending regular, best;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &CheckpointWriter::HasWork));
      regular.swap(regular_);
      best.swap(best_);
      if (regular == nullptr && best == nullptr) return;
      writing_ = true;
    }
    // The best first: a regular checkpoint tells of it.
    if (best != nullptr) Perform(*best, /*best=*/true);
    if (regular != nullptr) Perform(*regular, /*best=*/false);
    const SyncPoint point("checkpoint.settle");
    absl::MutexLock lock(&mutex_);
    const auto failed = [this](File checkpoint, File actors) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return !files_[checkpoint].status.ok() || !files_[actors].status.ok();
    };
    if (best != nullptr && best_ == nullptr && failed(kBestCheckpoint, kBestActors)) failed_best_ = std::move(best);
    if (regular != nullptr && regular_ == nullptr && failed(kCheckpoint, kLastActors)) {
      failed_regular_ = std::move(regular);
    }
    writing_ = false;
  }
}

void CheckpointWriter::Perform(const Checkpoint& checkpoint, bool best) {
  const SteadyTime begin = SteadyTime::Now();
  const uint64_t update = checkpoint.counters.update;
  absl::Status status = best ? store_.WriteBest(checkpoint) : store_.Write(checkpoint);
  Note(best ? kBestCheckpoint : kCheckpoint, best ? store_.best_path() : store_.PathOf(update), update, status);
  const std::string actors = actors_folder_ + (best ? "/best.safetensors" : "/last.safetensors");
  const absl::Status exported = WriteActors(checkpoint, actors);
  Note(best ? kBestActors : kLastActors, actors, update, exported);
  status.Update(exported);
  report_({update, checkpoint.counters.env_steps, best, absl::ToDoubleSeconds(SteadyTime::Now() - begin),
           std::move(status)});
}

void CheckpointWriter::Note(File file, const std::string& path, uint64_t update, const absl::Status& status) {
  const SyncPoint point("checkpoint.note");
  absl::MutexLock lock(&mutex_);
  FileState& state = files_[file];
  state.path = path;
  state.wanted = update;
  state.status = status;
  if (status.ok()) state.written = update;
}

}  // namespace troupe
