"""A small IPP client for what ipptool cannot do: own encoder and decoder, one request each."""

import http.client
import itertools
import pathlib
import re
import socket
import struct
import ssl as tls

OPERATIONS = {
    "Print-Job": 0x02, "Validate-Job": 0x04, "Create-Job": 0x05, "Send-Document": 0x06,
    "Cancel-Job": 0x08, "Get-Job-Attributes": 0x09, "Get-Jobs": 0x0a,
    "Get-Printer-Attributes": 0x0b, "Hold-Job": 0x0c, "Release-Job": 0x0d, "Pause-Printer": 0x10,
    "Resume-Printer": 0x11, "Create-Printer-Subscriptions": 0x16, "Get-Subscriptions": 0x19,
    "Renew-Subscription": 0x1a, "Get-Notifications": 0x1c, "Cancel-My-Jobs": 0x39,
    "Close-Job": 0x3b,
    "Identify-Printer": 0x3c, "Acknowledge-Document": 0x3f, "Acknowledge-Identify-Printer": 0x40,
    "Acknowledge-Job": 0x41, "Fetch-Document": 0x42, "Fetch-Job": 0x43,
    "Get-Output-Device-Attributes": 0x44, "Update-Active-Jobs": 0x45,
    "Deregister-Output-Device": 0x46, "Update-Document-Status": 0x47, "Update-Job-Status": 0x48,
    "Update-Output-Device-Attributes": 0x49,
    "CUPS-Get-Default": 0x4001, "CUPS-Get-Printers": 0x4002, "CUPS-Add-Modify-Printer": 0x4003,
    "CUPS-Delete-Printer": 0x4004, "CUPS-Get-PPDs": 0x400c,
}
JOB_STATES = {3: "pending", 4: "pending-held", 5: "processing", 6: "processing-stopped",
              7: "canceled", 8: "aborted", 9: "completed"}
PRINTER_STATES = {3: "idle", 4: "processing", 5: "stopped"}
GROUPS = {"operation": 1, "job": 2, "end": 3, "printer": 4, "unsupported": 5, "subscription": 6,
          "event": 7, "document": 9}
GROUP_NAMES = {number: name for name, number in GROUPS.items()}

INTEGER, BOOLEAN, ENUM, OCTETS, DATE, RESOLUTION, RANGE = (
    0x21, 0x22, 0x23, 0x30, 0x31, 0x32, 0x33)
BEGIN, END, TEXT, NAME, KEYWORD, URI, CHARSET, LANGUAGE, MIME, MEMBER = (
    0x34, 0x37, 0x41, 0x42, 0x44, 0x45, 0x47, 0x48, 0x49, 0x4a)
TAGS = {  # of attributes whose syntax is not what the Python type says
    "attributes-charset": CHARSET, "attributes-natural-language": LANGUAGE,
    "requesting-user-name": NAME, "message": TEXT,
    "job-name": NAME, "document-name": NAME, "ppd-name": NAME,
    "document-format": MIME, "printer-state": ENUM, "job-state": ENUM, "finishings": ENUM,
    "print-quality": ENUM, "orientation-requested": ENUM,
}


class Resolution(bytes):
    """A value of that syntax."""

    def __new__(cls, across, down=None):
        return super().__new__(cls, struct.pack(">iib", across, down or across, 3))


class Answer:
    """Status and attribute groups; data is the document behind them."""

    def __init__(self, status, groups, data):
        self.status = status
        self._groups = groups
        self.data = data

    @property
    def ok(self):
        """successful-*"""
        return self.status < 0x100

    def groups(self, name):
        """The groups of one kind, as dictionaries; a value that may be a list is one only when it
        has several members."""
        return [group for kind, group in self._groups if kind == name]

    def __repr__(self):
        return f"<Answer {self.status:#06x} {self._groups}>"


def _tag(name, value):
    if name in TAGS:
        return TAGS[name]
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, Resolution):
        return RESOLUTION
    if isinstance(value, tuple):
        return RANGE
    if isinstance(value, int):
        return INTEGER
    if isinstance(value, bytes):
        return OCTETS
    if isinstance(value, dict):
        return BEGIN
    if name.endswith("-uri") or name.endswith("-uuid"):
        return URI
    return KEYWORD


def _value(tag, name, raw):
    return struct.pack(">BH", tag, len(name)) + name.encode() + struct.pack(">H", len(raw)) + raw


def _attribute(name, value):
    out = b""
    for one in value if isinstance(value, list) else [value]:
        tag = _tag(name, one)
        if tag == BEGIN:
            out += _value(BEGIN, name, b"")
            for key, member in one.items():
                out += _value(MEMBER, "", key.encode()) + _nameless(_attribute(key, member))
            out += _value(END, "", b"")
        elif tag in (INTEGER, ENUM):
            out += _value(tag, name, struct.pack(">i", one))
        elif tag == RANGE:
            out += _value(tag, name, struct.pack(">ii", *one))
        elif tag == BOOLEAN:
            out += _value(tag, name, bytes([one]))
        else:
            out += _value(tag, name, one if isinstance(one, bytes) else str(one).encode())
        name = ""
    return out


