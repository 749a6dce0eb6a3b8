#include "common/files/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/threads/sync_point.h"

namespace troupe {
namespace {

constexpr char kTemporary[] = ".tmp.";

absl::Status ErrorOf(int error, const std::string& action, const std::string& path) {
  const std::string message = absl::StrCat(action, " ", path, ": ", std::generic_category().message(error));
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(message);
    default:
      return absl::InternalError(message);
  }
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : descriptor_(open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~Descriptor() { Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  bool ok() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }
  int Close() {
    const int result = ok() ? close(descriptor_) : 0;
    descriptor_ = -1;
    return result;
  }

 private:
  int descriptor_;
};

bool WriteAll(int descriptor, std::string_view bytes) {
  constexpr size_t kMostAtOnce = size_t{1} << 30;
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), std::min(bytes.size(), kMostAtOnce));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(written);
  }
  return true;
}

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

absl::Status WriteSynced(const std::string& path, const std::vector<std::string_view>& pieces) {
  Descriptor file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (!file.ok()) return ErrorOf(errno, "create", path);
  for (const std::string_view piece : pieces) {
    if (!WriteAll(file.get(), piece)) return ErrorOf(errno, "write", path);
  }
  if (fsync(file.get()) != 0) return ErrorOf(errno, "sync", path);
  if (file.Close() != 0) return ErrorOf(errno, "close", path);
  return absl::OkStatus();
}

absl::Status SyncFolder(const std::string& path) {
  Descriptor folder(path, O_RDONLY | O_DIRECTORY);
  if (!folder.ok()) return ErrorOf(errno, "open folder", path);
  // Some file systems cannot sync a folder and say EINVAL: there is nothing better to do then.
  if (fsync(folder.get()) != 0 && errno != EINVAL) return ErrorOf(errno, "sync folder", path);
  return absl::OkStatus();
}

// WriteFileAtomically's: NAME.tmp.PROCESS.NUMBER.
bool IsTemporary(const std::string& name) {
  const size_t at = name.rfind(kTemporary);
  if (at == std::string::npos || at == 0) return false;
  const std::string numbers = name.substr(at + sizeof(kTemporary) - 1);
  const size_t dot = numbers.find('.');
  const auto is_number = [](const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  };
  return dot != std::string::npos && is_number(numbers.substr(0, dot)) && is_number(numbers.substr(dot + 1));
}

}  // namespace

absl::Status WriteFileAtomically(const std::string& path, const std::vector<std::string_view>& pieces) {
  static std::atomic<uint64_t> counter = 0;
  const std::string temporary = absl::StrCat(path, kTemporary, getpid(), ".", counter++);
  absl::Status status;
  {
    const SyncPoint point("file.write");
    status = WriteSynced(temporary, pieces);
  }
  const SyncPoint point("file.rename");
  if (status.ok() && rename(temporary.c_str(), path.c_str()) != 0) status = ErrorOf(errno, "rename to", path);
  if (!status.ok()) {
    unlink(temporary.c_str());
    return status;
  }
  return SyncFolder(FolderOf(path));
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path) {
  Descriptor file(path, O_RDONLY);
  if (!file.ok()) return ErrorOf(errno, "open", path);
  struct stat facts;
  if (fstat(file.get(), &facts) != 0) return ErrorOf(errno, "stat", path);
  std::string content;
  size_t size = 0;
  content.resize(S_ISREG(facts.st_mode) ? static_cast<size_t>(facts.st_size) + 1 : 4096);
  while (true) {
    if (size == content.size()) content.resize(2 * content.size());
    const ssize_t got = read(file.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrorOf(errno, "read", path);
    if (got == 0) break;
    size += got;
  }
  content.resize(size);
  return content;
}

absl::Status MakeFolder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return ErrorOf(error.value(), "make folder", path);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  // An iterator that fails becomes the end: only `error` tells that from a folder seen to its end.
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) return ErrorOf(error.value(), "list folder", folder);
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<bool> FileExists(const std::string& path) {
  struct stat facts;
  if (stat(path.c_str(), &facts) == 0) return true;
  if (errno == ENOENT) return false;
  return ErrorOf(errno, "look for", path);
}

absl::Status RenameFile(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) return ErrorOf(errno, absl::StrCat("rename ", from, " to"), to);
  return SyncFolder(FolderOf(to));
}

absl::Status RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return ErrorOf(errno, "remove", path);
  return absl::OkStatus();
}

absl::Status RemoveHalfWritten(const std::string& folder) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(folder));
  for (const std::string& name : names) {
    if (IsTemporary(name)) RETURN_IF_ERROR(RemoveFile(absl::StrCat(folder, "/", name)));
  }
  return absl::OkStatus();
}

absl::Status SyncFile(const std::string& path) {
  Descriptor file(path, O_RDONLY);
  if (!file.ok()) return ErrorOf(errno, "open", path);
  return fsync(file.get()) == 0 ? absl::OkStatus() : ErrorOf(errno, "sync", path);
}

}  // namespace troupe
