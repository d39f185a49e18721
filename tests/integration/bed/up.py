"""Universal Print in the test bed: the emulator's five hosts, the administrator who signs in, the
users who print through Graph, and the control socket's Register with all its answers."""

import http.client
import json
import pathlib
import select
import socket
import ssl
import time
import urllib.parse

from .daemon import contents
from .emulator import Emulator
from .route import Route
from .submit import TYPES
from .watch import Timeout, wait_until

INTERFACE = "org.printconnector.Connector."
QUICK = {"code-interval": 1, "approve-after": -1, "register-interval": 1, "notify-interval": 2}
SLOPPY = {"head-order", "unhandled-attribute", "document-events", "notify-wait", "polled-early"}


class UpEmulator(Emulator):
    """The emulator with Universal Print; up: its settings (tests/emulator/README.md). Several in
    one test differ by tenant and client-id."""

    def __init__(self, folder, printers=(), up=None, bad=(), **options):
        super().__init__(folder, printers, tls=True, **options)
        self.settings = {**QUICK, **(up or {})}
        self._arguments += ["--universal-print"]
        for name, value in self.settings.items():
            self._arguments += ["--up", f"{name}={value}"]
        for kind in bad:
            self._arguments += ["--tls-bad", kind]

    def __exit__(self, kind, *exc):
        try:
            if kind is None and self.process.returncode is None:
                self.assert_kept()
                self.assert_to_the_letter()
        finally:
            super().__exit__(kind, *exc)

    def assert_kept(self):
        """No token and no code in what daemons of the same test have written."""
        secrets = [secret.encode() for secret in
                   self.secrets() + [code["user_code"] for code in self.codes()]]
        def wanted(path):
            return not path.is_relative_to(self.dir) and \
                (path.suffix == ".log" or "state.db" in path.name)
        for path, data in contents(self.dir.parent, wanted=wanted).items():
            assert not [s for s in secrets if s in data], f"a secret in {path}"

    def assert_to_the_letter(self):
        """Nothing that the service would put up with, but a connector that reads the documents
        does not do."""
        found = [notice for notice in self.notices() if notice["rule"] in SLOPPY]
        assert not found, json.dumps(found, indent=1)

    @property
    def up(self):
        """What the port file tells of Universal Print."""
        return self.told_ports["up"]

    def cloud(self, **change):
        """Keys of a [cloud] section; change: Python names, with _ for -."""
        return {"type": "universal-print", "client-id": self.up["client_id"],
                "tenant": self.up["tenant"], "login-url": self.up["login"],
                "registration-url": self.up["registration"], "print-url": self.up["print"],
                "notification-url": self.up["notification"],
                "graph-url": self.up["graph"] + "/v1.0", "resource": self.up["resource"],
                "ca-file": self.ca, **{k.replace("_", "-"): v for k, v in change.items()}}

    # ---- administrators ----------------------------------------------------------------------

    def set(self, **settings):
        """Settings while it runs."""
        self.admin("PUT", "/up/settings", **settings)

    def approve(self, code=None):
        """The administrator enters the code and signs in."""
        self.admin("POST", "/up/approve", code=code)

    def decline(self, code=None):
        """The administrator says no."""
        self.admin("POST", "/up/decline", code=code)

    def codes(self):
        """All codes there were."""
        return self.admin("GET", "/up/codes")["codes"]

    def tokens(self):
        """All tokens there were."""
        return self.admin("GET", "/up/tokens")["tokens"]

    def registered(self):
        """All printers there were, deleted ones too."""
        return self.admin("GET", "/up/printers")["printers"]

    def secrets(self):
        """Texts that may be in no log."""
        found = self.admin("GET", "/up/secrets")
        return found["codes_and_nonces"] + [token["token"] for token in found["tokens"]]

    def revoke(self, printer=None, **options):
        """Tokens are refused from now on."""
        self.admin("POST", "/up/revoke", printer=printer, **options)

    def delete(self, printer):
        """As in the portal."""
        self.admin("DELETE", "/up/printers", printer=printer)

    def down(self, host, down=1):
        """That host closes every connection."""
        self.admin("POST", "/up/down", host=host, down=down)

    def requests_of(self, printer):
        """How many requests showed this printer's tokens or certificate, in vain too."""
        return next(p["requests"] for p in self.registered() if p["id"] == printer)

    def connections(self, host):
        """How many connections came to a host, or to the bad ones of that kind."""
        return self.admin("GET", "/up/hosts")["connections"][host]

    def reverse_events(self, printer, count=1):
        """So many answers list their events backwards."""
        self.admin("POST", "/up/events", printer=printer, reverse=count)

    # ---- users -------------------------------------------------------------------------------

    def request(self, method, url, body=None, headers=None):
        """(status, JSON) of one HTTPS request."""
        parts = urllib.parse.urlsplit(url)
        context = ssl.create_default_context(cafile=self.ca)
        connection = http.client.HTTPSConnection(parts.netloc, timeout=30, context=context)
        try:
            path = parts.path + ("?" + parts.query if parts.query else "")
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        return response.status, json.loads(data) if data else None

    def graph(self, method, path, body=None, statuses=(200, 201, 202, 204)):
        """A request of the user to /v1.0/print."""
        status, found = self.request(
            method, self.up["graph"] + "/v1.0/print" + path,
            None if body is None else json.dumps(body),
            {"Authorization": "Bearer " + self.up["graph_token"],
             "Content-Type": "application/json"})
        assert status in statuses, f"{method} {path}: {status} {found}"
        return found

    def graph_job(self, printer, document, name="test", mime=None, configuration=None, step=200000):
        """Creates a job and uploads its document, but does not start it; its number."""
        data = document if isinstance(document, bytes) else pathlib.Path(document).read_bytes()
        mime = mime or ("application/pdf" if isinstance(document, bytes) else
                        TYPES[pathlib.Path(document).suffix])
        job = self.graph("POST", f"/printers/{printer}/jobs",
                         {"displayName": name, "configuration": configuration or {}})
        where = f"/printers/{printer}/jobs/{job['id']}"
        session = self.graph(
            "POST", f"{where}/documents/{job['documents'][0]['id']}/createUploadSession",
            {"properties": {"documentName": name, "contentType": mime, "size": len(data)}})
        for first in range(0, len(data), step):
            part = data[first:first + step]
            status, found = self.request("PUT", session["uploadUrl"], part, {
                "Content-Range": f"bytes {first}-{first + len(part) - 1}/{len(data)}"})
            assert status in (201, 202), found
        return int(job["id"])

    def graph_start(self, printer, number):
        """The job may be printed from now on."""
        self.graph("POST", f"/printers/{printer}/jobs/{number}/start")

    def graph_submit(self, printer, document, **options):
        """A job as an application of a user makes it; its number."""
        number = self.graph_job(printer, document, **options)
        self.graph_start(printer, number)
        return number

    def graph_status(self, printer, number):
        """What the user sees of it."""
        return self.graph("GET", f"/printers/{printer}/jobs/{number}")["status"]


