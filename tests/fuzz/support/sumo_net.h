// A small network as SUMO writes it, with two signals; as tests/environments/sumo_network_test.cc has it.
#ifndef TROUPE_TESTS_FUZZ_SUPPORT_SUMO_NET_H_
#define TROUPE_TESTS_FUZZ_SUPPORT_SUMO_NET_H_

namespace troupe::fuzz {

inline constexpr char kSumoNet[] = R"(<net>
<edge id=":A_0" function="internal"><lane id=":A_0_0" index="0" length="5" shape="0,0 1,0"/></edge>
<edge id="wa" from="W" to="A"><lane id="wa_0" index="0" length="200" shape="-200,0 0,0"/>
<lane id="wa_1" index="1" length="200" shape="-200,3 0,3"/></edge>
<edge id="sa" from="S" to="A"><lane id="sa_0" index="0" length="90" shape="0,-90 0,0"/></edge>
<edge id="an" from="A" to="n"><lane id="an_0" index="0" length="80" shape="0,0 80,0"/></edge>
<edge id="nb" from="n" to="B"><lane id="nb_0" index="0" length="20" shape="80,0 100,0"/></edge>
<edge id="be" from="B" to="E"><lane id="be_0" index="0" length="100" shape="100,0 200,0"/></edge>
<tlLogic id="A" type="static" programID="0" offset="0">
<phase duration="31" state="GGgr"/><phase duration="3" state="yyyr"/>
<phase duration="9" state="rrGr"/><phase duration="3" state="rryr"/>
<phase duration="17" state="rrrG"/><phase duration="3" state="rrry"/>
</tlLogic>
<tlLogic id="B" type="static" programID="0" offset="0">
<phase duration="60" state="Gr"/><phase duration="3" state="yr"/>
<phase duration="9" state="rG"/><phase duration="5" state="rr"/>
</tlLogic>
<connection from="wa" to="an" fromLane="0" toLane="0" tl="A" linkIndex="0" dir="s"/>
<connection from="wa" to="an" fromLane="1" toLane="0" tl="A" linkIndex="1" dir="s"/>
<connection from="wa" to="be" fromLane="1" toLane="0" tl="A" linkIndex="2" dir="l"/>
<connection from="sa" to="an" fromLane="0" toLane="0" tl="A" linkIndex="3" dir="r"/>
<connection from="an" to="nb" fromLane="0" toLane="0" dir="s"/>
<connection from="nb" to="be" fromLane="0" toLane="0" tl="B" linkIndex="0" dir="s"/>
<laneAreaDetector id="d" lane="wa_0" file="out.xml"/>
</net>
)";

}  // namespace troupe::fuzz

#endif  // TROUPE_TESTS_FUZZ_SUPPORT_SUMO_NET_H_
