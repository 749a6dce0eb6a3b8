#include "actor_worker/environments/external/server_hello.h"

#include "absl/strings/str_cat.h"
#include "common/base/shown_text.h"
#include "common/wire/spec_codec.h"
#include "google/protobuf/util/json_util.h"
#include "proto/environment_service.pb.h"

namespace troupe {

absl::StatusOr<EnvironmentSpec> DecodeServerHello(absl::string_view json) {
  wire::ServerHello hello;
  const google::protobuf::util::Status parsed =
      google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, &hello);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("hello: no ServerHello in JSON: ", ShownText(parsed.ToString())));
  }
  if (hello.protocol_version() != kEnvironmentProtocolVersion) {
    return absl::InvalidArgumentError(absl::StrCat("hello.protocol_version: came ", hello.protocol_version(),
                                                   ", expected ", kEnvironmentProtocolVersion));
  }
  if (hello.spec().machine_settings_size() > 0) {
    return absl::InvalidArgumentError("hello.spec.machine_settings: came some, expected none: they are the worker's");
  }
  if (hello.spec().name().empty()) hello.mutable_spec()->set_name("external");
  absl::StatusOr<EnvironmentSpec> spec = DecodeEnvironmentSpec(hello.spec());
  if (spec.ok()) return spec;
  return absl::Status(spec.status().code(), absl::StrCat("hello.spec.", spec.status().message()));
}

}  // namespace troupe
