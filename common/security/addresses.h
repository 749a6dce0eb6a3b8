// What addresses say about who can reach them, and how.
#ifndef TROUPE_COMMON_SECURITY_ADDRESSES_H_
#define TROUPE_COMMON_SECURITY_ADDRESSES_H_

#include <string>

namespace troupe {

// "HOST" of "HOST:PORT", without the brackets of an IPv6 address.
std::string HostOf(const std::string& address);

// True for HOST:PORT and [IPV6]:PORT with a port from 1 to 65535 and a host of letters, digits, '.', '-' and, in
// brackets, ':'; not for unix:PATH.
bool IsHostAndPort(const std::string& address);

// True for HOST:PORT with HOST in 127.0.0.0/8, ::1 or localhost, and for unix:PATH. Names are not looked up.
bool IsLoopbackAddress(const std::string& address);

// `listen_address` with the port that was given for its own, which may be 0; unix:PATH stays as it is.
std::string AddressOf(const std::string& listen_address, int port);

// True for HOST:PORT with HOST 0.0.0.0, :: or empty: every address of this machine.
bool IsWildcardAddress(const std::string& address);

// Where a program of this machine reaches who listens at `listen_address` and was given `port`: the host that is
// listened on, of a wildcard address the loopback address of its kind. unix:PATH stays as it is.
std::string AddressToDial(const std::string& listen_address, int port);

}  // namespace troupe

#endif  // TROUPE_COMMON_SECURITY_ADDRESSES_H_
