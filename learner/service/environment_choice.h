// Which environment a run has. One that goes on knows; one that begins is told by a worker of the learner's own, or,
// where it starts none, by what most of its first workers announce. Whoever announces another is refused, and nobody
// but a worker that has come to stay, with a stream, has a say: a registration alone costs a peer nothing.
#ifndef TROUPE_LEARNER_SERVICE_ENVIRONMENT_CHOICE_H_
#define TROUPE_LEARNER_SERVICE_ENVIRONMENT_CHOICE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock/steady_time.h"
#include "common/specs/environment_spec.h"

namespace troupe {

// Not thread-safe. Time is passed in.
class EnvironmentChoice {
 public:
  struct Options {
    // Workers of the learner's own decide: the first of them that is connected.
    bool local_decides = false;
    // Otherwise: that which more than half of so many announce who are connected, or, once so long has passed since the
    // first was, that which most of them do, and of equals the first.
    int expected_workers = 1;
    absl::Duration patience = absl::Seconds(30);
  };
  // Different announcements that are kept until one is chosen.
  static constexpr size_t kMaxCandidates = 8;

  explicit EnvironmentChoice(Options options) : options_(options) {}

  // The run has this one from now on, whatever is announced. Returns the workers that announced another, which are to
  // be removed.
  std::vector<std::string> Know(EnvironmentSpec spec);
  const std::optional<EnvironmentSpec>& chosen() const { return chosen_; }

  // A worker has registered. FAILED_PRECONDITION: its environment is not the run's, naming the difference; UNAVAILABLE:
  // kMaxCandidates others are announced already.
  absl::Status Announce(const std::string& worker_id, const EnvironmentSpec& spec, bool local);
  void Connect(const std::string& worker_id, SteadyTime now);
  void Disconnect(const std::string& worker_id);
  // With the last worker a choice is forgotten that is not known of yet.
  void Remove(const std::string& worker_id);
  // Workers whose announcement no connected worker shares, when kMaxCandidates are kept: to be removed so that another
  // may come.
  std::vector<std::string> InTheWay() const;
  // Chooses if that can be done by now. Returns the workers that announced another, which are to be removed.
  std::vector<std::string> Choose(SteadyTime now);

 private:
  struct Candidate {
    EnvironmentSpec spec;
    int workers = 0, connected = 0, local_connected = 0;
  };
  struct Worker {
    uint64_t candidate = 0;
    bool local = false, connected = false;
  };

  std::optional<uint64_t> Winner(SteadyTime now) const;
  std::vector<std::string> WorkersOfOthers() const;

  const Options options_;
  std::optional<EnvironmentSpec> chosen_;
  bool final_ = false;
  uint64_t last_candidate_ = 0;
  std::map<uint64_t, Candidate> candidates_;  // in the order they came
  std::map<std::string, Worker> workers_;
  SteadyTime first_connected_ = SteadyTime::InfiniteFuture();
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_ENVIRONMENT_CHOICE_H_
