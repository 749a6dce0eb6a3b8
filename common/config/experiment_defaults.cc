#include <cstdlib>

#include "common/config/algorithm_settings.h"
#include "common/config/experiment_loader.h"
#include "common/config/field_path.h"
#include "common/config/setting_rules.h"

namespace troupe {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool IsAbsent(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) return reflection.FieldSize(message, &field) == 0;
  if (!reflection.HasField(message, &field)) return true;
  return field.enum_type() != nullptr && reflection.GetEnumValue(message, &field) == 0;
}

void FillMessage(Message* message) {
  const Descriptor& type = *message->GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.is_map()) continue;
    if (field.message_type() != nullptr && field.is_repeated()) {
      const Reflection& reflection = *message->GetReflection();
      for (int k = 0; k < reflection.FieldSize(*message, &field); ++k) {
        FillMessage(reflection.MutableRepeatedMessage(message, &field, k));
      }
      continue;
    }
    if (field.message_type() != nullptr) {
      // To make one of several that exclude each other is to choose it.
      if (field.real_containing_oneof() != nullptr && IsAbsent(*message, field)) continue;
      FillMessage(message->GetReflection()->MutableMessage(message, &field));
      continue;
    }
    const SettingRule rule = *FindSettingRule(field);
    if (rule.presence != SettingRule::Presence::kDefaulted || !IsAbsent(*message, field)) continue;
    if (!SetFieldFromText(message, field, field.full_name(), rule.default_text).ok()) std::abort();
  }
}

// The chosen algorithm's settings, where nothing is said of any algorithm's.
void FillAlgorithmSettings(Experiment* experiment) {
  if (experiment->algorithm_settings_case() != Experiment::ALGORITHM_SETTINGS_NOT_SET) return;
  const FieldDescriptor* const own = FindAlgorithmSettings(*Experiment::descriptor(), experiment->algorithm().name());
  if (own != nullptr) FillMessage(experiment->GetReflection()->MutableMessage(experiment, own));
}

// Fields absent in `settings` as `base` has them. A partition belongs to PARTITIONED and comes along only for it.
void FillFrom(const PolicySettings& base, PolicySettings* settings) {
  PolicySettings filled = base;
  if (!settings->hidden_sizes().empty()) filled.clear_hidden_sizes();
  if (!settings->partition().empty()) filled.clear_partition();
  if (settings->sharing() == POLICY_SHARING_UNSPECIFIED) settings->clear_sharing();
  if (settings->activation() == ACTIVATION_FUNCTION_UNSPECIFIED) settings->clear_activation();
  if (settings->distribution() == ACTION_DISTRIBUTION_UNSPECIFIED) settings->clear_distribution();
  if (settings->recurrent_cell() == RECURRENT_CELL_UNSPECIFIED) settings->clear_recurrent_cell();
  filled.MergeFrom(*settings);
  if (filled.sharing() != PARTITIONED && settings->partition().empty()) filled.clear_partition();
  *settings = filled;
}

}  // namespace

void FillDefaults(Experiment* experiment) {
  FillMessage(experiment);
  FillAlgorithmSettings(experiment);
  for (auto& [group, settings] : *experiment->mutable_group_policies()) FillFrom(experiment->policy(), &settings);
  CompleteAlgorithmSettings(experiment);
}

}  // namespace troupe
