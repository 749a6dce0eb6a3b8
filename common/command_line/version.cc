#include "common/command_line/version.h"

#include <google/protobuf/stubs/common.h>
#include <grpcpp/grpcpp.h>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

std::string Compiler() {
#ifdef __clang__
  return absl::StrCat("Clang ", __clang_version__);
#else
  return absl::StrCat("GCC ", __VERSION__);
#endif
}

std::string Abseil() {
#ifdef ABSL_LTS_RELEASE_VERSION
  return absl::StrCat("Abseil ", ABSL_LTS_RELEASE_VERSION);
#else
  return "Abseil of no release";
#endif
}

}  // namespace

std::string ProjectVersion() { return TROUPE_VERSION; }

std::string FormatVersion(const std::string& program, const std::string& more) {
  return absl::StrCat(program, " of Troupe ", ProjectVersion(), "\nbuilt with ", Compiler(), " (", TROUPE_BUILD_TYPE,
                      "), gRPC ", grpc::Version(), ", Protobuf ",
                      google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION), ", ", Abseil(),
                      more.empty() ? "" : ", ", more, "\n");
}

}  // namespace troupe
