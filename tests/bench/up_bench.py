"""Universal Print at size: many printers in one daemon, each with a certificate and a token of its
own, at hosts that offer HTTP/2. How long until all are online after a start, what they cost when
idle, over how many connections; and what a job costs beside one of an ipp-infra cloud. Part of
make bench; alone:

    sudo BUILD=build python3 tests/bench/up_bench.py FEW MANY"""

import pathlib
import sys
import tempfile
import time

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "integration"), str(TESTS / "lib")]

import measure
import pdf
from bed import process
from bed.bed import Bed
from bed.front import Front
from bed.ippeve import Bus
from bed.net import connections
from bed.route import connect, cpu_seconds, requests_before_document, rounds_before_document
from bed.up import begin, enrolled
from bed.watch import Timeout, wait_until

IDLE = 30  # seconds looked at; also the interval between two questions of a printer
PATIENCE = 1200


def idle(seconds, emulator):
    """That time, watched."""
    try:
        wait_until(lambda: False, "nothing", seconds, [emulator.dir / "tls"], look_again=seconds)
    except Timeout:
        pass


class Many:
    """One daemon with a growing number of printers."""

    def __init__(self, bed):
        self.bed = bed
        self.count = 0
        self.cloud = bed.start_up(up={"approve-after": 0, "notify-interval": IDLE,
                                      "token-life": 3600})
        self.plain = bed.start_cloud("q")
        fronts = {f"{name}_url": bed.enter(Front(bed.dir, self.cloud, name)).url
                  for name in ("print", "notification")}
        self.daemon = bed.make_daemon(
            clouds={"up": self.cloud.cloud(**fronts), "test": {"uri": self.plain.base()}},
            settings={"log": {"level": "info", "names": "hidden"}})
        self.daemon.start()

    def grow(self, count):
        """To so many; seconds for the registrations."""
        for number in range(self.count, count):
            self.bed.cups.lpadmin("-p", f"q{number:04}", "-E", "-v", "socket://127.0.0.1:9", "-m",
                                  "raw")
        since = time.monotonic()
        with begin(self.daemon, all=True) as call:
            call.all(timeout=PATIENCE)
        if call.answers[-1]["registered"] != count - self.count:
            raise AssertionError(f"not all registered: {call.answers[-1]} {call.of('failed')[:3]}")
        self.count = count
        return time.monotonic() - since

    def online(self):
        """Starts the daemon again; seconds until all are online."""
        self.daemon.stop()
        since = time.monotonic()
        self.daemon.start()

        def look():
            shown = self.daemon.verb("status", codes=(0, 4))
            return shown["printers"].get("online", 0) >= self.count
        wait_until(look, f"{self.count} printers online", 240, [self.daemon.process.log],
                   [self.daemon.process], 0.25)
        return time.monotonic() - since

    def at_rest(self):
        """(% of a core, anonymous MB, connections) with nothing to do."""
        idle(IDLE, self.cloud)
        before, since = cpu_seconds(self.daemon), time.monotonic()
        idle(IDLE, self.cloud)
        used = 100 * (cpu_seconds(self.daemon) - before) / (time.monotonic() - since)
        return (used, measure.memory(self.daemon.process.pid)["anonymous"],
                connections(self.daemon.process.pid))

    def requests(self):
        """What a job costs (here, at an ipp-infra cloud) before its last byte is at the queue: in
        requests, and in those of them that wait for each other."""
        self.cloud.set(notify_interval=2)
        document = pdf.make(1, 9500)
        eve, other = self.bed.ipp_printer("eve-up"), self.bed.ipp_printer("eve-infra")
        here, = enrolled(self.daemon, self.cloud, eve.uri, timeout=2 * IDLE)
        elsewhere = connect(self.bed, self.daemon, other.uri)
        return ([requests_before_document(route, document) for route in (here, elsewhere)],
                [rounds_before_document(route, printer, document)
                 for route, printer in ((here, eve), (elsewhere, other))])


def rows(board, bed, few, many):
    """The part of the table that is about Universal Print."""
    one = Many(bed)
    one.grow(few)
    one.online()
    before = one.at_rest()[1]
    took = one.grow(many)
    board.add(f"Universal Print: {many - few} more registered", took, "s")
    board.add(f"  {many} printers online after a start", one.online(), "s", limit=30)
    used, anonymous, count = one.at_rest()
    board.add("  idle, % of a core", used, "%", limit=2)
    board.add("  memory for one more idle printer", 1024 * (anonymous - before) / (many - few),
              "KB", limit=24)
    board.add("  connections, HTTP/2 offered", count, "", limit=10)
    (here, elsewhere), rounds = one.requests()
    board.add("  requests before a job's last byte", here, "", beside=elsewhere,
              limit=elsewhere + 2)
    board.add("  rounds before a job's last byte", rounds[0], "", beside=rounds[1],
              limit=rounds[1] + 2)


def alone(few, many):
    """Only these rows."""
    import bench  # pylint: disable=import-outside-toplevel
    process.become_subreaper()
    board = bench.Board(False)
    with tempfile.TemporaryDirectory(prefix="pc-", dir="/tmp") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        bus = Bus(folder / "bus")
        with Bed(folder, bus) as bed:
            rows(board, bed, few, many)
        bus.close()
    process.reap_orphans()
    return 1 if board.missed else 0


if __name__ == "__main__":
    sys.exit(alone(int(sys.argv[1]), int(sys.argv[2])))
