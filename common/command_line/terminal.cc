#include "common/command_line/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace troupe {
namespace {

bool BeginsCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

int Width(absl::string_view text) { return static_cast<int>(std::count_if(text.begin(), text.end(), BeginsCharacter)); }

// Where what is carried over from this line begins.
int HangingIndent(absl::string_view line, int columns) {
  const size_t first = std::min(line.find_first_not_of(' '), line.size());
  int indent = first == 0 ? 0 : static_cast<int>(first) + 2;
  for (size_t i = first; (i = line.find("  ", i)) != absl::string_view::npos;) {
    i = std::min(line.find_first_not_of(' ', i), line.size());
    const int column = Width(line.substr(0, i));
    if (column * 5 > columns * 3) break;
    indent = column;
  }
  return std::min(indent, columns * 3 / 5);
}

void FoldLine(absl::string_view line, int columns, std::string* folded) {
  if (Width(line) <= columns) {
    absl::StrAppend(folded, line);
    return;
  }
  const std::string indent(HangingIndent(line, columns), ' ');
  int width = 0;
  bool any = false;  // word in this line
  while (!line.empty()) {
    const size_t word = line.find_first_not_of(' ');
    if (word == absl::string_view::npos) return;
    const size_t end = std::min(line.find(' ', word), line.size());
    const int wanted = Width(line.substr(0, end));
    if (any && width + wanted > columns) {
      absl::StrAppend(folded, "\n", indent, line.substr(word, end - word));
      width = static_cast<int>(indent.size()) + Width(line.substr(word, end - word));
    } else {
      absl::StrAppend(folded, line.substr(0, end));
      width += wanted;
    }
    any = true;
    line.remove_prefix(end);
  }
}

}  // namespace

int TerminalColumns(int descriptor) {
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

std::string Folded(absl::string_view text, int columns) {
  if (columns <= 0) return std::string(text);
  std::string folded;
  for (bool first = true; const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!std::exchange(first, false)) folded.push_back('\n');
    FoldLine(line, columns, &folded);
  }
  return folded;
}

std::string FittedProgress(absl::string_view line, int columns) {
  if (columns <= 0 || Width(line) < columns) return std::string(line);
  constexpr char kBetween[] = "   ";
  std::vector<absl::string_view> parts = absl::StrSplit(line, kBetween);
  std::string fitted = std::string(line);
  while (parts.size() > 2 && Width(fitted) >= columns) {
    parts.erase(parts.end() - 2);
    fitted = absl::StrJoin(parts, kBetween);
  }
  int width = 0;
  size_t end = 0;
  while (end < fitted.size() && (width += BeginsCharacter(fitted[end])) < columns) ++end;
  return fitted.substr(0, end);
}

}  // namespace troupe
