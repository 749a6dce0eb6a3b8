#include "tests/fuzz/support/target.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/fuzz/support/allocation_meter.h"

namespace troupe::fuzz {
namespace {

constexpr size_t kLongestMessage = 8192;

std::vector<Target>& Registered() {
  static auto& targets = *new std::vector<Target>;
  return targets;
}

}  // namespace

Register::Register(Target target) { Registered().push_back(std::move(target)); }

const std::vector<Target>& Targets() { return Registered(); }

void RunOnce(const Target& target, std::string_view input) {
  const size_t most = target.most_bytes + target.most_bytes_per_byte * input.size();
  const AllocationMeter meter;
  target.run(input);
  const size_t peak = meter.peak_bytes();
  if (peak > most) {
    Must(false, absl::StrCat(target.name, ": ", input.size(), " bytes took ", peak, " bytes, expected at most ", most));
  }
}

void Must(bool holds, absl::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "PROMISE BROKEN: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

void MustRefuse(const absl::Status& status, absl::StatusCode code) {
  const bool holds = status.code() == code && !status.message().empty() && status.message().size() <= kLongestMessage;
  if (!holds) Must(false, absl::StrCat("refused with ", status.ToString()));
}

}  // namespace troupe::fuzz