def _nameless(encoded):
    """A member's value: its name went before it, in a value of its own."""
    length = struct.unpack(">H", encoded[1:3])[0]
    return encoded[:1] + b"\0\0" + encoded[3 + length:]


def encode(operation, request_id, groups, version=(2, 0)):
    """groups: [(kind, {name: value})]"""
    code = operation if isinstance(operation, int) else OPERATIONS[operation]
    out = bytes(version) + struct.pack(">HI", code, request_id)
    for kind, attributes in groups:
        out += bytes([GROUPS[kind]])
        out += b"".join(_attribute(name, value) for name, value in attributes.items())
    return out + bytes([GROUPS["end"]])


def _decode_value(tag, raw):
    if tag in (INTEGER, ENUM):
        return struct.unpack(">i", raw)[0]
    if tag == BOOLEAN:
        return raw != b"\0"
    if tag == RANGE:
        return struct.unpack(">ii", raw)
    if tag in (OCTETS, DATE, RESOLUTION):
        return raw
    if tag in (0x35, 0x36):  # with language: the text alone
        skip = 2 + struct.unpack(">H", raw[:2])[0]
        return raw[skip + 2:].decode(errors="replace")
    if 0x10 <= tag < 0x20:  # no-value, unknown and the like
        return None
    return raw.decode(errors="replace")


def decode(body):
    """Answer of a response's, or request's, bytes."""
    status = struct.unpack(">H", body[2:4])[0]
    groups, stack, at = [], [], 8  # stack: [dictionary, name of the attribute being read]
    while body[at] != GROUPS["end"]:
        tag = body[at]
        at += 1
        if tag < 0x10:
            groups.append((GROUP_NAMES.get(tag, str(tag)), {}))
            stack = [[groups[-1][1], None]]
            continue
        key, at = field(body, at)
        raw, at = field(body, at)
        if tag == END:
            stack.pop()
            continue
        stack[-1][1] = raw.decode() if tag == MEMBER else key.decode() or stack[-1][1]
        if tag == MEMBER:
            continue
        into, name = stack[-1]
        value = {} if tag == BEGIN else _decode_value(tag, raw)
        if name in into:
            into[name] = (into[name] if isinstance(into[name], list) else [into[name]]) + [value]
        else:
            into[name] = value
        if tag == BEGIN:
            stack.append([value, None])
    return Answer(status, groups, body[at + 1:])


def field(body, at):
    """A length and so many bytes; the bytes and what follows."""
    end = at + 2 + struct.unpack(">H", body[at:at + 2])[0]
    return body[at + 2:end], end


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Client:
    """Requests to one printer. ca is a file of certificates for ipps."""

    _ids = itertools.count(1)

    def __init__(self, uri, unix=None, ca=None, user="alice", headers=None, timeout=60):
        self.uri = uri
        self.user = user
        self._unix = unix
        self._ca = ca
        self._headers = headers or {}
        self._timeout = timeout

    def _connection(self, uri):
        if self._unix:
            return _UnixConnection(self._unix, self._timeout)
        scheme, host, port = re.match(r"(\w+)://([^/:]+)(?::(\d+))?", uri).groups()
        if scheme in ("ipps", "https"):
            context = tls.create_default_context(cafile=self._ca and str(self._ca))
            return http.client.HTTPSConnection(host, int(port or 631), timeout=self._timeout,
                                               context=context)
        return http.client.HTTPConnection(host, int(port or 631), timeout=self._timeout)

    def request(self, operation, attributes=None, job=None, groups=(), document=b"", uri=None):
        """One operation. attributes go into the operation group, job into the job group, groups
        follow. document is bytes or a path."""
        return decode(self.bytes(operation, attributes, uri, job, groups, document))

    def bytes(self, operation, attributes=None, uri=None, job=None, groups=(), document=b""):
        """The same; the answer as it came."""
        uri = uri or self.uri
        first = {"attributes-charset": "utf-8", "attributes-natural-language": "en",
                 "printer-uri": uri, "requesting-user-name": self.user, **(attributes or {})}
        parts = [("operation", first)] + ([("job", job)] if job else []) + list(groups)
        if isinstance(document, pathlib.Path):
            document = document.read_bytes()
        status, body = self.post(encode(operation, next(self._ids), parts) + document, uri)
        if status != 200:
            raise OSError(f"{uri}: HTTP {status}")
        return body

    def post(self, body, uri=None):
        """Bytes as they are; HTTP status and body."""
        uri = uri or self.uri
        path = "/" + uri.split("://", 1)[1].partition("/")[2]
        connection = self._connection(uri)
        try:
            connection.request("POST", path, body,
                               {"Content-Type": "application/ipp", **self._headers})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def print_job(self, document, mime="application/pdf", name="test", **job):
        """Print-Job; the new job's number."""
        answer = self.request("Print-Job", {"job-name": name, "document-format": mime},
                              {key.replace("_", "-"): value for key, value in job.items()},
                              document=document)
        if not answer.ok:
            raise AssertionError(f"Print-Job: {answer!r}")
        return answer.groups("job")[0]["job-id"]
