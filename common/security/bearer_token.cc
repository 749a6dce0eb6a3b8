#include "common/security/bearer_token.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/base/status_macros.h"
#include "common/threads/timed_wait.h"

namespace troupe {
namespace {

constexpr absl::Duration kEndPatience = absl::Seconds(1);

}  // namespace

bool EqualInConstantTime(absl::string_view expected, absl::string_view given) {
  volatile unsigned char difference = expected.size() == given.size() && !expected.empty() ? 0 : 1;
  for (size_t i = 0; i < given.size(); ++i) {
    const char wanted = expected.empty() ? '\0' : expected[i % expected.size()];
    difference = difference | static_cast<unsigned char>(wanted ^ given[i]);
  }
  return difference == 0;
}

struct BearerToken::State {
  State(FlagFile file, std::string token) : file(std::move(file)), token(std::move(token)) {}

  void Follow() {
    while (!Waits()) {
      absl::StatusOr<std::string> read = ReadTokenFile(file);
      absl::MutexLock lock(&mutex);
      if (read.ok()) token = *std::move(read);
    }
  }
  // For the next look at the file. True: there is none.
  bool Waits() {
    absl::MutexLock lock(&mutex);
    return AwaitFor(mutex, absl::Condition(&ending), kReloadPeriod);
  }

  const FlagFile file;
  absl::Mutex mutex;
  std::string token ABSL_GUARDED_BY(mutex);
  bool ending ABSL_GUARDED_BY(mutex) = false;
};

absl::StatusOr<std::shared_ptr<BearerToken>> BearerToken::Open(FlagFile file) {
  ASSIGN_OR_RETURN(std::string token, ReadTokenFile(file));
  return std::shared_ptr<BearerToken>(new BearerToken(std::make_shared<State>(std::move(file), std::move(token))));
}

BearerToken::BearerToken(std::shared_ptr<State> state)
    : state_(std::move(state)), reader_("token file", [state = state_] { state->Follow(); }) {}

BearerToken::~BearerToken() {
  {
    absl::MutexLock lock(&state_->mutex);
    state_->ending = true;
  }
  reader_.End(kEndPatience);
}

std::string BearerToken::Get() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->token;
}

}  // namespace troupe
