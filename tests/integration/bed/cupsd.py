"""A private cupsd under Debian's stock policy, and its queues."""

import contextlib
import json
import os
import pathlib
import pwd
import re
import shutil
import signal

from . import LIB, ipp
from .ippeve import gate
from .net import Port
from .process import Process, run
from .watch import wait_until

STOCK = "/usr/share/cups/cupsd.conf.default"  # what the package installs as /etc/cups/cupsd.conf
PCL = "drv:///sample.drv/laserjet.ppd"
FINAL = ("completed", "canceled", "aborted")

FILES = """\
ServerRoot {d}/etc
RequestRoot {d}/spool
TempDir {d}/spool/tmp
CacheDir {d}/cache
StateDir {d}/run
ServerBin {d}/bin
DocumentRoot /usr/share/cups/doc-root
DataDir /usr/share/cups
AccessLog {d}/log/access_log
ErrorLog {d}/log/error_log
PageLog {d}/log/page_log
ServerKeychain {d}/etc/ssl
SystemGroup root lpadmin
LogFileGroup adm
User lp
Group lp
Sandboxing relaxed
SetEnv FAULT_DIR {d}/fault
"""


def stock_policy():
    """The <Policy> and <Location> blocks and the defaults that bind a client, as Debian ships
    them."""
    text = pathlib.Path(STOCK).read_text(encoding="utf-8")
    kept = [block.group() for block in re.finditer(
        r"^<(Policy|Location)\b.*?^</\1>$", text, re.MULTILINE | re.DOTALL)]
    assert kept, STOCK
    kept += re.findall(r"^(?:ErrorPolicy|DefaultAuthType) .*$", text, re.MULTILINE)
    return "\n".join(kept) + "\n"


