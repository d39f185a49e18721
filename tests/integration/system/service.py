"""The installed service under a real systemd, and what an administrator does with it."""

import itertools
import os
import pathlib
import re
import subprocess

from bed import BUILD
from bed.daemon import Daemon, Result
from bed.process import run
from bed.watch import wait_until

UNIT = "print-connector.service"
STATE = pathlib.Path("/var/lib/print-connector")
SOCKET = pathlib.Path("/run/print-connector/control")
SETTINGS = pathlib.Path("/etc/print-connector")
CREDENTIALS = SETTINGS / "credentials"


def systemctl(*words, check=True):
    """Its output."""
    return run(["systemctl", "--no-pager", *words], 60, check).stdout


def drop_in(text, unit=UNIT):
    """Lines for the unit, until the box ends or the file is removed; its path."""
    path = pathlib.Path(f"/run/systemd/system/{unit}.d/test.conf")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    systemctl("daemon-reload")
    return path


def package(version="0.1.0"):
    """The file that make deb made."""
    found = sorted((BUILD / "deb").glob(f"print-connector_{version}*.deb"))
    assert found, f"no package of {version} in {BUILD}/deb: make deb"
    return found[-1]


def dpkg(*words, check=True):
    """What it printed."""
    done = run(["dpkg", *words], 120, check,
               env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    return done.stdout + done.stderr


class Service(Daemon):
    """What a Daemon of the test bed does, done by systemd: the process is the unit's."""

    def __init__(self, folder, clouds=None, cupsd=None, settings=None):
        super().__init__(folder, clouds, cupsd, settings)
        for key in ("state-directory", "runtime-directory", "cache-directory", "control-group"):
            del self.sections["connector"][key]
        self.config = SETTINGS / "conf.d/test.conf"
        self.state, self.socket = STATE, SOCKET
        self.process = Journal()

    def __exit__(self, kind, *exc):
        self.config.unlink(missing_ok=True)
        systemctl("stop", UNIT, check=False)
        systemctl("reset-failed", UNIT, check=False)

    close = None
    spawn = None
    kill = None

    def start(self, timeout=30):
        """systemctl start, which returns when it has said READY=1."""
        self.write_config()
        systemctl("start", UNIT)

    def stop(self, timeout=30):
        """systemctl stop."""
        systemctl("stop", UNIT)

    def restart(self):
        """systemctl restart."""
        systemctl("restart", UNIT)

    def reload(self, timeout=10):
        """systemctl reload."""
        self.write_config()
        systemctl("reload", UNIT)

    def show(self, name):
        """A property of the unit."""
        return systemctl("show", "--value", "-p", name, UNIT).strip()

    @property
    def pid(self):
        """Its main process, 0 for none."""
        return int(self.show("MainPID"))

    def wait_show(self, name, regex, timeout=40):
        """Until the property fits; its value."""
        def look():
            value = self.show(name)
            return value if re.search(regex, value) else None
        return wait_until(look, f"{name} of the service /{regex}/", timeout)

    def wait_another(self, pid, timeout=60):
        """Until systemd has started it again; the new main process."""
        def look():
            now = self.pid
            return now if now not in (0, pid) and self.show("ActiveState") == "active" else None
        return wait_until(look, "restart of the service", timeout)

    def wait(self, check, what, timeout=30):
        """First true result of check()."""
        return wait_until(check, what, timeout)

    def cli(self, *arguments, as_json=True, user=None, timeout=60):
        """Runs the installed command, as root or as another user with all groups of theirs."""
        argv = ["print-connector", *(["--json"] if as_json else []), *arguments]
        return Result(run(as_user(user, argv), timeout, check=False, cwd="/"))


def as_user(user, argv):
    """The command line which does that as this user."""
    return ["runuser", "-u", user, "--", *argv] if user else argv


class Journal:
    """Stands for the process in waits: its log is the unit's journal since now."""

    count = itertools.count()
    returncode = None
    name = "print-connector.service"

    def __init__(self):
        shown = run(["journalctl", "-n", "1", "--show-cursor", "-o", "cat"]).stdout
        self.cursor = re.search(r"^-- cursor: (\S+)$", shown, re.MULTILINE).group(1)

    @property
    def pid(self):
        """Of the main process."""
        return int(systemctl("show", "--value", "-p", "MainPID", UNIT))

    def lines(self, *words):
        """Lines of the unit since then."""
        return run(["journalctl", "-u", UNIT, "--after-cursor", self.cursor, "-o", "cat",
                    "--no-pager", *words]).stdout

    text = lines

    def mark(self):
        """A place in it."""
        return len(self.text())

    def tail(self, lines=15):
        """Its end, for a failure's report."""
        return "\n".join(self.text().splitlines()[-lines:])

    def wait_for_line(self, regex, timeout=10, since=0):
        """The match of the first line that fits."""
        def look():
            return re.search(regex, self.text()[since:], re.MULTILINE)
        return wait_until(look, f"line /{regex}/ in the journal", timeout)


def output(argv, user=None, timeout=60, **options):
    """(exit status, both outputs) of a command that may fail."""
    done = subprocess.run(as_user(user, [str(word) for word in argv]), text=True, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout, cwd="/", **options)
    return done.returncode, done.stdout


def resident(pid):
    """Kilobytes of anonymous memory."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))
