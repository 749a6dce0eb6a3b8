#include "common/config/experiment_loader.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/experiment_text.h"
#include "common/config/experiment_validation.h"
#include "common/config/field_path.h"
#include "common/files/atomic_file.h"
#include "google/protobuf/text_format.h"

namespace troupe {
namespace {

absl::Status ApplyOverride(const std::string& text, Experiment* experiment, FieldOrigins* origins) {
  const std::string origin = absl::StrCat("--set ", text);
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return absl::InvalidArgumentError(absl::StrCat(origin, ": expected path.to.field=value"));
  }
  const std::string path = text.substr(0, equals);
  const absl::Status status = SetFieldByPath(experiment, path, text.substr(equals + 1));
  if (!status.ok()) return absl::InvalidArgumentError(absl::StrCat(origin, ": ", status.message()));
  origins->Set(path, origin);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Experiment> LoadExperiment(const std::string& path, const std::vector<std::string>& overrides) {
  ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path));
  return ParseExperiment(text, path, overrides);
}

absl::StatusOr<Experiment> ParseExperiment(const std::string& text, const std::string& source,
                                           const std::vector<std::string>& overrides) {
  FieldOrigins origins(source);
  ASSIGN_OR_RETURN(Experiment experiment, ReadExperimentText(text, &origins));
  for (const std::string& override_text : overrides) {
    RETURN_IF_ERROR(ApplyOverride(override_text, &experiment, &origins));
  }
  if (const std::optional<FieldError> error = FindFieldError(experiment)) {
    return absl::InvalidArgumentError(absl::StrCat(origins.Of(error->field), ": ", error->field, ": ", error->message));
  }
  FillDefaults(&experiment);
  return experiment;
}

std::string FormatExperiment(const Experiment& experiment) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetUseShortRepeatedPrimitives(true);
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  printer.PrintToString(experiment, &text);
  return text;
}

}  // namespace troupe
