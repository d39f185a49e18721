"""A printer that answers differently each time: a real one, with somebody in between who spoils its
answers to Get-Printer-Attributes, each in another way. All other operations pass as they are."""

import collections
import http.client
import http.server
import itertools
import random
import struct
import threading

from . import ipp
from .watch import wait_until

GROUP_PRINTER, GROUP_END = ipp.GROUPS["printer"], ipp.GROUPS["end"]
BROKEN = 1 / 12  # of the answers are no attributes at all
LONGEST = 32767  # bytes of a value that libcups still reads
CONTROLS = bytes(range(1, 32)) + b"\x7f\xc0\xff\"'`$(id)\\;\r\n*PPD-Adobe: \"4.3\""
REASONS = ("none", "media-empty-error", "toner-low-warning", "other-report", "connecting-to-device",
           "moving-to-paused", "x" * 300, "", "media jam\n", "none-error-warning-report")


def _value(tag, raw, name=b""):
    return struct.pack(">BH", tag, len(name)) + name + struct.pack(">H", len(raw)) + raw


def _split(body):
    """What is before the printer's attributes, and these: [(name, bytes of all values)]."""
    at, group, begin, found = 8, 0, None, []
    while body[at] != GROUP_END:
        if body[at] < 0x10:
            group = body[at]
            at += 1
            begin = at if group == GROUP_PRINTER else begin
            continue
        key, end = ipp.field(body, at + 1)
        end = ipp.field(body, end)[1]
        if group == GROUP_PRINTER and key:
            found.append((key, body[at:end]))
        elif group == GROUP_PRINTER:
            found[-1] = (found[-1][0], found[-1][1] + body[at:end])
        at = end
    return body[:begin or at] + (b"" if begin else bytes([GROUP_PRINTER])), found


def _renamed(values, name):
    """The same values as another attribute."""
    length = struct.unpack(">H", values[1:3])[0]
    return values[:1] + struct.pack(">H", len(name)) + name + values[3 + length:]


# ---- what becomes of one attribute: (random, name, values, all attributes seen) -> values --------


def _gone(*_):
    return b""


def _of_another_type(rng, name, *_):
    number = struct.pack(">i", rng.choice((-2**31, -1, 0, 1, 2**31 - 1)))
    tag, raw = rng.choice((
        (ipp.INTEGER, number), (ipp.ENUM, number), (ipp.BOOLEAN, b"\x07"), (ipp.RANGE, number * 2),
        (ipp.RESOLUTION, number * 2 + b"\0"), (ipp.OCTETS, rng.randbytes(40)),
        (ipp.DATE, rng.randbytes(11)), (0x13, b""), (0x12, b""), (ipp.TEXT, b"quite another"),
        (ipp.KEYWORD, b"quite-another"), (ipp.URI, b"file:///etc/passwd"), (ipp.MIME, b"a/b/c"),
        (ipp.CHARSET, b"klingon"), (0x36, b"\0\2en\0\4name")))
    return _value(tag, raw, name) + _value(tag, raw) * rng.randrange(3)


def _with_text(text):
    def change(_, name, values, __):
        tag = values[0] if values[0] >= 0x40 and values[0] != ipp.MEMBER else ipp.TEXT
        return _value(tag, text, name)
    return change


def _endless(rng, name, *_):
    return _value(ipp.KEYWORD, b"first", name) + b"".join(
        _value(ipp.KEYWORD, b"word-%d" % n) for n in range(rng.randrange(3000)))


def _twice(rng, name, values, _):
    return values + _of_another_type(rng, name)


def _of_another(rng, name, _, seen):
    return _renamed(rng.choice(list(seen.values())), name)


def _contradictory(rng, name, values, _):
    """The numbers of a collection are others, in a second one, with the first member twice."""
    parts = values.split(b"\x21\0\0\0\4")
    other = parts[0] + b"".join(
        b"\x21\0\0\0\4" + (struct.pack(">i", rng.randint(-2**31, 2**31 - 1)) if rng.random() < 0.5
                           else part[:4]) + part[4:] for part in parts[1:])
    return values + _renamed(other, name if rng.random() < 0.5 else b"")


def _deep(_, name, *__, depth=4):
    """A collection in a collection, and so on."""
    inner = _value(ipp.MEMBER, b"media-size") + _value(ipp.BEGIN, b"")
    return _value(ipp.BEGIN, b"", name) + inner * depth + _value(ipp.END, b"") * (depth + 1)


CHANGES = (_gone, _of_another_type, _with_text(b""), _with_text(b"x" * LONGEST),
           _with_text(CONTROLS), _endless, _twice, _of_another, _contradictory, _deep)


