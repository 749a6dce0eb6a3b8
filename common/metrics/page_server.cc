#include "common/metrics/page_server.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "common/threads/timed_wait.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kTick{100};
// Of scrapes, to know how often they come.
constexpr size_t kRememberedScrapes = 5;
// Of a scraper that came only once so far: what Prometheus does unless told otherwise.
constexpr std::chrono::seconds kUsualInterval{15};
// Of one that comes without a pause: it may be kept off for a moment, as anybody.
constexpr std::chrono::seconds kLeastInterval{1};
// Every scrape of Prometheus and its kin carries it; browsers, people and health checks do not.
constexpr char kScrapeHeader[] = "\r\nx-prometheus-scrape-timeout-seconds:";

// A socket that listens without blocking, or -1 and errno.
int ListenAt(const addrinfo& address) {
  const int listener = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener < 0) return -1;
  const int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (bind(listener, address.ai_addr, address.ai_addrlen) == 0 && listen(listener, SOMAXCONN) == 0) return listener;
  const int error = errno;
  close(listener);
  errno = error;
  return -1;
}

int PortOf(int listener) {
  sockaddr_storage bound = {};
  socklen_t length = sizeof(bound);
  getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &length);
  const bool six = bound.ss_family == AF_INET6;
  return ntohs(six ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                   : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

std::string Message(const std::string& status, const std::string& text, bool with_text) {
  return absl::StrCat("HTTP/1.1 ", status,
                      "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: ", text.size(),
                      "\r\nConnection: close\r\n\r\n", with_text ? text : "");
}

}  // namespace

struct PageServer::Connection {
  Connection(int socket, Time deadline) : socket(socket), deadline(deadline) {}

  int socket;
  Time deadline;
  std::string request;
  std::string answer;  // empty: the request is not complete yet
  size_t sent = 0;
  bool scrape = false;
  Time written;  // the answer

  bool reads() const { return answer.empty() || sent == answer.size(); }
};

absl::StatusOr<std::unique_ptr<PageServer>> PageServer::Start(const std::string& address, Pages pages) {
  const auto failure = [&address](const std::string& why) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address, ": ", why));
  };
  const size_t colon = address.rfind(':');
  uint32_t number = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(address.substr(colon + 1), &number) || number > 65535) {
    return failure("expected HOST:PORT, the port from 0 to 65535");
  }
  std::string host = address.substr(0, colon);
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) host = host.substr(1, host.size() - 2);
  addrinfo hints = {};
  hints.ai_flags = AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), absl::StrCat(number).c_str(), &hints, &found);
  if (error != 0) return failure(gai_strerror(error));
  int listener = -1;
  for (const addrinfo* one = found; one != nullptr && listener < 0; one = one->ai_next) listener = ListenAt(*one);
  const std::string why = std::strerror(errno);
  freeaddrinfo(found);
  if (listener < 0) return failure(why);
  return std::unique_ptr<PageServer>(new PageServer(listener, PortOf(listener), std::move(pages)));
}

PageServer::PageServer(int listener, int port, Pages pages)
    : listener_(listener), port_(port), pages_(std::move(pages)), stop_(eventfd(0, EFD_CLOEXEC)) {
  thread_ = NamedThread("metrics", [this] { Run(); });
}

PageServer::~PageServer() {
  eventfd_write(stop_, 1);
  thread_.Join();
  for (const Connection& connection : connections_) close(connection.socket);
  close(listener_);
  close(stop_);
}

void PageServer::Run() {
  while (true) {
    std::vector<pollfd> waits = {{stop_, POLLIN, 0}};
    for (const Connection& connection : connections_) {
      waits.push_back({connection.socket, static_cast<int16_t>(connection.reads() ? POLLIN : POLLOUT), 0});
    }
    // Last, because it is left out while there is no descriptor for another connection.
    if (steady_clock::now() >= accept_again_) waits.push_back({listener_, POLLIN, 0});
    const bool idle = connections_.empty() && waits.back().fd == listener_;
    poll(waits.data(), waits.size(), idle ? -1 : static_cast<int>(kTick.count()));
    if (waits[0].revents != 0) return;

    const Time now = steady_clock::now();
    size_t next = 1;
    for (auto one = connections_.begin(); one != connections_.end(); ++next) {
      const bool open = now < one->deadline && (waits[next].revents == 0 || Advance(*one));
      if (!open) close(one->socket);
      one = open ? std::next(one) : connections_.erase(one);
    }
    if (waits.back().fd == listener_ && waits.back().revents != 0) Accept(now);
  }
}

