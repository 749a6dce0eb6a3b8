#include "actor_worker/environments/mpe/minimum_assignment.h"

#include <algorithm>
#include <limits>

namespace troupe {

MinimumAssignment::MinimumAssignment(int n)
    : n_(n),
      row_price_(n + 1),
      column_price_(n + 1),
      row_of_column_(n + 1),
      previous_column_(n + 1),
      slack_(n + 1),
      visited_(n + 1),
      column_of_row_(n) {}

absl::Span<const int> MinimumAssignment::Solve(absl::Span<const double> costs) {
  std::fill(row_price_.begin(), row_price_.end(), 0.0);
  std::fill(column_price_.begin(), column_price_.end(), 0.0);
  std::fill(row_of_column_.begin(), row_of_column_.end(), n_);
  for (int row = 0; row < n_; ++row) Augment(costs, row);
  for (int column = 0; column < n_; ++column) column_of_row_[row_of_column_[column]] = column;
  return column_of_row_;
}

// Gives the row a column, and the rows on the way others: along the path of the smallest reduced costs (Dijkstra) from
// the row to the first free column.
void MinimumAssignment::Augment(absl::Span<const double> costs, int row) {
  std::fill(slack_.begin(), slack_.end(), std::numeric_limits<double>::infinity());
  std::fill(visited_.begin(), visited_.end(), 0);
  int column = n_;
  row_of_column_[n_] = row;
  while (row_of_column_[column] != n_) {
    visited_[column] = 1;
    const int from = row_of_column_[column];
    double smallest = std::numeric_limits<double>::infinity();
    int next = n_;
    for (int to = 0; to < n_; ++to) {
      if (visited_[to] != 0) continue;
      const double reduced = costs[from * n_ + to] - row_price_[from] - column_price_[to];
      if (reduced < slack_[to]) {
        slack_[to] = reduced;
        previous_column_[to] = column;
      }
      if (slack_[to] < smallest) {
        smallest = slack_[to];
        next = to;
      }
    }
    // Prices move so that the next edge of the path costs nothing and no reduced cost becomes negative.
    for (int to = 0; to <= n_; ++to) {
      if (visited_[to] != 0) {
        row_price_[row_of_column_[to]] += smallest;
        column_price_[to] -= smallest;
      } else {
        slack_[to] -= smallest;
      }
    }
    column = next;
  }
  while (column != n_) {
    const int before = previous_column_[column];
    row_of_column_[column] = row_of_column_[before];
    column = before;
  }
  row_of_column_[n_] = n_;
}

}  // namespace troupe
