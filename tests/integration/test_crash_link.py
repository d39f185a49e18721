"""The links of make check-crash: what passes through them whole, and where they are cut."""

import pathlib
import socket
import sys
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crash"))

from link import Cut, Framing, Links, attributes_end

# Send-Document with two attributes, one of them with an additional value
MESSAGE = (b"\x02\x00\x00\x06\0\0\0\1\x01\x47\0\2ab\0\3abc\x44\0\1n\0\1v\x44\0\0\0\2vw\x03")
DOCUMENT = b"%PDF" + bytes(range(256)) * 40
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n" + b"a" * 30
PATIENCE = 10


def _chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


LENGTH_HEAD = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(MESSAGE + DOCUMENT)
CHUNK_HEAD = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
WITH_LENGTH = LENGTH_HEAD + MESSAGE + DOCUMENT
IN_CHUNKS = CHUNK_HEAD + _chunk(MESSAGE + DOCUMENT[:5]) + _chunk(DOCUMENT[5:]) + b"0\r\n\r\n"
REQUESTS = {"length": WITH_LENGTH, "chunks": IN_CHUNKS}


class Server:
    """Answers each time it has so many bytes more."""

    def __init__(self, path, size):
        self.got = b""
        self._size = size
        self._listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self._listener.settimeout(PATIENCE)
        self._listener.bind(str(path) if path else ("127.0.0.1", 0))
        self._listener.listen()
        self.address = path or self._listener.getsockname()
        self.ended = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        try:
            with self._listener, self._listener.accept()[0] as peer:
                peer.settimeout(PATIENCE)
                answers = 0
                while data := peer.recv(1000):
                    self.got += data
                    while len(self.got) >= (answers + 1) * self._size:
                        answers += 1
                        peer.sendall(ANSWER)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was cut
        self.ended.set()


def _connect(link):
    local = isinstance(link.address, pathlib.Path)
    client = socket.socket(socket.AF_UNIX if local else socket.AF_INET)
    client.settimeout(PATIENCE)
    client.connect(str(link.address) if local else link.address)
    return client


@pytest.fixture(params=["unix", "tcp"])
def way(request, tmp_path):
    """Makes (server, link, links, client) for requests of so many bytes."""
    local = request.param == "unix"
    with Links(lambda: ["handing"]) as links:
        clients = []

        def make(size):
            server = Server(tmp_path / "server" if local else None, size)
            link = links.add(server.address,
                             *([tmp_path / "link"] if local else []))
            clients.append(_connect(link))
            return server, link, links, clients[-1]
        yield make
        for client in clients:
            client.close()


def _read_all(client, size=1 << 30):
    data = b""
    try:
        while len(data) < size and (more := client.recv(1000)):
            data += more
    except ConnectionResetError:
        pass
    return data


def _send(client, data, step):
    try:
        for at in range(0, len(data), step):
            client.sendall(data[at:at + step])
    except (BrokenPipeError, ConnectionResetError):
        pass  # it was cut before the end


def test_the_end_of_attributes_is_found_as_soon_as_it_is_there():
    assert attributes_end(MESSAGE + DOCUMENT) == len(MESSAGE)
    assert all(attributes_end(MESSAGE[:n]) is None for n in range(len(MESSAGE)))


@pytest.mark.parametrize("step", [1, 7, 100000])
@pytest.mark.parametrize("kind", REQUESTS)
def test_messages_are_followed_from_one_to_the_next(kind, step):
    framing, ends, at = Framing(), [], 0
    request_ = REQUESTS[kind]
    data = request_ * 2
    while at < len(data):
        at += framing.take(data[at:at + step])
        if framing.ended:
            assert framing.body == len(MESSAGE + DOCUMENT)
            assert framing.first == MESSAGE + DOCUMENT
            ends.append(at)
            framing.begin()
    assert ends == [len(request_), 2 * len(request_)]


@pytest.mark.parametrize("step", [100, 100000])
@pytest.mark.parametrize("kind", REQUESTS)
def test_without_a_cut_everything_passes(way, kind, step):
    request_ = REQUESTS[kind]
    server, link, _, client = way(len(request_))
    for _ in range(2):
        _send(client, request_, step)
        assert _read_all(client, len(ANSWER)) == ANSWER
    assert server.got == request_ * 2
    assert link.seen == {"Send-Document": 2}


