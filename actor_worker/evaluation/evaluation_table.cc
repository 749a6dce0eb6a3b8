#include "actor_worker/evaluation/evaluation_table.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace troupe {
namespace {

constexpr char kMissing[] = "–";

// Characters on the screen: bytes that do not continue a UTF-8 sequence.
int DisplayWidth(const std::string& text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string PadLeft(const std::string& text, int width) {
  return std::string(std::max(0, width - DisplayWidth(text)), ' ') + text;
}

std::string PadRight(const std::string& text, int width) {
  return text + std::string(std::max(0, width - DisplayWidth(text)), ' ');
}

struct FormattedColumn {
  std::vector<std::string> header;  // lines
  std::vector<std::string> cells;   // per row
  int width = 0;
};

int Decimals(const std::vector<TableRow>& rows, size_t column) {
  double largest = 0;
  for (const TableRow& row : rows) {
    if (std::isfinite(row.values[column].mean)) largest = std::max(largest, std::abs(row.values[column].mean));
  }
  return largest >= 10000 || largest == 0 ? 0 : largest >= 100 ? 1 : largest >= 1 ? 2 : 3;
}

// Whether each row holds the column's best mean.
std::vector<bool> FindBest(const std::vector<TableRow>& rows, size_t column, Better better) {
  std::vector<bool> best(rows.size(), false);
  if (better == Better::kUnknown) return best;
  const double sign = better == Better::kLarger ? 1 : -1;
  double top = -INFINITY, bottom = INFINITY;
  for (const TableRow& row : rows) {
    if (row.summary || !std::isfinite(row.values[column].mean)) continue;
    top = std::max(top, sign * row.values[column].mean);
    bottom = std::min(bottom, sign * row.values[column].mean);
  }
  if (top == bottom) return best;
  for (size_t r = 0; r < rows.size(); ++r) best[r] = !rows[r].summary && sign * rows[r].values[column].mean == top;
  return best;
}

FormattedColumn FormatColumn(const TableColumn& column, const std::vector<TableRow>& rows, size_t index) {
  FormattedColumn formatted;
  formatted.header = absl::StrSplit(column.name, '_');
  const int decimals = Decimals(rows, index);
  const std::vector<bool> best = FindBest(rows, index, column.better);
  int spread_width = 0;
  std::vector<std::string> spreads;
  for (const TableRow& row : rows) {
    const double half_width = row.values[index].half_width;
    spreads.push_back(std::isfinite(half_width) ? absl::StrFormat("±%.*f", decimals, half_width) : "");
    spread_width = std::max(spread_width, DisplayWidth(spreads.back()));
  }
  for (size_t r = 0; r < rows.size(); ++r) {
    const double mean = rows[r].values[index].mean;
    const std::string figure = std::isfinite(mean) ? absl::StrFormat("%.*f", decimals, mean) : kMissing;
    const std::string gap = spread_width > 0 && !spreads[r].empty() ? " " : "";
    formatted.cells.push_back(absl::StrCat(
        figure, PadRight(absl::StrCat(gap, spreads[r], best[r] ? "*" : ""), spread_width + (spread_width > 0) + 1)));
  }
  for (const std::string& line : formatted.header) formatted.width = std::max(formatted.width, DisplayWidth(line) + 1);
  for (const std::string& cell : formatted.cells) formatted.width = std::max(formatted.width, DisplayWidth(cell));
  return formatted;
}

void AppendLine(std::string line, std::string* text) {
  line.erase(line.find_last_not_of(' ') + 1);
  absl::StrAppend(text, line, "\n");
}

void AppendBlock(const std::vector<FormattedColumn>& columns, size_t begin, size_t end,
                 const std::vector<TableRow>& rows, int name_width, std::string* text) {
  size_t header_lines = 0;
  for (size_t c = begin; c < end; ++c) header_lines = std::max(header_lines, columns[c].header.size());
  for (size_t i = 0; i < header_lines; ++i) {
    std::string line = PadRight(i + 1 == header_lines ? "player" : "", name_width);
    for (size_t c = begin; c < end; ++c) {
      const size_t blank = header_lines - columns[c].header.size();
      const std::string word = i < blank ? "" : columns[c].header[i - blank];
      absl::StrAppend(&line, "  ", PadLeft(word + " ", columns[c].width));
    }
    AppendLine(line, text);
  }
  int total = name_width;
  for (size_t c = begin; c < end; ++c) total += 2 + columns[c].width;
  AppendLine(std::string(total, '-'), text);
  for (size_t r = 0; r < rows.size(); ++r) {
    std::string line = PadRight(rows[r].name, name_width);
    for (size_t c = begin; c < end; ++c) absl::StrAppend(&line, "  ", PadLeft(columns[c].cells[r], columns[c].width));
    AppendLine(line, text);
  }
}

}  // namespace

Better BetterByName(const std::string& statistic) {
  static const auto* const smaller = new std::vector<std::string>{
      "waiting",    "delay", "queue",      "loss",      "cost",    "collisions", "hits",      "unfinished",
      "teleported", "stops", "violations", "stockouts", "latency", "risk",       "emissions", "distance"};
  static const auto* const larger = new std::vector<std::string>{"return",  "reward",   "throughput", "success", "wins",
                                                                 "arrived", "finished", "served",     "profit"};
  for (const std::string& word : std::vector<std::string>(absl::StrSplit(statistic, '_'))) {
    if (std::find(smaller->begin(), smaller->end(), word) != smaller->end()) return Better::kSmaller;
    if (std::find(larger->begin(), larger->end(), word) != larger->end()) return Better::kLarger;
  }
  return Better::kUnknown;
}

std::string FormatTable(const std::vector<TableColumn>& columns, const std::vector<TableRow>& rows, int width) {
  int name_width = DisplayWidth("player");
  for (const TableRow& row : rows) name_width = std::max(name_width, DisplayWidth(row.name));
  std::vector<FormattedColumn> formatted;
  for (size_t c = 0; c < columns.size(); ++c) formatted.push_back(FormatColumn(columns[c], rows, c));
  std::string text;
  for (size_t begin = 0; begin < formatted.size();) {
    size_t end = begin;
    int used = name_width;
    while (end < formatted.size() && (end == begin || used + 2 + formatted[end].width <= width)) {
      used += 2 + formatted[end++].width;
    }
    if (begin > 0) absl::StrAppend(&text, "\n");
    AppendBlock(formatted, begin, end, rows, name_width, &text);
    begin = end;
  }
  return text;
}

}  // namespace troupe
