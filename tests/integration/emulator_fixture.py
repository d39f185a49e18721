"""Starts the cloud emulator for a test and speaks IPP to it, with nothing but the standard library.

The codec and the proxy here are independent of the connector's: they are the second reading of the
documents that the emulator is tested with.
"""

import base64
import http.client
import json
import pathlib
import ssl
import struct
import subprocess
import urllib.parse
import uuid

from bed import BUILD

PROGRAM = str(BUILD / "cloud-emulator")

OPERATION, JOB, END, PRINTER, UNSUPPORTED, SUBSCRIPTION, EVENT, DOCUMENT = 1, 2, 3, 4, 5, 6, 7, 9
INTEGER, BOOLEAN, ENUM, OCTETS, RANGE = 0x21, 0x22, 0x23, 0x30, 0x33
TEXT, NAME, KEYWORD, URI, CHARSET, LANGUAGE, MIME = 0x41, 0x42, 0x44, 0x45, 0x47, 0x48, 0x49

CODES = {
    "Print-Job": 2, "Validate-Job": 4, "Create-Job": 5, "Send-Document": 6, "Cancel-Job": 8,
    "Get-Job-Attributes": 9, "Get-Jobs": 0x0A, "Get-Printer-Attributes": 0x0B, "Hold-Job": 0x0C,
    "Release-Job": 0x0D, "Pause-Printer": 0x10, "Resume-Printer": 0x11,
    "Create-Printer-Subscriptions": 0x16, "Renew-Subscription": 0x1A, "Cancel-Subscription": 0x1B,
    "Get-Notifications": 0x1C, "Get-Document-Attributes": 0x34, "Get-Documents": 0x35,
    "Identify-Printer": 0x3C, "Acknowledge-Document": 0x3F, "Acknowledge-Identify-Printer": 0x40,
    "Acknowledge-Job": 0x41, "Fetch-Document": 0x42, "Fetch-Job": 0x43,
    "Get-Output-Device-Attributes": 0x44, "Update-Active-Jobs": 0x45,
    "Deregister-Output-Device": 0x46, "Update-Document-Status": 0x47, "Update-Job-Status": 0x48,
    "Update-Output-Device-Attributes": 0x49, "Register-Output-Device": 0x5F,
}


def encode_value(tag, value):
    if tag in (INTEGER, ENUM):
        return struct.pack(">i", value)
    if tag == BOOLEAN:
        return b"\1" if value else b"\0"
    if tag == RANGE:
        return struct.pack(">ii", *value)
    return value if isinstance(value, bytes) else value.encode()


def encode(operation, groups, version=(2, 0)):
    """groups: [(group tag, [(value tag, name, value or list)])]"""
    out = bytearray(struct.pack(">BBHI", *version, CODES.get(operation, operation), 1))
    for group, attributes in groups:
        out.append(group)
        for tag, name, values in attributes:
            for value in values if isinstance(values, list) else [values]:
                data = encode_value(tag, value)
                out += struct.pack(">BH", tag, len(name)) + name.encode()
                out += struct.pack(">H", len(data)) + data
                name = ""
    out.append(END)
    return bytes(out)


def decode_value(tag, data):
    if tag in (INTEGER, ENUM):
        return struct.unpack(">i", data)[0]
    if tag == BOOLEAN:
        return data == b"\1"
    if 0x41 <= tag <= 0x49:
        return data.decode()
    return data


class Answer:
    """A decoded answer: status, groups as [(tag, {name: [values]})], the document behind it."""

    def __init__(self, body):
        self.status = struct.unpack(">H", body[2:4])[0]
        self.groups = []
        at, name = 8, None
        while body[at] != END:
            tag = body[at]
            at += 1
            if tag < 0x10:
                self.groups.append((tag, {}))
                continue
            length = struct.unpack(">H", body[at:at + 2])[0]
            name = body[at + 2:at + 2 + length].decode() or name
            at += 2 + length
            length = struct.unpack(">H", body[at:at + 2])[0]
            value = decode_value(tag, body[at + 2:at + 2 + length])
            at += 2 + length
            self.groups[-1][1].setdefault(name, []).append(value)
        self.document = body[at + 1:]

    def all(self, tag):
        return [attributes for group, attributes in self.groups if group == tag and attributes]

    def get(self, name):
        for _, attributes in self.groups:
            if name in attributes:
                return attributes[name][0]
        return None


class Connection:
    """One HTTP(S) connection to the emulator; sends any IPP message to one printer."""

    def __init__(self, emulator, printer, context=None, auth=None, path=None):
        self.path = path or "/ipp/print/" + printer
        port = emulator.tls_port if context else emulator.port
        if context:
            self.http = http.client.HTTPSConnection("localhost", port, timeout=20, context=context)
        else:
            self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.headers = {"Content-Type": "application/ipp"}
        if auth:
            self.headers["Authorization"] = "Basic " + base64.b64encode(auth.encode()).decode()
        self.uri = "ipp://localhost:%d%s" % (port, self.path)

    def raw(self, body):
        self.http.request("POST", self.path, body, self.headers)
        answer = self.http.getresponse()
        return answer.status, answer.read()

    def head(self, target="printer-uri"):
        return [(CHARSET, "attributes-charset", "utf-8"),
                (LANGUAGE, "attributes-natural-language", "en"), (URI, target, self.uri)]

    def send(self, operation, attributes=(), groups=(), document=b"", target="printer-uri"):
        message = encode(operation, [(OPERATION, self.head(target) + list(attributes))]
                         + list(groups))
        status, body = self.raw(message + document)
        assert status == 200, "HTTP %d" % status
        return Answer(body)

    def close(self):
        self.http.close()


