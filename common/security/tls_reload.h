// How often renewed TLS files are looked for.
#ifndef TROUPE_COMMON_SECURITY_TLS_RELOAD_H_
#define TROUPE_COMMON_SECURITY_TLS_RELOAD_H_

namespace troupe {

inline constexpr unsigned kTlsReloadSeconds = 2;

}  // namespace troupe

#endif  // TROUPE_COMMON_SECURITY_TLS_RELOAD_H_
