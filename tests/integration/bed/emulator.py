"""The cloud: build/cloud-emulator and its admin port (tests/emulator/README.md)."""

import http.client
import json
import pathlib
import urllib.parse

from . import BUILD, ipp, submit
from .net import Port
from .process import Process
from .watch import Timeout, wait_until

SLICE = 2  # seconds of one long poll: how soon the end of a watched process is seen


class Emulator:
    """Context manager. printers: specs as of --printer, "NAME[,auth=...][,quirks=...]". Leaving it
    fails when the emulator saw the standards broken or did not end well; expect_violations says
    that this is the point of the test."""

    def __init__(self, folder, printers=("q",), tls=False, system=None):
        self.dir = pathlib.Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.record = self.dir / "record.jsonl"
        self.port, self.tls_port = Port(), Port()
        self.told_ports = None  # the whole port file
        self.admin_port = None
        self.ca = None
        self.expect_violations = False
        self.process = None
        self._watched = []
        self._tls = tls
        self._arguments = [word for spec in printers for word in ("--printer", spec)]
        if system:
            self._arguments += ["--system", system]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *exc):
        try:
            if kind is None and self.process.returncode is None:
                found = [] if self.expect_violations else self.violations()
                assert not found, json.dumps(found, indent=1)
                code = self.stop()
                assert code == 0, f"exit {code}\n{self.process.tail()}"
        finally:
            self.close()

    def close(self):
        """Ends it, whatever it is doing."""
        if self.process:
            self.process.kill()
        self.port.close()
        self.tls_port.close()

    def start(self):
        """On the same ports as before, with none of the jobs that it had."""
        ports = self.dir / "ports"
        ports.unlink(missing_ok=True)
        tls = []
        if self._tls:
            (self.dir / "tls").mkdir(exist_ok=True)
            tls = ["--tls-directory", self.dir / "tls", "--tls-port", self.tls_port]
        self.process = Process("cloud-emulator",
                               [BUILD / "cloud-emulator", "--port", self.port, "--port-file", ports,
                                "--record", self.record, *tls, *self._arguments],
                               self.dir / "emulator.log")
        wait_until(ports.exists, "port file", 20, [ports], [self.process])
        self.told_ports = told = json.loads(ports.read_text())
        self.admin_port = told["admin_port"]
        self.ca = told["ca"] and pathlib.Path(told["ca"])
        return self

    def stop(self):
        """The cloud is down: connections are refused."""
        return self.process.stop()

    def watch(self, *programs):
        """Waits fail at once when one of these (Daemon, Process) has ended."""
        self._watched += programs

    # ---- addresses ---------------------------------------------------------------------------

    def uri(self, printer="q", tls=False):
        """printer-uri, for clients as for proxies."""
        return (f"ipps://localhost:{self.tls_port}" if tls else f"ipp://127.0.0.1:{self.port}") + \
            f"/ipp/print/{printer}"

    def base(self, tls=False):
        """What `uri =` of a [cloud] section is."""
        return self.uri("", tls).rstrip("/")

    def client(self, printer="q", user="alice"):
        """An IPP client of a user."""
        return ipp.Client(self.uri(printer), user=user)

    # ---- admin -------------------------------------------------------------------------------

    def admin(self, method, path, body=None, patience=30, statuses=(200,), **query):
        """One admin request; Python names have _ for -. Its JSON."""
        words = {key.replace("_", "-"): value for key, value in query.items() if value is not None}
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=patience)
        try:
            connection.request(method, f"{path}?{urllib.parse.urlencode(words)}", body)
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        if response.status not in statuses:
            raise AssertionError(f"{method} {path} {words}: {response.status} {data!r}")
        return json.loads(data)

    def printer(self, name="q"):
        """State, devices and counters of a printer."""
        return self.admin("GET", "/printers", printer=name)["printers"][0]

    def add_printer(self, spec):
        """One more, while it runs; its URI."""
        return self.uri(self.admin("POST", "/printers", spec=spec)["name"])

    def remove_printer(self, name="q"):
        """The share is deleted in the cloud."""
        self.admin("DELETE", "/printers", printer=name)

    def configure(self, name="q", **options):
        """paused=1, or options="wait=MS,..." as in its spec."""
        self.admin("PUT", "/printers", printer=name, **options)

    def jobs(self, printer=None, told=0):
        """All jobs, with told=1 and every word that the connector said of them."""
        return self.admin("GET", "/jobs", printer=printer, told=told)["jobs"]

    def job(self, number, printer="q"):
        """One job."""
        return self.admin("GET", "/job", printer=printer, job=number)["job"]

    def submit(self, document, printer="q", name="test", user="alice", mime=None):
        """A job without IPP, as fast as can be; its number."""
        data = document if isinstance(document, bytes) else pathlib.Path(document).read_bytes()
        return self.admin("POST", "/jobs", data, printer=printer, name=name, user=user,
                          format=mime)["id"]

    def print_job(self, document, printer="q", **options):
        """A job as people send it, with ipptool; its number."""
        return submit.ipptool(self.uri(printer), document, **options)

    def cancel(self, number, printer="q"):
        """The user cancels in the cloud."""
        self.admin("DELETE", "/jobs", printer=printer, job=number)

    def fault(self, kind, **options):
        """Requests fail: operation=, printer=, skip=, count= (-1: all), and what the kind takes
        (status, http, retry_after, ms, bytes, text, reset, effect). The rule's number."""
        return self.admin("POST", "/faults", kind=kind, **options)["id"]

    def clear_faults(self, number=0):
        """All is well again."""
        self.admin("DELETE", "/faults", id=number)

    def faults(self):
        """The rules with their hits."""
        return self.admin("GET", "/faults")

    def events(self, printer="q", **options):
        """drop=N or repeat=N of the coming events."""
        self.admin("POST", "/events", printer=printer, **options)

    def forget(self, what, printer=None, renumber=0):
        """devices, subscriptions, jobs, documents or all."""
        self.admin("POST", "/forget", what=what, printer=printer, renumber=renumber)

    def away(self, away=True):
        """As if it were being restarted, and nothing of what it knows is lost."""
        self.admin("POST", "/away", away=int(away))

    def certificate(self, name):
        """(certificate, key) in PEM, signed by the emulator's CA."""
        answer = self.admin("GET", "/certificate", name=name)
        return answer["certificate"], answer["key"]

    def counters(self, printer=None):
        """{operation name: requests}"""
        return self.admin("GET", "/counters", printer=printer)["operations"]

    def violations(self, printer=None):
        """Breaches of the standards by the connector so far."""
        return self.admin("GET", "/violations", printer=printer)["violations"]

    def notices(self, printer=None):
        """What was refused and may have been innocent."""
        return self.admin("GET", "/violations", printer=printer)["notices"]

    def clear_violations(self):
        """Those so far were meant to be."""
        self.admin("DELETE", "/violations")

    def told(self):
        """The record file: everything that was said, in order."""
        return [json.loads(line) for line in self.record.read_text().splitlines()]

    # ---- waiting -----------------------------------------------------------------------------

    def wait(self, timeout=30, **condition):
        """Until all of it holds: printer, job, state ("final" or numbers), jobs (how many), device,
        devices, subscriptions, waiting, operation and count, ... What is so then."""
        left = timeout
        while True:
            part = min(left, SLICE)
            answer = self.admin("GET", "/wait", patience=part + 10, statuses=(200, 408),
                                timeout=part, **condition)
            if answer["met"]:
                return answer
            left -= part
            ended = [p for p in (getattr(w, "process", w) for w in self._watched)
                     if p.returncode is not None]
            if ended or left <= 0:
                why = f"{ended[0].name} ended" if ended else f"{timeout} s are over"
                tail = "".join("\n" + getattr(w, "process", w).tail(30) for w in self._watched)
                raise Timeout(f"{why}, not met: {condition}\n{json.dumps(answer, indent=1)}{tail}")

    def wait_job(self, number, printer="q", state="final", timeout=30, **condition):
        """The job, when it is in the state."""
        return self.wait(timeout, printer=printer, job=number, state=state, **condition)["job"]

    def wait_jobs(self, count, printer=None, state="final", timeout=60):
        """All jobs, when so many are in the state."""
        self.wait(timeout, printer=printer, jobs=count, state=state)
        return self.jobs(printer)

    def wait_device(self, printer="q", timeout=30):
        """The printer, when a connector serves it: attributes known, subscribed."""
        self.wait(timeout, printer=printer, device=1, subscriptions=1)
        return self.printer(printer)
