"""ippeveprinter as the IPP printer, with the private D-Bus and Avahi which it needs."""

import contextlib
import fcntl
import json
import pathlib
import shutil

from . import LIB, ipp
from .net import Port
from .process import Process
from .watch import wait_until

BUS = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={d}/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>
<allow send_type="method_call"/><allow send_type="signal"/><allow send_requested_reply="true"/>
<allow receive_sender="*"/></policy></busconfig>
"""
AVAHI = """\
[server]
host-name=print-connector-test
use-ipv6=no
enable-dbus=yes
[wide-area]
enable-wide-area=no
"""


class Bus:
    """D-Bus and Avahi of a test session. ippeveprinter does not start without them, even when it
    publishes nothing; Avahi lives in a network of its own, so nothing is heard or said outside."""

    def __init__(self, folder):
        self.dir = pathlib.Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.env = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.dir}/bus"}
        (self.dir / "bus.conf").write_text(BUS.format(d=self.dir))
        (self.dir / "avahi.conf").write_text(AVAHI)
        self._bus = Process("dbus-daemon", ["dbus-daemon", f"--config-file={self.dir}/bus.conf",
                                            "--nofork", "--nopidfile"],
                            self.dir / "bus.log", shared=True)
        wait_until((self.dir / "bus").exists, "D-Bus socket", 10, [self.dir], [self._bus])
        start = (f"mount -t tmpfs tmpfs /run/ && mkdir /run/avahi-daemon && exec avahi-daemon"
                 f" -f {self.dir}/avahi.conf --no-drop-root --no-chroot --no-rlimits")
        self._avahi = Process("avahi-daemon", ["unshare", "-m", "-n", "--propagation", "private",
                                               "sh", "-c", start], self.dir / "avahi.log", self.env,
                              shared=True)
        self._avahi.wait_for_line("startup complete", 20)

    def close(self):
        """Ends both."""
        self._avahi.kill()
        self._bus.kill()


@contextlib.contextmanager
def gate(folder):
    """Printers and backends told to wait do so while this lasts."""
    with open(pathlib.Path(folder) / "gate", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class IppPrinter:
    """Context manager. mode: see tests/lib/eve-command.sh; may be set at any time, holds for jobs
    that start after it. options: ippeveprinter's own, in place of formats. Within
    `with printer.gate():` the modes that wait do wait."""

    def __init__(self, folder, bus, name="eve", formats=None, command=None, tls=False,
                 options=None):
        self.dir = pathlib.Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        (self.dir / "spool").mkdir(exist_ok=True)
        (self.dir / "keys").mkdir(exist_ok=True)
        (self.dir / "gate").touch()
        self.name = name
        self.port = Port()
        self.scheme = "ipps" if tls else "ipp"
        self.keys = self.dir / "keys"
        self.uri = f"{self.scheme}://127.0.0.1:{self.port}/ipp/print"
        self._bus = bus
        self._formats = formats or ["application/pdf", "image/pwg-raster", "image/urf",
                                    "image/jpeg"]
        self._options = options or ["-f", ",".join(self._formats)]
        self._command = command or LIB / "eve-command.sh"
        self.process = None
        self.mode = "ok"

    @property
    def mode(self):
        """What happens to the next document."""
        return (self.dir / "mode").read_text().strip()

    @mode.setter
    def mode(self, mode):
        aside = self.dir / "mode.new"
        aside.write_text(mode + "\n")
        aside.rename(self.dir / "mode")

    def gate(self):
        """Lock for the modes that wait."""
        return gate(self.dir)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.close()

    def start(self):
        """Switched on, on the same port as before."""
        self.process = Process(
            self.name, ["ippeveprinter", "-p", self.port, "-n", "localhost", "-r", "off", "-k",
                        "-d", self.dir / "spool", "-K", self.keys, *self._options,
                        "-c", self._command, "-v", self.name],
            self.dir / "printer.log", {**self._bus.env, "EVE_DIR": str(self.dir)})
        wait_until(self._answers, f"answer of {self.name}", 20, [self.dir / "printer.log"],
                   [self.process], 0.02)

    def _answers(self):
        try:
            return self.client.request("Get-Printer-Attributes").ok
        except OSError:
            return False

    def lose_key(self):
        """Reset to what it came with: another key when it is on again."""
        self.stop()
        shutil.rmtree(self.keys)
        self.keys.mkdir()
        self.start()

    def stop(self):
        """Switched off at once, whatever it is doing."""
        self.process.kill()

    def close(self):
        """Gone, with its port."""
        if self.process:
            self.process.kill()
        self.port.close()

    @property
    def client(self):
        """A client of this printer. It speaks both on one port, so nobody need trust its key."""
        return ipp.Client(self.uri.replace("ipps://", "ipp://"))

    def ledger(self, event="printed"):
        """Documents which the printer has seen to this event (arrived, printed, failed, jammed)."""
        path = self.dir / "ledger.jsonl"
        if not path.exists():
            return []
        entries = [json.loads(line) for line in path.read_text().splitlines(True)
                   if line.endswith("\n")]
        return [entry for entry in entries if entry["event"] == event]

    def wait(self, count=1, event="printed", timeout=20):
        """The ledger, when so many documents have come to the event."""
        def look():
            entries = self.ledger(event)
            return entries if len(entries) >= count else None
        return wait_until(look, f"{count} documents {event} at {self.name}", timeout,
                          [self.dir / "ledger.jsonl"], [self.process])
