"""The daemon on a machine that has run out of something, or whose clock is moved."""

import contextlib
import pathlib
import platform
import pwd
import signal

from .daemon import USER, Daemon
from .process import Process, run

FAKETIME = pathlib.Path(f"/usr/lib/{platform.machine()}-linux-gnu/faketime/libfaketimeMT.so.1")


class SmallStateDaemon(Daemon):
    """Its state directory is a file system of its own, in a private mount namespace that a process
    beside it holds."""

    holder = None

    def mount(self, options):
        """Before the first start."""
        script = (f"mount -t tmpfs -o mode=0700,uid={self._owner.pw_uid},gid={self._owner.pw_gid},"
                  f"{options} state {self.state} && echo mounted && exec tail -f /dev/null")
        self.holder = Process("holder", ["unshare", "-m", "--propagation", "private", "sh", "-c",
                                         script], self.dir / "holder.log")
        self.holder.wait_for_line("mounted")
        return self

    @property
    def inside(self):
        """The state directory as the daemon sees it."""
        return pathlib.Path(f"/proc/{self.holder.pid}/root{self.state}")

    def command(self, argv):
        who = (f"--reuid={self._owner.pw_uid}", f"--regid={self._owner.pw_gid}", "--clear-groups")
        return ["nsenter", f"--mount=/proc/{self.holder.pid}/ns/mnt", "setpriv", *who,
                "--pdeathsig=KILL", *argv], {}

    def remount(self, option):
        """As mount -o remount,OPTION."""
        run(["nsenter", f"--mount=/proc/{self.holder.pid}/ns/mnt", "mount", "-o",
             f"remount,{option}", self.state])

    @contextlib.contextmanager
    def full(self):
        """No byte is left."""
        path = self.inside / "ballast"
        with open(path, "wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(4096))
        try:
            yield
        finally:
            path.unlink()

    @contextlib.contextmanager
    def without_inodes(self):
        """No file can be made."""
        made = []
        with contextlib.suppress(OSError):
            while True:
                path = self.inside / f"ballast-{len(made)}"
                path.touch()
                made.append(path)
        try:
            yield
        finally:
            for path in made:
                path.unlink()

    def close(self):
        """The namespace goes with its last process."""
        super().close()
        if self.holder:
            self.holder.kill()


@contextlib.contextmanager
def failing(daemon, calls, error):
    """Each of these system calls of the running daemon fails so."""
    log = daemon.dir / "strace.log"
    words = [word for call in calls for word in ("-e", f"inject={call}:error={error}")]
    tracer = Process("strace", ["strace", "-f", "-o", "/dev/null", "-e",
                                f"trace={','.join(calls)}", *words, "-p", daemon.process.pid], log)
    tracer.wait_for_line("attached")
    try:
        yield
    finally:
        tracer.signal(signal.SIGINT)
        tracer.wait()


@contextlib.contextmanager
def limited(daemon, what, value):
    """A soft limit of the running daemon: nofile, as. Set by its own user, which needs no right."""
    entry = pwd.getpwnam(USER)

    def prlimit(*words):
        return run(["prlimit", "--pid", daemon.process.pid, *words], user=entry.pw_uid,
                   group=entry.pw_gid, extra_groups=[]).stdout.strip()
    old = prlimit(f"--{what}", "--noheadings", "--output=SOFT")
    prlimit(f"--{what}={value}:")
    try:
        yield
    finally:
        if daemon.process.returncode is None:
            prlimit(f"--{what}={old}:")


class FakeClock:
    """The wall clock of a daemon started with env; the monotonic one goes on."""

    def __init__(self, folder):
        self._file = folder / "clock"
        self.move("+0")
        self.env = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(self._file),
                    "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                    "FAKETIME_DONT_RESET": "1"}

    def move(self, offset):
        """"+10y", "-10y", "+0": from the real time."""
        aside = self._file.with_suffix(".new")
        aside.write_text(offset + "\n")
        aside.chmod(0o644)
        aside.rename(self._file)
