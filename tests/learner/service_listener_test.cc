// Who listens, who is let in when descriptors run out, and what is done about a learner that hears nobody.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/service/connection_listener.h"
#include "learner/service/listen_sockets.h"
#include "learner/service/listener_watch.h"
#include "tests/common/temporary_folder.h"
#include "tests/learner/service_fixture.h"
#include "tests/support/loopback.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;

// Whether a stream socket can be connected there. Closes it.
bool Answers(const std::string& host, int port) {
  const bool six = host.find(':') != std::string::npos;
  const int client = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in four = {};
  four.sin_family = AF_INET;
  four.sin_port = htons(static_cast<uint16_t>(port));
  sockaddr_in6 of_six = {};
  of_six.sin6_family = AF_INET6;
  of_six.sin6_port = four.sin_port;
  inet_pton(AF_INET, host.c_str(), &four.sin_addr);
  inet_pton(AF_INET6, host.c_str(), &of_six.sin6_addr);
  const auto* const address =
      six ? reinterpret_cast<const sockaddr*>(&of_six) : reinterpret_cast<const sockaddr*>(&four);
  const bool connected = connect(client, address, six ? sizeof(of_six) : sizeof(four)) == 0;
  close(client);
  return connected;
}

TEST(ListenSockets, AWildcardIsEveryAddressOfBothKinds) {
  for (const char* const wildcard : {"0.0.0.0:0", "[::]:0", ":0"}) {
    const auto sockets = ListenSockets::Open(wildcard);
    ASSERT_TRUE(sockets.ok()) << sockets.status();
    EXPECT_TRUE(Answers("127.0.0.1", sockets->port())) << wildcard;
    if (Answers("::1", ListenSockets::Open("[::1]:0").value().port())) {
      EXPECT_TRUE(Answers("::1", sockets->port())) << wildcard;
    }
  }
}

TEST(ListenSockets, OneAddressIsNoOther) {
  const auto sockets = ListenSockets::Open("127.0.0.2:0");
  ASSERT_TRUE(sockets.ok()) << sockets.status();
  EXPECT_TRUE(Answers("127.0.0.2", sockets->port()));
  EXPECT_FALSE(Answers("127.0.0.1", sockets->port()));
  EXPECT_TRUE(Answers("127.0.0.1", ListenSockets::Open("localhost:0")->port()));
}

TEST(ListenSockets, WhatCannotBeListenedAtIsNamed) {
  const auto first = ListenSockets::Open("127.0.0.1:0");
  const std::string taken = absl::StrCat("127.0.0.1:", first->port());
  EXPECT_THAT(std::string(ListenSockets::Open(taken).status().message()),
              HasSubstr(absl::StrCat("cannot listen on ", taken, ": Address already in use")));
  for (const char* const address : {"127.0.0.1", "127.0.0.1:65536", "127.0.0.1:http", "nobody.invalid:0", "unix:"}) {
    const auto sockets = ListenSockets::Open(address);
    EXPECT_TRUE(absl::IsUnavailable(sockets.status())) << address;
    EXPECT_THAT(std::string(sockets.status().message()), HasSubstr(absl::StrCat("cannot listen on ", address)));
  }
  EXPECT_FALSE(ListenSockets::Open(absl::StrCat("unix:/", std::string(200, 'x'))).ok());
}

