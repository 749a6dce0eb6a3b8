// A small HTTP server for pages that are written anew for whoever asks.
#ifndef TROUPE_COMMON_METRICS_PAGE_SERVER_H_
#define TROUPE_COMMON_METRICS_PAGE_SERVER_H_

#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/threads/named_thread.h"

namespace troupe {

// One thread of its own, which waits for no peer: a connection that says nothing, or reads slowly, costs a descriptor
// and what it has been sent so far, and no other's time. Bounds: kMaxConnections, of which the oldest goes when another
// comes; kMaxRequestBytes; kPatience for request and answer together. Answers GET and HEAD, one request per connection.
// Thread-safe.
class PageServer {
 public:
  static constexpr size_t kMaxConnections = 128;
  static constexpr size_t kMaxRequestBytes = size_t{8} << 10;
  static constexpr std::chrono::seconds kPatience{10};

  // The text of a page, by the path it is asked for; called from the server's thread.
  using Pages = std::map<std::string, std::function<std::string()>, std::less<>>;

  // Listens at "HOST:PORT" (port 0: any). UNAVAILABLE, naming the address: nobody can.
  static absl::StatusOr<std::unique_ptr<PageServer>> Start(const std::string& address, Pages pages);
  ~PageServer();

  int port() const { return port_; }

  // Waits until Prometheus has been given a page written after this call. Nobody who does not scrape is waited for: a
  // scraper that was last here two of its intervals ago, or is later than kLongestInterval, does not come any more.
  // Returns at once when `stop` says so.
  void AwaitScrape(const std::function<bool()>& stop) ABSL_LOCKS_EXCLUDED(mutex_);
  static constexpr std::chrono::seconds kLongestInterval{60};

 private:
  // Waits and patience do not follow the wall clock.
  using Time = std::chrono::steady_clock::time_point;
  struct Connection;

  PageServer(int listener, int port, Pages pages);

  void Run();
  void Accept(Time now);
  // What can be done without waiting; false: the connection is over.
  bool Advance(Connection& connection);
  bool ReadRequest(Connection& connection);
  void Answer(Connection& connection);
  void CountScrape(Time written) ABSL_LOCKS_EXCLUDED(mutex_);
  Time NextScrapeDue() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  const int listener_;
  const int port_;
  const Pages pages_;
  const int stop_;                     // an eventfd
  std::list<Connection> connections_;  // the thread's alone, the oldest first
  Time accept_again_;                  // later than now after a failure, for want of descriptors
  absl::Mutex mutex_;
  std::deque<Time> scrapes_ ABSL_GUARDED_BY(mutex_);  // when the last few taken pages were written
  NamedThread thread_;
};

}  // namespace troupe

#endif  // TROUPE_COMMON_METRICS_PAGE_SERVER_H_
