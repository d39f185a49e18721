"""print-connectord as an unprivileged user, and the command line at its control socket."""

import contextlib
import json
import os
import pathlib
import pwd
import re
import select
import shutil
import signal
import socket
import time

from . import BUILD
from .process import Process, run
from .watch import Timeout, wait_until

USER = "nobody"
SANITIZER = re.compile(r"(?:Address|Leak|UndefinedBehavior)Sanitizer|runtime error:")


class Result:
    """What a verb did: exit status, its JSON objects (data: the last), and its two outputs."""

    def __init__(self, done):
        self.code = done.returncode
        self.stdout = done.stdout
        self.stderr = done.stderr
        self.lines = [json.loads(line) for line in done.stdout.splitlines()
                      if line.startswith("{")]
        self.data = self.lines[-1] if self.lines else None

    @property
    def error(self):
        """{"kind", "code", "text", "remedy"} of a failure, else None."""
        return (self.data or {}).get("error")

    def __repr__(self):
        return f"<exit {self.code}: {self.stdout}{self.stderr}>"


def reachable(program, folder):
    """The program, or a copy of it in the folder where other users cannot get at it."""
    program = pathlib.Path(program)
    if all(path.stat().st_mode & 0o001 for path in [program, *program.resolve().parents]):
        return program
    copy = pathlib.Path(folder) / program.name
    shutil.copy(program, copy)
    copy.chmod(0o755)
    return copy


def contents(*folders, wanted=pathlib.Path.is_file):
    """{path: bytes} of the files below; what goes away meanwhile was not there."""
    found = {}
    for folder in folders:
        for place, _, names in os.walk(folder):
            for path in (pathlib.Path(place) / name for name in names):
                with contextlib.suppress(FileNotFoundError):
                    if wanted(path) and path.is_file():
                        found[path] = path.read_bytes()
    return found


def ensure_machine_id():
    """Every installed system has one, a bare container may not; the daemon needs it."""
    path = pathlib.Path("/etc/machine-id")
    if os.geteuid() == 0 and not (path.exists() and path.stat().st_size):
        path.unlink(missing_ok=True)
        run(["dbus-uuidgen", f"--ensure={path}"])


