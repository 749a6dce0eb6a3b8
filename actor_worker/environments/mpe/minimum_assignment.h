// Who goes where so that the sum of all ways is as small as can be: the assignment problem, solved exactly.
//
// The Hungarian method by shortest augmenting paths (Jonker and Volgenant, "A shortest augmenting path algorithm for
// dense and sparse linear assignment problems", Computing 38, 1987, without its initialisation), O(n³).
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_MINIMUM_ASSIGNMENT_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_MINIMUM_ASSIGNMENT_H_

#include <vector>

#include "absl/types/span.h"

namespace troupe {

// Not thread-safe; allocates in its constructor alone.
class MinimumAssignment {
 public:
  explicit MinimumAssignment(int n);

  // `costs` [n, n], finite: of giving row i column j. Returns each row's column; valid until the next call.
  absl::Span<const int> Solve(absl::Span<const double> costs);

 private:
  void Augment(absl::Span<const double> costs, int row);

  const int n_;
  // Row and column n_ stand for "none".
  std::vector<double> row_price_, column_price_;
  std::vector<int> row_of_column_;
  std::vector<int> previous_column_;
  std::vector<double> slack_;
  std::vector<char> visited_;
  std::vector<int> column_of_row_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_MINIMUM_ASSIGNMENT_H_
