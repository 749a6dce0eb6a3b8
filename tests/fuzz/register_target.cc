// A worker's registration: what is taken is an environment that travels back and forth unchanged.
//
// Input: a wire::RegisterRequest.
#include "absl/strings/str_cat.h"
#include "common/wire/spec_codec.h"
#include "common/wire/unpacked_bytes.h"
#include "proto/training_service.pb.h"
#include "tests/common/test_specs.h"
#include "tests/fuzz/support/corpus.h"
#include "tests/fuzz/support/target.h"

namespace troupe::fuzz {
namespace {

void RunRegister(std::string_view input) {
  wire::RegisterRequest request;
  const absl::Status parsed = ParseBounded({input.data(), input.size()}, &request);
  if (!parsed.ok()) return MustRefuse(parsed);
  const auto bound = UnpackedBytes(*wire::RegisterRequest::descriptor(), {input.data(), input.size()});
  Must(bound.ok() && request.SpaceUsedLong() <= *bound, "a message that takes more than was said");
  const auto spec = DecodeEnvironmentSpec(request.environment_spec());
  if (!spec.ok()) return MustRefuse(spec.status());
  wire::EnvironmentSpec encoded;
  EncodeEnvironmentSpec(*spec, &encoded);
  const auto again = DecodeEnvironmentSpec(encoded);
  Must(again.ok() && *again == *spec, "an environment that travels changes");
  const std::string difference = DescribeDifference(*spec, *again);
  Must(difference.empty(), absl::StrCat("an environment differs from itself: ", difference));
  (void)DescribeDifference(TheRecordedRun().environment, *spec);
}

std::string Registration(const EnvironmentSpec& spec) {
  wire::RegisterRequest request;
  request.set_protocol_version(3);
  request.set_host("host");
  request.set_max_shards(4);
  EncodeEnvironmentSpec(spec, request.mutable_environment_spec());
  return request.SerializeAsString();
}

std::vector<std::string> Seeds() {
  EnvironmentSpec spec = EveryActionKindSpec();
  spec.groups[0].team = "reds";
  spec.groups[0].neighbours = {{1, 2}, {0}, {}};
  spec.groups[0].observed = {{"a", "m", 2, "how far"}, {"b", "", 1, ""}, {"c", "s", 0.5, ""}, {"d", "", 1, ""}};
  spec.groups[1].actions = {{"left", "to the left"}, {"up", ""}};
  spec.machine_settings = {"binary"};
  return {Recorded("register_request.bin"), Registration(EveryActionKindSpec()), Registration(spec)};
}

const Register kRegister(
    {.name = "register", .run = RunRegister, .seeds = Seeds, .most_bytes = 256 << 10, .most_bytes_per_byte = 1024});

}  // namespace
}  // namespace troupe::fuzz