class UpRoute(Route):
    """A queue that is a printer of Universal Print; jobs are submitted through Graph."""

    def __init__(self, cloud, daemon, queue, printer):
        super().__init__(None, daemon, queue, printer, cloud)

    def submit(self, document, **options):
        return self.cloud.graph_submit(self.printer, document, **options)

    def submit_timed(self, document):
        number = self.cloud.graph_job(self.printer, document)
        polls = self.cloud.counters(self.printer)["Get-Notifications"]
        # started just behind one question for news, and heard of with the next
        self.cloud.wait(operation="Get-Notifications", printer=self.printer, count=polls + 1)
        self.cloud.graph_start(self.printer, number)
        self.cloud.wait(operation="Get-Notifications", printer=self.printer, count=polls + 2)
        return time.monotonic()

    def status(self, number):
        """What the user sees of the job."""
        return self.cloud.graph_status(self.printer, number)

    def printed(self, number, timeout=60):
        """ended(), and the user sees it too."""
        told, job = self.ended(number, timeout=timeout)
        assert self.status(number)["state"] == "completed", self.status(number)
        return told, job


class Call:
    """A Varlink call that is answered more than once, such as Register. Context manager: leaving
    it before its end cancels what is under way."""

    def __init__(self, daemon, method, parameters):
        self.daemon = daemon
        self.answers = []
        self.error = None
        self._over = False
        self._data = b""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(daemon.socket))
        self._socket.sendall(json.dumps({"method": INTERFACE + method, "parameters": parameters,
                                         "more": True}).encode() + b"\0")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._socket.close()

    def next(self, timeout=30):
        """The next answer; None after the last one. An error of the whole call is in error."""
        deadline = time.monotonic() + timeout
        while b"\0" not in self._data and not self._over:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._socket], [], [], left)[0]:
                raise Timeout(f"no answer after {timeout} s, so far {self.answers}\n"
                              f"{self.daemon.process.tail(30)}")
            more = self._socket.recv(65536)
            self._data += more
            if not more:
                self._over = True
        if b"\0" not in self._data:
            return None
        message, self._data = self._data.split(b"\0", 1)
        message = json.loads(message)
        self._over = self._over or not message.get("continues")
        if "error" in message:
            self.error = {**message["parameters"], "error": message["error"]}
            return None
        self.answers.append(message["parameters"])
        return self.answers[-1]

    def until(self, event, timeout=30):
        """The next answer with this event."""
        while True:
            answer = self.next(timeout)
            if answer is None or answer["event"] == event:
                assert answer, f"no {event}: {self.answers} {self.error}"
                return answer

    def all(self, timeout=60):
        """All answers; the deadline is for each."""
        while self.next(timeout) is not None:
            pass
        return self

    def of(self, event):
        """Answers with this event so far."""
        return [answer for answer in self.answers if answer["event"] == event]


