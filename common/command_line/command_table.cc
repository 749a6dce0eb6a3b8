#include "common/command_line/command_table.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

CommandRow RowOf(const Command& command) {
  CommandRow row{.name = command.name,
                 .usage = command.usage,
                 .text = command.text,
                 .examples = command.examples,
                 .takes_words = command.max_words > 0};
  for (const std::string& flag : command.flags) {
    const size_t end = flag.find_first_of("= ");
    row.flags.push_back({flag.substr(0, end), end == std::string::npos ? "" : flag.substr(end + 1), MeaningOf(flag)});
  }
  return row;
}

std::string FormatCommandRow(const CommandRow& row) {
  Json json = {{"name", row.name},       {"usage", row.usage},       {"text", row.text},
               {"flags", Json::array()}, {"examples", row.examples}, {"takes_words", row.takes_words}};
  for (const CommandRow::Flag& flag : row.flags) json["flags"].push_back({flag.name, flag.value, flag.meaning});
  return json.dump();
}

absl::StatusOr<CommandRow> ParseCommandRow(const std::string& line) {
  try {
    const Json json = Json::parse(line);
    CommandRow row{.name = json.at("name").get<std::string>(),
                   .usage = json.at("usage").get<std::vector<std::string>>(),
                   .text = json.at("text").get<std::string>(),
                   .examples = json.at("examples").get<std::vector<std::string>>(),
                   .takes_words = json.at("takes_words").get<bool>()};
    for (const Json& flag : json.at("flags")) {
      row.flags.push_back(
          {flag.at(0).get<std::string>(), flag.at(1).get<std::string>(), flag.at(2).get<std::string>()});
    }
    return row;
  } catch (const Json::exception& thrown) {
    return absl::InvalidArgumentError(absl::StrCat("no row of a command: ", thrown.what()));
  }
}

std::string WordOf(const CommandRow& row) { return row.name.substr(row.name.rfind(' ') + 1); }

}  // namespace troupe