TEST(ListenSockets, AUnixSocketsFileGivesWayWhenNobodyListensAndGoesWithItsOwner) {
  const TemporaryFolder folder;
  const std::string path = folder / "s.sock";
  {
    const auto sockets = ListenSockets::Open("unix:" + path);
    ASSERT_TRUE(sockets.ok()) << sockets.status();
    EXPECT_THAT(std::string(ListenSockets::Open("unix:" + path).status().message()),
                HasSubstr("somebody does already"));
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  // Left by a process that was killed.
  const int dead = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = ""};
  path.copy(address.sun_path, path.size());
  ASSERT_EQ(bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  close(dead);
  EXPECT_TRUE(ListenSockets::Open("unix:" + path).ok());
  // What is no socket is nobody's to remove.
  std::ofstream(path) << "notes";
  EXPECT_FALSE(ListenSockets::Open("unix:" + path).ok());
  EXPECT_TRUE(std::filesystem::exists(path));
  // Nor what somebody else has put there meanwhile.
  std::filesystem::remove(path);
  {
    const auto first = ListenSockets::Open("unix:" + path);
    std::filesystem::remove(path);
    const auto second = ListenSockets::Open("unix:" + path);
    ASSERT_TRUE(second.ok());
    struct stat theirs = {};
    ASSERT_EQ(stat(path.c_str(), &theirs), 0);
  }
}

// The soft limit of open files, as it was at the end.
class FileLimit {
 public:
  FileLimit() { getrlimit(RLIMIT_NOFILE, &before_); }
  ~FileLimit() { setrlimit(RLIMIT_NOFILE, &before_); }
  void Set(uint64_t soft) const {
    const rlimit limit = {soft, before_.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  void Restore() const { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_ = {};
};

class ListenerTest : public ServiceTest {
 protected:
  double Refused() { return Counter("troupe_rejected_requests_total", {{"reason", "no_descriptors"}}); }
  template <typename Condition>
  static bool Eventually(const Condition& holds) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (!holds()) {
      if (absl::Now() > deadline) return false;
      absl::SleepFor(absl::Milliseconds(2));
    }
    return true;
  }
  // A connection that has said nothing; -1 with errno.
  int Knock() const {
    const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    Knock(client);
    return client;
  }
  void Knock(int client) const {
    const sockaddr_in address = LoopbackAddress(server_->port());
    ASSERT_EQ(connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0) << errno;
  }
  // Says HTTP/2's preface. What comes then: bytes of HTTP/2 (true) or the end.
  static bool IsGreeted(int client) {
    constexpr absl::string_view kPreface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
    send(client, kPreface.data(), kPreface.size(), MSG_NOSIGNAL);
    char byte;
    return recv(client, &byte, 1, 0) == 1;
  }
};

// gRPC's own listener takes no connection any more after this.
TEST_F(ListenerTest, AConnectionThatNoDescriptorWasLeftForIsTakenOnceThereIsOne) {
  StartServer({});
  const FileLimit limit;
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(client, 0);
  // Every number below `client` may be taken or not: none is left for others from here on.
  limit.Set(3);
  ASSERT_EQ(open("/dev/null", O_RDONLY | O_CLOEXEC), -1);
  ASSERT_EQ(errno, EMFILE);
  Knock(client);
  EXPECT_TRUE(Eventually([&] { return Refused() >= 2; })) << "it goes on trying";
  limit.Restore();
  EXPECT_TRUE(IsGreeted(client));
  close(client);
  EXPECT_NE(Join(), nullptr);
  EXPECT_TRUE(Says("too many files and connections are open"));
}

TEST_F(ListenerTest, TheLastDescriptorsAreTheProgramsOwn) {
  StartServer({});
  const auto worker = Join();
  const FileLimit limit;
  const int highest = open("/dev/null", O_RDONLY | O_CLOEXEC);
  limit.Set(static_cast<uint64_t>(highest) + 2 * ConnectionListener::kOwnDescriptors);
  std::vector<int> silent;
  // Client and server are one process: each connection takes two.
  while (silent.size() < 2 * ConnectionListener::kOwnDescriptors && Refused() == 0) {
    silent.push_back(Knock());
    IsGreeted(silent.back());
  }
  EXPECT_GT(Refused(), 0);
  EXPECT_FALSE(IsGreeted(silent.back()));
  const int own = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_GE(own, 0) << "checkpoints can be written";
  close(own);
  EXPECT_TRUE(Eventually([&] { return server_->num_connected() == 1; }));
  for (const int client : silent) close(client);
  EXPECT_TRUE(Eventually([&] {
    const int client = Knock();
    const bool greeted = IsGreeted(client);
    close(client);
    return greeted;
  }));
  close(highest);
}

TEST_F(ListenerTest, WhoSaysNothingGivesWayToOthers) {
  StartServer({});
  const FileLimit limit;
  const int highest = open("/dev/null", O_RDONLY | O_CLOEXEC);
  limit.Set(static_cast<uint64_t>(highest) + 4 * ConnectionListener::kOwnDescriptors);
  const auto gave_way = [this] { return Counter("troupe_rejected_requests_total", {{"reason", "silent"}}); };
  std::vector<int> silent;
  while (silent.size() < 2 * ConnectionListener::kOwnDescriptors && gave_way() == 0) {
    const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_GE(client, 0) << errno;
    silent.push_back(client);
    Knock(client);
  }
  EXPECT_TRUE(Eventually([&] { return gave_way() > 0; }));
  char byte;
  EXPECT_EQ(recv(silent.front(), &byte, 1, 0), 0) << "the first of them";
  EXPECT_EQ(Refused(), 0);
  const auto worker = Join();
  EXPECT_TRUE(Eventually([&] { return server_->num_connected() == 1; }));
  for (const int client : silent) close(client);
  close(highest);
}

// A server whose watch looks often.
class ListenerWatchTest : public ListenerTest {
 protected:
  // Nothing but what the watch is about: HTTP/2 and the listener.
  struct Place {
    explicit Place(const std::string& address) : listener(ConnectionListener::Open(address).value()) {
      grpc::ServerBuilder builder;
      using Kind = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
      std::shared_ptr<ConnectionListener::Acceptor> acceptor =
          builder.experimental().AddExternalConnectionAcceptor(Kind::FROM_FD, grpc::InsecureServerCredentials());
      builder.RegisterService(&service);
      server = builder.BuildAndStart();
      listener->Serve({.peers = acceptor, .own = acceptor});
    }
    ~Place() {
      listener->Stop();
      watch = nullptr;
      server->Shutdown();
    }
    void Watch(absl::Duration patience = kPatience) {
      ListenerWatch::Options options;
      options.interval = options.retry = absl::Milliseconds(2);
      options.patience = patience;
      options.answers = [this](bool all) { answers = all; };
      options.reopened = [this] { ++reopened; };
      options.log = [this](const std::string& line) {
        absl::MutexLock lock(&mutex);
        absl::StrAppend(&said, line, "\n");
      };
      watch = std::make_unique<ListenerWatch>(std::vector<ConnectionListener*>{listener.get()}, std::move(options));
    }
    std::string Said() {
      absl::MutexLock lock(&mutex);
      return said;
    }

    grpc::health::v1::Health::Service service;
    std::unique_ptr<grpc::Server> server;
    std::unique_ptr<ConnectionListener> listener;
    std::unique_ptr<ListenerWatch> watch;
    std::atomic<bool> answers = true;
    std::atomic<int> reopened = 0;
    absl::Mutex mutex;
    std::string said;
  };
};

TEST_F(ListenerWatchTest, ARemovedUnixSocketIsNoticedAndMadeAnew) {
  const TemporaryFolder folder;
  const std::string path = folder / "learner.sock";
  Place place("unix:" + path);
  ASSERT_TRUE(place.listener->Dial(kPatience).ok());
  place.Watch();
  for (int times = 1; times <= 2; ++times) {
    std::filesystem::remove(path);
    EXPECT_TRUE(Eventually([&] { return place.reopened == times; })) << place.Said();
    EXPECT_TRUE(Eventually([&] { return place.answers && place.listener->Dial(kPatience).ok(); }));
  }
  EXPECT_THAT(place.Said(),
              HasSubstr(absl::StrCat("nobody who comes to unix:", path, " is heard (connect: No such file")));
  EXPECT_THAT(place.Said(), HasSubstr("is heard again"));
}

TEST_F(ListenerWatchTest, AnAddressThatSomebodyElseHasTakenIsToldUntilItIsFree) {
  const TemporaryFolder folder;
  const std::string path = folder / "learner.sock";
  Place place("unix:" + path);
  std::filesystem::remove(path);
  // It takes connections and says nothing, so that the watch's own dial is not answered either.
  auto other = std::make_optional(ListenSockets::Open("unix:" + path).value());
  place.Watch(absl::Milliseconds(50));
  EXPECT_TRUE(Eventually([&] { return !place.answers; })) << place.Said();
  EXPECT_TRUE(Eventually([&] { return absl::StrContains(place.Said(), "it cannot be opened again"); })) << place.Said();
  EXPECT_EQ(place.reopened, 0);
  other.reset();
  EXPECT_TRUE(Eventually([&] { return place.reopened > 0 && place.answers; })) << place.Said();
}

TEST_F(ListenerWatchTest, AListenerThatAnswersIsLeftAlone) {
  Place place("127.0.0.1:0");
  const int port = place.listener->port();
  place.Watch();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(place.listener->Dial(kPatience).ok());
  EXPECT_EQ(place.reopened, 0);
  EXPECT_TRUE(place.answers);
  ASSERT_TRUE(place.listener->Reopen().ok());
  EXPECT_EQ(place.listener->address(), absl::StrCat("127.0.0.1:", port));
  EXPECT_TRUE(Answers("127.0.0.1", port)) << "at the same port";
  EXPECT_TRUE(place.listener->Dial(kPatience).ok());
}

TEST_F(ListenerWatchTest, WithoutADescriptorNothingIsOpenedAnew) {
  Place place("127.0.0.1:0");
  const FileLimit limit;
  limit.Set(3);
  EXPECT_TRUE(absl::IsResourceExhausted(place.listener->Dial(kPatience)));
  place.Watch();
  EXPECT_TRUE(Eventually([&] { return !place.answers; }));
  EXPECT_EQ(place.reopened, 0);
  limit.Restore();
  EXPECT_TRUE(Eventually([&] { return place.answers.load(); }));
  EXPECT_THAT(place.Said(), HasSubstr("more may be open with a larger ulimit -n"));
}

}  // namespace
}  // namespace troupe::testing
