// Reads an experiment's textproto and remembers where every field was written.
#ifndef TROUPE_COMMON_CONFIG_EXPERIMENT_TEXT_H_
#define TROUPE_COMMON_CONFIG_EXPERIMENT_TEXT_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "proto/experiment.pb.h"

namespace troupe {

// Where fields were written: "ppo.clip" → "run.textproto:12:3" or "--set ppo.clip=0.3".
class FieldOrigins {
 public:
  explicit FieldOrigins(std::string source) : source_(std::move(source)) {}

  void Set(const std::string& field, const std::string& origin) { origins_[field] = origin; }
  // False: the field had an origin already, which is kept.
  bool Add(const std::string& field, const std::string& origin) { return origins_.emplace(field, origin).second; }
  // The origin of `field`, or of the nearest message around it, or the source.
  std::string Of(std::string field) const;
  const std::string& source() const { return source_; }

 private:
  std::string source_;
  std::map<std::string, std::string> origins_;
};

// Errors: INVALID_ARGUMENT "SOURCE:LINE:COLUMN: what is wrong": syntax, unknown fields and enum values with the nearest
// known name, a field or map key written twice, more than 1 MiB of text.
absl::StatusOr<Experiment> ReadExperimentText(const std::string& text, FieldOrigins* origins);

}  // namespace troupe

#endif  // TROUPE_COMMON_CONFIG_EXPERIMENT_TEXT_H_
