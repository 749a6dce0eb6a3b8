#include "actor_worker/environments/external/server_pool.h"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

constexpr size_t kMostWaiting = 4;
constexpr absl::Duration kLongestWait = absl::Minutes(5);

}  // namespace

ServerPool& ServerPool::Get() {
  static ServerPool* const pool = new ServerPool(kMostWaiting, kLongestWait);
  return *pool;
}

std::list<ServerPool::Waiting> ServerPool::TakeOld() {
  std::list<Waiting> old;
  const SteadyTime now = SteadyTime::Now();
  while (!waiting_.empty() && (waiting_.size() > most_ || now - waiting_.front().since > longest_)) {
    old.splice(old.end(), waiting_, waiting_.begin());
  }
  return old;
}

std::unique_ptr<EnvironmentServer> ServerPool::Take(const EnvironmentServer::Options& options) {
  std::list<Waiting> old;
  absl::MutexLock lock(&mutex_);
  old = TakeOld();
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const Waiting& waiting) { return waiting.server->options() == options; });
  if (found == waiting_.end()) return nullptr;
  std::unique_ptr<EnvironmentServer> server = std::move(found->server);
  waiting_.erase(found);
  return server;
}

void ServerPool::Give(std::unique_ptr<EnvironmentServer> server) {
  std::list<Waiting> old;
  absl::MutexLock lock(&mutex_);
  waiting_.push_back({std::move(server), SteadyTime::Now()});
  old = TakeOld();
}

}  // namespace troupe
