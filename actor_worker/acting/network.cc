#include "actor_worker/acting/network.h"

#include "actor_worker/acting/communicating_network.h"
#include "actor_worker/acting/dense_network.h"
#include "actor_worker/acting/recurrent_network.h"

namespace troupe {

std::unique_ptr<Network> MakeNetwork(const PolicySpec& spec, int copies) {
  if (spec.stack.communicates()) return std::make_unique<CommunicatingNetwork>(spec, copies);
  if (spec.stack.is_recurrent()) return std::make_unique<RecurrentNetwork>(spec, copies);
  return std::make_unique<DenseNetwork>(spec, copies);
}

}  // namespace troupe