class Daemon:
    """Context manager. clouds: {name: {key: value}}; settings: {section: {key: value}} beside
    them. Leaving it stops the daemon and fails when that takes long, when it does not exit with 0
    or when a sanitizer had something to say."""

    def __init__(self, folder, clouds=None, cupsd=None, settings=None, env=None, expect_clean=True):
        self.dir = pathlib.Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.dir.chmod(0o755)
        self.config = self.dir / "print-connector.conf"
        self.state = self.dir / "state"
        self.runtime = self.dir / "runtime"
        self.cache = self.dir / "cache"
        self.socket = self.runtime / "control"
        self.env = env or {}
        self.sections = {
            "connector": {"name": "test", "state-directory": self.state,
                          "runtime-directory": self.runtime, "cache-directory": self.cache,
                          "control-group": "nogroup",
                          "crash-pause": 0},  # tests kill it often
            "printers": {"cups-server": cupsd.socket if cupsd else self.dir / "no-cups.sock"},
            "log": {"level": "debug", "names": "shown"},
        }
        for name, keys in (clouds or {}).items():
            self.sections[f"cloud {name}"] = {"type": "ipp-infra", **keys}
        for name, keys in (settings or {}).items():
            self.sections.setdefault(name, {}).update(keys)
        self.process = None
        self.expect_clean = expect_clean
        self._notify = None
        self._owner = pwd.getpwnam(USER) if os.geteuid() == 0 else None
        for path in (self.state, self.runtime, self.cache):
            path.mkdir(exist_ok=True)
            if self._owner:
                os.chown(path, self._owner.pw_uid, self._owner.pw_gid)
        self.state.chmod(0o700)

    def write_config(self):
        """sections to the file; start() does it too."""
        text = ""
        for name, keys in self.sections.items():
            text += f"[{name}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()) + "\n"
        self.config.write_text(text)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *exc):
        if kind is not None or not self.process:
            self.close()
            return
        if self.process.returncode is None:
            code = self.stop()
            assert code == 0 or not self.expect_clean, f"exit {code}\n{self.process.tail(40)}"
        self.close()
        log = self.process.log.read_text(errors="replace")
        assert not SANITIZER.search(log), log[SANITIZER.search(log).start():][:4000]

    def close(self):
        """Ends it, whatever it is doing."""
        if self.process:
            self.process.kill()
        if self._notify:
            self._notify.close()
            self._notify = None

    def spawn(self, *arguments, config=True):
        """Starts it without waiting for READY=1: for starts that are expected to fail."""
        if config:
            self.write_config()
        ensure_machine_id()
        if self._notify:
            self._notify.close()
        path = self.dir / "notify"
        path.unlink(missing_ok=True)
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(path))
        path.chmod(0o666)
        argv, switch = self.command([reachable(BUILD / "print-connectord", self.dir),
                                     "--config", self.config, *arguments])
        self.process = Process("print-connectord", argv, self.dir / "daemon.log",
                               {"NOTIFY_SOCKET": str(path), "HOME": "/nonexistent", **self.env},
                               **switch)
        return self.process

    def command(self, argv):
        """What is run, and as whom."""
        if not self._owner:
            return argv, {}
        return argv, {"user": self._owner.pw_uid, "group": self._owner.pw_gid}

    def start(self, timeout=20):
        """Returns when it has said READY=1."""
        self.spawn()
        self.wait_notify("READY=1", timeout)

    def wait_notify(self, line, timeout=20):
        """Waits for a line of sd_notify; the message that has it."""
        deadline = time.monotonic() + timeout
        end = os.pidfd_open(self.process.pid) if self.process.returncode is None else None
        try:
            while True:
                left = deadline - time.monotonic() if end is not None else 0
                fds = [self._notify] + ([end] if end is not None else [])
                ready = select.select(fds, [], [], max(0, left))[0]
                if self._notify in ready:
                    message = self._notify.recv(65536).decode()
                    if line in message.splitlines():
                        return message
                elif ready or end is None:
                    raise Timeout(f"ended before {line}\n{self.process.tail(40)}")
                elif left <= 0:
                    raise Timeout(f"no {line} after {timeout} s\n{self.process.tail(40)}")
        finally:
            if end is not None:
                os.close(end)

    def stop(self, timeout=30):
        """SIGTERM, which waits 20 s for hand-overs that stall; exit status."""
        return self.process.stop(timeout)

    def kill(self):
        """SIGKILL."""
        return self.process.kill()

    def restart(self):
        """As systemctl restart."""
        code = self.stop()
        assert code == 0, f"exit {code}\n{self.process.tail(40)}"
        self.start()

    def reload(self, timeout=10):
        """SIGHUP, after which it is ready again with new settings or the old."""
        self.write_config()
        self.process.signal(signal.SIGHUP)
        self.wait_notify("READY=1", timeout)

    def wait_for_line(self, regex, timeout=20, since=0):
        """A line of its log since it was started; since: a place from mark()."""
        return self.process.wait_for_line(regex, timeout, since)

    def mark(self):
        """Where the log ends now."""
        return self.process.mark()

    def files(self):
        """{path: bytes} of all that it keeps."""
        return contents(self.state, self.runtime, self.cache)

    # ---- the command line --------------------------------------------------------------------

    def cli(self, *arguments, as_json=True, user=None, timeout=60):
        """Runs a verb, as root or as another user; never fails by itself."""
        switch = {}
        if user is not None:
            entry = pwd.getpwnam(user)
            switch = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        return Result(run([reachable(BUILD / "print-connector", self.dir), "--socket", self.socket,
                           *(["--json"] if as_json else []), *arguments],
                          timeout, check=False, cwd="/", **switch))

    def verb(self, *arguments, codes=(0,), **options):
        """A verb that must end with one of the exit codes; its JSON."""
        result = self.cli(*arguments, **options)
        assert result.code in codes, f"{arguments}: {result!r}\n{self.process.tail(30)}"
        return result.data

    def register(self, queue, uri, *options, cloud="test"):
        """Registers a queue for a printer of the cloud; the printer as `printers` shows it."""
        self.verb("register", queue, "--cloud", cloud, "--cloud-uri", uri, *options,
                  codes=(0, 4))  # 4: with a warning, of a queue without a driver say
        return self.printer(queue)

    def printers(self):
        """All registered printers."""
        return self.verb("printers")["printers"]

    def printer(self, queue):
        """One of them, by queue; None when it is not registered."""
        return next((p for p in self.printers() if p["queue"] == queue), None)

    def jobs(self, *options):
        """Jobs that are open, with "--all" all that are kept."""
        return self.verb("jobs", *options)["jobs"]

    def job(self, number):
        """One job with its events."""
        return self.verb("job", str(number))

    def wait(self, check, what, timeout=30):
        """First true result of check(), looked at whenever the daemon logs."""
        return wait_until(check, what, timeout, [self.process.log], [self.process])

    def wait_printer(self, queue, state="online", timeout=30):
        """The printer, when it is in the state."""
        def look():
            printer = self.printer(queue)
            return printer if printer and printer["state"] == state else None
        return self.wait(look, f"{queue} {state}", timeout)

    def wait_jobs(self, count, state="done", outcome=None, timeout=60):
        """All jobs, oldest first, when so many are in the state (with that outcome)."""
        def look():
            jobs = self.jobs("--all")
            fit = [j for j in jobs if j["state"] == state
                   and (outcome is None or j["outcome"] == outcome)]
            return sorted(jobs, key=lambda j: j["id"]) if len(fit) >= count else None
        return self.wait(look, f"{count} jobs {outcome or state}", timeout)
