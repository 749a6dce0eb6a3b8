// Which addresses only this machine can reach.
#ifndef TROUPE_COMMON_SECURITY_ADDRESSES_H_
#define TROUPE_COMMON_SECURITY_ADDRESSES_H_

#include <string>

namespace troupe {

// "HOST" of "HOST:PORT", without the brackets of an IPv6 address.
std::string HostOf(const std::string& address);

// True for HOST:PORT with HOST in 127.0.0.0/8, ::1 or localhost, and for unix:PATH. Names are not looked up.
bool IsLoopbackAddress(const std::string& address);

}  // namespace troupe

#endif  // TROUPE_COMMON_SECURITY_ADDRESSES_H_
