#include "actor_worker/environments/traffic/sumo/sumo_configuration.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

struct Name {
  absl::string_view other, canonical;
};

// SUMO's other names of the options that matter here.
constexpr Name kSynonyms[] = {{"n", "net-file"},
                              {"net", "net-file"},
                              {"a", "additional-files"},
                              {"additional", "additional-files"},
                              {"c", "configuration-file"},
                              {"configuration", "configuration-file"},
                              {"C", "save-configuration"},
                              {"save-config", "save-configuration"},
                              {"b", "begin"},
                              {"e", "end"},
                              {"srand", "seed"},
                              {"abs-rand", "random"},
                              {"H", "human-readable-time"},
                              {"W", "no-warnings"},
                              {"suppress-warnings", "no-warnings"},
                              {"X", "xml-validation"},
                              {"no-duration-log", "duration-log.disable"},
                              {"l", "log"},
                              {"log-file", "log"},
                              {"ndump", "netstate-dump"},
                              {"netstate", "netstate-dump"},
                              {"netstate-output", "netstate-dump"},
                              {"person-fcd", "person-fcd-output"},
                              {"summary", "summary-output"},
                              {"tripinfo", "tripinfo-output"},
                              {"personinfo", "personinfo-output"},
                              {"vehroutes", "vehroute-output"},
                              {"personroutes", "personroute-output"},
                              {"statistics-output", "statistic-output"}};

absl::string_view Canonical(absl::string_view name) {
  const auto* const found =
      std::find_if(std::begin(kSynonyms), std::end(kSynonyms), [&](const Name& n) { return n.other == name; });
  return found == std::end(kSynonyms) ? name : found->canonical;
}

// The file that the option names is written. Options of written files end so, but for these.
bool WritesAFile(absl::string_view option) {
  static constexpr absl::string_view kOthers[] = {"netstate-dump",
                                                  "log",
                                                  "message-log",
                                                  "error-log",
                                                  "device.ssm.file",
                                                  "device.toc.file",
                                                  "pedestrian.jupedsim.wkt",
                                                  "pedestrian.jupedsim.py"};
  return absl::EndsWith(option, "-output") || absl::EndsWith(option, ".output") ||
         std::find(std::begin(kOthers), std::end(kOthers), option) != std::end(kOthers);
}

bool IsTrue(absl::string_view value) {
  bool truth = false;
  return absl::SimpleAtob(value, &truth) ? truth : !(value.empty() || value == "x" || value == "-");
}

// Whether a second is a whole number of steps: decisions, lights and episodes go by seconds.
bool FitsIntoASecond(absl::string_view step_length) {
  double seconds = 0;
  if (!absl::SimpleAtod(step_length, &seconds) || !(seconds >= 0.001 && seconds <= 1)) return false;
  return std::abs(1 / seconds - std::round(1 / seconds)) < 1e-6;
}

// Why an option may not be set so; "" when it may.
std::string WhyRefused(absl::string_view option, absl::string_view value) {
  double number = 0;
  if (option == "load-state") {
    return "vehicles of a saved state would count as scheduled but never as finished, and its random numbers may be "
           "the same for all seeds; begin earlier and let the network fill instead";
  }
  if (option == "max-depart-delay" && (!absl::SimpleAtod(value, &number) || number >= 0)) {
    return "vehicles that are given up would be missing from the delays";
  }
  if (option == "mesosim" && IsTrue(value)) return "lanes and queues are read vehicle by vehicle";
  if (option == "step-length" && !FitsIntoASecond(value)) {
    return "expected a whole number of steps in a second, such as 1 or 0.5";
  }
  if (option == "save-state.times" || (option == "save-state.period" && value != "-1")) {
    return "all copies of the environment would write the same files";
  }
  if (option == "save-configuration" || option == "save-template" || option == "save-schema") {
    return "SUMO would write it and end";
  }
  if (option == "vtk-output") return "all copies of the environment would write the same files";
  return "";
}

bool IsOptionName(absl::string_view argument) {
  return argument.size() > 1 && argument[0] == '-' && !absl::ascii_isdigit(argument[1]) && argument[1] != '.';
}

}  // namespace