class Client(Connection):
    def print_job(self, document, groups=(), attributes=()):
        answer = self.send("Print-Job", [(NAME, "requesting-user-name", "alice"),
                                         (NAME, "job-name", "letter")] + list(attributes),
                           groups, document)
        assert answer.status == 0, hex(answer.status)
        return answer.get("job-id")


class Proxy(Connection):
    """A correct proxy, one step at a time."""

    def __init__(self, *args, device=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.device = device or "urn:uuid:%s" % uuid.uuid4()
        self.subscription = None

    def tell(self, operation, attributes=(), groups=()):
        return self.send(operation, [(URI, "output-device-uuid", self.device)] + list(attributes),
                         groups)

    def update(self, state=3, attributes=()):
        return self.tell("Update-Output-Device-Attributes", (), [
            (PRINTER, [(ENUM, "printer-state", state), (KEYWORD, "printer-state-reasons", "none")]
             + list(attributes))])

    def subscribe(self):
        answer = self.tell("Create-Printer-Subscriptions", (), [(SUBSCRIPTION, [
            (KEYWORD, "notify-pull-method", "ippget"),
            (KEYWORD, "notify-events", ["job-fetchable", "job-state-changed", "job-completed",
                                        "printer-state-changed"]),
            (INTEGER, "notify-lease-duration", 0)])])
        self.subscription = answer.get("notify-subscription-id")
        return answer

    def events(self, first=None, wait=False):
        numbers = [(INTEGER, "notify-sequence-numbers", first)] if first else []
        return self.tell("Get-Notifications", [
            (INTEGER, "notify-subscription-ids", self.subscription)] + numbers
            + [(BOOLEAN, "notify-wait", wait)])

    def fetchable(self):
        answer = self.tell("Get-Jobs", [
            (KEYWORD, "which-jobs", "fetchable"),
            (KEYWORD, "requested-attributes", ["job-id", "job-uuid", "job-state",
                                               "job-state-reasons"])])
        return [job["job-id"][0] for job in answer.all(JOB)]

    def job(self, operation, job, attributes=(), groups=()):
        return self.tell(operation, [(INTEGER, "job-id", job)] + list(attributes), groups)

    def document(self, operation, job, number=1, attributes=(), groups=()):
        return self.job(operation, job, [(INTEGER, "document-number", number)] + list(attributes),
                        groups)

    def status(self, job, state, *more):
        return self.job("Update-Job-Status", job, (), [
            (JOB, [(ENUM, "output-device-job-state", state)] + list(more))])

    def take(self, job):
        assert self.job("Fetch-Job", job).status == 0
        assert self.job("Acknowledge-Job", job).status == 0

    def finish(self, job, documents=1):
        """Acknowledged to completed; gives the documents."""
        got = []
        for number in range(1, documents + 1):
            answer = self.document("Fetch-Document", job, number,
                                   [(KEYWORD, "compression-accepted", "none")])
            assert answer.status == 0, hex(answer.status)
            got.append(answer.document)
        assert self.status(job, 5, (KEYWORD, "output-device-job-state-reasons",
                                    "job-printing")).status == 0
        for number in range(1, documents + 1):
            assert self.document("Acknowledge-Document", job, number).status == 0
            assert self.document("Update-Document-Status", job, number, (), [
                (DOCUMENT, [(ENUM, "output-device-document-state", 9)])]).status == 0
        assert self.status(job, 9, (INTEGER, "job-impressions-completed", 3)).status == 0
        return got


class Emulator:
    def __init__(self, directory, *arguments):
        self.directory = pathlib.Path(directory)
        ports = self.directory / "ports"
        self.ledger = self.directory / "ledger"
        self.process = subprocess.Popen(
            [PROGRAM, "--port-file", str(ports), "--record", str(self.ledger), *arguments],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("ready "), line
        assert json.loads(ports.read_text()) == json.loads(line[6:])
        values = json.loads(line[6:])
        self.values = values
        self.port, self.tls_port = values["port"], values["tls_port"]
        self.admin_port, self.ca = values["admin_port"], values["ca"]

    def admin(self, method, path, body=None, **query):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=30)
        query = {name.replace("_", "-"): value for name, value in query.items()}
        connection.request(method, path + "?" + urllib.parse.urlencode(query), body)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if answer.getheader("Content-Type") != "application/json":
            return data
        return json.loads(data)

    def wait(self, **query):
        answer = self.admin("GET", "/wait", **query)
        assert answer.get("met"), answer
        return answer

    def job(self, printer, job):
        return self.admin("GET", "/job", printer=printer, job=job)["job"]

    def fault(self, kind, **query):
        return self.admin("POST", "/faults", kind=kind, **query)["id"]

    def rules(self):
        """The words of all violations so far."""
        return [v["rule"] for v in self.admin("GET", "/violations")["violations"]]

    def context(self, certificate=None):
        context = ssl.create_default_context(cafile=self.ca)
        if certificate:
            path = self.directory / "client.pem"
            path.write_text(certificate["certificate"] + certificate["key"])
            context.load_cert_chain(str(path))
        return context

    def stop(self):
        self.process.terminate()
        code = self.process.wait(timeout=20)
        self.process.stdout.close()
        assert code == 0, "the emulator ended with %d" % code
