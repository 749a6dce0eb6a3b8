#include <cstdint>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "learner/commands/completion.h"

namespace troupe {
namespace {

// What is beyond ASCII by its number, which every roff reads: "…" is \[u2026]. Ours is well-formed UTF-8.
std::string Numbered(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const int length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t point = length == 1 ? lead : lead & (0xFF >> (length + 1));
    for (int k = 1; k < length && i + k < text.size(); ++k) {
      point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3F);
    }
    absl::StrAppend(&out, length == 1 ? std::string(1, text[i]) : absl::StrFormat("\\[u%04X]", point));
    i += length;
  }
  return out;
}

// As roff shows it: hyphens that can be copied, nothing taken for a request.
std::string Roff(const std::string& text) {
  std::string shown = Numbered(absl::StrReplaceAll(text, {{"\\", "\\e"}, {"-", "\\-"}}));
  if (!shown.empty() && (shown[0] == '.' || shown[0] == '\'')) shown.insert(0, "\\&");
  return shown;
}

// Lines as they are broken in --help are a paragraph's here; indented ones stay lines.
std::string Paragraphs(const std::string& text) {
  std::string out;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n')))
    absl::StrAppend(&out, Roff(line), "\n");
  return out;
}

void AppendCommand(const CommandRow& row, std::string* text) {
  absl::StrAppend(text, ".SS ", WordOf(row), "\n.nf\n");
  for (const std::string& form : row.usage) {
    absl::StrAppend(text, Roff(form.empty() ? row.name : absl::StrCat(row.name, " ", form)), "\n");
  }
  absl::StrAppend(text, ".fi\n.PP\n", Paragraphs(row.text));
  for (const CommandRow::Flag& flag : row.flags) {
    const bool apart = flag.value.rfind("FIELD", 0) == 0;
    absl::StrAppend(text, ".TP\n\\fB", Roff("--" + flag.name), "\\fR");
    if (!flag.value.empty()) absl::StrAppend(text, apart ? " " : "=", "\\fI", Roff(flag.value), "\\fR");
    absl::StrAppend(text, "\n", Roff(flag.meaning), "\n");
  }
  if (row.examples.empty()) return;
  absl::StrAppend(text, ".PP\n.EX\n");
  for (const std::string& example : row.examples) absl::StrAppend(text, Roff(example), "\n");
  absl::StrAppend(text, ".EE\n");
}

}  // namespace

std::string FormatManualPage(const ProgramCommands& program, const std::string& version) {
  std::string text =
      absl::StrCat(".TH ", absl::AsciiStrToUpper(program.program), " 1 \"\" \"Troupe ", version, "\"\n.SH NAME\n",
                   program.program, " \\- ", Roff(program.summary), "\n.SH SYNOPSIS\n.B ", program.program,
                   "\n[\\fICOMMAND\\fR] [\\fIFLAGS\\fR]\n.SH DESCRIPTION\nWithout a command: \\fB",
                   WordOf(program.commands[0]), "\\fR. Each has its own \\fB\\-\\-help\\fR.\n.SH COMMANDS\n");
  for (const CommandRow& row : program.commands) AppendCommand(row, &text);
  absl::StrAppend(
      &text,
      ".SH EXIT STATUS\n0: done, or stopped by request. 1: failed. 2: the command line or the experiment makes "
      "no sense.\n");
  return text;
}

}  // namespace troupe
