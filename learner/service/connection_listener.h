// Takes the connections of one address and gives them to gRPC.
//
// gRPC's own listener (1.51) is deaf for good once accept() has found no descriptor left, and takes every connection
// until then, the program's last descriptors included. This one does neither, and can be opened again.
#ifndef TROUPE_LEARNER_SERVICE_CONNECTION_LISTENER_H_
#define TROUPE_LEARNER_SERVICE_CONNECTION_LISTENER_H_

#include <poll.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock/steady_time.h"
#include "common/threads/named_thread.h"
#include "grpcpp/server_builder.h"
#include "learner/service/listen_sockets.h"

namespace troupe {

// A connection is gRPC's from its first byte on. Until then it waits here, where it costs a descriptor and nothing
// else, and gives way: to whoever comes when there are kMostSilent of them or no descriptors, and after kSilence.
//
// Open ─► Serve ─► { Dial, Reopen }* ─► Stop. One thread, "accept". Dial, Reopen and Stop from any thread, Stop also
// while another waits in them; of two that dial at a time the second alone is known as such.
class ConnectionListener {
 public:
  using Acceptor = grpc::experimental::ExternalConnectionAcceptor;

  // Descriptors that no connection is given: a connection that would come among the last so many of the process's limit
  // is closed at once, so that checkpoints and logs can be opened whoever comes. A quarter where the limit is small.
  static constexpr uint64_t kOwnDescriptors = 64;
  static constexpr size_t kMostSilent = 512;
  static constexpr absl::Duration kSilence = absl::Seconds(30);

  enum class Refusal {
    kNoDescriptors,  // closed as it came, or waits, for want of descriptors
    kSilent,         // closed before it had said anything
  };

  struct Doors {
    std::shared_ptr<Acceptor> peers;  // outlives the last connection: until the server is shut down
    // Of Dial's connections: in plain text, whatever the others need.
    std::shared_ptr<Acceptor> own;
    // Told of each connection that was not taken, from the listener's thread; short.
    std::function<void(Refusal)> refused = [](Refusal) {};
    // How long what was sent may go without an acknowledgement.
    absl::Duration patience = absl::Minutes(1);
  };

  // As ListenSockets::Open.
  static absl::StatusOr<std::unique_ptr<ConnectionListener>> Open(const std::string& address);
  ~ConnectionListener();

  int port() const { return port_; }
  // Where it listens, with the port that was given.
  const std::string& address() const { return address_; }

  // Takes connections from now on; the server runs. Call once.
  void Serve(Doors doors);

  // Whether somebody who connects is answered with HTTP/2 within `patience`. UNAVAILABLE, saying what came instead;
  // RESOURCE_EXHAUSTED: this process has no descriptor left; CANCELLED: Stop was called.
  absl::Status Dial(absl::Duration patience);

  // Listens anew at the same address and port; connections that stand stay. Errors of ListenSockets::Open, after which
  // nobody listens.
  absl::Status Reopen();

  // Takes no more connections. Before the server is shut down: gRPC closes none that it does not take any more.
  void Stop();

 private:
  ConnectionListener(std::string address, ListenSockets sockets);

  void Start();
  void Halt();
  void Run();
  // What waits at one socket; false: there is no descriptor for it.
  bool Accept(int listener);
  // True: a descriptor is free that was not.
  bool CloseLongestSilent();
  // Those that have spoken go on to gRPC, those that did not for too long end.
  void LookAtSilent(const std::vector<pollfd>& waits, size_t first);
  void HandOver(int listener, int connection, bool is_own);
  absl::Status DialOne(const DialAddress& to, absl::Duration patience);
  void Expect(const std::string& dialler);
  bool IsExpected(const std::string& peer);

  struct Silent {
    int listener = -1, connection = -1;
    bool is_own = false;
    SteadyTime since;
  };

  const std::string address_;
  const int port_;
  Doors doors_;
  std::deque<Silent> silent_;          // the thread's; by age
  const int halt_;                     // an event: the thread is to end
  const int stop_;                     // an event: Stop was called
  std::atomic<bool> has_room_ = true;  // the last connection that came found a descriptor
  ListenSockets sockets_;
  NamedThread thread_;
  absl::Mutex life_mutex_;  // held by who starts or ends the thread
  bool serves_ ABSL_GUARDED_BY(life_mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(life_mutex_) = false;
  absl::Mutex dial_mutex_;
  std::string dialler_ ABSL_GUARDED_BY(dial_mutex_);  // the address that Dial comes from
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_CONNECTION_LISTENER_H_
