#include "learner/networks/rank_store.h"

#include <netdb.h>
#include <sys/socket.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/status_macros.h"

namespace troupe {
namespace {

using StorePointer = c10::intrusive_ptr<c10d::Store>;
using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

constexpr absl::Duration kPollPeriod = absl::Milliseconds(100);
constexpr absl::Duration kRetryPeriod = absl::Milliseconds(500);
// Of one answer of the store; it does nothing but look keys up.
constexpr absl::Duration kStoreTimeout = absl::Seconds(30);

absl::StatusOr<Addresses> Resolve(const std::string& host, int port, int socket_type) {
  addrinfo hints = {};
  hints.ai_socktype = socket_type;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), absl::StrCat(port).c_str(), &hints, &found);
  if (error != 0) return absl::UnavailableError(absl::StrCat("MASTER_ADDR=", host, ": ", gai_strerror(error)));
  return Addresses(found, &freeaddrinfo);
}

// A socket bound to the address that faces the master: the store's own choice would be all of them.
absl::StatusOr<int> BindStore(const RankGroupOptions& options) {
  ASSIGN_OR_RETURN(const std::string address, AddressFacing(options.master_address, options.master_port));
  ASSIGN_OR_RETURN(const Addresses found, Resolve(address, options.master_port, SOCK_STREAM));
  const int bound = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(bound, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bound >= 0 && bind(bound, found->ai_addr, found->ai_addrlen) == 0 && listen(bound, 128) == 0) return bound;
  const std::string reason = std::strerror(errno);
  close(bound);
  return absl::UnavailableError(
      absl::StrCat("MASTER_PORT=", options.master_port, ": rank 0 cannot listen on ", address, ": ", reason));
}

// Whether somebody listens there; asking is cheaper and quieter than c10d's own attempts.
bool Answers(const std::string& host, int port) {
  const absl::StatusOr<Addresses> found = Resolve(host, port, SOCK_STREAM);
  if (!found.ok()) return false;
  for (const addrinfo* one = found->get(); one != nullptr; one = one->ai_next) {
    const int probe = socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience = {.tv_sec = 2, .tv_usec = 0};
    setsockopt(probe, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    const bool connected = connect(probe, one->ai_addr, one->ai_addrlen) == 0;
    close(probe);
    if (connected) return true;
  }
  return false;
}

// One attempt after another at the same thing, until it works, the run is to stop, or time is up.
class Patience {
 public:
  explicit Patience(const RankGroupOptions& options)
      : options_(options), deadline_(absl::Now() + options.join_timeout) {}

  // OK: try again. `waiting_for` is told now and then.
  absl::Status Pause(absl::Duration period, const std::string& waiting_for) {
    if (options_.stop_requested()) return absl::CancelledError("stopped while waiting for the other learners");
    if (absl::Now() >= deadline_) {
      return absl::UnavailableError(
          absl::StrCat("waited ", absl::FormatDuration(options_.join_timeout), " for ", waiting_for));
    }
    if (absl::Now() >= next_told_) {
      if (next_told_ > absl::InfinitePast()) options_.log(absl::StrCat("waiting for ", waiting_for));
      next_told_ = absl::Now() + absl::Seconds(next_told_ > absl::InfinitePast() ? 30 : 5);
    }
    absl::SleepFor(period);
    return absl::OkStatus();
  }

 private:
  const RankGroupOptions& options_;
  const absl::Time deadline_;
  absl::Time next_told_ = absl::InfinitePast();
};

absl::StatusOr<StorePointer> Open(const RankGroupOptions& options, const c10d::TCPStoreOptions& store_options) {
  try {
    const StorePointer store = c10::make_intrusive<c10d::TCPStore>(options.master_address, store_options);
    return StorePointer(c10::make_intrusive<c10d::PrefixStore>(absl::StrCat("troupe/", options.attempt), store));
  } catch (const std::exception& error) {
    return absl::UnavailableError(absl::StrCat("MASTER_ADDR=", options.master_address, " MASTER_PORT=",
                                               options.master_port, ": ", ReasonOf(error)));
  }
}

absl::StatusOr<StorePointer> Serve(const RankGroupOptions& options, c10d::TCPStoreOptions store_options) {
  ASSIGN_OR_RETURN(store_options.masterListenFd, BindStore(options));
  store_options.isServer = true;
  return Open(options, store_options);
}

std::string KeyOf(int rank) { return absl::StrCat("rank/", rank); }

// The store, with this rank's name in it.
absl::StatusOr<StorePointer> Register(const RankGroupOptions& options, Patience* patience) {
  c10d::TCPStoreOptions store_options;
  store_options.port = static_cast<uint16_t>(options.master_port);
  store_options.waitWorkers = false;
  store_options.timeout = absl::ToChronoMilliseconds(kStoreTimeout);
  const bool serves = options.serve_store && options.rank == 0;
  const std::string place = absl::StrCat("the store at ", options.master_address, ":", options.master_port);
  while (true) {
    if (!serves && !Answers(options.master_address, options.master_port)) {
      RETURN_IF_ERROR(patience->Pause(kRetryPeriod, absl::StrCat(place, ", where rank 0 should be")));
      continue;
    }
    ASSIGN_OR_RETURN(StorePointer store, serves ? Serve(options, store_options) : Open(options, store_options));
    try {
      if (store->add(KeyOf(options.rank), 1) == 1) return store;
    } catch (const std::exception& error) {
      RETURN_IF_ERROR(patience->Pause(kRetryPeriod, absl::StrCat(place, " (", ReasonOf(error), ")")));
      continue;
    }
    // The group of before is still ending, or two processes were given the same number.
    RETURN_IF_ERROR(patience->Pause(
        kRetryPeriod, absl::StrCat("RANK=", options.rank, " to be free: another process has that number at ", place)));
  }
}

}  // namespace