const std::vector<std::string>& FixedSumoArguments() {
  struct Fixed {
    const char *option, *value;
  };
  static constexpr Fixed kFixed[] = {
      {"--xml-validation", "never"},
      {"--xml-validation.net", "never"},
      {"--xml-validation.routes", "never"},
      {"--no-step-log", "true"},
      {"--no-warnings", "true"},
      {"--duration-log.disable", "true"},
      {"--device.tripinfo.probability", "1"},
      {"--precision", "6"},
      {"--human-readable-time", "false"},
      {"--end", "-1"},
      {"--random", "false"},
      {"--threads", "1"},
      {"--tls.all-off", "false"},
      {"--time-to-teleport.highways", "0"},
      {"--time-to-teleport.disconnected", "-1"},
      {"--time-to-teleport.bidi", "-1"},
      {"--time-to-teleport.railsignal-deadlock", "-1"},
      {"--time-to-teleport.remove", "false"},
  };
  static const auto* const arguments = [] {
    auto* const words = new std::vector<std::string>();
    for (const Fixed& fixed : kFixed) words->insert(words->end(), {fixed.option, fixed.value});
    return words;
  }();
  return *arguments;
}

absl::StatusOr<SumoConfiguration> ReadSumoConfiguration(const std::string& path) {
  XmlReader xml(path);
  return ParseSumoConfiguration(xml, path);
}

absl::StatusOr<SumoConfiguration> ParseSumoConfiguration(XmlReader& xml, const std::string& path) {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::absolute(path, error).parent_path();
  if (error) return absl::InternalError(absl::StrCat(path, ": ", error.message()));
  SumoConfiguration configuration;
  while (xml.Next()) {
    if (xml.is_end()) continue;
    const std::string& value = xml.Attribute(xml.Attribute("value").empty() ? "v" : "value");
    if (value.empty()) continue;
    const absl::string_view option = Canonical(xml.name());
    if (option == "net-file") {
      configuration.net_file = (folder / value).string();
    } else if (option == "additional-files") {
      for (const absl::string_view file : absl::StrSplit(value, absl::ByAnyChar(", "), absl::SkipEmpty())) {
        configuration.additional_files.push_back((folder / std::string(file)).string());
      }
    } else if (const std::string reason = WhyRefused(option, value); !reason.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": the option ", xml.name(), " is refused: ", reason));
    } else if (const std::string name = absl::StrCat("--", option); WritesAFile(option)) {
      std::vector<std::string>& overrides = configuration.overrides;
      if (std::find(overrides.begin(), overrides.end(), name) != overrides.end()) continue;
      overrides.insert(overrides.end(), {name, "/dev/null"});
    }
  }
  RETURN_IF_ERROR(xml.status());
  if (configuration.net_file.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": names no net-file, expected <net-file value=\"…\"/>"));
  }
  return configuration;
}

absl::Status CheckSumoOptions(const std::vector<std::string>& options, const std::vector<std::string>& overrides) {
  const auto refuse = [](absl::string_view argument, absl::string_view reason) {
    return absl::InvalidArgumentError(
        absl::StrCat("environment.settings.sumo_options: ", argument, " is refused: ", reason));
  };
  for (size_t i = 0; i < options.size(); ++i) {
    if (!IsOptionName(options[i])) continue;
    const std::vector<std::string> parts = absl::StrSplit(options[i], absl::MaxSplits('=', 1));
    const absl::string_view spelled = absl::StripPrefix(absl::StripPrefix(parts[0], "-"), "-");
    const absl::string_view option = Canonical(spelled);
    const bool value_follows = i + 1 < options.size() && !IsOptionName(options[i + 1]);
    const std::string value = parts.size() > 1 ? parts[1] : value_follows ? options[i + 1] : "true";
    if (option == "net-file" || option == "additional-files") {
      return refuse(parts[0], "the .sumocfg of environment.settings.network names it");
    }
    if (option == "time-to-teleport" || option == "ignore-junction-blocker") {
      return refuse(parts[0], absl::StrCat("environment.settings.", absl::StrReplaceAll(option, {{"-", "_"}}),
                                           "_seconds sets it"));
    }
    const std::string name = absl::StrCat("--", option);
    const auto holds = [&name](const std::vector<std::string>& arguments) {
      return std::find(arguments.begin(), arguments.end(), name) != arguments.end();
    };
    static const std::vector<std::string> kPerProcess = {"--configuration-file", "--seed", "--remote-port",
                                                         "--num-clients"};
    if (holds(kPerProcess) || holds(FixedSumoArguments()) || holds(overrides)) {
      return refuse(parts[0], "the environment sets it itself");
    }
    if (const std::string reason = WhyRefused(option, value); !reason.empty()) return refuse(parts[0], reason);
  }
  return absl::OkStatus();
}

}  // namespace troupe
