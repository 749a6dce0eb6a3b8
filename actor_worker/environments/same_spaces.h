// Whether agents of one environment can go on in another with other settings.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_SAME_SPACES_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_SAME_SPACES_H_

#include <string>

#include "common/specs/environment_spec.h"

namespace troupe {

// As DescribeDifference (common/wire/spec_codec.h), but what observed numbers are divided by may differ: a number that
// is the share of a way walked stays one where the way is longer.
std::string DescribeOtherSpaces(const EnvironmentSpec& expected, EnvironmentSpec actual);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_SAME_SPACES_H_
