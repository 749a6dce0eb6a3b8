#include "tests/benchmarks/support/bare_streams.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/support/proto_buffer_writer.h"
#include "proto/tensor.pb.h"
#include "tests/benchmarks/support/must.h"

namespace troupe::testing {
namespace {

constexpr int kMaxMessageBytes = 256 << 20;

class GrpcServer final : public BareServer, public grpc::CallbackGenericService {
 public:
  explicit GrpcServer(bool parse) : parse_(parse) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(this);
    builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
    server_ = builder.BuildAndStart();
  }
  ~GrpcServer() override { server_->Shutdown(std::chrono::system_clock::now()); }
  int port() const override { return port_; }

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    return new Reactor(this);
  }

 private:
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Reactor(GrpcServer* server) : server_(server) { StartRead(&bytes_); }
    void OnReadDone(bool ok) override {
      if (!ok) return Finish(grpc::Status::OK);
      if (server_->parse_) grpc::SerializationTraits<wire::Tensor>::Deserialize(&bytes_, &message_);
      server_->messages_.fetch_add(1, std::memory_order_relaxed);
      StartRead(&bytes_);
    }
    void OnDone() override { delete this; }

   private:
    GrpcServer* const server_;
    grpc::ByteBuffer bytes_;
    wire::Tensor message_;
  };

  const bool parse_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class GrpcClient final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  GrpcClient(int port, size_t message_bytes, bool serialise) : serialise_(serialise) {
    message_.set_data(std::string(message_bytes, 'x'));
    Serialise();
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = std::make_unique<grpc::GenericStub>(
        grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials(), arguments));
    stub_->PrepareBidiStreamingCall(&context_, "/bare/Stream", {}, this);
    StartWrite(&bytes_);
    StartCall();
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return;
    if (serialise_) Serialise();
    StartWrite(&bytes_);
  }

 private:
  void Serialise() {
    bool own = false;
    bytes_.Clear();
    grpc::SerializationTraits<wire::Tensor>::Serialize(message_, &bytes_, &own);
  }

  const bool serialise_;
  wire::Tensor message_;
  grpc::ByteBuffer bytes_;
  std::unique_ptr<grpc::GenericStub> stub_;
  grpc::ClientContext context_;
};

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

class TcpServer final : public BareServer {
 public:
  explicit TcpServer(size_t message_bytes) : message_bytes_(message_bytes), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = Loopback(0);
    Must(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0, "bind");
    Must(listen(listener_, 1024) == 0, "listen");
    socklen_t size = sizeof(address);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    accepter_ = std::thread([this] { Accept(); });
  }
  ~TcpServer() override {
    shutdown(listener_, SHUT_RDWR);
    accepter_.join();
    for (std::thread& reader : readers_) reader.join();
    close(listener_);
  }
  int port() const override { return port_; }

 private:
  void Accept() {
    while (true) {
      const int connection = accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      readers_.emplace_back([this, connection] { Read(connection); });
    }
  }
  // Ends when the peer does.
  void Read(int connection) {
    std::vector<char> memory(message_bytes_);
    while (recv(connection, memory.data(), memory.size(), MSG_WAITALL) == static_cast<ssize_t>(memory.size())) {
      messages_.fetch_add(1, std::memory_order_relaxed);
    }
    close(connection);
  }

  const size_t message_bytes_;
  const int listener_;
  int port_ = 0;
  std::thread accepter_;
  std::vector<std::thread> readers_;
};

void SendTcp(int port, size_t message_bytes) {
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = Loopback(port);
  Must(connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0, "connect");
  const std::vector<char> memory(message_bytes, 'x');
  while (send(connection, memory.data(), memory.size(), MSG_NOSIGNAL) > 0) {
  }
  close(connection);
}

}  // namespace

std::unique_ptr<BareServer> BareServer::Start(BareKind kind, size_t message_bytes) {
  if (kind == BareKind::kTcp) return std::make_unique<TcpServer>(message_bytes);
  return std::make_unique<GrpcServer>(kind == BareKind::kProtobuf);
}

void SendBareStreams(BareKind kind, int port, int connections, size_t message_bytes) {
  std::vector<std::unique_ptr<GrpcClient>> clients;
  std::vector<std::thread> threads;
  for (int i = 0; i < connections; ++i) {
    if (kind == BareKind::kTcp) {
      threads.emplace_back(SendTcp, port, message_bytes);
    } else {
      clients.push_back(std::make_unique<GrpcClient>(port, message_bytes, kind == BareKind::kProtobuf));
    }
  }
  while (true) pause();
}

}  // namespace troupe::testing
