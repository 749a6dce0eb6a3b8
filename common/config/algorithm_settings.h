// The settings that belong to one algorithm: messages in Experiment.algorithm_settings, each with rules of its own.
//
// Another algorithm adds a message and a member to the oneof in proto/experiment.proto, whose option names the
// algorithm; where settings depend on each other or on the rest of the experiment, also a file like ppo_settings.cc and
// its row in algorithm_settings.cc.
#ifndef TROUPE_COMMON_CONFIG_ALGORITHM_SETTINGS_H_
#define TROUPE_COMMON_CONFIG_ALGORITHM_SETTINGS_H_

#include <optional>
#include <string>

#include "common/config/experiment_validation.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "proto/experiment.pb.h"

namespace troupe {

// `experiment` is an Experiment or, in tests, a type with a oneof of the same name.
//
// The member that holds the settings of `algorithm`, or null: nothing by this name.
const google::protobuf::FieldDescriptor* FindAlgorithmSettings(const google::protobuf::Descriptor& experiment,
                                                               const std::string& algorithm);

// `"mapo" is not known, did you mean "mappo"?`
std::string UnknownAlgorithm(const google::protobuf::Descriptor& experiment, const std::string& algorithm);

// The algorithm is unknown, or another's settings are there.
std::optional<FieldError> FindMemberError(const google::protobuf::Message& experiment, const std::string& algorithm);

// Writes the algorithm's absent settings that depend on others; all else is there.
void CompleteAlgorithmSettings(Experiment* experiment);

// Combinations that concern the algorithm alone. Of a complete experiment without a member error.
std::optional<FieldError> FindAlgorithmSettingsError(const Experiment& experiment);

}  // namespace troupe

#endif  // TROUPE_COMMON_CONFIG_ALGORITHM_SETTINGS_H_
