// What the stream path is held against: the same bytes over the same number of connections with nothing done to them.
//
// kBytes: gRPC callback streams of raw buffers, never copied by us. kProtobuf: gRPC callback streams of a message with
// one bytes field, serialised and parsed each time. kTcp: blocking sockets, a thread per connection and side.
#ifndef TROUPE_TESTS_BENCHMARKS_SUPPORT_BARE_STREAMS_H_
#define TROUPE_TESTS_BENCHMARKS_SUPPORT_BARE_STREAMS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace troupe::testing {

enum class BareKind { kBytes, kProtobuf, kTcp };

// Listens on a loopback port of its own and counts what comes until destruction.
class BareServer {
 public:
  static std::unique_ptr<BareServer> Start(BareKind kind, size_t message_bytes);
  virtual ~BareServer() = default;
  virtual int port() const = 0;
  uint64_t messages() const { return messages_.load(std::memory_order_relaxed); }

 protected:
  std::atomic<uint64_t> messages_ = 0;
};

// Opens `connections` connections, each of which sends messages as fast as they are taken. Does not return.
[[noreturn]] void SendBareStreams(BareKind kind, int port, int connections, size_t message_bytes);

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_BENCHMARKS_SUPPORT_BARE_STREAMS_H_
