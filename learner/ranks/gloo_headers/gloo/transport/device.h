// See ../context.h.
#ifndef TROUPE_LEARNER_RANKS_GLOO_HEADERS_GLOO_TRANSPORT_DEVICE_H_
#define TROUPE_LEARNER_RANKS_GLOO_HEADERS_GLOO_TRANSPORT_DEVICE_H_

namespace gloo::transport {

class Device;

class UnboundBuffer {
 public:
  virtual ~UnboundBuffer();
};

}  // namespace gloo::transport

#endif  // TROUPE_LEARNER_RANKS_GLOO_HEADERS_GLOO_TRANSPORT_DEVICE_H_
