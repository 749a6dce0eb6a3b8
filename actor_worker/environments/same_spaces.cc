#include "actor_worker/environments/same_spaces.h"

#include <algorithm>
#include <vector>

#include "common/wire/spec_codec.h"

namespace troupe {
namespace {

void TakeScales(const std::vector<ObservedNumber>& from, std::vector<ObservedNumber>* to) {
  for (size_t i = 0; i < std::min(from.size(), to->size()); ++i) (*to)[i].divided_by = from[i].divided_by;
}

}  // namespace

std::string DescribeOtherSpaces(const EnvironmentSpec& expected, EnvironmentSpec actual) {
  for (size_t g = 0; g < std::min(expected.groups.size(), actual.groups.size()); ++g) {
    TakeScales(expected.groups[g].observed, &actual.groups[g].observed);
  }
  TakeScales(expected.observed_extras, &actual.observed_extras);
  return DescribeDifference(expected, actual);
}

}  // namespace troupe
