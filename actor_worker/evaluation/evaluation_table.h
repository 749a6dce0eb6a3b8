// The table `evaluate` prints: a row per player, a column per figure.
#ifndef TROUPE_ACTOR_WORKER_EVALUATION_EVALUATION_TABLE_H_
#define TROUPE_ACTOR_WORKER_EVALUATION_EVALUATION_TABLE_H_

#include <string>
#include <vector>

#include "common/statistics/estimate.h"

namespace troupe {

enum class Better { kUnknown, kLarger, kSmaller };

// What the words of a statistic's name say ("mean_waiting_seconds": smaller, "throughput_vehicles": larger). Unknown
// names mark no best.
Better BetterByName(const std::string& statistic);

struct TableColumn {
  std::string name;  // words joined by '_', shown below each other
  Better better = Better::kUnknown;
};

struct TableRow {
  std::string name;
  std::vector<Estimate> values;  // one per column
  bool summary = false;          // a mean of other rows: never marked best
};

// Plain text, every line ended, at most `width` characters wide as long as one column fits: further columns go below.
// The best mean of a column is marked with '*' (all of equals, none when all rows are equal). A figure that is not
// there is shown as "–".
std::string FormatTable(const std::vector<TableColumn>& columns, const std::vector<TableRow>& rows, int width = 120);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_EVALUATION_EVALUATION_TABLE_H_
