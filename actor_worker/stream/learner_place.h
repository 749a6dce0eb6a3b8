// Where the worker's learner is: at the address it was given, or, of a run with several learners, where it was sent.
//
// A learner is believed when it says who it is (ClientCredentials::CheckRedirect). Whatever goes wrong at another
// place, the worker comes back to the address it was given and asks there again; where that goes wrong several times it
// goes nowhere any more and is served by whom it asks.
#ifndef TROUPE_ACTOR_WORKER_STREAM_LEARNER_PLACE_H_
#define TROUPE_ACTOR_WORKER_STREAM_LEARNER_PLACE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock/steady_time.h"
#include "common/security/client_credentials.h"

namespace troupe {

// Not thread-safe.
class LearnerPlace {
 public:
  // More often nobody of this protocol is sent on.
  static constexpr uint32_t kMostRedirects = 2;
  // Journeys in a row that led to nothing before the worker stays where it was given to ask.
  static constexpr int kMostFailures = 3;
  // Without an answer at another place for so long the worker goes back.
  static constexpr absl::Duration kPatience = absl::Seconds(5);

  LearnerPlace(std::string given, std::shared_ptr<const ClientCredentials> credentials);

  const std::string& address() const { return address_; }
  bool is_given() const { return redirects_ == 0; }
  // What to say when registering; nothing: this worker goes nowhere.
  std::optional<uint32_t> redirects() const;

  // The learner here says to register there. PERMISSION_DENIED or INVALID_ARGUMENT: it is not followed, nor is any
  // later one; the worker is back at the address it was given.
  absl::Status Follow(const std::string& address);
  // The worker is registered here.
  void Arrived() { failures_ = 0; }
  // There was an answer here.
  void Heard() { silent_since_ = SteadyTime::InfiniteFuture(); }
  // There was none. True: the worker is back at the address it was given.
  bool Silent(SteadyTime now);
  // The worker does not get in here, or not any more. True as of Silent.
  bool Leave(bool failed);

 private:
  const std::string given_;
  const std::shared_ptr<const ClientCredentials> credentials_;
  std::string address_;
  uint32_t redirects_ = 0;
  int failures_ = 0;
  bool follows_ = true;
  SteadyTime silent_since_ = SteadyTime::InfiniteFuture();
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_STREAM_LEARNER_PLACE_H_
