#include "actor_worker/environments/traffic/traffic_description.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

constexpr const char* kSlotNames[kCompassSlots] = {"north", "south", "east", "west"};

constexpr char kPhasePosition[] = "(2 · green phase, + 1 while it is being left) / (2 · green phases − 1)";

// One number per compass slot.
void AppendSlots(const std::string& name, const std::string& unit, double divided_by, const std::string& meaning,
                 std::vector<ObservedNumber>* numbers) {
  for (const char* slot : kSlotNames) {
    numbers->push_back({absl::StrCat(name, "_", slot), unit, divided_by, absl::StrCat(meaning, " from the ", slot)});
  }
}

}  // namespace

std::vector<ObservedNumber> DescribeApproachObservation() {
  std::vector<ObservedNumber> numbers = {{"phase", "", 1, kPhasePosition}};
  AppendSlots("standing", "vehicles", 20, "standing on the approaches", &numbers);
  AppendSlots("weighted", "passenger-car units", 40, "vehicles on the approaches, weighted by type,", &numbers);
  AppendSlots("occupancy", "", 1, "share covered by vehicles, mean over the lanes", &numbers);
  numbers.push_back({"stage_time", "seconds", 60, "since the present green, clearing step, yellow or all-red began"});
  numbers.push_back({"emergency", "", 1, "1 when an emergency vehicle is on an approach"});
  for (int i = 1; i <= 2; ++i) {
    numbers.push_back({absl::StrCat("neighbour_", i, "_phase"), "", 1,
                       absl::StrCat("as phase, of the observed neighbour ", i, "; 0 without one")});
  }
  return numbers;
}

std::vector<ObservedNumber> DescribePhaseObservation(int phases) {
  std::vector<ObservedNumber> numbers;
  for (int p = 0; p < phases; ++p) {
    const auto add = [&](const char* name, const char* unit, double divided_by, const char* meaning) {
      numbers.push_back({absl::StrCat("phase_", p, "_", name), unit, divided_by, meaning});
    };
    add("standing", "vehicles", 10, "standing on the phase's lanes");
    add("fullest", "vehicles", 10, "standing on the fullest of them");
    add("approaching", "vehicles", 10, "moving on them");
    add("waiting", "seconds", 300, "that those standing there have stood, summed");
    add("first_waiting", "seconds", 60, "that the vehicle nearest to a stop line has stood, the longest of the lanes'");
    add("room_ahead", "", 1,
        "share of the road up to the next signal that no vehicle covers, mean over the phase's lanes and the lanes "
        "each "
        "leads to; 1 for a lane that leads to no signal");
    add("coming", "vehicles", 10,
        "on neighbours' lanes that have green and lead here; one is spread evenly over the lanes its own leads to");
    add("emergency", "vehicles", 1, "emergency vehicles on the phase's lanes");
    add("open", "", 1, "share of the phase's lanes that the green phase lets go");
    add("green", "", 1, "1: this is the green phase, or the one the lights change to");
  }
  numbers.push_back({"stage_time", "seconds", 60, "since the present green, clearing step, yellow or all-red began"});
  numbers.push_back({"changing", "", 1, "1 while the lights change"});
  numbers.push_back({"standing", "vehicles", 20, "standing on all lanes of the junction"});
  numbers.push_back({"neighbours_standing", "vehicles", 20, "the same of its neighbours, mean"});
  return numbers;
}

std::vector<ObservedNumber> DescribeTrafficStateExtras(int num_junctions) {
  return {{"vehicles", "vehicles", 100.0 * num_junctions, "on all lanes that lead to a signal"},
          {"waiting", "seconds", 1000.0 * num_junctions, "that those standing have stood, summed"}};
}

std::vector<NamedAction> DescribeTrafficActions(TrafficActionSet action_set, const TrafficNetwork& network,
                                                const std::vector<int>& junctions) {
  if (action_set == TrafficActionSet::kKeepNextExtendOverride) {
    return {{"keep", "the present green phase, or the change under way"},
            {"next", "the next phase of the cycle with standing vehicles, else with vehicles, else the next"},
            {"extend", "hold the green for extension_seconds, whatever is asked meanwhile but an override"},
            {"override", "the phase that serves most emergency vehicles"}};
  }
  std::vector<NamedAction> actions;
  const std::vector<std::string>& phases = network.junctions[junctions.front()].phases;
  for (size_t p = 0; p < phases.size(); ++p) {
    // A group's junctions have equally many phases, which may be called differently.
    const bool alike = std::all_of(junctions.begin(), junctions.end(),
                                   [&](int j) { return network.junctions[j].phases[p] == phases[p]; });
    actions.push_back({absl::StrCat("phase_", p),
                       alike ? phases[p] : absl::StrCat("green phase ", p, " of the junction's own program")});
  }
  return actions;
}

}  // namespace troupe
