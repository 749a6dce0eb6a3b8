// An experiment's text: the first line is an override, the rest the file. What is accepted must survive formatting and
// reading again; what is refused must be refused with a message.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/config/experiment_loader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const size_t end = input.find('\n');
  std::vector<std::string> overrides;
  if (end != std::string::npos && end > 0) overrides.push_back(input.substr(0, end));
  const std::string written = end == std::string::npos ? input : input.substr(end + 1);
  for (const char* prefix : {"", "name: 'x' total_env_steps: 5 environment { name: 'y' }\n"}) {
    const auto experiment = troupe::ParseExperiment(prefix + written, "fuzz", overrides);
    if (!experiment.ok()) {
      if (experiment.status().code() != absl::StatusCode::kInvalidArgument || experiment.status().message().empty())
        abort();
      continue;
    }
    const std::string text = troupe::FormatExperiment(*experiment);
    const auto again = troupe::ParseExperiment(text, "again", {});
    if (!again.ok() || troupe::FormatExperiment(*again) != text) abort();
  }
  return 0;
}
