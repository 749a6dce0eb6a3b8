// An experiment's text: what is accepted survives being written and read again; what is refused is told why.
//
// Input: a line that is an override, then the file.
#include <algorithm>
#include <string>

#include "common/config/experiment_loader.h"
#include "tests/fuzz/support/corpus.h"
#include "tests/fuzz/support/target.h"

namespace troupe::fuzz {
namespace {

void Read(const std::string& text, const std::vector<std::string>& overrides) {
  const auto experiment = ParseExperiment(text, "fuzz", overrides);
  if (!experiment.ok()) return MustRefuse(experiment.status());
  const std::string written = FormatExperiment(*experiment);
  const auto again = ParseExperiment(written, "again", {});
  Must(again.ok() && FormatExperiment(*again) == written, "what was accepted is read otherwise");
}

void RunExperiment(std::string_view input) {
  const size_t end = std::min(input.find('\n'), input.size());
  std::vector<std::string> overrides;
  if (end > 0) overrides.emplace_back(input.substr(0, end));
  const std::string text(input.substr(std::min(end + 1, input.size())));
  Read(text, overrides);
  // Most of what is made does not say what is required.
  Read("name: 'x' total_env_steps: 5 environment { name: 'y' }\n" + text, overrides);
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds = {"\n" + Recorded("experiment.textproto")};
  for (const char* name : {"grid_world_maddpg", "memory_options", "smax_3m_self_play", "mpe_spread_attention"}) {
    seeds.push_back("ppo.clip=0.3\n" + SourceFile(std::string("deploy/experiments/") + name + ".textproto"));
  }
  seeds.push_back("environment.settings.a=b\n");
  seeds.push_back("policy.hidden_sizes=3,4\ncritic { hidden_sizes: [4] }");
  return seeds;
}

const Register kRegister({.name = "experiment",
                          .run = RunExperiment,
                          .seeds = Seeds,
                          .most_bytes = 4 << 20,
                          .most_bytes_per_byte = 1024,
                          .longest = 2048,
                          .mutations = 4000});

}  // namespace
}  // namespace troupe::fuzz
