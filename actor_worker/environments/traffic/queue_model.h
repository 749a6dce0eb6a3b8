// Constants of the lane-queue model. Times in seconds, lengths in metres.
//
// Headways are those measured at stop lines in SUMO 1.28. The other values are calibrated together by random search,
// so that time loss and waiting on grid_3x3 agree with SUMO 1.28: first under three fixed signal plans, then under
// fixed-time, longest-queue-first and max-pressure control at 1800, 5400 and 7200 vehicles/h. Mean error over all
// sixteen runs of tests/golden/traffic (four plans, four demands) 3.4 %, under control never above 7 %; at 3600
// vehicles/h, which the last search did not see, 4 %. They are effective values: what is lost in starting is counted
// after the stop line rather than before it, so that a single one need not equal what a stop watch shows.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_QUEUE_MODEL_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_QUEUE_MODEL_H_

#include <array>

#include "actor_worker/environments/traffic/simulation.h"

namespace troupe {

struct QueueModel {
  // The first standing vehicle crosses this long after green begins.
  float first_crossing_seconds = 0.8f;
  // Between crossings of standing vehicles, by position in the queue; the last entry holds from there on.
  std::array<float, 5> headway_seconds = {2.47f, 2.24f, 2.12f, 2.06f, 2.04f};
  // Between a vehicle that never stood and the one before it.
  float free_headway_seconds = 1.74f;
  // A turning vehicle's headway against a through vehicle's.
  float turn_headway_factor = 1.26f;
  // Lost to regaining speed after crossing from position 0, 1, … of a standing queue; the last entry holds from there.
  std::array<float, 6> acceleration_loss_seconds = {3.1f, 1.69f, 1.12f, 0.71f, 0.42f, 0.14f};
  // Lost to slowing down for a turn and regaining speed after it, at full speed.
  float turn_loss_seconds = 4.0f;
  // Time inside the junction's box.
  float crossing_seconds = 1.6f;
  // An arriving vehicle stands this long after it would have reached the back of the queue at full speed.
  float braking_seconds = 4.0f;
  // The start-up wave sets one standing vehicle in motion after another.
  float wave_seconds = 0.92f;
  // Freed space moves back through the queue at this speed before the next vehicle can enter.
  float backward_wave_speed = 3.1f;
  // A yielding left turn needs this long before the next oncoming vehicle.
  float gap_seconds = 4.75f;
  // How far into yellow vehicles still cross.
  float yellow_use_seconds = 0.0f;
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