void PageServer::Accept(Time now) {
  while (true) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket < 0) {
      const bool later = errno != EAGAIN && errno != ECONNABORTED && errno != EINTR;
      if (later) accept_again_ = now + kTick;
      return;
    }
    if (connections_.size() == kMaxConnections) {
      close(connections_.front().socket);
      connections_.pop_front();
    }
    connections_.emplace_back(socket, now + kPatience);
    // Mostly the request is there already; nobody before it is waited for.
    if (!Advance(connections_.back())) {
      close(socket);
      connections_.pop_back();
    }
  }
}

bool PageServer::Advance(Connection& connection) {
  if (connection.answer.empty() && !ReadRequest(connection)) return false;
  while (connection.sent < connection.answer.size()) {
    const ssize_t sent = send(connection.socket, connection.answer.data() + connection.sent,
                              connection.answer.size() - connection.sent, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    connection.sent += static_cast<size_t>(sent);
    if (connection.sent < connection.answer.size()) continue;
    if (connection.scrape) CountScrape(connection.written);
    // What the peer still says is read until it closes too: a close before would throw away what it has not read yet.
    shutdown(connection.socket, SHUT_WR);
  }
  if (connection.answer.empty()) return true;
  char rest[4096];
  const ssize_t got = recv(connection.socket, rest, sizeof(rest), 0);
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

bool PageServer::ReadRequest(Connection& connection) {
  char bytes[4096];
  while (connection.answer.empty()) {
    const ssize_t got = recv(connection.socket, bytes, sizeof(bytes), 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    connection.request.append(bytes, static_cast<size_t>(got));
    if (absl::StrContains(connection.request, "\r\n\r\n")) {
      Answer(connection);
    } else if (connection.request.size() > kMaxRequestBytes) {
      connection.answer = Message("431 Request Header Fields Too Large", "", true);
    }
  }
  return true;
}

void PageServer::Answer(Connection& connection) {
  const std::vector<std::string> words =
      absl::StrSplit(connection.request.substr(0, connection.request.find('\r')), ' ');
  const bool head = words[0] == "HEAD";
  if (words.size() != 3 || !absl::StartsWith(words[2], "HTTP/1.")) {
    connection.answer = Message("400 Bad Request", "expected GET /PATH HTTP/1.1\n", true);
    return;
  }
  if (!head && words[0] != "GET") {
    connection.answer = Message("405 Method Not Allowed", "GET and HEAD are answered\n", true);
    return;
  }
  const auto page = pages_.find(words[1].substr(0, words[1].find('?')));
  if (page == pages_.end()) {
    connection.answer = Message("404 Not Found", "there is no such page\n", !head);
    return;
  }
  connection.scrape = !head && absl::StrContains(absl::AsciiStrToLower(connection.request), kScrapeHeader);
  connection.written = steady_clock::now();
  connection.answer = Message("200 OK", page->second(), !head);
}

void PageServer::CountScrape(Time written) {
  absl::MutexLock lock(&mutex_);
  scrapes_.push_back(written);
  if (scrapes_.size() > kRememberedScrapes) scrapes_.pop_front();
}

PageServer::Time PageServer::NextScrapeDue() const {
  if (scrapes_.empty()) return Time::min();
  steady_clock::duration interval = scrapes_.size() == 1 ? kUsualInterval : kLeastInterval;
  for (size_t i = 1; i < scrapes_.size(); ++i) interval = std::max(interval, scrapes_[i] - scrapes_[i - 1]);
  return scrapes_.back() + std::min<steady_clock::duration>(2 * interval, interval + kLongestInterval);
}

void PageServer::AwaitScrape(const std::function<bool()>& stop) {
  const Time began = steady_clock::now();
  absl::MutexLock lock(&mutex_);
  const auto taken = [this, began] {
    mutex_.AssertReaderHeld();
    return !scrapes_.empty() && scrapes_.back() >= began;
  };
  while (!taken() && steady_clock::now() < NextScrapeDue() && !stop()) {
    AwaitFor(mutex_, absl::Condition(&taken), absl::FromChrono(kTick));
  }
}

}  // namespace troupe
