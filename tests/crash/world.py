"""One world that outlives many crashes of the daemon: a cloud, a cupsd with raw queues on socket
printers, IPP printers, and the daemon's state directory."""

import contextlib
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import sqlite3
import time

import pdf
from bed import ipp
from bed.bed import Bed
from bed.daemon import USER, Daemon
from bed.route import connect
from bed.watch import Timeout, wait_until

import ledger
from link import Cut, Links

RAW, IPP = 2, 2  # queues of each kind
UNWRITTEN = 35000  # ms for which cupsd may keep an end in memory only: DirtyCleanInterval and more
IN_FLIGHT = 100  # ms in which an answer of a cupsd that is dead still arrives


class TracedDaemon(Daemon):
    """Started under strace when there are injections: -e inject= expressions."""

    injections = ()
    calls = ()

    @property
    def trace(self):
        """What strace saw."""
        return self.dir / "trace"

    def command(self, argv):
        if not self.calls:
            return super().command(argv)
        words = [word for one in self.injections for word in ("-e", f"inject={one}")]
        if not any("signal=" in one for one in self.injections):
            words.append("--seccomp-bpf")  # cheaper, but with it no signal is ever sent
        # strace that is killed itself lets go of the daemon: which then ends as well
        user = ["setpriv", "--reuid", USER, "--regid", str(pwd.getpwnam(USER).pw_gid),
                "--clear-groups", "--pdeathsig", "KILL"]
        return ["strace", "-f", "-qq", "-yy", "-o", str(self.trace),
                "-e", "trace=" + ",".join(self.calls), *words, "--", *user, *map(str, argv)], {}

    def launch(self, calls=(), injections=()):
        """Starts it; does not wait for anything."""
        self.calls, self.injections = calls, injections
        self.trace.unlink(missing_ok=True)
        return self.spawn()

    def die(self):
        """SIGKILL, also to strace. Whether it was still alive."""
        alive = self.process.returncode is None
        self.process.kill()
        return alive

    def ask(self, method, parameters=None):
        """One call at the control socket; None when nobody answers."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
            control.settimeout(20)
            try:
                control.connect(str(self.socket))
                control.sendall(json.dumps({"method": "org.printconnector.Connector." + method,
                                            "parameters": parameters or {}}).encode() + b"\0")
                data = b""
                while not data.endswith(b"\0"):
                    more = control.recv(65536)
                    if not more:
                        return None
                    data += more
            except OSError:
                return None
        return json.loads(data[:-1]).get("parameters")

    def open_jobs(self):
        """{cloud's number and queue: job} of all that are not done; None: no answer."""
        answer = self.ask("ListJobs")
        if answer is None or "jobs" not in answer:
            return None
        return {(job["queue"], job["cloud_job"]): job for job in answer["jobs"]
                if job["state"] != "done"}

    def rows(self):
        """Durable states of the open jobs, as a crash leaves them: {uuid: state}."""
        return self.query("SELECT cloud_uuid, state FROM jobs WHERE state <> 'done'")

    def query(self, sql):
        """Of a copy of state.db, whose integrity is checked as well: pairs."""
        copy = self.dir / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()  # fails when somebody took the whole folder away
        assert (self.state / "state.db").exists(), f"{self.state}/state.db is gone"
        for name in ("state.db", "state.db-wal"):
            if (self.state / name).exists():
                shutil.copy(self.state / name, copy / name)
        base = sqlite3.connect(copy / "state.db")
        try:
            check = base.execute("PRAGMA quick_check").fetchone()[0]
            assert check == "ok", f"the database is damaged: {check}"
            return dict(base.execute(sql))
        finally:
            base.close()


class World:
    """Context manager. seed decides what is left to chance."""

    def __init__(self, folder, bus, rng, unknown="hold"):
        self.dir = pathlib.Path(folder)
        self.rng = rng
        self.bed = Bed(folder, bus)
        self.paper = ledger.Paper()
        self.routes = {}
        self.serial = 0
        self.crashed = {}     # uuids of jobs that were open when cupsd died: when, in ms
        self.unknown_there = set()  # (printer, number) of open jobs whose device the cloud lost
        self.left = 0      # documents at cupsd that it brought back when it was started again
        self.unknown = unknown
        self._paused = False  # or may be
        self._seen = {}

    def __enter__(self):
        self.bed.__enter__()
        cups = self.bed.start_cups(options={"LogLevel": "warn", "MaxJobs": "0",
                                             "JobRetryInterval": "1"})
        names = [f"r{n}" for n in range(RAW)] + [f"i{n}" for n in range(IPP)]
        self.cloud = self.bed.start_cloud(*names)
        self.record = ledger.Cloud(self.cloud.record)
        self.links = self.bed.enter(Links(self.states))
        self.to_cups = self.links.add(cups.socket, self.dir / "cups-link")
        self.daemon = TracedDaemon(
            self.dir / "daemon", {"test": {"uri": self.cloud.base()}}, cups,
            # else a job that is killed three times is held, and no longer has to be printed
            settings={"jobs": {"when-unknown": self.unknown, "quarantine-after": "1000"},
                      "printers": {"cups-server": self.to_cups.address}},
            env={"UV_THREADPOOL_SIZE": "1"})
        self.bed._stack.push(self.daemon.__exit__)
        self.daemon.start()
        self.sockets, self.eves, self.to_eves = [], [], []
        for name in names:
            self._connect(name)
        cups.restart()  # what it was told is on disk now, not in half a minute
        return self

    def _connect(self, name):
        if name.startswith("r"):
            printer = self.bed.socket_printer(name)
            self.bed.cups.add_raw(name, printer.uri)
            if name == "r0":
                self.bed.cups.fill_history(name)
            self.sockets.append(printer)
            queue = name
        else:
            printer = self.bed.ipp_printer(name)
            self.eves.append(printer)
            self.to_eves.append(self.links.add(("127.0.0.1", printer.port.number)))
            queue = f"ipp://127.0.0.1:{self.to_eves[-1].address[1]}/ipp/print"
        self.routes[name] = connect(self.bed, self.daemon, queue, name)

    def __exit__(self, *exc):
        self.daemon.die()
        self.daemon.close()
        self.cloud.expect_violations = True  # judged here
        return self.bed.__exit__(*exc)

    def break_cups(self, gently):
        """cupsd dies, or is stopped as systemctl does, and is started again."""
        here = {job.uuid for job in self.record.read()}
        if gently:
            self.bed.cups.stop()
        else:
            self.bed.cups.kill()
        self.links.down(self.to_cups)
        now = time.time() * 1000
        if not gently:  # what it had not written down yet it takes up once more
            here |= {uuid for uuid, end in self.ends().items() if end > now - UNWRITTEN}
        here |= {job.uuid for job in self.record.read()}
        self.crashed |= {uuid: now + IN_FLIGHT for uuid in here}
        self.bed.cups.start()
        self.links.up(self.to_cups)

    def link(self, where):
        """The link to cupsd, or to one of the printers."""
        return self.to_cups if where == "cups" else self.rng.choice(self.to_eves)

    def cut_link(self, fault):
        """One that is to come: "cups" or "printer" and an operation, and where it is cut."""
        where, operation = fault.call.split(" ")
        return self.links.cut(self.link(where), Cut(operation, fault.error, fault.how, fault.bytes,
                                                    int(2 * fault.where)))

    def states(self):
        """Of the open jobs, by the daemon's word."""
        return [job["state"] for job in (self.daemon.open_jobs() or {}).values()]

    def ends(self):
        """When the daemon knew the ends of jobs: {uuid: ms}."""
        return self.daemon.query("SELECT cloud_uuid, finished FROM jobs WHERE finished > 0")

    # ---- jobs --------------------------------------------------------------------------------

    def submit(self, printer, size=0):
        """A job whose document is unlike all others."""
        self.serial += 1
        name = f"job {self.serial}"
        document = pdf.make(1, size, text=name, seed=self.serial)
        self.paper.expect(name, document)
        return self.cloud.submit(document, printer, name=name, mime="application/pdf")

    def cancel_one(self, at_queue):
        """Somebody cancels a job that is open, in the cloud or here. Whether there was one."""
        waiting = [job for job in self.record.read() if job.told != ledger.HELD]
        if not waiting:
            return False
        job = self.rng.choice(waiting)
        if not at_queue:
            self.cloud.cancel(job.number, job.printer)
            return True
        mine = (self.daemon.open_jobs() or {}).get((self.routes[job.printer].queue, job.number))
        job.resolved |= mine is not None
        return mine is not None and self.daemon.ask("Cancel", {"id": mine["id"]}) is not None

    def pause_one(self):
        """A printer pauses and goes on: its row is written, and its file is replaced."""
        queue = self.rng.choice(list(self.routes.values())).queue
        with contextlib.suppress(Timeout):
            wait_until(lambda: self.daemon.process.returncode is not None or
                       self.daemon.ask("GetStatus") is not None, "an answer", 20,
                       [self.daemon.process.log], [self.daemon.process])
        self._paused = True
        for order in ("Pause", "Resume"):
            self.daemon.ask(order, {"queue": queue})

    def _resume_all(self):
        """A crash or a failure may have come between. Whether it is done."""
        self._paused &= any(self.daemon.ask("Resume", {"queue": route.queue}) != {}
                            for route in self.routes.values())
        return not self._paused

    def printers_behave(self, well):
        """What happens to documents that come from now on; not all fail."""
        for eve in self.eves:
            eve.mode = "ok" if well or self.rng.random() < 0.3 else "fail"

    def submit_some(self, count):
        """Jobs for any printers, most of them small."""
        for _ in range(count):
            self.submit(self.rng.choice(list(self.routes)),
                        self.rng.choice((0, 0, 0, 30000, 300000)))

    def _take_paper(self):
        for printer in self.sockets:
            entries = list(printer.ledger)
            for entry in entries[self._seen.get(printer, 0):]:
                self._came(entry)
            self._seen[printer] = len(entries)
        for printer in self.eves:
            entries = printer.ledger()
            for entry in entries[self._seen.get(printer, 0):]:
                self._came(entry)
            self._seen[printer] = len(entries)

    def _came(self, entry):
        self.paper.came(entry["sha256"], pathlib.Path(entry["file"]).read_bytes)

    # ---- waiting -----------------------------------------------------------------------------

    def _held(self):
        """Names of jobs that wait for an administrator; None: not at rest."""
        waiting = self.record.read()
        if any(job.told != ledger.HELD for job in waiting):
            return None
        mine = self.daemon.open_jobs()
        if mine is None or any(job["state"] != "held" for job in mine.values()):
            return None
        held = {(key, job["id"]) for key, job in mine.items()}
        queues = {self.routes[job.printer].queue: job.printer for job in waiting}
        names = {(queues.get(queue), number): own for (queue, number), own in held}
        if any((job.printer, job.number) not in names for job in waiting):
            return None
        return {job.name: names[(job.printer, job.number)] for job in waiting}

    def wait_end(self, timeout):
        """Until the daemon is dead ("dead"), all is at rest ("rest") or it takes too long
        ("slow")."""
        def look():
            if self.daemon.process.returncode is not None:
                return "dead"
            return "rest" if self._held() is not None else None
        try:
            return wait_until(look, "end", timeout,
                              [self.cloud.record, self.daemon.process.log],
                              [self.daemon.process])
        except Timeout:
            return "dead" if self.daemon.process.returncode is not None else "slow"

    def rest(self, timeout=100):
        """A daemon without faults until nothing is left to do; {name: id} of held jobs."""
        if self.daemon.process.returncode is not None:
            self.daemon.launch()

        wait_until(self._resume_all, "printers that go on", timeout, [self.daemon.process.log],
                   [self.daemon.process])

        def look():
            held = self._held()
            return None if held is None else (held, True)
        return wait_until(look, "rest", timeout,
                          [self.cloud.record, self.daemon.process.log], [self.daemon.process])[0]

    # ---- judging -----------------------------------------------------------------------------

    def _is_excused(self, breach):
        """Of a job whose device the cloud does not know any more no document is acknowledged."""
        return breach.startswith("unacknowledged-document") and any(
            breach.endswith(f" {printer} {number})") for printer, number in self.unknown_there)

    def cloud_forgets_devices(self):
        """It must be told of them again."""
        self.unknown_there |= {(job.printer, job.number) for job in self.record.read()}
        self.cloud.forget("devices,subscriptions")

    def _left_at_cups(self, everything):
        """Documents that cupsd has and that somebody may release; everything: or any open job."""
        for name in self.routes:
            if not name.startswith("r"):
                continue
            answer = self.bed.cups.client.request(
                "Get-Jobs", {"which-jobs": "not-completed", "requested-attributes": [
                    "job-id", "job-state", "number-of-documents", "job-printer-state-message"]},
                uri=self.bed.cups.uri(name))
            for job in answer.groups("job"):
                if everything or job.get("number-of-documents", 0):
                    yield (f"{name}: local job {job['job-id']} was left behind,"
                           f" {ipp.JOB_STATES[job['job-state']]}, with"
                           f" {job.get('number-of-documents')} documents:"
                           f" {job.get('job-printer-state-message')}")

    def judge(self):
        """Lets everything come to rest and gives every breach; held jobs are then ended."""
        breaches, late = [], False
        self.printers_behave(well=True)
        try:
            held = self.rest()
        except Timeout as slow:
            held, late = {}, True
            breaches.append(f"not at rest: {slow}")
        self.record.read()
        self.record.breaches = [one for one in self.record.breaches if not self._is_excused(one)]
        self.unknown_there = set()
        self._take_paper()
        ends = self.ends() if self.crashed else {}
        for job in self.record.jobs.values():
            crash = self.crashed.get(job.uuid)
            unseen = crash is not None and ends.get(job.uuid, crash) < crash
            breaches += [f"{job.name} ({job.printer} {job.number}): {text}" for text in
                         ledger.judge(job, self.paper, job.name in held,
                                      "unseen" if unseen else crash is not None)]
        breaches += self.paper.strange + self.record.breaches
        left = list(self._left_at_cups(everything=late))
        if late or not self.crashed:
            breaches += left
        else:  # cupsd that died brings jobs back as they were when it wrote them down
            self.left = max(self.left, len(left))
        breaches += [f"set aside: {path.name}" for path in self.daemon.state.glob("*damaged*")]
        self.paper.strange, self.record.breaches = [], []
        for job in self.record.jobs.values():
            if job.name in held:
                job.resolved = True
        if not late:
            for mine in (self.daemon.open_jobs() or {}).values():  # forgotten ones as well
                self.daemon.ask("Cancel", {"id": mine["id"]})
            self.rest()
        self._tidy()
        return breaches, len(held)

    def _tidy(self):
        for printer in self.eves:
            for path in [*(printer.dir / "spool").rglob("*"), *printer.dir.glob("[0-9]*.*")]:
                if path.is_file():
                    path.unlink()

    def pid(self):
        """Of the daemon itself, not of strace."""
        pid = self.daemon.process.pid
        if not self.daemon.calls:
            return pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else pid

    def stop(self):
        """SIGTERM to the daemon itself; exit status."""
        os.kill(self.pid(), signal.SIGTERM)
        return self.daemon.process.wait(20)


INJECTED = re.compile(r"^(\d+) +(\w+)\((\d+(?:<(.*?)>(?=[,)\s]))?)?")


def place(described, ports):
    """Where a call went, for the table, by strace's word for its descriptor."""
    if not described:
        return "-"
    for text, word in (("state.db", "store"), ("/printers", "store"), ("/keys", "keys"),
                       ("daemon.log", "log"), ("UNIX-STREAM", "cups"), ("/transit", "transit"),
                       ("/cache", "transit")):
        if text in described:
            return word
    port = re.search(r"->127\.0\.0\.1:(\d+)", described)
    if port:
        return ports.get(int(port.group(1)), "tcp")
    return "other"
