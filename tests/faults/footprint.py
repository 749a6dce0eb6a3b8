"""What a process and a run folder take, as numbers."""

import os
import pathlib
import re
import urllib.request

MIB = 1 << 20
TICKS = os.sysconf("SC_CLK_TCK")


def of_process(pid):
    """MiB resident, in proportion where pages are shared, and of its own that are no file's; open files; threads;
    seconds of processors. Raises OSError where it is gone."""
    proc = pathlib.Path(f"/proc/{pid}")
    memory = (proc / "smaps_rollup").read_text()
    kib = {key: int(value) for key, value in re.findall(r"^(\w+):\s+(\d+) kB", memory, re.M)}
    stat = (proc / "stat").read_text().rpartition(")")[2].split()
    return {
        "rss": kib["Rss"] / 1024, "pss": kib["Pss"] / 1024, "own": kib["Anonymous"] / 1024,
        "files": len(os.listdir(proc / "fd")), "threads": int(stat[17]),
        "processor": (int(stat[11]) + int(stat[12])) / TICKS,
    }


def of_heap(output):
    """MiB that the program holds of jemalloc's heap, by the newest statistics in its output (HEAP_SAYS); None: no
    statistics yet."""
    with open(output, "rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - (1 << 18)))
        found = re.findall(rb"^Allocated: (\d+), active", file.read(), re.M)
    return int(found[-1]) / MIB if found else None


# Has jemalloc print its sums after every so many bytes that were asked for.
HEAP_SAYS = {"MALLOC_CONF": f"stats_interval:{32 * MIB},stats_interval_opts:gmdablxeh"}


def of_folder(folder):
    """MiB and files."""
    sizes = []
    for path in pathlib.Path(folder).rglob("*"):
        try:
            if path.is_file():
                sizes.append(path.stat().st_size)
        except OSError:
            pass  # replaced meanwhile
    return {"size": sum(sizes) / MIB, "files": len(sizes)}


def scrape(address, patience):
    """{series: number} of a page of metrics, as Prometheus would read it."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=patience) as answer:
        text = answer.read().decode()
    return {name: float(value) for name, value in re.findall(r"^(troupe_\S+|process_\S+) (\S+)$", text, re.M)}
