#include <cstdio>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/command_line/command.h"
#include "common/specs/algorithm_card.h"
#include "learner/commands/commands.h"

namespace troupe {
namespace {

Command AlgorithmsCommand() {
  return {.name = "learner algorithms",
          .usage = {"", "NAME"},
          .text =
              "Lists the algorithms: what each learns from, which actions and networks it trains, in which modes of "
              "collection.\nWith NAME also which part of the experiment holds its settings.",
          .examples = {"learner algorithms qmix"},
          .max_words = 1};
}

std::string Describe(const AlgorithmCard& card) {
  return absl::StrCat(card.name, ": ", card.summary, "\n  ", absl::StripPrefix(FormatCard(card), card.name + ": "),
                      "\n");
}

}  // namespace

int RunAlgorithms(int argc, char** argv) {
  CommandWords line;
  if (const std::optional<int> answered = AnswerOrRead(argc, argv, AlgorithmsCommand(), &line)) return *answered;
  if (line.words.empty()) {
    for (const AlgorithmCard& card : AllAlgorithmCards()) std::fputs(Describe(card).c_str(), stdout);
    std::puts("\n`learner algorithms NAME` tells more.");
    return 0;
  }
  const absl::StatusOr<const AlgorithmCard*> card = FindAlgorithmCard(line.words[0]);
  if (!card.ok()) {
    std::fprintf(stderr, "learner: %s\n", std::string(card.status().message()).c_str());
    return 2;
  }
  std::fputs(Describe(**card).c_str(), stdout);
  std::printf("  settings: %s (`learner explain %s`)\n", (*card)->settings.c_str(), (*card)->settings.c_str());
  if (!(*card)->trajectory_fields.empty()) {
    std::printf("  travels besides: %s\n", absl::StrJoin((*card)->trajectory_fields, ", ").c_str());
  }
  return 0;
}

}  // namespace troupe
