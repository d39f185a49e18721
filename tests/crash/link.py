"""The way between the daemon and its queues: passes bytes on, and cuts it at a chosen place of a
request or of its answer.

A thread of its own serves all links of a bed. A link listens where the daemon is told that cupsd or
a printer is, on a Unix socket or a port of loopback; requests are read along, so that a cut knows
where it is."""

import contextlib
import dataclasses
import os
import pathlib
import re
import selectors
import socket
import struct
import threading
import time

from bed import ipp

CHUNK = 65536
KEPT = 65536    # bytes of a message in which its attributes end
WAITING = 4 * CHUNK  # bytes that one side has not taken yet; then no more is read from the other
ENDLESS = 1 << 62
HANGS = 2000    # ms after which a link on which nothing comes is gone
NAMES = {code: name for name, code in ipp.OPERATIONS.items()}

# Where a request ends early: in its HTTP head, in its IPP message, in the document, before the last
# byte (or chunk), behind the last; where its answer does: before its first byte, in the head, in
# the IPP message.
REQUEST_CUTS = ("head", "message", "document", "last", "unanswered")
ANSWER_CUTS = ("answer", "answer-head", "in-answer")
HOWS = ("close", "reset", "hang")  # by FIN, by RST, or silent and gone after a while


def attributes_end(data):
    """Where the document begins behind an IPP message; None: not among these bytes."""
    at = 8
    with contextlib.suppress(struct.error, IndexError):
        while data[at] != ipp.GROUPS["end"]:
            at += 1
            if data[at - 1] >= 0x10:
                for _ in range(2):  # name and value
                    at += 2 + struct.unpack_from(">H", data, at)[0]
        return at + 1
    return None


class Framing:
    """Follows HTTP messages of one direction as their bytes come."""

    def __init__(self):
        self.begin()

    def begin(self):
        """The next message."""
        self.head = b""    # with the empty line when all of it is there
        self.first = b""   # of the body
        self.body = 0      # bytes of it, without what is around chunks
        self.length = None
        self.at_last_chunk = False
        self.ended = False
        self._left = 0
        self._line = b""
        self._take = self._take_head

    def take(self, data):
        """Follows at least one byte and at most up to a border; how many."""
        return self._take(data)

    def _take_head(self, data):
        before = len(self.head)
        self.head += data
        end = self.head.find(b"\r\n\r\n")
        if end < 0:
            return len(data)
        self.head = self.head[:end + 4]
        length = re.search(rb"(?im)^content-length:\s*(\d+)", self.head)
        if re.search(rb"(?im)^transfer-encoding:.*chunked", self.head):
            self._take = self._take_size
        else:
            self.length = self._left = int(length[1]) if length else 0
            self._take = self._take_body
            self.ended = not self._left
        return end + 4 - before

    def _take_body(self, data):
        part = data[:self._left]
        self.first += part[:KEPT - len(self.first)]
        self.body += len(part)
        self._left -= len(part)
        if not self._left:
            self.ended = self.length is not None
            self._take = self._take_size
        return len(part)

    def _take_size(self, data):
        end = data.find(b"\n") + 1 or len(data)
        self._line += data[:end]
        if self._line.endswith(b"\n"):
            line = self._line.strip()
            self._line = b""
            if self.at_last_chunk:
                self.ended = not line
            elif line:  # not what ends the chunk before
                self._left = int(line.split(b";")[0], 16)
                self.at_last_chunk = not self._left
                self._take = self._take_body if self._left else self._take_size
        return end


@dataclasses.dataclass
class Cut:
    """One that is to come. offset: of the document; skip: requests that pass before."""

    operation: str
    where: str
    how: str = "close"
    offset: int = 1
    skip: int = 0
    states: object = None  # of the jobs when it happened; None: not yet

    @property
    def is_hit(self):
        """Whether it happened."""
        return self.states is not None


class Side:
    """One end of a connection, and what waits to be sent to it."""

    def __init__(self, sock):
        self.sock = sock
        self.out = b""
        self.is_over = False  # nothing more is read from it

    def send(self):
        """What it takes now. False: it is gone."""
        while self.out:
            try:
                self.out = self.out[self.sock.send(self.out[:CHUNK]):]
            except BlockingIOError:
                return True
            except OSError:
                return False
        return True


