#include "learner/ranks/rank_store.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <random>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/clock/steady_time.h"

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
      : options_(options), deadline_(SteadyTime::Now() + options.join_timeout) {}

  // OK: try again. `waiting_for` is told now and then.
  absl::Status Pause(absl::Duration period, const std::string& waiting_for) {
    if (options_.stop_requested()) return absl::CancelledError("stopped while waiting for the other learners");
    if (SteadyTime::Now() >= deadline_) {
      return absl::UnavailableError(
          absl::StrCat("waited ", absl::FormatDuration(options_.join_timeout), " for ", waiting_for));
    }
    if (SteadyTime::Now() >= next_told_) {
      if (next_told_ > SteadyTime::InfinitePast()) options_.log(absl::StrCat("waiting for ", waiting_for));
      next_told_ = SteadyTime::Now() + absl::Seconds(next_told_ > SteadyTime::InfinitePast() ? 30 : 5);
    }
    absl::SleepFor(period);
    return absl::OkStatus();
  }

 private:
  const RankGroupOptions& options_;
  const SteadyTime deadline_;
  SteadyTime next_told_ = SteadyTime::InfinitePast();
};

absl::StatusOr<StorePointer> Open(const RankGroupOptions& options, const c10d::TCPStoreOptions& store_options) {
  try {
    return StorePointer(c10::make_intrusive<c10d::TCPStore>(options.master_address, store_options));
  } catch (const std::exception& error) {
    return absl::UnavailableError(absl::StrCat("MASTER_ADDR=", options.master_address,
                                               " MASTER_PORT=", options.master_port, ": ", ReasonOf(error)));
  }
}

absl::StatusOr<StorePointer> Serve(const RankGroupOptions& options, c10d::TCPStoreOptions store_options) {
  ASSIGN_OR_RETURN(store_options.masterListenFd, BindStore(options));
  store_options.isServer = true;
  return Open(options, store_options);
}

std::string PlaceOf(const RankGroupOptions& options) {
  return absl::StrCat(options.master_address, ":", options.master_port);
}

// Rank 0 serves the store, or it is there already, or it is waited for.
absl::StatusOr<StorePointer> FindStore(const RankGroupOptions& options, Patience* patience) {
  c10d::TCPStoreOptions store_options;
  store_options.port = static_cast<uint16_t>(options.master_port);
  store_options.waitWorkers = false;
  store_options.timeout = absl::ToChronoMilliseconds(kStoreTimeout);
  if (options.serve_store && options.rank == 0) return Serve(options, store_options);
  while (!Answers(options.master_address, options.master_port)) {
    RETURN_IF_ERROR(
        patience->Pause(kRetryPeriod, absl::StrCat("the store at ", PlaceOf(options), ", where rank 0 should be")));
  }
  return Open(options, store_options);
}

// One process's way into a group, by keys of the store:
//
//   attempts       counted up by every rank 0 that comes: the number of the newest attempt
//   N/size         of attempt N, its number of ranks, set by its rank 0
//   N/rank/R       the name of the process that came last as rank R
//   N/members      all their names, set by rank 0 once all have come: these are the group, and nobody else
//
// A store outlives a group when torchrun serves it. What those of before left there does no harm: a process that finds
// an attempt without a place for it waits for the next, which the next rank 0 begins. Each call may throw what c10d
// throws.
class Meeting {
 public:
  Meeting(const RankGroupOptions& options, StorePointer store)
      : options_(options),
        store_(std::move(store)),
        name_(absl::StrCat(absl::Hex(std::random_device{}()), "-", getpid())) {
    if (options_.rank == 0) Come(store_->add(kAttempts, 1));
  }

  // True: the group is complete and this process is of it. Otherwise `missing` is what for.
  bool Look(std::string* missing) {
    const int64_t newest = store_->add(kAttempts, 0);
    if (newest != attempt_ && options_.rank > 0 && newest > 0) Come(newest);
    if (newest == 0 || newest != attempt_) {
      *missing = absl::StrCat(
          options_.rank == 0 ? "another learner with RANK=0 to end, which has come later, at " : "rank 0 at ",
          PlaceOf(options_));
      return false;
    }
    return options_.rank == 0 ? Complete(missing) : IsMember(missing);
  }

  StorePointer store() const { return group_; }

 private:
  static constexpr char kAttempts[] = "troupe/attempts";

  void Come(int64_t attempt) {
    attempt_ = attempt;
    group_ = c10::make_intrusive<c10d::PrefixStore>(absl::StrCat("troupe/", attempt), store_);
    if (options_.rank == 0) group_->set("size", absl::StrCat(options_.size));
    group_->set(KeyOf(options_.rank), name_);
  }

  static std::string KeyOf(int rank) { return absl::StrCat("rank/", rank); }

  std::string Missing() const {
    std::vector<int> missing;
    for (int rank = 0; rank < options_.size; ++rank) {
      if (!group_->check({KeyOf(rank)})) missing.push_back(rank);
    }
    if (missing.empty()) return "";
    return absl::StrCat(missing.size() == 1 ? "rank " : "ranks ", absl::StrJoin(missing, ", "), " of ", options_.size,
                        " at ", PlaceOf(options_));
  }

  bool Complete(std::string* missing) {
    if (*missing = Missing(); !missing->empty()) return false;
    std::vector<std::string> names;
    for (int rank = 0; rank < options_.size; ++rank) names.push_back(group_->get_to_str(KeyOf(rank)));
    group_->set("members", absl::StrJoin(names, " "));
    return true;
  }

  bool IsMember(std::string* missing) {
    if (!group_->check({"size"})) {
      *missing = absl::StrCat("rank 0 at ", PlaceOf(options_));
      return false;
    }
    if (const std::string size = group_->get_to_str("size"); size != absl::StrCat(options_.size)) {
      *missing =
          absl::StrCat("a group of WORLD_SIZE=", options_.size, " at ", PlaceOf(options_), ": rank 0 has ", size);
      return false;
    }
    if (group_->check({"members"})) {
      const std::vector<std::string> names = absl::StrSplit(group_->get_to_str("members"), ' ');
      if (names[options_.rank] == name_) return true;
      *missing = absl::StrCat("a new group at ", PlaceOf(options_), ": the one there has another rank ", options_.rank);
      return false;
    }
    if (group_->get_to_str(KeyOf(options_.rank)) != name_) {
      *missing = absl::StrCat("RANK=", options_.rank, " to be free: another process has come with that number to ",
                              PlaceOf(options_));
      return false;
    }
    *missing = Missing();
    if (missing->empty()) *missing = absl::StrCat("rank 0 at ", PlaceOf(options_));
    return false;
  }

  const RankGroupOptions& options_;
  const StorePointer store_;
  const std::string name_;  // of this process
  int64_t attempt_ = 0;     // 0: none yet
  StorePointer group_;      // its keys
};

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
  while (true) {
    ASSIGN_OR_RETURN(const StorePointer store, FindStore(options, &patience));
    std::string missing;
    try {
      Meeting meeting(options, store);
      while (!meeting.Look(&missing)) RETURN_IF_ERROR(patience.Pause(kPollPeriod, missing));
      return meeting.store();
    } catch (const std::exception& error) {
      missing = absl::StrCat("the store at ", PlaceOf(options), " (", ReasonOf(error), ")");
    }
    // Its rank 0 has gone, perhaps with the group of before; another may come.
    RETURN_IF_ERROR(patience.Pause(kRetryPeriod, missing));
  }
}

}  // namespace troupe
