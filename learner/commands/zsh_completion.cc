#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "learner/commands/completion.h"

namespace troupe {
namespace {

// Between single quotes, where a bracket ends a description and a colon a field.
std::string Quoted(const std::string& text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "'\\''"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}});
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find_first_of("\n")); }

std::string ActionOf(const CommandRow::Flag& flag, const CompletionWords& words) {
  if (absl::StartsWith(flag.value, "FIELD")) {
    return absl::StrCat("compadd -S= -- ", absl::StrJoin(words.settings, " "));
  }
  if (absl::StrContains(flag.value, '|')) return absl::StrCat("(", absl::StrReplaceAll(flag.value, {{"|", " "}}), ")");
  if (absl::StrContains(flag.value, "DIR")) return "_files -/";
  for (const char* path : {"FILE", "PATH", "WHICH"}) {
    if (absl::StrContains(flag.value, path)) return "_files";
  }
  return "";
}

std::string SpecOf(const CommandRow::Flag& flag, const CompletionWords& words) {
  const bool again = absl::StartsWith(flag.value, "FIELD");
  std::string spec = absl::StrCat(again ? "*--" : "--", flag.name, flag.value.empty() || again ? "" : "=", "[",
                                  Quoted(flag.meaning), "]");
  if (!flag.value.empty()) {
    const std::string action = ActionOf(flag, words);
    absl::StrAppend(&spec, ":", Quoted(flag.value), ":",
                    absl::StartsWith(action, "compadd") ? absl::StrCat("{", action, "}") : action);
  }
  return absl::StrCat("'", spec, "'");
}

std::string WordsOf(const CommandRow& row, const CompletionWords& words) {
  if (!row.takes_words) return "";
  const std::string word = WordOf(row);
  if (word == "explain") return absl::StrCat(" '*:field:(", absl::StrJoin(words.settings, " "), ")'");
  if (word == "environments") return absl::StrCat(" '*:environment:(", absl::StrJoin(words.environments, " "), ")'");
  if (word == "algorithms") return absl::StrCat(" '*:algorithm:(", absl::StrJoin(words.algorithms, " "), ")'");
  if (word == "completion") return " '*:shell:(bash zsh)'";
  return " '*:file:_files'";
}

std::string FunctionOf(const ProgramCommands& program, const CompletionWords& words) {
  std::string text = absl::StrCat("_troupe_", program.program, "() {\n  local -a commands=(\n");
  for (const CommandRow& row : program.commands) {
    absl::StrAppend(&text, "    '", WordOf(row), ":", Quoted(FirstLine(row.text)), "'\n");
  }
  absl::StrAppend(&text,
                  "  )\n"
                  "  if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then\n"
                  "    _describe command commands\n"
                  "    return\n"
                  "  fi\n"
                  "  local command=",
                  WordOf(program.commands[0]),
                  "\n"
                  "  if [[ $words[2] != -* ]]; then\n"
                  "    command=$words[2]\n"
                  "    shift words\n"
                  "    ((CURRENT--))\n"
                  "  fi\n"
                  "  case $command in\n");
  for (const CommandRow& row : program.commands) {
    absl::StrAppend(&text, "    ", WordOf(row), ") _arguments '--help[what it does and takes]'");
    for (const CommandRow::Flag& flag : row.flags) absl::StrAppend(&text, " \\\n      ", SpecOf(flag, words));
    absl::StrAppend(&text, WordsOf(row, words), " ;;\n");
  }
  absl::StrAppend(&text, "  esac\n}\n");
  return text;
}

}  // namespace

std::string FormatZshCompletion(absl::Span<const ProgramCommands> programs, const CompletionWords& words) {
  std::string text = absl::StrCat(
      "#compdef",
      absl::StrJoin(programs, "", [](std::string* out, const auto& of) { absl::StrAppend(out, " ", of.program); }),
      "\n# Completion for zsh of Troupe's learner and actor_worker, written by `learner completion zsh`.\n");
  for (const ProgramCommands& program : programs) absl::StrAppend(&text, FunctionOf(program, words));
  absl::StrAppend(&text, "_troupe_${service:-learner} \"$@\"\n");
  return text;
}

}  // namespace troupe
