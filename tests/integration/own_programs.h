// A learner whose actor_worker is a script of the test's for the commands that it names, and the real one for all
// others.
#ifndef TROUPE_TESTS_INTEGRATION_OWN_PROGRAMS_H_
#define TROUPE_TESTS_INTEGRATION_OWN_PROGRAMS_H_

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tests/common/temporary_folder.h"
#include "tests/integration/run_processes.h"

namespace troupe::testing {

class OwnPrograms {
 public:
  // `cases`: branches of a shell's `case "$1"`.
  explicit OwnPrograms(const std::string& cases) {
    for (const char* name : {"learner", "learner_train"}) {
      std::filesystem::copy_file(std::string(TROUPE_BIN_DIR "/") + name, folder_ / name);
    }
    std::ofstream(folder_ / "actor_worker") << "#!/bin/sh\ncase \"$1\" in\n"
                                            << cases << "\nesac\nexec " TROUPE_BIN_DIR "/actor_worker \"$@\"\n";
    std::filesystem::permissions(folder_ / "actor_worker", std::filesystem::perms::owner_all);
  }

  std::unique_ptr<Process> Learner(const std::vector<std::string>& arguments) const {
    return std::make_unique<Process>(std::filesystem::relative(folder_ / "learner", TROUPE_BIN_DIR), arguments);
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_INTEGRATION_OWN_PROGRAMS_H_
