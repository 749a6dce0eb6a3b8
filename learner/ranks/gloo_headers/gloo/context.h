// LibTorch's ProcessGroupGloo.hpp includes Gloo's headers, which LibTorch is shipped without, for the names alone: it
// holds these types by pointer. The files of this folder declare as much as that header needs to be read; nothing here
// is ever defined, made or called by this project.
#ifndef TROUPE_LEARNER_RANKS_GLOO_HEADERS_GLOO_CONTEXT_H_
#define TROUPE_LEARNER_RANKS_GLOO_HEADERS_GLOO_CONTEXT_H_

#include <chrono>

namespace gloo {

class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};

}  // namespace gloo

#endif  // TROUPE_LEARNER_RANKS_GLOO_HEADERS_GLOO_CONTEXT_H_