def _state(rng):
    """What it says of itself now."""
    state = rng.choice((3, 3, 3, 4, 5, 99))
    changed = struct.pack(">i", rng.randrange(2**31))
    return {
        b"printer-state": struct.pack(">i", state), b"printer-state-change-time": changed,
        b"printer-state-message": b"message %d" % rng.randrange(1000),
        b"printer-state-reasons": rng.choice(REASONS).encode(),
    } | ({b"printer-config-change-time": changed} if rng.random() < 0.5 else {})


# ---- what becomes of the whole answer: (random, answer) -> (HTTP status, bytes, left out) -----

BREAKS = {
    "garbage": lambda rng, body: (200, rng.randbytes(len(body)), 0),
    "nothing": lambda rng, body: (200, b"", 0),
    "truncated": lambda rng, body: (200, body[:rng.randrange(len(body))], 0),
    "64 kB": lambda rng, body: (200, body[:-1] + _value(ipp.TEXT, b"x" * 65535, b"printer-info")
                                + body[-1:], 0),
    "too deep": lambda rng, body: (200, body[:-1] + _deep(rng, b"media-col-default", depth=60)
                                   + body[-1:], 0),
    "other request": lambda rng, body: (200, body[:4] + rng.randbytes(4) + body[8:], 0),
    "other status": lambda rng, body: (200, body[:2] + rng.choice(
        (b"\4\0", b"\4\3", b"\4\6", b"\5\0", b"\5\5", b"\5\7", b"\xff\xff")) + body[4:], 0),
    "HTTP 500": lambda rng, body: (500, b"<h1>Error</h1>", 0),
    "cut": lambda rng, body: (200, body, rng.randrange(1, len(body))),
    "hung up": lambda rng, body: (0, b"", 0),
}


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Who is answered so hangs up."""


def _changed(body):
    """It says that it can do other things than it has ever said."""
    head, attributes = _split(body)
    said = dict(attributes)
    name = b"printer-config-change-time"
    if name in said:
        said[name] = _value(ipp.INTEGER, struct.pack(">i", 2 ** 30), name)
    return head + b"".join(said.values()) + bytes([GROUP_END])


class OddPrinter:
    """Context manager; uri: in place of that of the printer behind it (IppPrinter). It is as that
    one is while odd is false. What the answer of a number is follows from the seed alone, as far as
    question and printer are the same."""

    def __init__(self, behind, seed):
        self.odd = False
        self.served = collections.Counter()  # odd answers, by what became of them
        self._behind, self._seed = behind, seed
        self._seen = {}  # the last good values of each attribute
        self._count, self._lock = itertools.count(1), threading.Lock()
        odd = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Between."""

            def do_POST(self):  # pylint: disable=invalid-name
                """One request and its answer."""
                odd.answer(self)

            def log_message(self, format, *args):  # pylint: disable=redefined-builtin
                """Not a word."""

        Handler.protocol_version = "HTTP/1.1"
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.uri = f"ipp://127.0.0.1:{self._server.server_port}/ipp/print"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self, count, programs, timeout):
        """So many answers were odd; programs: those that have to live."""
        wait_until(lambda: self.served.total() >= count, f"{count} odd answers", timeout, (),
                   programs)

    def answer(self, handler):
        """Asks the printer behind and hands its answer on."""
        request = handler.rfile.read(int(handler.headers["Content-Length"]))
        connection = http.client.HTTPConnection("127.0.0.1", self._behind.port.number, timeout=60)
        try:
            connection.request("POST", handler.path, request, {"Content-Type": "application/ipp"})
            response = connection.getresponse()
            status, body, missing = response.status, response.read(), 0
        finally:
            connection.close()
        asked = struct.unpack(">H", request[2:4])[0] == ipp.OPERATIONS["Get-Printer-Attributes"]
        if asked and self.odd and status == 200:
            with self._lock:
                status, body, missing = self._spoil(body)
        elif asked and self.served:
            body = _changed(body)
        if status:
            handler.send_response_only(status)
            handler.send_header("Content-Type", "application/ipp")
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body[:len(body) - missing])
        handler.close_connection = missing or not status

    def _spoil(self, body):
        rng = random.Random(f"{self._seed} {next(self._count)}")
        if rng.random() < BROKEN:
            kind = rng.choice(list(BREAKS))
            self.served[kind] += 1
            return BREAKS[kind](rng, body)
        self.served["attributes"] += 1
        head, attributes = _split(body)
        self._seen.update(attributes)
        said = dict(attributes)
        for name in rng.sample(list(self._seen), min(len(self._seen), rng.randrange(3))):
            said[name] = self._seen[name]  # unasked
        for name, raw in _state(rng).items():
            said[name] = _value(self._seen.get(name, b"\x21")[0], raw, name)
        for name in rng.sample(list(said), min(len(said), rng.randrange(12))):
            said[name] = rng.choice(CHANGES)(rng, name, said[name], self._seen)
        values = list(said.values())
        rng.shuffle(values)
        return 200, head + b"".join(values) + bytes([GROUP_END]), 0
