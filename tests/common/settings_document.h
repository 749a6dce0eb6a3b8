// docs/settings.md: what proto/experiment.proto says of every setting, by its comments and options, as tables.
#ifndef TROUPE_TESTS_COMMON_SETTINGS_DOCUMENT_H_
#define TROUPE_TESTS_COMMON_SETTINGS_DOCUMENT_H_

#include <string>

#include "common/config/proto_comments.h"

namespace troupe {

std::string SettingsDocument(const ProtoComments& comments);

}  // namespace troupe

#endif  // TROUPE_TESTS_COMMON_SETTINGS_DOCUMENT_H_
