// What an environment server says: lines in any pieces, and in its hello an environment, whose memory is planned and
// laid out without a byte outside of it.
//
// Input: a byte that says how many copies there are, then what the server sends until it closes its end.
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "actor_worker/environments/external/server_connection.h"
#include "actor_worker/environments/external/server_hello.h"
#include "actor_worker/environments/external/shared_arrays.h"
#include "common/wire/spec_codec.h"
#include "google/protobuf/util/json_util.h"
#include "proto/environment_service.pb.h"
#include "tests/common/test_specs.h"
#include "tests/fuzz/support/byte_source.h"
#include "tests/fuzz/support/corpus.h"
#include "tests/fuzz/support/target.h"

namespace troupe::fuzz {
namespace {

constexpr int64_t kMostLaidOut = 64 << 10;

template <typename T>
void Touch(absl::Span<T> array, const std::vector<char>& memory) {
  if (array.empty()) return;
  const auto* const begin = reinterpret_cast<const char*>(array.data());
  const auto* const end = reinterpret_cast<const char*>(array.data() + array.size());
  Must(begin >= memory.data() && end <= memory.data() + memory.size(), "an array outside of the memory");
  if constexpr (!std::is_const_v<T>) array.front() = array.back() = T(1);
}

void LayItOut(const EnvironmentSpec& spec, int copies) {
  const auto layout = PlanSharedMemory(spec, copies);
  if (!layout.ok()) return MustRefuse(layout.status(), absl::StatusCode::kResourceExhausted);
  Must(layout->bytes > 0 && layout->bytes <= 2 * kMostSharedBytes, "the memory's size");
  if (layout->bytes > kMostLaidOut) return;
  std::vector<char> memory(layout->bytes);
  const SharedArrays arrays = LayOut(spec, copies, *layout, memory.data());
  Touch(arrays.commands, memory);
  Touch(arrays.seeds, memory);
  Touch(arrays.endings, memory);
  Touch(arrays.statistics, memory);
  Touch(arrays.state_extras, memory);
  for (const SharedArrays::Group& group : arrays.groups) {
    Touch(group.discrete, memory);
    Touch(group.continuous, memory);
    Touch(group.observations, memory);
    Touch(group.action_mask, memory);
    Touch(group.alive, memory);
    Touch(group.rewards, memory);
  }
}

void TakeHello(absl::string_view json, int copies) {
  const auto spec = DecodeServerHello(json);
  if (!spec.ok()) return MustRefuse(spec.status());
  wire::EnvironmentSpec encoded;
  EncodeEnvironmentSpec(*spec, &encoded);
  const auto again = DecodeEnvironmentSpec(encoded);
  Must(again.ok() && *again == *spec, "an environment that travels changes");
  LayItOut(*spec, copies);
}

void RunEnvironmentService(std::string_view input) {
  ByteSource source(input);
  const int copies = 1 + source.Byte();
  const std::string_view said = source.Rest();
  const auto connection = ServerConnection::Create();
  Must(connection.ok(), "sockets");
  Must(write((*connection)->servers_end(), said.data(), said.size()) == static_cast<ssize_t>(said.size()), "said");
  (*connection)->CloseServersEnd();
  std::string heard;
  while (true) {
    auto line = (*connection)->Receive(absl::ZeroDuration(), /*end_file=*/-1);
    if (!line.ok()) {
      MustRefuse(line.status(), absl::StatusCode::kUnavailable);
      break;
    }
    heard.append(line->data(), line->size());
    heard.push_back('\n');
    if (absl::ConsumePrefix(&*line, "hello ")) TakeHello(*line, copies);
  }
  Must(said.substr(0, heard.size()) == heard, "lines are not what was sent");
  Must(said.find('\n', heard.size()) == std::string_view::npos, "a line was not received");
}

std::string Hello(const EnvironmentSpec& spec) {
  wire::ServerHello hello;
  hello.set_protocol_version(kEnvironmentProtocolVersion);
  EncodeEnvironmentSpec(spec, hello.mutable_spec());
  std::string json;
  Must(google::protobuf::util::MessageToJsonString(hello, &json).ok(), "a hello");
  Must(DecodeServerHello(json).ok(), "a good hello is taken");
  return "\3hello " + json + "\n";
}

std::vector<std::string> Seeds() {
  EnvironmentSpec recorded = TheRecordedRun().environment;
  recorded.machine_settings.clear();
  return {
      Hello(EveryActionKindSpec()) + "done\ndone\n", Hello(recorded), "\1error it is broken\n",
      // As docs/clients' servers say it.
      "\2hello {\"protocolVersion\":1,\"spec\":{\"groups\":[{\"name\":\"g\",\"agents\":[\"a\"],\"observationSize\":2,"
      "\"actionKind\":\"DISCRETE\",\"actionSize\":3}],\"statistics\":[\"s\"]}}\n"};
}

const Register kRegister({.name = "environment_service",
                          .run = RunEnvironmentService,
                          .seeds = Seeds,
                          .most_bytes = 1 << 20,
                          .most_bytes_per_byte = 1024});

}  // namespace
}  // namespace troupe::fuzz