@pytest.mark.parametrize("step", [100, 100000])
@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("kind, cut, passed, answered", [
    ("length", ("head", 0), len(LENGTH_HEAD) // 2, 0),
    ("length", ("message", 0), len(LENGTH_HEAD) + len(MESSAGE) // 2, 0),
    ("length", ("document", 1), len(LENGTH_HEAD + MESSAGE) + 1, 0),
    ("length", ("document", 400), len(LENGTH_HEAD + MESSAGE) + 400, 0),
    ("length", ("document", 10 ** 6), len(WITH_LENGTH) - 1, 0),
    ("length", ("last", 0), len(WITH_LENGTH) - 1, 0),
    ("length", ("unanswered", 0), len(WITH_LENGTH), 0),
    ("length", ("answer", 0), len(WITH_LENGTH), 0),
    ("length", ("answer-head", 0), len(WITH_LENGTH), 20),
    ("length", ("in-answer", 0), len(WITH_LENGTH), len(ANSWER) - 15),
    ("chunks", ("head", 0), len(CHUNK_HEAD) // 2, 0),
    ("chunks", ("message", 0), len(CHUNK_HEAD) + 4 + len(MESSAGE) // 2, 0),
    ("chunks", ("document", 1), len(CHUNK_HEAD) + 4 + len(MESSAGE) + 1, 0),
    ("chunks", ("document", 10 ** 6), len(IN_CHUNKS) - 2, 0),
    ("chunks", ("last", 0), len(IN_CHUNKS) - 2, 0),
    ("chunks", ("unanswered", 0), len(IN_CHUNKS), 0),
    ("chunks", ("answer", 0), len(IN_CHUNKS), 0),
])
def test_a_cut_is_where_it_was_wanted(way, kind, cut, passed, answered, how, step):
    request_ = REQUESTS[kind]
    server, link, links, client = way(len(request_))
    where, offset = cut
    cut = links.cut(link, Cut("Send-Document", where, how, offset))
    _send(client, request_, step)
    got = _read_all(client)
    assert cut.is_hit and cut.states == ["handing"]
    assert server.ended.wait(PATIENCE)
    if how == "close":  # with RST an end may lose what was not read yet
        assert (server.got, got) == (request_[:passed], ANSWER[:answered])
    else:
        assert request_[:passed].startswith(server.got) and ANSWER[:answered].startswith(got)


def test_a_link_that_hangs_is_gone_after_a_while(way):
    server, link, links, client = way(len(WITH_LENGTH))
    links.cut(link, Cut("Send-Document", "answer", "hang"))
    _send(client, WITH_LENGTH, 1000)
    assert _read_all(client) == b"" and server.ended.wait(PATIENCE)
    assert server.got == WITH_LENGTH


def test_others_pass_and_the_next_one_is_cut(way):
    _, link, links, client = way(len(WITH_LENGTH))
    other = links.cut(link, Cut("Print-Job", "head"))
    cut = links.cut(link, Cut("Send-Document", "answer", skip=1))
    _send(client, WITH_LENGTH, 1000)
    assert _read_all(client, len(ANSWER)) == ANSWER and not cut.is_hit
    _send(client, WITH_LENGTH, 1000)
    assert _read_all(client) == b"" and cut.is_hit and not other.is_hit


def test_a_link_that_is_down_refuses(way):
    server, link, links, client = way(len(WITH_LENGTH))
    _send(client, WITH_LENGTH, 1000)
    assert _read_all(client, len(ANSWER)) == ANSWER
    links.down(link)
    assert _read_all(client) == b"" and server.ended.wait(PATIENCE)
    with pytest.raises(ConnectionRefusedError):
        _connect(link)
    links.up(link)
    _connect(link).close()


def test_nobody_behind_a_link_is_seen_as_its_end(way):
    server, link, _, client = way(len(WITH_LENGTH))
    client.close()
    assert server.ended.wait(PATIENCE)  # and it listens no more
    with _connect(link) as again:
        assert _read_all(again) == b""
