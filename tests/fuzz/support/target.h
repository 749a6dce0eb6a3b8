// What a fuzz target is: a promise about any bytes, and bytes to begin with. A target is a file NAME_target.cc that
// defines one and registers it; who calls it is libfuzzer_main.cc or regressions_main.cc.
#ifndef TROUPE_TESTS_FUZZ_SUPPORT_TARGET_H_
#define TROUPE_TESTS_FUZZ_SUPPORT_TARGET_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace troupe::fuzz {

struct Target {
  std::string name;
  // Ends the process, by Must or as a sanitizer does, where a promise is broken. Must not remember earlier calls.
  void (*run)(std::string_view input);
  // Where mutation begins: what real programs write and send.
  std::vector<std::string> (*seeds)();
  // The promise about memory: an input of M bytes never has more than most_bytes + most_bytes_per_byte · M allocated by
  // operator new at once.
  size_t most_bytes = 0, most_bytes_per_byte = 0;
  // Longer inputs are not made.
  size_t longest = 4096;
  // How many the regression test makes; fewer where one takes longer.
  int mutations = 20000;
};

// As a global of the target's file.
struct Register {
  explicit Register(Target target);
};
const std::vector<Target>& Targets();

// Calls target.run and holds it to its promise about memory.
void RunOnce(const Target& target, std::string_view input);

// Ends the process, saying `what`, unless `holds`.
void Must(bool holds, absl::string_view what);
// What is refused is refused with `code` and a message that people can read.
void MustRefuse(const absl::Status& status, absl::StatusCode code = absl::StatusCode::kInvalidArgument);

}  // namespace troupe::fuzz

#endif  // TROUPE_TESTS_FUZZ_SUPPORT_TARGET_H_