class Cupsd:
    """Context manager. options are lines of cupsd.conf and replace the stock ones. spool: options
    of a tmpfs, in a mount namespace of its own; else it is a folder. Queues on the fault backend:
    tests/lib/fault-backend.sh."""

    def __init__(self, folder, options=None, file_device=False, spool=None):
        self.dir = pathlib.Path(folder)
        self.socket = self.dir / "run/cups.sock"
        self.port = Port()
        self.fault = self.dir / "fault"
        self.process = None
        self._spool = spool
        self._make_tree()
        self._configure(options or {}, file_device)

    def _make_tree(self):
        lp = pwd.getpwnam("lp")
        for name in ("etc/ppd", "etc/ssl", "spool/tmp", "cache", "run/certs", "log", "fault"):
            (self.dir / name).mkdir(parents=True, exist_ok=True)
        (self.dir / "bin").mkdir()
        for path in pathlib.Path("/usr/lib/cups").iterdir():
            if path.name != "backend":
                (self.dir / "bin" / path.name).symlink_to(path)
        backends = self.dir / "bin/backend"
        backends.mkdir()
        for path in pathlib.Path("/usr/lib/cups/backend").iterdir():
            (backends / path.name).symlink_to(path)
        shutil.copy(LIB / "fault-backend.sh", backends / "fault")
        (self.dir / "fault/gate").touch(0o644)
        for path in [self.dir, *self.dir.rglob("*")]:
            if path.is_dir() and not path.is_symlink():
                os.chown(path, 0, lp.pw_gid)
        for name, mode in {"spool": 0o710, "spool/tmp": 0o1770, "cache": 0o775, "run": 0o755,
                           "fault": 0o777, "log": 0o755}.items():
            (self.dir / name).chmod(mode)

    def _configure(self, options, file_device):
        settings = {"LogLevel": "debug", "MaxLogSize": "0", "Browsing": "No", "WebInterface": "No",
                    "IdleExitTimeout": "0", "JobKillDelay": "2", **options}
        stock = "".join(line + "\n" for line in stock_policy().splitlines()
                        if line.split(" ")[0] not in settings)
        conf = "".join(f"{key} {value}\n" for key, value in settings.items())
        conf += f"Listen {self.socket}\nListen 127.0.0.1:{self.port}\n{stock}"
        (self.dir / "etc/cupsd.conf").write_text(conf)
        files = FILES.format(d=self.dir) + ("FileDevice Yes\n" if file_device else "")
        (self.dir / "etc/cups-files.conf").write_text(files)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        """Ends it, whatever it is doing."""
        if self.process:
            self.process.kill()
        self.port.close()

    def start(self):
        """Returns when it answers."""
        cupsd = ["/usr/sbin/cupsd", "-f", "-c", self.dir / "etc/cupsd.conf",
                 "-s", self.dir / "etc/cups-files.conf"]
        if self._spool:
            mount = f"""mount -t tmpfs -o mode=0710,gid=lp,{self._spool} spool "$0" &&
                mkdir -m 1777 "$0/tmp" && exec "$@" """
            cupsd = ["unshare", "-m", "--propagation", "private", "sh", "-c", mount,
                     self.dir / "spool", *cupsd]
        self.process = Process("cupsd", cupsd, self.dir / "log/cupsd.out")
        wait_until(self._answers, "answer of cupsd", 20, [self.dir / "run"], [self.process], 0.02)

    @contextlib.contextmanager
    def full_spool(self):
        """No byte is left in a spool that is a tmpfs."""
        path = pathlib.Path(f"/proc/{self.process.pid}/root{self.dir}/spool/ballast")
        with open(path, "wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(4096))
        try:
            yield
        finally:
            path.unlink()

    def _answers(self):
        try:
            return self.client.request("CUPS-Get-Default").status is not None
        except OSError:
            return False

    def stop(self):
        """As systemctl stop."""
        return self.process.stop(20)

    def kill(self):
        """As when the power fails, except that the disk's cache is kept."""
        self.process.signal(signal.SIGKILL)
        self.process.wait()

    def restart(self):
        """As systemctl restart."""
        self.stop()
        self.start()

    @property
    def client(self):
        """IPP over the Unix socket, without any rights, as the daemon does it."""
        return ipp.Client("ipp://localhost/", unix=self.socket)

    @property
    def env(self):
        """For lp, lpstat, cancel and the like."""
        return {**os.environ, "CUPS_SERVER": str(self.socket)}

    def uri(self, queue, port=False):
        """printer-uri of a queue, by name or for a client that can only do TCP."""
        return f"ipp://127.0.0.1:{self.port}/printers/{queue}" if port else \
            f"ipp://localhost/printers/{queue}"

    def lpadmin(self, *args):
        """As root over the socket, which is how administrators do it."""
        return run(["lpadmin", "-h", self.socket, *args], env=self.env)

    def run(self, *argv, check=True):
        """A CUPS client command at this server."""
        return run(argv, check=check, env=self.env)

    def add_driverless(self, name, uri, *options):
        """Queue on an IPP printer, as a desktop makes it. cupsd asks the printer in the background;
        until it has written and read its driver the queue is a raw one."""
        self.lpadmin("-p", name, "-E", "-v", uri, "-m", "everywhere", *options)
        ppd = self.dir / f"etc/ppd/{name}.ppd"

        def read():
            return ppd.exists() and "Raw" not in self.printer(name)["printer-make-and-model"]
        wait_until(read, f"{ppd}, made of what the printer says", 30, [ppd.parent],
                   [self.process])

    def add_pcl(self, name, uri, *options):
        """Queue with a driver of cups on a socket printer. Without SNMP, which only costs time."""
        self.lpadmin("-p", name, "-E", "-v", uri, "-m", PCL, "-o", "cupsSNMPSupplies-default=False",
                     *options)
        ppd = self.dir / f"etc/ppd/{name}.ppd"
        if "*cupsSNMPSupplies" not in ppd.read_text():
            self.lpadmin("-p", name, "-o", "cupsSNMPSupplies=False")

    def add_raw(self, name, uri, *options):
        """Queue that passes bytes on unchanged."""
        self.lpadmin("-p", name, "-E", "-v", uri, "-m", "raw", *options)

    def add_fault(self, name, query, *options, driver="raw"):
        """Queue on the fault backend: query as in tests/lib/fault-backend.sh."""
        self.lpadmin("-p", name, "-E", "-v", f"fault:/{name}?{query}", "-m", driver, *options)

    def fill_history(self, queue):
        """As many ended jobs as cupsd shows in a list at most, and one. Wants MaxJobs 0."""
        for _ in range(501):
            created = self.client.request("Create-Job", uri=self.uri(queue))
            number = created.groups("job")[0]["job-id"]
            assert self.client.request("Cancel-Job", {"job-id": number}, uri=self.uri(queue)).ok

    def jobs(self, queue, which="all"):
        """Every job of a queue as dictionaries, oldest first."""
        answer = self.client.request("Get-Jobs", {"which-jobs": which, "requested-attributes": [
            "job-id", "job-uuid", "job-state", "job-state-reasons", "job-originating-user-name",
            "time-at-processing", "job-printer-state-message"]}, uri=self.uri(queue))
        return sorted(answer.groups("job"), key=lambda job: job["job-id"])

    def job(self, number):
        """One job, seen without rights."""
        answer = self.client.request("Get-Job-Attributes", {"job-id": number})
        return answer.groups("job")[0] if answer.groups("job") else None

    def wait_job(self, number, states=FINAL, timeout=30):
        """The job, when it is in one of the states (names of RFC 8011)."""
        def look():
            job = self.job(number)
            return job if job and ipp.JOB_STATES[job["job-state"]] in states else None
        return wait_until(look, f"job {number} {'/'.join(states)}", timeout,
                          [self.dir / "log/error_log"], [self.process])

    def wait_error_log(self, regex, timeout=20):
        """A line of the error_log (level debug)."""
        log = self.dir / "log/error_log"
        return wait_until(lambda: re.search(regex, log.read_text(errors="replace"), re.MULTILINE),
                          f"line /{regex}/ of cupsd", timeout, [log], [self.process])

    def printer(self, queue):
        """What anyone may see of a queue."""
        answer = self.client.request("Get-Printer-Attributes", uri=self.uri(queue))
        return answer.groups("printer")[0]

    def fault_gate(self):
        """The fault backend's wait= waits while this lasts."""
        return gate(self.fault)

    def fault_ledger(self):
        """What the fault backend was given."""
        path = self.fault / "ledger.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
