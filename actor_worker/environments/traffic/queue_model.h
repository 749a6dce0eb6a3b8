// Constants of the lane-queue model. Times in seconds, lengths in metres.
//
// The shape of the headways (a little shorter with every vehicle) is what was measured at stop lines in SUMO 1.28. The
// values are calibrated together, so that time loss and waiting on grid_3x3 agree with SUMO 1.28 under fixed signal
// plans (tests/golden/traffic): a random search over plans base, short and nsheavy at 1800..7200 vehicles/h; mean error
// there 1.7 %, on runs left out of the search (plan long; nsheavy up to 3600 vehicles/h) 3.0 %. They are effective
// values: part of what is lost in starting is counted after the stop line, so a single one need not equal what a stop
// watch shows.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_QUEUE_MODEL_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_QUEUE_MODEL_H_

#include <array>

#include "actor_worker/environments/traffic/simulation.h"

namespace troupe {

struct QueueModel {
  // The first standing vehicle crosses this long after green begins.
  float first_crossing_seconds = 1.05f;
  // Between crossings of standing vehicles, by position in the queue; the last entry holds from there on.
  std::array<float, 5> headway_seconds = {2.44f, 2.21f, 2.09f, 2.04f, 2.02f};
  // Between a vehicle that never stood and the one before it.
  float free_headway_seconds = 2.2f;
  // A turning vehicle's headway against a through vehicle's.
  float turn_headway_factor = 1.29f;
  // Lost to regaining speed after crossing from position 0, 1, … of a standing queue; the last entry holds from there.
  std::array<float, 6> acceleration_loss_seconds = {2.6f, 1.41f, 0.94f, 0.59f, 0.35f, 0.12f};
  // Lost to slowing down for a turn and regaining speed after it, at full speed.
  float turn_loss_seconds = 3.55f;
  // Time inside the junction's box.
  float crossing_seconds = 1.6f;
  // An arriving vehicle stands this long after it would have reached the back of the queue at full speed.
  float braking_seconds = 4.0f;
  // The start-up wave sets one standing vehicle in motion after another.
  float wave_seconds = 0.9f;
  // Freed space moves back through the queue at this speed before the next vehicle can enter.
  float backward_wave_speed = 3.1f;
  // A yielding left turn needs this long before the next oncoming vehicle.
  float gap_seconds = 5.95f;
  // How far into yellow vehicles still cross.
  float yellow_use_seconds = 0.04f;
  // Between two vehicles inserted into one lane.
  float insertion_headway_seconds = 1.6f;
  // Lost by a vehicle that starts its trip from standing.
  float insertion_loss_seconds = 0.0f;
  // Desired speed of a vehicle against the limit: mean 1, this deviation.
  float speed_deviation = 0.1f;
};

// Per vehicle type, in the order of VehicleType: length, room taken in a queue, headway and speed against a car's.
// Lengths are multiples of 1/8 m, so that sums of them are exact whatever their order.
inline constexpr std::array<float, kVehicleTypes> kVehicleLengths = {5.0f, 2.25f, 12.0f, 7.125f, 6.5f};
inline constexpr std::array<float, kVehicleTypes> kVehicleSpaces = {7.5f, 4.75f, 14.5f, 9.625f, 9.0f};
inline constexpr std::array<float, kVehicleTypes> kHeadwayFactors = {1.0f, 0.8f, 1.7f, 1.45f, 1.1f};
inline constexpr std::array<float, kVehicleTypes> kSpeedFactors = {1.0f, 1.0f, 0.95f, 0.95f, 1.3f};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_QUEUE_MODEL_H_
