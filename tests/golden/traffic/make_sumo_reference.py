#!/usr/bin/env python3
"""Writes sumo_grid_3x3.txt: what SUMO makes of the vehicles and signal plans that traffic_golden_test.cc replays.

    tests/golden/traffic/make_sumo_reference.py BUILD_FOLDER SUMO_HOME [WORK_FOLDER]

Needs the test program environments_tests of a build, which writes the vehicles, and SUMO 1.28 (netconvert and sumo
below SUMO_HOME/bin). Takes about a minute on two cores.
"""
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent
NETWORKS = HERE.parents[2] / "actor_worker/environments/traffic/builtin_networks.cc"
PLANS = {"base": (25, 8, 25, 8), "short": (12, 5, 12, 5), "long": (40, 12, 40, 12), "nsheavy": (40, 10, 15, 6)}
DEMANDS = (1800, 3600, 5400, 7200)
SECONDS = 3600


def network_text(name):
    texts = re.findall(r'R"\((.*?)\)"', NETWORKS.read_text(), re.S)
    return next(text for text in texts if text.startswith("network " + name))


def write_network(folder, name):
    """The same nodes, edges and lane uses as the built-in network, with signals by netconvert."""
    nodes, junctions, edges = {}, set(), []
    for line in network_text(name).splitlines():
        words = line.split("#")[0].split()
        if words and words[0] in ("junction", "boundary"):
            nodes[words[1]] = (float(words[2]), float(words[3]))
            if words[0] == "junction":
                junctions.add(words[1])
        if words and words[0] == "road":
            edges += [(words[1], words[2]), (words[2], words[1])]
    kind = {node: "traffic_light" if node in junctions else "priority" for node in nodes}
    node_lines = [f'<node id="{n}" x="{x}" y="{y}" type="{kind[n]}"/>' for n, (x, y) in nodes.items()]
    edge_lines = [f'<edge id="{a}_{b}" from="{a}" to="{b}" numLanes="3" speed="13.89"/>' for a, b in edges]
    connection_lines = []
    for a, b in edges:
        for c, d in edges:
            if b not in junctions or c != b or d == a:
                continue
            ax, ay = nodes[b][0] - nodes[a][0], nodes[b][1] - nodes[a][1]
            bx, by = nodes[d][0] - nodes[b][0], nodes[d][1] - nodes[b][1]
            angle = math.degrees(math.atan2(ax * by - ay * bx, ax * bx + ay * by))
            lanes = (0, 1) if abs(angle) < 45 else (2,) if angle > 0 else (0,)
            connection_lines += [
                f'<connection from="{a}_{b}" to="{c}_{d}" fromLane="{k}" toLane="{k}"/>' for k in lanes]
    for suffix, root, lines in (("nod", "nodes", node_lines), ("edg", "edges", edge_lines),
                                ("con", "connections", connection_lines)):
        (folder / f"n.{suffix}.xml").write_text(f"<{root}>\n" + "\n".join(lines) + f"\n</{root}>\n")
    subprocess.run([SUMO / "bin/netconvert", "-n", "n.nod.xml", "-e", "n.edg.xml", "-x", "n.con.xml",
                    "--no-turnarounds", "--tls.green.time", "25", "--tls.yellow.time", "3", "--tls.left-green.time",
                    "8", "--tls.allred.time", "0", "-o", f"{name}.net.xml"], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)


def write_vehicles(folder, build):
    subprocess.run([build / "bin/environments_tests", "--gtest_also_run_disabled_tests",
                    "--gtest_filter=TrafficGoldenTest.DISABLED_WritesVehiclesForSumo"], check=True,
                   env={**os.environ, "TROUPE_VEHICLES_FOLDER": str(folder)}, stdout=subprocess.DEVNULL)


def simulate(folder, plan, demand):
    tag = f"{plan}.{demand}"
    greens = PLANS[plan]
    lines = []
    for signal in ET.parse(folder / "grid_3x3.net.xml").getroot().findall("tlLogic"):
        lines.append(f'<tlLogic id="{signal.get("id")}" type="static" programID="plan" offset="0">')
        for i, phase in enumerate(signal.findall("phase")):
            seconds = greens[i // 2] if i % 2 == 0 else 3
            lines.append(f'<phase duration="{seconds}" state="{phase.get("state")}"/>')
        lines.append("</tlLogic>")
    lines.append(f'<laneData id="lanes" file="{tag}.lanes.xml"/>')
    (folder / f"{tag}.add.xml").write_text("<additional>\n" + "\n".join(lines) + "\n</additional>\n")
    subprocess.run([SUMO / "bin/sumo", "-n", "grid_3x3.net.xml", "-r", f"vehicles.{demand}.rou.xml", "-a",
                    f"{tag}.add.xml", "--end", str(SECONDS), "--seed", "1", "--xml-validation", "never",
                    "--no-step-log", "true", "--no-warnings", "true", "--time-to-teleport", "-1",
                    "--ignore-junction-blocker", "5", "--tripinfo-output", f"{tag}.trips.xml",
                    "--tripinfo-output.write-unfinished", "true"], cwd=folder, check=True, timeout=600,
                   stdout=subprocess.DEVNULL)
    trips = [t for t in ET.parse(folder / f"{tag}.trips.xml").getroot().findall("tripinfo")
             if float(t.get("depart")) >= 0]
    loss = sum(float(t.get("timeLoss")) for t in trips) / len(trips)
    waiting = sum(float(t.get("waitingTime")) for t in trips) / len(trips)
    queues = {}
    for lane in ET.parse(folder / f"{tag}.lanes.xml").getroot().iter("lane"):
        edge = lane.get("id").rsplit("_", 1)[0]
        if edge.startswith(":") or edge.split("_")[1].rstrip("0123456789") in ("west", "east", "south", "north"):
            continue
        queues[edge] = queues.get(edge, 0.0) + float(lane.get("waitingTime", 0)) / SECONDS
    pairs = " ".join(f"{edge} {queue:.3f}" for edge, queue in sorted(queues.items()))
    return f"{plan} {demand} {loss:.3f} {waiting:.3f} {len(queues)}\n{pairs}\n"


def main(build, folder):
    write_network(folder, "grid_3x3")
    write_vehicles(folder, build)
    runs = [(plan, demand) for plan in PLANS for demand in DEMANDS]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        texts = list(pool.map(lambda run: simulate(folder, *run), runs))
    (HERE / "sumo_grid_3x3.txt").write_text(
        "# SUMO 1.28.0 on the network grid_3x3, vehicles of DrawVehicleList(seed 1), four fixed plans; written by\n"
        "# make_sumo_reference.py. PLAN VEHICLES_PER_HOUR TIME_LOSS WAITING COUNT, COUNT pairs EDGE STANDING_VEHICLES\n"
        + "".join(texts))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    SUMO = pathlib.Path(sys.argv[2]).resolve()
    os.environ["SUMO_HOME"] = str(SUMO)
    work = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp()).resolve()
    work.mkdir(parents=True, exist_ok=True)
    main(pathlib.Path(sys.argv[1]).resolve(), work)
