"""Speed and memory of the connector, each figure beside the same thing without it in the same run:
the same client sends the same document straight to the same printer. Prints a table, writes
bench.json into the build folder; exit 1 when a limit is missed.

    make bench [BENCH_ARGS=--quick]"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import shutil
import signal
import socket
import sqlite3
import statistics
import sys
import tempfile
import threading
import time

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "integration"), str(TESTS / "lib")]

import measure
import pdf
import up_bench
from bed import BUILD, process
from bed.backlog import CREATED, fill
from bed.bed import Bed
from bed.daemon import Daemon
from bed.ippeve import Bus
from bed.watch import wait_until

PRINTERS = 20
DARK = 5  # printers of the cloud whose name is never resolved
MB = 1024 * 1024
EATMYDATA = "libeatmydata.so"


class Sink:
    """A printer on a TCP port that takes bytes as fast as they come and keeps none."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._take, args=(connection,), daemon=True).start()

    @staticmethod
    def _take(connection):
        room = bytearray(MB)
        with connection:
            while connection.recv_into(room):
                pass

    def close(self):
        """No more jobs."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class SilentNames:
    """A DNS server that takes every query and answers none, and a resolv.conf that names it."""

    def __init__(self, folder):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        address = f"127.{os.getpid() % 250 + 1}.53.53"
        self._socket.bind((address, 53))
        self.resolv = folder / "resolv.conf"
        self.resolv.write_text(f"nameserver {address}\n")
        self.resolv.chmod(0o644)
        self.queries = 0
        self._change = threading.Condition()
        threading.Thread(target=self._swallow, daemon=True).start()

    def _swallow(self):
        while True:
            try:
                self._socket.recv(4096)
            except OSError:
                return
            with self._change:
                self.queries += 1
                self._change.notify_all()

    def wait(self, count, timeout=30):
        """Until so many queries have come."""
        with self._change:
            if not self._change.wait_for(lambda: self.queries >= count, timeout):
                raise AssertionError(f"{self.queries} of {count} DNS queries in {timeout} s")

    def close(self):
        """Gone."""
        self._socket.close()


class Board:
    """The figures as they come."""

    def __init__(self, quick):
        self.quick = quick
        self.rows = []
        print(f"{'':42} {'figure':>10} {'beside':>10} {'ratio':>6} {'limit':>6}")

    def add(self, name, figure, unit, *, beside=None, ratio=None, limit=None, at_least=False,
            skipped=None, samples=None):
        """One row. The limit is for the ratio where there is one, else for the figure."""
        judged = figure if ratio is None else ratio
        ok = None
        if limit is not None and judged is not None and not skipped:
            ok = judged >= limit if at_least else judged <= limit
        self.rows.append({"name": name, "figure": figure, "unit": unit, "beside": beside,
                          "ratio": ratio, "limit": limit, "at_least": at_least, "ok": ok,
                          "skipped": skipped, "samples": samples})
        def show(value, suffix=""):
            return "" if value is None else f"{value:.{1 if value >= 10 else 2}f}{suffix}"
        verdict = {True: "ok", False: "MISSED", None: ""}[ok]
        line = (f"{name:42} {show(figure, ' ' + unit):>10} {show(beside, ' ' + unit):>10}"
                f" {show(ratio):>6} {show(limit):>6} {verdict}")
        print(f"{name:42} skipped: {skipped}" if skipped else line.rstrip(), flush=True)

    @property
    def missed(self):
        """Rows beyond their limit."""
        return [row for row in self.rows if row["ok"] is False]

    def write(self, path):
        """bench.json"""
        path.write_text(json.dumps({
            "schema": 1, "quick": self.quick, "processors": os.cpu_count(),
            "kernel": platform.release(), "load": os.getloadavg(), "missed": len(self.missed),
            "rows": self.rows}, indent=1) + "\n")


class BenchDaemon(Daemon):
    """With a resolv.conf of its own when it has been given one."""

    resolv = None

    def command(self, argv):
        """In a mount namespace where /etc/resolv.conf is ours."""
        if not self.resolv:
            return super().command(argv)
        who = f"--reuid={self._owner.pw_uid} --regid={self._owner.pw_gid} --clear-groups"
        return ["unshare", "-m", "--propagation", "private", "sh", "-c",
                f'mount --bind {self.resolv} "$(readlink -f /etc/resolv.conf)" &&'
                f' exec setpriv {who} --pdeathsig=KILL "$@"', "sh", *argv], {}


class Bench:
    """One daemon with 20 printers: p0 is the IPP printer itself, p1 a raw queue into the sink, the
    others driverless queues and queues with a driver."""

    def __init__(self, bed, board, sink):
        self.bed, self.board = bed, board
        self.quick = board.quick
        self.eve = bed.ipp_printer(command="/bin/true")
        self.cups = bed.start_cups(options={"LogLevel": "warn", "PreserveJobFiles": "No",
                                            "MaxJobs": "0"})
        self.small, self.large = bed.dir / "small.pdf", bed.dir / "large.pdf"
        self.small.write_bytes(pdf.make(1, 9500))
        self.large.write_bytes(pdf.make(1, 20 * MB))
        self.cups.add_raw("raw", sink.uri)
        self.queues = [self.eve.uri, "raw"]
        for n in range(2, PRINTERS + DARK):
            self.queues.append(f"q{n}")
            if n % 2:
                self.cups.add_pcl(f"q{n}", sink.uri)
            else:
                self.cups.add_driverless(f"q{n}", self.eve.uri)
        self.cloud = bed.start_cloud(*(f"p{n}" for n in range(PRINTERS + DARK)))
        self.daemon = bed.enter(BenchDaemon(
            bed.dir / "daemon", {name: {"uri": self.cloud.base()} for name in ("test", "dark")},
            self.cups, settings={"log": {"level": "info", "names": "hidden"}}))
        self.base = self.stalled_at = None

    def serve(self, numbers, cloud="test"):
        """Registers these; returns when the cloud has met them all."""
        for n in numbers:
            self.daemon.register(self.queues[n], self.cloud.uri(f"p{n}"), cloud=cloud)
        for n in numbers:
            self.cloud.wait_device(f"p{n}", timeout=60)

    def warm_up(self):
        """Connections are open, statements are prepared: the first job is not what is measured."""
        measure.single(3, (self.cloud.uri("p0"), self.small), (self.cloud.uri("p1"), self.small))

    def tidy(self):
        """ippeveprinter keeps every document."""
        for path in (self.eve.dir / "spool").rglob("*"):
            if path.is_file():
                path.unlink()

    # ---- memory ------------------------------------------------------------------------------

    def idle_memory(self, when, limit=True):
        """With all printers served and nothing to do."""
        now = measure.memory(self.daemon.process.pid)
        self.board.add(f"anonymous memory, {PRINTERS} printers, {when}", now["anonymous"], "MB",
                       limit=6 if limit else None)
        self.board.add("  all resident (RSS)", now["rss"], "MB")
        self.board.add("  shared parts shared out (PSS)", now["pss"], "MB")
        self.base = now["anonymous"]

    def memory_streaming(self, name, printer):
        """While 20 MB go through."""
        with measure.Peak(self.daemon.process.pid) as peak:
            measure.single(2 if self.quick else 5, (self.cloud.uri(printer), self.large))
        self.board.add(f"  more, 20 MB stream to {name}", peak.anonymous - self.base, "MB",
                       limit=2)
        self.tidy()

    def memory_stalled(self, name, printer, program, spool):
        """While the program that takes the document stands still in the middle of it."""
        pid = program.process.pid
        known = {path for path in spool.rglob("*") if path.is_file()}
        stopped = threading.Event()

        def stop_in_the_middle():
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                for path in spool.rglob("*"):
                    with contextlib.suppress(OSError):
                        if path not in known and path.is_file() and path.stat().st_size > MB:
                            os.kill(pid, signal.SIGSTOP)
                            self.stalled_at = path.stat().st_size
                            stopped.set()
                            return
        watch = threading.Thread(target=stop_in_the_middle)
        watch.start()
        try:
            job = self.cloud.submit(self.large, printer, mime="application/pdf")
            if not stopped.wait(30):
                raise AssertionError(f"{name} never began to take 20 MB")
            with measure.Peak(self.daemon.process.pid) as peak:
                wait_until(lambda: peak.samples >= 200, "samples of memory", 30, look_again=0.1)
        finally:
            os.kill(pid, signal.SIGCONT)
            watch.join()
        self.cloud.wait_job(job, printer, timeout=60)
        middle = self.stalled_at < self.large.stat().st_size
        self.board.add(f"  more, {name} stalls in 20 MB", peak.anonymous - self.base, "MB",
                       limit=2, skipped=None if middle else "it was too fast to be stopped")
        self.tidy()

    # ---- speed -------------------------------------------------------------------------------

    def latency(self, name, printer, uri, path, rounds, limit):
        """One job at a time, straight and through the cloud in turn."""
        straight, through = measure.single(rounds, (uri, path), (self.cloud.uri(printer), path))
        middle = [statistics.median(way) for way in (straight, through)]
        self.board.add(name, middle[1], "ms", beside=middle[0], ratio=middle[1] / middle[0],
                       limit=limit, samples={"straight": straight, "through": through})
        self.tidy()

    def bursts(self, jobs, rounds, limit):
        """Straight with one submitter, who sends the next job when the last one is done, since the
        printer takes one at a time; through the cloud with four, who do not wait. Beside it what
        the printer can do at most, when it is asked again and again while it is busy."""
        straight, hurried, through = [], [], []
        for _ in range(rounds):
            alone = measure.single(jobs, (self.eve.uri, self.small))[0]
            straight.append(1e3 * jobs / sum(alone))
            through.append(measure.burst(jobs, 4, self.cloud.uri("p0"), self.small))
            hurried.append(measure.burst(jobs, 1, self.eve.uri, self.small))
        middle = [statistics.median(way) for way in (straight, through)]
        self.board.add(f"burst of {jobs} jobs, jobs a second", middle[1], "/s", beside=middle[0],
                       ratio=middle[1] / middle[0], limit=limit, at_least=True,
                       samples={"straight": straight, "through": through})
        self.board.add("  straight, the printer never left alone", statistics.median(hurried),
                       "/s", samples=hurried)
        self.tidy()

    # ---- durability and recovery ---------------------------------------------------------------

    def durability(self, jobs, rounds):
        """What it costs that a job is never lost: the same bursts in turn with and without syncing,
        which libeatmydata leaves out as synchronous=OFF would. The daemon itself cannot."""
        syncs = measure.fdatasync(self.daemon.state)
        disk = statistics.median(syncs)
        self.board.add("fdatasync of 4 KB on the state's disk", disk, "ms", samples=syncs)
        before = measure.commits(self.daemon)
        measure.single(jobs // 10, (self.cloud.uri("p0"), self.small))
        self.board.add("commits per job, one at a time",
                       (measure.commits(self.daemon) - before) / (jobs // 10), "", limit=5)
        rates, joined = {"synced": [], "not": []}, []
        for _ in range(rounds):
            for way, env in (("synced", {}), ("not", {"LD_PRELOAD": EATMYDATA})):
                self.daemon.env = env
                self.daemon.restart()
                self.cloud.wait_device("p0", timeout=60)
                self.warm_up()
                before = measure.commits(self.daemon)
                rates[way].append(measure.burst(jobs, 4, self.cloud.uri("p0"), self.small))
                if way == "synced":
                    joined.append((measure.commits(self.daemon) - before) / jobs)
        self.daemon.env = {}
        self.daemon.restart()
        self.board.add("commits per job, joined in a burst", statistics.median(joined), "",
                       limit=5, samples=joined)
        middle = {way: statistics.median(rate) for way, rate in rates.items()}
        self.board.add("burst, beside it without syncing", middle["synced"], "/s",
                       beside=middle["not"], ratio=middle["synced"] / middle["not"], limit=0.8,
                       at_least=True, samples=rates,
                       skipped=None if disk < 1 else f"the disk takes {disk:.1f} ms for a sync")
        self.tidy()

    def recovery(self, jobs):
        """A start with so many open jobs, beside one with none; half are to be told to the cloud,
        half are held."""
        half = jobs // 2
        owner = self.daemon.printer("raw")["id"]
        begun, printed = {}, {}
        for way in ("none", "many"):
            self.daemon.stop()
            if way == "many":
                fill(self.daemon.state, owner, half, "reporting")
                fill(self.daemon.state, owner, half, "held", first=500000)
            number = self.cloud.submit(self.small, "p0", mime="application/pdf")
            begin = time.perf_counter()
            self.daemon.start()
            begun[way] = 1e3 * (time.perf_counter() - begin)
            self.cloud.wait_job(number, "p0", timeout=60)
            printed[way] = 1e3 * (time.perf_counter() - begin)
        self.board.add(f"ready, with {jobs} open jobs", begun["many"], "ms", beside=begun["none"],
                       limit=1000)
        self.board.add("  a job for another printer has ended", printed["many"], "ms",
                       beside=printed["none"])
        self.tidy_history()

    # ---- the command line --------------------------------------------------------------------

    def command_line(self, jobs, rounds):
        """What people type, with so many jobs in history, beside a run that asks nobody."""
        verbs = {"--version": ["--version"], "status": ["status"], "jobs": ["jobs"],
                 "jobs --all": ["jobs", "--all"]}
        owner = self.daemon.printer("raw")["id"]
        self.daemon.stop()
        fill(self.daemon.state, owner, jobs, "done")
        self.daemon.start()
        took = {name: [] for name in verbs}
        for _ in range(rounds):
            for name, words in verbs.items():
                begin = time.perf_counter()
                result = self.daemon.cli(*words, as_json=False)
                took[name].append(1e3 * (time.perf_counter() - begin))
                assert result.code in (0, 4), result
        middle = {name: statistics.median(times) for name, times in took.items()}
        for name in ("status", "jobs", "jobs --all"):
            self.board.add(f"{name}, {jobs} jobs in history", middle[name], "ms",
                           beside=middle["--version"], limit=20, samples=took[name])
        self.tidy_history()

    def tidy_history(self):
        """Takes back what fill() made."""
        self.daemon.stop()
        with contextlib.closing(sqlite3.connect(self.daemon.state / "state.db")) as state, state:
            state.execute("DELETE FROM jobs WHERE cloud_created = ?", (CREATED,))
        self.daemon.start()

    # ---- the loop ----------------------------------------------------------------------------

    def lag(self, name):
        """99 of 100 turns of the loop were shorter."""
        lags = measure.lag(self.daemon)
        worst, turns = measure.percentile(lags, 0.99)
        self.board.add(f"loop lag, 99th percentile{name}", worst, "ms", limit=50, samples=lags,
                       skipped=None if turns else "the daemon gave no metrics")

    def silent_names(self):
        """The daemon starts again; the name of its second cloud is never resolved. Both clouds
        share the loop."""
        name = "loop lag, DNS that never answers"
        if os.geteuid() != 0:
            self.board.add(name, None, "ms", limit=50, skipped="a private resolv.conf needs root")
            return
        numbers = range(PRINTERS, PRINTERS + DARK)
        self.serve(numbers, "dark")
        self.daemon.stop()
        dark = "ipps://cloud.bench.example/ipp/print"
        with contextlib.closing(sqlite3.connect(self.daemon.state / "state.db")) as state, state:
            for n in numbers:
                state.execute("UPDATE printers SET cloud_uri = ? WHERE queue = ?",
                              (f"{dark}/p{n}", self.queues[n]))
        self.daemon.sections["cloud dark"]["uri"] = dark
        with contextlib.closing(SilentNames(self.bed.dir)) as names:
            self.daemon.resolv = names.resolv
            self.daemon.start()
            names.wait(1)
            for n in range(PRINTERS):
                self.cloud.wait_device(f"p{n}")
            straight, through = measure.single(
                20 if self.quick else 60, (self.eve.uri, self.small),
                (self.cloud.uri("p0"), self.small))
            middle = [statistics.median(way) for way in (straight, through)]
            self.board.add("10 KB, DNS that never answers", middle[1], "ms", beside=middle[0],
                           ratio=middle[1] / middle[0], limit=3)
            names.wait(4)
            self.lag(", silent DNS")


def run(bench, board):
    """Everything, in the order of the table."""
    quick = board.quick
    bench.cloud.watch(bench.daemon)
    bench.serve(range(PRINTERS))
    bench.idle_memory("new")
    bench.memory_streaming("a CUPS queue", "p1")
    bench.memory_streaming("an IPP printer", "p0")
    bench.memory_stalled("CUPS", "p1", bench.cups, bench.cups.dir / "spool")
    bench.memory_stalled("an IPP printer", "p0", bench.eve, bench.eve.dir / "spool")
    bench.warm_up()
    bench.latency("10 KB to an IPP printer", "p0", bench.eve.uri, bench.small,
                  50 if quick else 200, 3)
    bench.latency("10 KB to a CUPS queue", "p1", bench.cups.uri("raw", port=True), bench.small,
                  10 if quick else 50, None)
    bench.latency("20 MB to a CUPS queue", "p1", bench.cups.uri("raw", port=True), bench.large,
                  5 if quick else 15, 2.5)
    bench.latency("20 MB to an IPP printer", "p0", bench.eve.uri, bench.large,
                  5 if quick else 15, 3.5)
    bench.bursts(200, 1 if quick else 5, 0.7)
    bench.idle_memory("worked")
    bench.lag("")
    bench.durability(200, 3 if quick else 5)
    bench.recovery(10000)
    bench.command_line(10000, 20 if quick else 50)
    bench.silent_names()


def main():
    """Exit status."""
    words = argparse.ArgumentParser(description="speed and memory, beside printing directly")
    words.add_argument("--quick", action="store_true",
                       help="fewer repetitions and printers, minutes")
    quick = words.parse_args().quick
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    if os.geteuid() != 0:
        print("bench: a private cupsd and printer need root: run `make bench`", file=sys.stderr)
        return 2
    process.become_subreaper()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pc-", dir="/tmp"))
    folder.chmod(0o755)
    bus = None
    board = Board(quick)
    try:
        (folder / "bus").mkdir()
        bus = Bus(folder / "bus")
        with contextlib.closing(Sink()) as sink, Bed(folder, bus) as bed:
            run(Bench(bed, board, sink), board)
        (folder / "many").mkdir()
        (folder / "many").chmod(0o755)
        with Bed(folder / "many", bus) as bed:
            up_bench.rows(board, bed, *((20, 100) if quick else (100, 1000)))
    finally:
        if bus:
            bus.close()
        for one in list(process.Process.running.values()):
            one.kill()
        process.reap_orphans()
        if "KEEP" not in os.environ:
            shutil.rmtree(folder, ignore_errors=True)
        board.write(BUILD / "bench.json")
    for row in board.missed:
        print(f"missed: {row['name']}")
    print(f"{BUILD / 'bench.json'} has every sample")
    return 1 if board.missed else 0


if __name__ == "__main__":
    sys.exit(main())