def begin(daemon, *queues, cloud="up", **parameters):
    """Register, not waited for. Without queues: all=True or what parameters say."""
    names = {"queue": queues[0]} if len(queues) == 1 else {"queues": list(queues)} if queues else {}
    return Call(daemon, "Register", {**names, "cloud": cloud, **parameters})


def enroll(daemon, emulator, *queues, **parameters):
    """Register with the sign-in approved; the call, ended."""
    with begin(daemon, *queues, **parameters) as call:
        call.until("code")
        emulator.approve(call.answers[-1]["user_code"])
        return call.all()


def enrolled(daemon, emulator, *queues, timeout=30, **parameters):
    """Registers these queues and waits until both sides serve them; their routes."""
    call = enroll(daemon, emulator, *queues, **parameters)
    assert call.error is None and not call.of("failed"), (call.error, call.answers)
    found = {a["queue"]: a["printer"] for a in call.of("registered")}
    assert set(found) == set(queues), found
    return [route_of(daemon, emulator, queue, timeout) for queue in queues]


def route_of(daemon, emulator, queue, timeout=30):
    """A queue that is registered already, when both sides serve it."""
    daemon.wait_printer(queue, timeout=timeout)
    printer = daemon.printer(queue)["cloud_printer"].removeprefix("urn:uuid:")
    return UpRoute(emulator, daemon, queue, printer).wait_online(timeout)


def wait_refused(daemon, queue, timeout=30):
    """The printer's reasons, when the cloud does not want it any more."""
    return daemon.wait_printer(queue, "refused", timeout)["reasons"]


def quiet(emulator, seconds=3, most=0, names=None):
    """So many requests at most come in so many seconds (the time of a wait that is not met)."""
    def count():
        return sum(n for name, n in emulator.counters().items() if not names or name in names)
    before = count()
    try:
        wait_until(lambda: count() - before > most, "requests", seconds, [emulator.record.parent])
    except Timeout:
        return
    raise AssertionError(f"{count() - before} requests: {emulator.counters()}")
