// Every target without a fuzzer: its seeds, what fuzzing found before, and mutations of both by a seeded generator.
//
//   fuzz_regressions TARGET [--mutations=N] [--seed=S] [--keep=FILE]     --list says which there are
//   fuzz_regressions TARGET FILE…                                        these inputs alone
//
// An input that breaks a promise ends the program; with --keep the file holds it then.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "common/files/atomic_file.h"
#include "google/protobuf/stubs/logging.h"
#include "tests/fuzz/support/corpus.h"
#include "tests/fuzz/support/mutator.h"
#include "tests/fuzz/support/target.h"

ABSL_FLAG(int, mutations, -1, "how many inputs to make; -1: as many as the target says");
ABSL_FLAG(uint64_t, seed, 1, "of what is made");
ABSL_FLAG(std::string, keep, "", "where each input is written before it is tried");
ABSL_FLAG(bool, list, false, "print the targets' names");

namespace troupe::fuzz {
namespace {

void Try(const Target& target, const std::string& input) {
  const std::string keep = absl::GetFlag(FLAGS_keep);
  if (!keep.empty()) std::ofstream(keep, std::ios::binary) << input;
  RunOnce(target, input);
}

int TryAll(const Target& target) {
  std::vector<std::string> corpus = target.seeds();
  Must(!corpus.empty(), target.name + " has no seeds");
  const size_t seeds = corpus.size();
  for (std::string& finding : Findings(target.name)) corpus.push_back(std::move(finding));
  for (const std::string& input : corpus) {
    target.run(input);  // what is made once, at the first use, is not the input's
    Try(target, input);
  }
  const int made = absl::GetFlag(FLAGS_mutations) < 0 ? target.mutations : absl::GetFlag(FLAGS_mutations);
  Mutator mutator(corpus, Words(target.name), target.longest, absl::GetFlag(FLAGS_seed));
  for (int i = 0; i < made; ++i) Try(target, mutator.Next());
  std::printf("%s: %zu seeds, %zu earlier findings, %d mutations\n", target.name.c_str(), seeds, corpus.size() - seeds,
              made);
  return 0;
}

int Run(const std::vector<char*>& arguments) {
  for (const Target& target : Targets()) {
    if (absl::GetFlag(FLAGS_list)) std::printf("%s\n", target.name.c_str());
    if (arguments.size() < 2 || target.name != arguments[1]) continue;
    if (arguments.size() == 2) return TryAll(target);
    for (size_t i = 2; i < arguments.size(); ++i) Try(target, ReadWholeFile(arguments[i]).value());
    return 0;
  }
  if (absl::GetFlag(FLAGS_list)) return 0;
  std::fprintf(stderr, "fuzz_regressions TARGET [FILE…]; --list says which targets there are\n");
  return 2;
}

}  // namespace
}  // namespace troupe::fuzz

int main(int argc, char** argv) {
  google::protobuf::SetLogHandler(nullptr);  // a line for most inputs
  return troupe::fuzz::Run(absl::ParseCommandLine(argc, argv));
}
