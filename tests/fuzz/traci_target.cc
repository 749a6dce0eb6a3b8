// What SUMO answers: a whole episode of the simulation, whose every reply is the input's. What it measures of replies
// that it accepts are counts and finite numbers.
//
// Input: replies without their length, each with a length of two bytes; then SUMO is gone.
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actor_worker/environments/traffic/sumo/net_file.h"
#include "actor_worker/environments/traffic/sumo/scenario.h"
#include "actor_worker/environments/traffic/sumo/sumo_simulation.h"
#include "actor_worker/environments/traffic/sumo/xml_reader.h"
#include "tests/fuzz/support/byte_source.h"
#include "tests/fuzz/support/sumo_net.h"
#include "tests/fuzz/support/target.h"

namespace troupe::fuzz {
namespace {

using traci::Message;
using traci::Reader;

const SumoScenario& Scenario() {
  static const auto& scenario = *new SumoScenario([] {
    XmlReader xml(kSumoNet, "net.xml");
    NetFile net;
    Must(ParseNet(xml, net).ok(), "the network");
    return MakeScenario(net, "two").value();
  }());
  return scenario;
}

// Says what it is told to.
class RepeatingSumo final : public SumoServer {
 public:
  explicit RepeatingSumo(ByteSource* replies) : replies_(replies) {}
  absl::StatusOr<Reader> Exchange(const Message&) override {
    if (replies_->empty()) return absl::UnavailableError("SUMO is gone");
    reply_ = std::string(replies_->Piece());
    return Reader(reply_);
  }
  pid_t pid() const override { return 0; }

 private:
  ByteSource* const replies_;
  std::string reply_;  // the last one, good until the next
};

// Answers as SUMO does; what it said is an input.
class AnsweringSumo final : public SumoServer {
 public:
  explicit AnsweringSumo(std::string* said) : said_(said) {}
  absl::StatusOr<Reader> Exchange(const Message& message) override {
    const std::string asked = message.Encode();
    reply_.clear();
    Reader commands(absl::string_view(asked).substr(4));
    while (!commands.at_end()) {
      uint8_t id = 0;
      Reader payload = commands.Command(id);
      Answer(id, payload);
    }
    said_->push_back(static_cast<char>(reply_.size()));
    said_->push_back(static_cast<char>(reply_.size() >> 8));
    *said_ += reply_;
    return Reader(reply_);
  }
  pid_t pid() const override { return 0; }

 private:
  void Add(const Message& message) { reply_ += message.Encode().substr(4); }

  void Answer(uint8_t id, Reader& payload) {
    Add(Message().Begin(id).Byte(0).String(""));
    if (id == traci::kSetTrafficLight) return;
    if (id == traci::kSimulationStep) return Step();
    if (id == traci::kSubscribeSimulation) return Add(Message().Begin(traci::kSimulationResult).String("").Byte(0));
    if (id == traci::kSubscribeVehicle) {
      payload.Double();
      payload.Double();
      return Add(TripOf(payload.String()));
    }
    const uint8_t variable = payload.Byte();
    const absl::string_view object = payload.String();
    Message answer;
    answer.Begin(id + traci::kGetterResponseOffset).Byte(variable).String(object);
    Value(id, variable, answer);
    Add(answer);
  }

  static Message TripOf(absl::string_view vehicle) {
    Message result;
    result.Begin(traci::kVehicleResult).String(vehicle).Byte(2);
    for (const uint8_t variable : {traci::kTimeLoss, traci::kDepartDelay}) {
      result.Byte(variable).Byte(0).Byte(traci::kTypeDouble).Double(1.5);
    }
    return result;
  }

  void Step() {
    steps_ += 1;
    reply_ += std::string("\0\0\0\2", 4);
    Message simulation;
    simulation.Begin(traci::kSimulationResult).String("").Byte(3);
    List(simulation.Byte(traci::kDepartedIds).Byte(0), steps_ == 1 ? 2 : 0);
    List(simulation.Byte(traci::kArrivedIds).Byte(0), steps_ == 3 ? 1 : 0);
    List(simulation.Byte(traci::kTeleportingIds).Byte(0), 0);
    Add(simulation);
    Add(TripOf("v1"));
  }

  static void List(Message& message, int count) {
    message.Byte(traci::kTypeStringList).Integer(count);
    for (int i = 0; i < count; ++i) message.String("v" + std::to_string(i));
  }

  void Value(uint8_t id, uint8_t variable, Message& answer) const {
    const bool of_lane = id == traci::kGetLane;
    if (variable == traci::kVehicleIds || variable == traci::kIdList || variable == traci::kPendingIds) {
      List(answer, of_lane && steps_ == 2 ? 0 : 2);
    } else if (variable == traci::kVehicleClass) {
      answer.Byte(traci::kTypeString).String("emergency");
    } else if (variable == traci::kParameter) {
      answer.Byte(traci::kTypeString).String("2");
    } else if (variable == traci::kHalting) {
      answer.Byte(traci::kTypeInteger).Integer(1);
    } else {
      answer.Byte(traci::kTypeDouble).Double(0.5);
    }
  }

  std::string* const said_;
  std::string reply_;
  int steps_ = 0;
};

// An episode with whoever `make` makes; how far it comes is up to the replies.
template <typename MakeSumo>
absl::Status PlayEpisode(const MakeSumo& make) {
  SumoOptions options;
  options.start = [&](const SumoServer::Options&) -> absl::StatusOr<std::unique_ptr<SumoServer>> { return make(); };
  SumoSimulation simulation(Scenario(), std::move(options));
  simulation.MeasureFirstVehicles();
  absl::Status status = simulation.Reset(1);
  for (int step = 0; step < 3 && status.ok(); ++step) {
    simulation.SetSignal(0, {});
    status = step == 1 ? simulation.AdvanceUnmeasured(1) : simulation.Advance(5);
    if (!status.ok()) break;
    for (const LaneMeasurement& lane : simulation.Measure()) {
      for (const float number : {lane.halting, lane.waiting_seconds, lane.first_waiting_seconds, lane.occupancy}) {
        Must(!std::isnan(number), "a measurement");
      }
      Must(lane.vehicles >= 0 && lane.departed >= 0 && lane.emergency_vehicles <= lane.vehicles, "vehicles");
    }
    TrafficTotals totals;
    status = simulation.Totals(totals);
    if (status.ok()) Must(!std::isnan(totals.time_loss_seconds), "totals");
  }
  return status;
}

void RunTraci(std::string_view input) {
  ByteSource replies(input);
  const absl::Status status = PlayEpisode([&] { return std::make_unique<RepeatingSumo>(&replies); });
  if (status.ok()) return;
  const bool gone = status.code() == absl::StatusCode::kUnavailable;
  MustRefuse(status, gone ? absl::StatusCode::kUnavailable : absl::StatusCode::kInternal);
}

std::vector<std::string> Seeds() {
  std::string said;
  const absl::Status status = PlayEpisode([&] { return std::make_unique<AnsweringSumo>(&said); });
  if (!status.ok()) Must(false, "a good SUMO: " + status.ToString());
  return {said};
}

const Register kRegister({.name = "traci",
                          .run = RunTraci,
                          .seeds = Seeds,
                          .most_bytes = 512 << 10,
                          .most_bytes_per_byte = 256,
                          .longest = 8192});

}  // namespace
}  // namespace troupe::fuzz
