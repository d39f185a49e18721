"""Universal Print at size: many printers in one daemon, each with a certificate and a token of its
own. How long until all are online after a start, what they cost when idle, and over how many
connections.

    sudo BUILD=build python3 tests/bench/up_bench.py [PRINTERS]"""

import os
import pathlib
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "integration"), str(TESTS / "lib")]

import tempfile

import measure
from bed import process
from bed.bed import Bed
from bed.route import cpu_seconds
from bed.up import begin
from bed.watch import Timeout, wait_until

IDLE = 30  # seconds looked at; also the interval between two questions of a printer


def connections(pid):
    """TCP connections of a process that are open."""
    own = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            own.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except FileNotFoundError:
            continue
    count = 0
    for name in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{name}", encoding="ascii") as table:
            for line in list(table)[1:]:
                fields = line.split()
                count += fields[3] == "01" and f"socket:[{fields[9]}]" in own
    return count


def idle(seconds, emulator):
    """That time, watched."""
    try:
        wait_until(lambda: False, "nothing", seconds, [emulator.dir / "tls"], look_again=seconds)
    except Timeout:
        pass


def online(daemon, count):
    """Waits until so many printers are online."""
    def look():
        return daemon.verb("status", codes=(0, 4))["printers"].get("online", 0) >= count
    wait_until(look, f"{count} printers online", 120, [daemon.process.log], [daemon.process], 0.25)


def size(bed, count):
    """The figures for so many printers as a dictionary."""
    cloud = bed.start_up(up={"approve-after": 0, "notify-interval": IDLE})
    for number in range(count):
        bed.cups.lpadmin("-p", f"q{number:04}", "-E", "-v", "socket://127.0.0.1:9", "-m", "raw")
    daemon = bed.up_daemon(cloud, settings={"log": {"level": "info", "names": "hidden"}})
    found = {"printers": count}
    since = time.monotonic()
    with begin(daemon, all=True) as call:
        call.all(timeout=120)
    found["registered"] = call.answers[-1]["registered"]
    found["register, s"] = round(time.monotonic() - since, 1)
    daemon.stop()
    since = time.monotonic()
    daemon.start()
    online(daemon, count)
    found["online after a start, s"] = round(time.monotonic() - since, 1)
    idle(IDLE, cloud)
    before = cpu_seconds(daemon)
    idle(IDLE, cloud)
    found["idle CPU, % of a core"] = round(100 * (cpu_seconds(daemon) - before) / IDLE, 2)
    found["anonymous, MB"] = round(measure.memory(daemon.process.pid)["anonymous"], 2)
    found["connections"] = connections(daemon.process.pid)
    return found


def main():
    """Prints the figures."""
    process.become_subreaper()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory(prefix="pc-", dir="/tmp") as folder:
        pathlib.Path(folder).chmod(0o755)
        with Bed(folder, None) as bed:
            for name, value in size(bed, count).items():
                print(f"{name:32} {value}")
    process.reap_orphans()


if __name__ == "__main__":
    main()
