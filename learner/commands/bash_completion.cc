#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "learner/commands/completion.h"

namespace troupe {
namespace {

// What comes before the tables: the words of the line so far. "=" parts words for bash, not for the programs.
constexpr char kBegin[] =
    R"sh(# Completion for bash of Troupe's learner and actor_worker, written by `learner completion bash`.
_troupe() {
  local line=${COMP_LINE:0:COMP_POINT} program command default commands='' flags='' flag='' part kind=''
  local -a words
  read -ra words <<<"$line"
  [[ $line == *' ' ]] && words+=("")
  local n=${#words[@]} cur=${words[-1]}
  program=${words[0]##*/}
  local settings="SETTINGS"
  local environments="ENVIRONMENTS"
  local algorithms="ALGORITHMS"
)sh";

// What comes after them: COMPREPLY.
constexpr char kEnd[] = R"sh(  if [[ $cur == -*=* ]]; then
    flag=${cur%%=*} part=${cur#*=}
  elif ((n > 2)) && [[ ${words[n-2]} == -* && ${words[n-2]} != *=* && $cur != -* ]]; then
    flag=${words[n-2]} part=$cur
  fi
  COMPREPLY=()
  [[ -z $flag ]] || kind=$(_troupe_kind "$program $command ${flag#--}")
  case $kind in
    path) mapfile -t COMPREPLY < <(compgen -f -- "$part"); compopt -o filenames; return ;;
    field)
      [[ $part == *=* ]] || mapfile -t COMPREPLY < <(compgen -W "$settings" -S = -- "$part")
      compopt -o nospace
      return ;;
    word) return ;;
    "") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$kind" -- "$part"); return ;;
  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags --help" -- "$cur")
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
    return
  fi
  case $command in
    explain) mapfile -t COMPREPLY < <(compgen -W "$settings" -- "$cur") ;;
    environments) mapfile -t COMPREPLY < <(compgen -W "$environments" -- "$cur") ;;
    algorithms) mapfile -t COMPREPLY < <(compgen -W "$algorithms" -- "$cur") ;;
    completion) mapfile -t COMPREPLY < <(compgen -W "bash zsh" -- "$cur") ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); compopt -o filenames ;;
  esac
}
complete -F _troupe learner actor_worker
)sh";

// How the value of a flag is completed: "path", "field", "word" (by nothing), or its choices.
std::string KindOf(const CommandRow::Flag& flag) {
  if (absl::StartsWith(flag.value, "FIELD")) return "field";
  if (absl::StrContains(flag.value, '|')) return absl::StrReplaceAll(flag.value, {{"|", " "}});
  for (const char* path : {"FILE", "DIR", "PATH", "WHICH"}) {
    if (absl::StrContains(flag.value, path)) return "path";
  }
  return "word";
}

std::string NamesOf(const ProgramCommands& program) {
  return absl::StrJoin(program.commands, " ",
                       [](std::string* out, const CommandRow& row) { absl::StrAppend(out, WordOf(row)); });
}

std::string FlagsOf(const CommandRow& row) {
  return absl::StrJoin(row.flags, " ", [](std::string* out, const CommandRow::Flag& flag) {
    const bool beside = !flag.value.empty() && KindOf(flag) != "field";
    absl::StrAppend(out, "--", flag.name, beside ? "=" : "");
  });
}

}  // namespace

std::string FormatBashCompletion(absl::Span<const ProgramCommands> programs, const CompletionWords& words) {
  std::string text = absl::StrReplaceAll(
      kBegin, {{"\"SETTINGS\"", absl::StrCat("\"", absl::StrJoin(words.settings, " "), "\"")},
               {"\"ENVIRONMENTS\"", absl::StrCat("\"", absl::StrJoin(words.environments, " "), "\"")},
               {"\"ALGORITHMS\"", absl::StrCat("\"", absl::StrJoin(words.algorithms, " "), "\"")}});
  absl::StrAppend(&text, "  case $program in\n");
  for (const ProgramCommands& program : programs) {
    absl::StrAppend(&text, "    ", program.program, ") commands=\"", NamesOf(program),
                    "\" default=", WordOf(program.commands[0]), " ;;\n");
  }
  absl::StrAppend(&text,
                  "  esac\n"
                  "  if ((n == 2)) && [[ $cur != -* ]]; then\n"
                  "    mapfile -t COMPREPLY < <(compgen -W \"$commands\" -- \"$cur\")\n"
                  "    return\n"
                  "  fi\n"
                  "  command=${words[1]}\n"
                  "  [[ \" $commands \" == *\" $command \"* ]] || command=$default\n"
                  "  case \"$program $command\" in\n");
  std::string kinds = "_troupe_kind() {\n  case \"$1\" in\n";
  for (const ProgramCommands& program : programs) {
    for (const CommandRow& row : program.commands) {
      absl::StrAppend(&text, "    \"", row.name, "\") flags=\"", FlagsOf(row), "\" ;;\n");
      for (const CommandRow::Flag& flag : row.flags) {
        if (flag.value.empty()) continue;
        absl::StrAppend(&kinds, "    \"", row.name, " ", flag.name, "\") echo \"", KindOf(flag), "\" ;;\n");
      }
    }
  }
  absl::StrAppend(&text, "  esac\n", kEnd, kinds, "  esac\n}\n");
  return text;
}

}  // namespace troupe
