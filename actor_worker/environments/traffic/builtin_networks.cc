#include "actor_worker/environments/traffic/builtin_networks.h"

namespace troupe {
namespace {

constexpr char kNineJunctions[] = R"(network nine_junctions
# An arterial from west to east (J6, J1, J10) between two side streets, crossed by three streets:
#
#  J12 -- J7 --- J22
#   |      |      |
#  J6 === J1 === J10
#   |      |      |
#  J0 --- J11 -- J5
lanes 3
speed 13.89
junction J0     0    0 observe=J11,J6
junction J1   400  300 observe=J6,J10
junction J5   800    0 observe=J11,J10
junction J6     0  300 observe=J0,J1
junction J7   400  600 observe=J1,J12
junction J10  800  300 observe=J1,J5
junction J11  400    0 observe=J0,J1
junction J12    0  600 observe=J6,J7
junction J22  800  600 observe=J10,J7
boundary west_south -400 0
boundary east_south 1200 0
boundary west_middle -400 300 in=2.5 out=2.5
boundary east_middle 1200 300 in=2.5 out=2.5
boundary west_north -400 600
boundary east_north 1200 600
boundary south_west 0 -300
boundary north_west 0 900
boundary south_middle 400 -300 in=1.5 out=1.5
boundary north_middle 400 900 in=1.5 out=1.5
boundary south_east 800 -300
boundary north_east 800 900
road J0 J11
road J0 J6
road J11 J5
road J11 J1
road J5 J10
road J6 J1
road J6 J12
road J1 J10
road J1 J7
road J10 J22
road J12 J7
road J7 J22
road west_south J0
road east_south J5
road west_middle J6
road east_middle J10
road west_north J12
road east_north J22
road south_west J0
road north_west J12
road south_middle J11
road north_middle J7
road south_east J5
road north_east J22
)";

constexpr char kGrid3x3[] = R"(network grid_3x3
# Three by three junctions, 300 m apart; A0 is the south-west corner.
lanes 3
speed 13.89
junction A0 0 0 observe=B0,A1
junction A1 0 300 observe=B1,A0
junction A2 0 600 observe=B2,A1
junction B0 300 0 observe=A0,C0
junction B1 300 300 observe=A1,C1
junction B2 300 600 observe=A2,C2
junction C0 600 0 observe=B0,C1
junction C1 600 300 observe=B1,C0
junction C2 600 600 observe=B2,C1
boundary west0 -300 0
boundary east0 900 0
boundary south0 0 -300
boundary north0 0 900
boundary west1 -300 300
boundary east1 900 300
boundary south1 300 -300
boundary north1 300 900
boundary west2 -300 600
boundary east2 900 600
boundary south2 600 -300
boundary north2 600 900
road A0 B0
road A0 A1
road A1 B1
road A1 A2
road A2 B2
road B0 C0
road B0 B1
road B1 C1
road B1 B2
road B2 C2
road C0 C1
road C1 C2
road west0 A0
road east0 C0
road south0 A0
road north0 A2
road west1 A1
road east1 C1
road south1 B0
road north1 B2
road west2 A2
road east2 C2
road south2 C0
road north2 C2
green A0 25,8,25,8
green A1 25,8,25,8
green A2 25,8,25,8
green B0 25,8,25,8
green B1 25,8,25,8
green B2 25,8,25,8
green C0 25,8,25,8
green C1 25,8,25,8
green C2 25,8,25,8
)";

}  // namespace

const char* BuiltinNetwork(const std::string& name) {
  if (name == "nine_junctions") return kNineJunctions;
  if (name == "grid_3x3") return kGrid3x3;
  return nullptr;
}

std::string BuiltinNetworkNames() { return "nine_junctions, grid_3x3"; }

}  // namespace troupe
