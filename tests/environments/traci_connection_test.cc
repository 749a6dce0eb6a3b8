// The TraCI connection against a server in a thread that misbehaves in every way a SUMO can.
#include "actor_worker/environments/traffic/sumo/traci_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

namespace troupe::traci {
namespace {

// Listens on a free loopback port and hands the first connection to `serve`.
class FakeSumo {
 public:
  explicit FakeSumo(std::function<void(int)> serve) : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, serve = std::move(serve)] {
      const int client = accept(listener_, nullptr, nullptr);
      serve(client);
      close(client);
    });
  }
  ~FakeSumo() {
    thread_.join();
    close(listener_);
  }
  int port() const { return port_; }

  static std::string ReadMessage(int client) {
    std::string bytes(4, '\0');
    EXPECT_EQ(recv(client, bytes.data(), 4, MSG_WAITALL), 4);
    bytes.resize(Reader(bytes).Integer() - 4);
    EXPECT_EQ(recv(client, bytes.data(), bytes.size(), MSG_WAITALL), static_cast<ssize_t>(bytes.size()));
    return bytes;
  }
  static void Write(int client, const std::string& bytes) {
    EXPECT_EQ(send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }

 private:
  const int listener_;
  int port_ = 0;
  std::thread thread_;
};

Message Step() {
  Message message;
  message.Begin(kSimulationStep).Double(1.0);
  return message;
}

std::string StepReply() { return std::string("\0\0\0\x0f\x07\x02\0\0\0\0\0\0\0\0\0", 15); }

TEST(TraciConnection, ExchangesWholeMessagesHoweverTheyArePieced) {
  FakeSumo sumo([](int client) {
    EXPECT_EQ(FakeSumo::ReadMessage(client).size(), 10u);
    for (const char byte : StepReply()) FakeSumo::Write(client, std::string(1, byte));
  });
  auto connection = Connection::Connect(sumo.port());
  ASSERT_TRUE(connection.ok()) << connection.status();
  auto reply = (*connection)->Exchange(Step(), absl::Seconds(10));
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_TRUE(ReadCommandStatus(*reply, kSimulationStep).ok());
  EXPECT_EQ(reply->Integer(), 0);
  EXPECT_TRUE(reply->ok() && reply->at_end());
}

TEST(TraciConnection, IsUnavailableWhenNobodyListens) {
  int port = 0;
  {
    FakeSumo sumo([](int) {});
    port = sumo.port();
    ASSERT_TRUE(Connection::Connect(port).ok());
  }
  EXPECT_EQ(Connection::Connect(port).status().code(), absl::StatusCode::kUnavailable);
}

TEST(TraciConnection, TellsWhenSumoClosesBeforeOrWithinAReply) {
  for (const size_t bytes : {0u, 3u, 9u}) {
    FakeSumo sumo([bytes](int client) {
      FakeSumo::ReadMessage(client);
      FakeSumo::Write(client, StepReply().substr(0, bytes));
    });
    auto connection = Connection::Connect(sumo.port());
    ASSERT_TRUE(connection.ok());
    EXPECT_EQ((*connection)->Exchange(Step(), absl::Seconds(10)).status().code(), absl::StatusCode::kUnavailable)
        << bytes;
  }
}

TEST(TraciConnection, GivesUpOnASumoThatHangs) {
  absl::Notification given_up;
  FakeSumo sumo([&](int client) {
    FakeSumo::ReadMessage(client);
    FakeSumo::Write(client, StepReply().substr(0, 6));
    given_up.WaitForNotification();
  });
  auto connection = Connection::Connect(sumo.port());
  ASSERT_TRUE(connection.ok());
  const absl::Status status = (*connection)->Exchange(Step(), absl::Milliseconds(50)).status();
  given_up.Notify();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
}

TEST(TraciConnection, RefusesImpossibleLengthsWithoutTakingMemoryForThem) {
  for (const char* header : {"\x7f\xff\xff\xff", "\xff\xff\xff\xff", "\0\0\0\x03"}) {
    FakeSumo sumo([header](int client) {
      FakeSumo::ReadMessage(client);
      FakeSumo::Write(client, std::string(header, 4));
    });
    auto connection = Connection::Connect(sumo.port());
    ASSERT_TRUE(connection.ok());
    EXPECT_EQ((*connection)->Exchange(Step(), absl::Seconds(10)).status().code(), absl::StatusCode::kInternal);
  }
}

}  // namespace
}  // namespace troupe::traci
