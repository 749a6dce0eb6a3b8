// What is compared on every experiment of a sweep: rows, each a name and the settings that make it another one.
//
// In a file, a row a line, its settings after its name; an indented line goes on with the row above, `every` holds for
// all rows, and lines that begin with # are comments:
//
//   every           policy.hidden_layer_norm=true
//   mappo
//   no_layer_norm   policy.hidden_layer_norm=false
#ifndef TROUPE_LEARNER_SWEEP_SWEEP_ROWS_H_
#define TROUPE_LEARNER_SWEEP_SWEEP_ROWS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace troupe {

struct SweepRow {
  std::string name;                    // empty: the experiment as it is
  std::vector<std::string> overrides;  // "FIELD=VALUE", in order; a later one wins
};

// `source` stands for the file in messages. Errors: INVALID_ARGUMENT "SOURCE:LINE: …": a word that is no FIELD=VALUE, a
// name twice, a name that cannot be a folder's, no row at all.
absl::StatusOr<std::vector<SweepRow>> ParseSweepRows(const std::string& text, const std::string& source);

// Every row with every value of `vary`, "FIELD=A,B,…": a row becomes as many, named by what they have of it. Errors:
// INVALID_ARGUMENT naming --vary.
absl::StatusOr<std::vector<SweepRow>> VaryRows(const std::vector<SweepRow>& rows, const std::string& vary);

}  // namespace troupe

#endif  // TROUPE_LEARNER_SWEEP_SWEEP_ROWS_H_
