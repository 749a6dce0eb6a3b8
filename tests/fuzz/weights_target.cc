// Weights as the learner sends them: what a worker takes is what its policies ask for, and travels unchanged.
//
// Input: a byte that says whose policies they are for, a wire::Weights.
#include <cmath>
#include <string>
#include <vector>

#include "common/base/finite.h"
#include "common/wire/roster_codec.h"
#include "common/wire/spec_codec.h"
#include "proto/weights.pb.h"
#include "tests/actor_worker/inference_reference.h"
#include "tests/fuzz/support/byte_source.h"
#include "tests/fuzz/support/corpus.h"
#include "tests/fuzz/support/target.h"

namespace troupe::fuzz {
namespace {

constexpr int kTeams = 2;

const std::vector<std::vector<PolicySpec>>& Policies() {
  static const auto& policies = *new std::vector<std::vector<PolicySpec>>{
      TheRecordedRun().policies,
      {MakeTestSpec(3, 2, 4, {3}, {0, 1, 0}), WithAgentId(MakeTestSpec(2, 1, 2, {}, {0, 0}))}};
  return policies;
}

void RunWeights(std::string_view input) {
  ByteSource source(input);
  const std::vector<PolicySpec>& policies = Policies()[source.Byte() % Policies().size()];
  const std::string_view bytes = source.Rest();
  wire::Weights message;
  if (!ParseWhole(bytes, &message)) return;
  const auto weights = DecodeWeights(policies, message);
  if (!weights.ok()) {
    MustRefuse(weights.status());
  } else {
    size_t next = 0;
    for (const PolicySpec& policy : policies) {
      for (const DenseStackSpec::Parameter& parameter : policy.Parameters()) {
        const HostTensor& tensor = weights->tensors.at(next++);
        Must(tensor.data_type == DataType::kFloat32 && tensor.shape == parameter.shape, "a tensor of another shape");
        Must(tensor.bytes.size() == 4 * static_cast<size_t>(tensor.num_elements()), "a tensor's bytes");
        for (int64_t i = 0; i < tensor.num_elements(); ++i) Must(std::isfinite(tensor.floats()[i]), "a weight");
      }
    }
    Must(next == weights->tensors.size(), "more tensors than the policies have");
    Must(CheckScalars(weights->scalars).ok(), "scalars");
    wire::Weights encoded;
    EncodeWeights(*weights, &encoded);
    const auto again = DecodeWeights(policies, encoded);
    Must(again.ok() && again->tensors == weights->tensors && again->scalars == weights->scalars, "weights change");
  }
  if (!message.has_roster()) return;
  const auto saved = std::make_shared<const PolicySnapshot>();
  const auto roster =
      DecodeRoster(message.roster(), kTeams, [&](uint64_t version) { return version < 8 ? saved : nullptr; });
  if (!roster.ok()) return MustRefuse(roster.status());
  Must((*roster)->newest_probability >= 0 && (*roster)->newest_probability <= 1, "newest_probability");
  for (const Roster::Opponent& opponent : (*roster)->opponents) Must(opponent.weights.size() == kTeams, "weights");
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds = {std::string(1, '\0') + Recorded("weights.bin")};
  PolicySnapshot snapshot{.policy_version = 9, .scalars = {{kEpsilonScalar, 0.25}, {kCurriculumStageScalar, 1}}};
  std::vector<HostTensor> tensors;
  for (const PolicySpec& policy : Policies()[1]) {
    for (HostTensor& tensor : RandomWeights(policy, 3)) snapshot.tensors.push_back(std::move(tensor));
  }
  wire::Weights message;
  EncodeWeights(snapshot, &message);
  Must(DecodeWeights(Policies()[1], message).ok(), "good weights are taken");
  message.mutable_roster()->set_newest_probability(0.5);
  for (const int version : {1, 2}) {
    wire::SavedOpponent* const opponent = message.mutable_roster()->add_opponents();
    opponent->set_saved_version(version);
    opponent->add_weights(1);
    opponent->add_weights(0.5);
  }
  seeds.push_back('\1' + message.SerializeAsString());
  return seeds;
}

const Register kRegister({.name = "weights",
                          .run = RunWeights,
                          .seeds = Seeds,
                          .most_bytes = 256 << 10,
                          .most_bytes_per_byte = 512,
                          .longest = 2048});

}  // namespace
}  // namespace troupe::fuzz
