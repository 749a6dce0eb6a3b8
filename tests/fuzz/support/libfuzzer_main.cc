// A target as a libFuzzer program. `PROGRAM --write_seeds=FOLDER` writes its seeds, a file each, and ends;
// `PROGRAM --describe` prints the longest input.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/protobuf/stubs/logging.h"
#include "tests/fuzz/support/target.h"

namespace {

const troupe::fuzz::Target& TheTarget() { return troupe::fuzz::Targets().front(); }

void WriteSeeds(const std::string& folder) {
  int number = 0;
  for (const std::string& seed : TheTarget().seeds()) {
    std::ofstream file(absl::StrCat(folder, "/seed_", ++number), std::ios::binary);
    file << seed;
    troupe::fuzz::Must(file.good(), absl::StrCat("cannot write into ", folder));
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  absl::string_view argument = *argc > 1 ? (*argv)[1] : "";
  if (absl::ConsumePrefix(&argument, "--write_seeds=")) {
    WriteSeeds(std::string(argument));
    std::exit(0);
  }
  if (argument == "--describe") {
    std::printf("%zu\n", TheTarget().longest);
    std::exit(0);
  }
  google::protobuf::SetLogHandler(nullptr);  // a line for most inputs
  // What is made once, at the first use, is not the input's.
  for (const std::string& seed : TheTarget().seeds()) TheTarget().run(seed);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troupe::fuzz::RunOnce(TheTarget(), {reinterpret_cast<const char*>(data), size});
  return 0;
}
