"""Programs that a test starts: each in its own process group, none of them outlives the test."""

import ctypes
import os
import pathlib
import re
import signal
import subprocess

from .watch import Timeout, wait_until

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

_libc = ctypes.CDLL(None, use_errno=True)


def become_subreaper():
    """What the children leave behind becomes ours, so that reap_orphans() finds it."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans():
    """Ends the processes that ended children left behind, which are our children now; known are
    those that a Process still stands for."""
    for path in pathlib.Path("/proc/self/task").glob("*/children"):
        try:
            pids = path.read_text().split()
        except (FileNotFoundError, ProcessLookupError):  # a thread that has ended
            continue
        for pid in map(int, pids):
            if pid not in Process.running:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def die_with_parent(number=signal.SIGKILL):
    """For a child: this signal when its parent ends, however it ends."""
    _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


class Process:
    """One running program. Its output goes to a log file, which may be waited on."""

    running = {}  # pid: Process

    def __init__(self, name, argv, log, env=None, user=None, group=None, fds=(), shared=False):
        self.name = name
        self.shared = shared  # lives longer than one test
        self.log = pathlib.Path(log)
        self.argv = [str(a) for a in argv]
        switch = {"user": user, "group": group, "extra_groups": []} if user is not None else {}
        with open(self.log, "ab") as out:
            self._start = out.tell()  # of this run in a log that may hold earlier ones
            self.popen = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd="/",
                env={**os.environ, **(env or {})}, start_new_session=True,
                preexec_fn=die_with_parent, pass_fds=fds, **switch)
        Process.running[self.pid] = self

    @property
    def pid(self):
        """Process id, also after the end."""
        return self.popen.pid

    @property
    def returncode(self):
        """Exit status, minus the signal, or None while it runs."""
        code = self.popen.poll()
        if code is not None:
            Process.running.pop(self.pid, None)
        return code

    def text(self):
        """What this run has logged."""
        with open(self.log, "rb") as log:
            log.seek(self._start)
            return log.read().decode(errors="replace")

    def mark(self):
        """A place in the log, for wait_for_line(since=...)."""
        return len(self.text())

    def tail(self, lines=15):
        """The last lines of the log, for a failure's report."""
        last = self.text().splitlines()[-lines:]
        return f"--- {self.name}: {self.log}\n" + "\n".join(last)

    def dump(self, folder):
        """All of its memory, as only root can have it; with a sanitizer that fills any disk."""
        run(["gcore", "-o", folder / "core", self.pid])
        return (folder / f"core.{self.pid}").read_bytes()

    def wait_for_line(self, regex, timeout=10, since=0):
        """The match of the first line that fits."""
        def look():
            return re.search(regex, self.text()[since:], re.MULTILINE)
        return wait_until(look, f"line /{regex}/ of {self.name}", timeout, [self.log], [self])

    def wait(self, timeout=10):
        """Exit status."""
        try:
            self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Timeout(f"{self.name} still runs after {timeout} s\n{self.tail()}") from None
        return self.returncode

    def signal(self, number):
        """To the program alone, as systemctl kill would."""
        self.popen.send_signal(number)

    def kill(self):
        """SIGKILL to the whole group, as when the machine goes away."""
        if self.returncode is None:
            os.killpg(self.pid, signal.SIGKILL)
        return self.wait()

    def stop(self, timeout=10):
        """SIGTERM, SIGKILL when that does not help. Exit status."""
        if self.returncode is None:
            self.popen.terminate()
            try:
                self.popen.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise Timeout(f"{self.name} ignores SIGTERM\n{self.tail()}") from None
        return self.returncode


def run(argv, timeout=30, check=True, **options):
    """A short command; its output is in the failure's text."""
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=timeout, **options)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(done.args)}: exit {done.returncode}\n"
                             f"{done.stdout}{done.stderr}")
    return done