std::string ReasonOf(const std::exception& error) {
  const auto* const known = dynamic_cast<const c10::Error*>(&error);
  const std::string text = known != nullptr ? known->what_without_backtrace() : error.what();
  const std::string line = text.substr(0, text.find('\n'));
  // "[file:line] what happened"
  const size_t place = line.find("] ");
  return line.starts_with("[") && place != std::string::npos ? line.substr(place + 2) : line;
}

absl::StatusOr<std::string> AddressFacing(const std::string& host, int port) {
  ASSIGN_OR_RETURN(const Addresses found, Resolve(host, port, SOCK_DGRAM));
  for (const addrinfo* one = found.get(); one != nullptr; one = one->ai_next) {
    // Connecting a datagram socket sends nothing; it makes the system choose the way.
    const int probe = socket(one->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_storage local = {};
    socklen_t length = sizeof(local);
    char name[NI_MAXHOST] = {};
    const bool known =
        probe >= 0 && connect(probe, one->ai_addr, one->ai_addrlen) == 0 &&
        getsockname(probe, reinterpret_cast<sockaddr*>(&local), &length) == 0 &&
        getnameinfo(reinterpret_cast<sockaddr*>(&local), length, name, sizeof(name), nullptr, 0, NI_NUMERICHOST) == 0;
    if (probe >= 0) close(probe);
    if (known) return std::string(name);
  }
  return absl::UnavailableError(absl::StrCat("MASTER_ADDR=", host, ": no address of this machine leads there"));
}

absl::StatusOr<StorePointer> JoinRankStore(const RankGroupOptions& options) {
  Patience patience(options);
  ASSIGN_OR_RETURN(StorePointer store, Register(options, &patience));
  while (true) {
    std::vector<int> missing;
    try {
      for (int rank = 0; rank < options.size; ++rank) {
        if (!store->check({KeyOf(rank)})) missing.push_back(rank);
      }
    } catch (const std::exception& error) {
      return absl::UnavailableError(absl::StrCat("the store went away before all ranks had come: ", ReasonOf(error)));
    }
    if (missing.empty()) return store;
    RETURN_IF_ERROR(patience.Pause(
        kPollPeriod, absl::StrCat(missing.size() == 1 ? "rank " : "ranks ", absl::StrJoin(missing, ", "), " of ",
                                  options.size, " at ", options.master_address, ":", options.master_port)));
  }
}

}  // namespace troupe
