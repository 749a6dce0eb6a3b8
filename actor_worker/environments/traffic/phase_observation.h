// What an agent sees with `observation: PHASES`: a block of numbers for each green phase of its signal, in the order of
// the phases, then a few about the whole junction. Unlike sums by approach these tell which phase is wanted where left
// turns, or single lanes, have a phase of their own.
//
// A phase's lanes are those it lets go. The green phase is the one that shows, or, while the lights change, the one
// they change to. What the numbers are, their units and scales: DescribePhaseObservation (traffic_description.h).
// Numbers above 10 are cut off there.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_PHASE_OBSERVATION_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_PHASE_OBSERVATION_H_

#include <array>
#include <vector>

#include "absl/types/span.h"
#include "actor_worker/environments/traffic/signal_timing.h"
#include "actor_worker/environments/traffic/simulation.h"

namespace troupe {

inline constexpr int kPhaseFeatures = 10;
inline constexpr int kPhaseJunctionFeatures = 4;

// Not thread-safe.
class PhaseObservation {
 public:
  // `network` must outlive this object.
  explicit PhaseObservation(const TrafficNetwork& network);

  // Numbers an agent with so many green phases sees.
  static int Size(int phases) { return kPhaseFeatures * phases + kPhaseJunctionFeatures; }

  // Takes the present state, in the order of the network's lanes and junctions. Both must stay until the last Write.
  void Update(absl::Span<const LaneMeasurement> lanes, absl::Span<const SignalTiming> signals);

  // Writes the Size(phases) numbers of `junction` as of the last Update.
  void Write(int junction, float* out) const;

 private:
  bool HasGreen(int lane) const;
  void WritePhase(int junction, int phase, float* out) const;

  const TrafficNetwork& network_;
  std::array<float, kPhaseFeatures> phase_scales_;  // one over what each number is divided by
  std::array<float, kPhaseJunctionFeatures> junction_scales_;
  absl::Span<const LaneMeasurement> lanes_;
  absl::Span<const SignalTiming> signals_;
  std::vector<float> room_ahead_, coming_;  // per lane
  std::vector<float> standing_;             // per junction
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_PHASE_OBSERVATION_H_