class Wire:
    """One connection through a link."""

    def __init__(self, link, client, server):
        self.link = link
        self.client, self.server = Side(client), Side(server)
        self.request, self.answer = Framing(), Framing()
        self.cut = None
        self.hangs = 0.0   # until then nothing passes; 0: it does not
        self._breaks = False
        self._fresh = b""  # what came and was not followed yet
        self._kept = b""   # what was followed and may not pass yet
        self._named = False
        self._end = 0      # so much of the body passes before the cut; 0: not known

    @property
    def sides(self):
        """(one end, the other) and the other way round."""
        return (self.client, self.server), (self.server, self.client)

    # ---- the request -------------------------------------------------------------------------

    def _name(self):
        code = int.from_bytes(self.request.first[2:4], "big")
        self._named, self._end = True, 0
        self.cut = self.link.pick(NAMES.get(code, hex(code)))
        self.answer.begin()

    def _find_end(self):
        """Where in the body the cut is; 0: not known yet."""
        begin, length = attributes_end(self.request.first), self.request.length
        if begin is None and not self.request.ended:
            return 0
        if self.cut.where == "message":
            return max(1, (begin or 0) // 2)
        if self.cut.where == "last":
            return ENDLESS if length is None else length - 1
        wanted = (begin or 0) + self.cut.offset
        return wanted if length is None else min(wanted, length - 1)

    def _pass_up_to_end(self, data):
        """Until the cut or the last chunk."""
        while data and self.request.body < self._end and not self.request.at_last_chunk:
            taken = self.request.take(data[:self._end - self.request.body])
            self.server.out += data[:taken]
            data = data[taken:]
        if self.request.body >= self._end or self.request.at_last_chunk:
            self._break()

    def from_client(self, data):
        """Bytes of requests."""
        self._fresh += data
        while self._fresh and not self._breaks:
            if self.request.ended:
                self.request.begin()
                self._named, self._end, self.cut = False, 0, None
            if self._end:
                data, self._fresh = self._fresh, b""
                self._pass_up_to_end(data)
                continue
            taken = self.request.take(self._fresh)
            self._kept += self._fresh[:taken]
            self._fresh = self._fresh[taken:]
            if not self._named and (len(self.request.first) >= 4 or self.request.ended):
                self._name()
            if self._named:
                self._pass()

    def _pass(self):
        where = self.cut.where if self.cut else ""
        if where in ("message", "document", "last"):
            self._end = self._find_end()
            if self._end:  # nothing has passed: it is followed once more, so far
                data, self._kept, self._fresh = self._kept + self._fresh, b"", b""
                self.request.begin()
                self._pass_up_to_end(data)
            return
        if where == "head":
            self._kept = self._kept[:len(self.request.head) // 2]
        self.server.out += self._kept
        self._kept = b""
        if where == "head" or where == "unanswered" and self.request.ended:
            self._break()

    # ---- the answer --------------------------------------------------------------------------

    def from_server(self, data):
        """Bytes of answers."""
        where = self.cut.where if self.cut else ""
        if where == "answer":
            self._break()
        elif where == "answer-head":
            self.client.out += data[:20]
            self._break()
        elif where == "in-answer":
            end = 0
            while data and not self.answer.ended and not (end and self.answer.body >= end):
                taken = self.answer.take(data[:end - self.answer.body] if end else data)
                self.client.out += data[:taken]
                data = data[taken:]
                if self.answer.head.endswith(b"\r\n\r\n"):
                    end = max(1, (self.answer.length or 16) // 2)
            if end and self.answer.body >= end:
                self._break()
            else:
                self.client.out += data
        else:
            self.client.out += data

    # ---- its end -----------------------------------------------------------------------------

    def _break(self):
        """The link is cut here, when what may pass has been sent."""
        self.cut.states = self.link.states()
        self._breaks = True
        self._fresh = self._kept = b""

    def is_done(self):
        """Whether it is to be closed now."""
        if self.hangs:
            return time.monotonic() >= self.hangs
        if self._breaks and not self.server.out and not self.client.out:
            if self.cut.how != "hang":
                return True
            self.hangs = time.monotonic() + HANGS / 1000
        return False

    def close(self):
        """At once."""
        for side in (self.client, self.server):
            if self._breaks and self.cut.how != "close":
                with contextlib.suppress(OSError):  # one that is no TCP
                    side.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                         struct.pack("ii", 1, 0))
            side.sock.close()

    def may_read(self, side, other):
        """Whether more is taken from one side."""
        return not (self._breaks or self.hangs or side.is_over or len(other.out) > WAITING)


class Link:
    """One place where the daemon finds a queue. address: path of a Unix socket, or (host, port)."""

    def __init__(self, target, listener, states):
        self.target = target
        self.states = states
        self.cuts = []
        self.seen = {}  # operation: how often
        self.listener = None
        self.address = listener
        self._held = None
        if not isinstance(listener, pathlib.Path):
            self._held = socket.socket()  # keeps the port while nobody listens
            self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._held.bind(listener)
            self.address = self._held.getsockname()

    def pick(self, operation):
        """The cut of a request that begins; None: it passes."""
        self.seen[operation] = self.seen.get(operation, 0) + 1
        for cut in self.cuts:
            if cut.operation == operation:
                if cut.skip:
                    cut.skip -= 1
                else:
                    self.cuts.remove(cut)
                    return cut
        return None

    def listen(self):
        """A socket on which the daemon is waited for."""
        local = isinstance(self.address, pathlib.Path)
        listener = socket.socket(socket.AF_UNIX if local else socket.AF_INET)
        if local:
            self.address.unlink(missing_ok=True)
            listener.bind(str(self.address))
            self.address.chmod(0o777)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(self.address)
        listener.listen(64)
        listener.setblocking(False)
        return listener

    def connect(self):
        """A connection to what is behind it; None: there is nobody."""
        local = isinstance(self.target, pathlib.Path)
        sock = socket.socket(socket.AF_UNIX if local else socket.AF_INET)
        try:
            sock.settimeout(5)
            sock.connect(str(self.target) if local else self.target)
        except OSError:
            sock.close()
            return None
        sock.setblocking(False)
        return sock

    def forget_port(self):
        """Gives it back."""
        if self._held:
            self._held.close()


class Links:
    """Context manager: all links of a bed, served by one thread. states(): durable states of the
    open jobs, asked when a link is cut."""

    def __init__(self, states):
        self._states = states
        self._links = []
        self._wires = set()
        self._lock = threading.RLock()
        self._poll = selectors.DefaultSelector()
        self._wake, self._woken = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._poll.register(self._wake, selectors.EVENT_READ)
        self._is_closed = False
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._is_closed = True
        self._ring()
        self._thread.join()
        for link in self._links:
            self.down(link)
            link.forget_port()
        self._poll.close()
        os.close(self._wake)
        os.close(self._woken)

    def _ring(self):
        os.write(self._woken, b"!")

    # ---- commands ----------------------------------------------------------------------------

    def add(self, target, listener=("127.0.0.1", 0)):
        """A link to a socket's path or (host, port), in use at once."""
        link = Link(target, listener, self._states)
        self._links.append(link)
        self.up(link)
        return link

    def down(self, link):
        """Cuts all connections and refuses new ones."""
        with self._lock:
            if link.listener:
                self._poll.unregister(link.listener)
                link.listener.close()
                link.listener = None
            for wire in [wire for wire in self._wires if wire.link is link]:
                self._drop(wire)

    def up(self, link):
        """It works again."""
        with self._lock:
            if not link.listener:
                link.listener = link.listen()
                self._poll.register(link.listener, selectors.EVENT_READ, link)
        self._ring()

    def cut(self, link, cut):
        """One that is to come."""
        with self._lock:
            link.cuts.append(cut)
        return cut

    def clear(self):
        """Nothing more is cut."""
        with self._lock:
            for link in self._links:
                link.cuts.clear()

    # ---- the thread --------------------------------------------------------------------------

    def _drop(self, wire):
        self._wires.discard(wire)
        for side, _ in wire.sides:
            with contextlib.suppress(KeyError, ValueError):
                self._poll.unregister(side.sock)
        wire.close()

    def _watch(self, wire):
        """What is waited for at both sides."""
        for side, other in wire.sides:
            events = selectors.EVENT_READ * wire.may_read(side, other) | \
                selectors.EVENT_WRITE * bool(side.out and not wire.hangs)
            known = self._poll.get_map().get(side.sock)
            if known and not events:
                self._poll.unregister(side.sock)
            elif known and known.events != events:
                self._poll.modify(side.sock, events, (wire, side))
            elif not known and events:
                self._poll.register(side.sock, events, (wire, side))

    def _accept(self, link):
        with contextlib.suppress(BlockingIOError):
            client, _ = link.listener.accept()
            client.setblocking(False)
            server = link.connect()
            if not server:
                client.close()
                return
            wire = Wire(link, client, server)
            self._wires.add(wire)
            self._watch(wire)

    def _move(self, wire, side, events):
        """Whether the connection goes on."""
        other = wire.server if side is wire.client else wire.client
        if events & selectors.EVENT_READ and wire.may_read(side, other):
            try:
                data = side.sock.recv(CHUNK)
            except BlockingIOError:
                data = None
            except OSError:
                return False
            if data == b"":
                side.is_over = True
            elif data and side is wire.client:
                wire.from_client(data)
            elif data:
                wire.from_server(data)
        if not (side.send() and other.send()):
            return False
        is_over = any(one.is_over and not another.out for one, another in wire.sides)
        return not is_over and not wire.is_done()

    def _turn(self, ready):
        for key, events in ready:
            if key.fileobj == self._wake:
                os.read(self._wake, 100)
            elif isinstance(key.data, Link):
                if key.data.listener is key.fileobj:
                    self._accept(key.data)
            elif key.data[0] in self._wires:
                wire, side = key.data
                if self._move(wire, side, events):
                    self._watch(wire)
                else:
                    self._drop(wire)
        for wire in [wire for wire in self._wires if wire.hangs and wire.is_done()]:
            self._drop(wire)

    def _serve(self):
        while not self._is_closed:
            with self._lock:
                ends = [wire.hangs for wire in self._wires if wire.hangs]
            wait = max(0, min(ends) - time.monotonic()) if ends else None
            ready = self._poll.select(wait)
            with self._lock:
                self._turn(ready)
