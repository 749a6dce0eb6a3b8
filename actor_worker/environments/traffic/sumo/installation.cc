#include "actor_worker/environments/traffic/sumo/installation.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/files/atomic_file.h"

namespace troupe {
namespace {

namespace fs = std::filesystem;
constexpr char kInstall[] = "run ./deploy/setup.sh --sumo";

// FOLDER/.deps/sumo for the working directory, the program's folder and all folders above them.
std::vector<fs::path> DependencyFolders() {
  std::error_code ignored;
  std::vector<fs::path> folders;
  for (const fs::path& start : {fs::current_path(ignored), fs::read_symlink("/proc/self/exe", ignored).parent_path()}) {
    for (fs::path folder = start; !folder.empty(); folder = folder.parent_path()) {
      folders.push_back(folder / ".deps" / "sumo");
      if (folder == folder.root_path()) break;
    }
  }
  return folders;
}

bool IsRunnable(const fs::path& path) { return access(path.c_str(), X_OK) == 0; }

// What `folder` holds, sorted; nothing if it is not there. Why it cannot be listed goes to the end of `trouble`.
std::vector<std::string> NamesIn(const fs::path& folder, std::string* trouble) {
  const absl::StatusOr<std::vector<std::string>> names = ListFolder(folder.string());
  if (names.ok()) return *names;
  if (!absl::IsNotFound(names.status())) absl::StrAppend(trouble, "; ", names.status().message());
  return {};
}

}  // namespace

std::vector<std::string> SumoVariables(const SumoInstallation& installation) {
  std::vector<std::string> variables = {absl::StrCat("SUMO_HOME=", installation.home)};
  const fs::path projections = fs::path(installation.home) / "data" / "proj";
  if (!FileExists((projections / "proj.db").string()).value_or(false)) return variables;
  // PROJ's name for it, and the one it had before version 9.1.
  for (const char* name : {"PROJ_DATA=", "PROJ_LIB="}) variables.push_back(absl::StrCat(name, projections.string()));
  return variables;
}

absl::StatusOr<SumoInstallation> FindSumo(const std::string& setting) {
  const char* const variable = std::getenv("SUMO_HOME");
  std::vector<fs::path> homes;
  std::string tried;
  if (!setting.empty()) {
    homes.emplace_back(setting);
    tried = absl::StrCat("environment.settings.sumo_home: no runnable ", setting, "/bin/sumo");
  } else if (variable != nullptr && *variable != '\0') {
    homes.emplace_back(variable);
    tried = absl::StrCat("SUMO_HOME: no runnable ", variable, "/bin/sumo");
  } else {
    for (const fs::path& folder : DependencyFolders()) homes.push_back(folder / "site" / "sumo");
    tried = "SUMO is not installed: no .deps/sumo here, beside the program or above";
  }
  for (const fs::path& home : homes) {
    if (IsRunnable(home / "bin" / "sumo")) return SumoInstallation{home.string(), (home / "bin" / "sumo").string()};
  }
  return absl::NotFoundError(absl::StrCat(tried, "; ", kInstall));
}

absl::StatusOr<std::string> FindSumoNetwork(const std::string& network) {
  if (absl::EndsWith(network, ".sumocfg")) {
    const absl::StatusOr<bool> exists = FileExists(network);
    if (!exists.ok()) {
      return absl::Status(exists.status().code(),
                          absl::StrCat("environment.settings.network: ", exists.status().message()));
    }
    if (*exists) return network;
    return absl::NotFoundError(absl::StrCat("environment.settings.network: there is no file ", network));
  }
  std::vector<std::string> known;
  std::string trouble;
  for (const fs::path& folder : DependencyFolders()) {
    const fs::path networks = folder / "networks";
    for (const std::string& name : NamesIn(networks, &trouble)) {
      if (name != network) continue;
      for (const std::string& file : NamesIn(networks / name, &trouble)) {
        if (absl::EndsWith(file, ".sumocfg")) return (networks / name / file).string();
      }
    }
    if (known.empty()) known = NamesIn(networks, &trouble);
  }
  const std::string have = known.empty()
                               ? absl::StrCat("no network is installed; ", kInstall)
                               : absl::StrCat("expected a path to a .sumocfg or one of ", absl::StrJoin(known, ", "));
  return absl::NotFoundError(
      absl::StrCat("environment.settings.network: there is no network \"", network, "\"; ", have, trouble));
}

}  // namespace troupe
