#include "common/metrics/page_server.h"

#include <atomic>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/loopback.h"

namespace troupe {
namespace {

using testing::Connect;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::HttpAsk;
using testing::HttpGet;
using ::testing::Not;
using ::testing::StartsWith;

std::unique_ptr<PageServer> Serving(std::function<std::string()> page) {
  return PageServer::Start("127.0.0.1:0", {{"/metrics", std::move(page)}}).value();
}

std::unique_ptr<PageServer> Serving(const std::string& text) {
  return Serving([text] { return text; });
}

// Closes them at the end.
struct Connections {
  ~Connections() {
    for (const int one : open) close(one);
  }
  void Add(int port, int count, const std::string& says) {
    for (int i = 0; i < count; ++i) {
      open.push_back(Connect(port));
      EXPECT_EQ(send(open.back(), says.data(), says.size(), MSG_NOSIGNAL), static_cast<ssize_t>(says.size()));
    }
  }
  std::vector<int> open;
};

TEST(PageServer, SilentConnectionsDelayNobody) {
  const auto server = Serving("a 1\n");
  Connections silent;
  silent.Add(server->port(), 32, "");
  silent.Add(server->port(), 32, "GET /metrics HTTP/1.1\r\nHos");
  const absl::Time began = absl::Now();
  EXPECT_THAT(HttpGet(server->port(), "/metrics"), EndsWith("\r\n\r\na 1\n"));
  EXPECT_LT(absl::Now() - began, absl::Seconds(1));
}

TEST(PageServer, TheOldestConnectionGoesWhenTheyAreTooMany) {
  const auto server = Serving("a 1\n");
  Connections silent;
  silent.Add(server->port(), 3 * PageServer::kMaxConnections, "");
  EXPECT_THAT(HttpGet(server->port(), "/metrics"), EndsWith("a 1\n"));
  char byte;
  EXPECT_EQ(recv(silent.open.front(), &byte, 1, 0), 0);             // closed
  EXPECT_EQ(recv(silent.open.back(), &byte, 1, MSG_DONTWAIT), -1);  // still open
}

TEST(PageServer, WhoReadsSlowlyDelaysNobodyAndGetsAll) {
  const std::string page(8 << 20, 'x');  // more than the sockets' buffers
  const auto server = Serving(page);
  Connections slow;
  slow.Add(server->port(), 4, "GET /metrics HTTP/1.1\r\n\r\n");
  EXPECT_EQ(HttpGet(server->port(), "/metrics").substr(0, 15), "HTTP/1.1 200 OK");
  size_t got = 0;
  std::vector<char> bytes(1 << 16);
  for (ssize_t more; (more = recv(slow.open[0], bytes.data(), bytes.size(), 0)) > 0;) got += more;
  EXPECT_GE(got, page.size());
}

TEST(PageServer, WhatIsNoRequestForAPageIsRefusedInWords) {
  const auto server = Serving("a 1\n");
  EXPECT_THAT(HttpGet(server->port(), "/"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(HttpAsk(server->port(), "POST /metrics HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(HttpAsk(server->port(), "nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(HttpAsk(server->port(), std::string(2 * PageServer::kMaxRequestBytes, 'x')), StartsWith("HTTP/1.1 431 "));
  const std::string head = HttpAsk(server->port(), "HEAD /metrics?x=1 HTTP/1.1\r\n\r\n");
  EXPECT_THAT(head, StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(head, HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("a 1")));
}

TEST(PageServer, ListensWhereItIsTold) {
  const auto six = PageServer::Start("[::1]:0", {});
  if (six.ok()) {
    EXPECT_GT((*six)->port(), 0);
  }
  EXPECT_GT(PageServer::Start("localhost:0", {}).value()->port(), 0);
  for (const char* bad : {"nonsense", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:x", "256.1.1.1:0"}) {
    const absl::Status status = PageServer::Start(bad, {}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat("cannot listen on ", bad, ": ")));
  }
}

TEST(PageServer, AwaitsThePrometheusThatScrapes) {
  std::atomic<int> pages = 0;
  const auto server = Serving([&pages] { return absl::StrCat("pages ", ++pages, "\n"); });
  testing::Scrape(server->port());
  ASSERT_EQ(pages, 1);
  std::atomic<bool> returned = false;
  NamedThread waiter("waiter", [&] {
    server->AwaitScrape([] { return false; });
    returned = true;
  });
  // A person looks: that is no scrape. The waiter waits on, or waits only now.
  HttpGet(server->port(), "/metrics");
  EXPECT_FALSE(returned);
  while (!returned) testing::Scrape(server->port());
  EXPECT_GE(pages, 3);
}

TEST(PageServer, AwaitsNobodyWhoDoesNotScrapeAndStopsWhenTold) {
  const auto server = Serving("a 1\n");
  server->AwaitScrape([] { return false; });  // nobody ever did
  HttpGet(server->port(), "/metrics");
  server->AwaitScrape([] { return false; });
  testing::Scrape(server->port());
  int asked = 0;
  server->AwaitScrape([&asked] { return ++asked > 1; });
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace troupe
