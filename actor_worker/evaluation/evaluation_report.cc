#include "actor_worker/evaluation/evaluation_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "actor_worker/evaluation/evaluation_table.h"
#include "common/statistics/estimate.h"

namespace troupe {
namespace {

using Json = nlohmann::ordered_json;

// Names of the columns: the groups' returns, then the statistics.
std::vector<std::string> FigureNames(const EnvironmentSpec& environment) {
  std::vector<std::string> names;
  for (const AgentGroupSpec& group : environment.groups) {
    names.push_back(environment.groups.size() == 1 ? "episode_return" : absl::StrCat(group.name, "_return"));
  }
  names.insert(names.end(), environment.statistics.begin(), environment.statistics.end());
  return names;
}

double Figure(const EpisodeResult& episode, size_t index) {
  return index < episode.group_returns.size() ? episode.group_returns[index]
                                              : episode.statistics[index - episode.group_returns.size()];
}

std::vector<Estimate> Summarise(const PlayerEpisodes& player, size_t num_figures) {
  std::vector<Estimate> estimates;
  for (size_t i = 0; i < num_figures; ++i) {
    std::vector<double> samples;
    for (const EpisodeResult& episode : player.episodes) samples.push_back(Figure(episode, i));
    estimates.push_back(EstimateMean(samples));
  }
  return estimates;
}

std::vector<TableRow> MakeRows(const EvaluationReport& report, size_t num_figures) {
  std::vector<TableRow> rows;
  std::vector<std::vector<double>> means(num_figures);
  // Those who meet different opponents have no mean in common.
  const auto is_sample = [](const PlayerEpisodes& player) { return player.trained && player.opponent_path.empty(); };
  const size_t trained = std::ranges::count_if(report.players, is_sample);
  size_t seen = 0;
  for (const PlayerEpisodes& player : report.players) {
    rows.push_back({player.name, Summarise(player, num_figures)});
    if (!is_sample(player)) continue;
    for (size_t i = 0; i < num_figures; ++i) means[i].push_back(rows.back().values[i].mean);
    if (++seen < trained || trained < 2) continue;
    TableRow row{absl::StrCat("mean of the ", trained), {}, true};
    for (size_t i = 0; i < num_figures; ++i) row.values.push_back(EstimateMean(means[i]));
    rows.push_back(std::move(row));
  }
  return rows;
}

// "actors sampling, as asked", or each of them where they differ; empty without any.
std::string HowActorsAct(const EvaluationReport& report) {
  std::vector<std::string> each;
  size_t trained = 0, sampled = 0;
  for (const PlayerEpisodes& player : report.players) {
    if (!player.trained) continue;
    ++trained;
    sampled += player.sampled_actions;
    each.push_back(absl::StrCat(player.name, player.sampled_actions ? " sampling" : " greedy"));
  }
  if (trained == 0) return "";
  std::string text = sampled == trained ? "actors sampling"
                     : sampled == 0     ? "actors greedy"
                                        : absl::StrJoin(each, ", ");
  if (!report.actions_because.empty()) absl::StrAppend(&text, ", ", report.actions_because);
  return text;
}

}  // namespace

std::string FormatReport(const EvaluationReport& report, int width) {
  const std::vector<std::string> names = FigureNames(report.environment);
  std::vector<TableColumn> columns;
  for (size_t i = 0; i < names.size(); ++i) {
    Better better = i < report.environment.groups.size() ? Better::kLarger : BetterByName(names[i]);
    if (names[i] == report.best_by) better = report.smaller_is_better ? Better::kSmaller : Better::kLarger;
    columns.push_back({names[i], better});
  }
  std::string text = absl::StrCat(report.environment.name, ", ", report.environment.num_agents(),
                                  " agents: ", report.episodes, report.episodes == 1 ? " episode" : " episodes",
                                  " each, seeds ", report.first_seed, " to ", report.first_seed + report.episodes - 1);
  const std::string how = HowActorsAct(report);
  absl::StrAppend(&text, how.empty() ? "" : "; ", how, "\n");
  if (!report.settings.empty()) {
    absl::StrAppend(&text, "settings:");
    for (const auto& [name, value] : report.settings) absl::StrAppend(&text, " ", name, "=", value);
    absl::StrAppend(&text, "\n");
  }
  const std::vector<TableRow> rows = MakeRows(report, names.size());
  absl::StrAppend(&text, "\n", FormatTable(columns, rows, width),
                  "\n* best. mean ± half of the 95 % confidence interval over episodes");
  bool several = false;
  for (const TableRow& row : rows) several |= row.summary;
  absl::StrAppend(&text, several ? " (over actor files in their mean's row).\n" : ".\n");
  return text;
}

std::string FormatCrossTable(const EvaluationReport& report, const std::vector<std::string>& names) {
  const std::vector<std::string> figures = FigureNames(report.environment);
  const auto stated = std::ranges::find(report.environment.statistics, report.best_by);
  const size_t figure = stated == report.environment.statistics.end()
                            ? 0
                            : report.environment.groups.size() + (stated - report.environment.statistics.begin());
  std::vector<TableColumn> columns;
  for (const std::string& name : names) columns.push_back({name});
  std::vector<TableRow> rows;
  for (size_t first = 0; first < names.size(); ++first) {
    TableRow row{names[first], {}};
    for (size_t others = 0; others < names.size(); ++others) {
      row.values.push_back(Summarise(report.players[first * names.size() + others], figures.size())[figure]);
    }
    rows.push_back(std::move(row));
  }
  return absl::StrCat("\n", figures[figure], ": ", report.environment.groups[0].name,
                      " of the row with the others of the column\n\n", FormatTable(columns, rows));
}

std::string ReportJson(const EvaluationReport& report) {
  const std::vector<std::string> names = FigureNames(report.environment);
  Json json = {{"environment", report.environment.name},
               {"settings", report.settings},
               {"first_seed", report.first_seed},
               {"episodes", report.episodes},
               {"figures", names}};
  for (const PlayerEpisodes& player : report.players) {
    Json of = {{"name", player.name}};
    if (player.trained) {
      of["actor_file"] = player.path;
      if (!player.opponent_path.empty()) of["opponents_file"] = player.opponent_path;
      of["actions"] = player.sampled_actions ? "sampled" : "greedy";
      of["policy_version"] = player.policy_version;
      of["env_steps"] = player.env_steps;
    }
    const std::vector<Estimate> summary = Summarise(player, names.size());
    for (size_t i = 0; i < names.size(); ++i) {
      of["summary"][names[i]] = {{"mean", summary[i].mean}, {"half_width_95", summary[i].half_width}};
    }
    for (const EpisodeResult& episode : player.episodes) {
      Json figures;
      for (size_t i = 0; i < names.size(); ++i) figures[names[i]] = Figure(episode, i);
      of["episodes"].push_back({{"seed", episode.seed}, {"length", episode.length}, {"figures", figures}});
    }
    json["players"].push_back(of);
  }
  return json.dump(1) + "\n";
}

}  // namespace troupe
