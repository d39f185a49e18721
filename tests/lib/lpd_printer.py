"""A printer that speaks LPD (RFC 1179), as old print servers do: LpdPrinter(folder).start().

Modes: ok | refuse (answers each request with an error) | cut [BYTES] (hangs up when so much of a
data file has come; else when all of it has, without a word). Every data file that came whole and
was confirmed becomes FOLDER/N and an entry of .ledger: {"user", "bytes", "file"}; .cuts counts
those at which it hung up.
"""

import pathlib
import socket
import socketserver
import threading

RECEIVE_JOB, CONTROL_FILE = 2, 2
CHUNK = 65536
DONE, FAILED = b"\0", b"\1"


class _Connection(socketserver.StreamRequestHandler):
    """One connection: a job for a queue, its control file and its data file in either order."""

    def handle(self):
        printer = self.server.printer
        line = self.rfile.readline().rstrip(b"\n")
        printer.count()
        if printer.mode == "refuse" or line[:1] != bytes([RECEIVE_JOB]):
            self.wfile.write(FAILED)
            return
        self.wfile.write(DONE)
        user, document = "", None
        while line := self.rfile.readline().rstrip(b"\n"):
            size = int(line[1:].split()[0])
            self.wfile.write(DONE)
            if line[0] != CONTROL_FILE and printer.mode.startswith("cut"):
                self.rfile.read(int((printer.mode.split() + [size + 1])[1]))
                printer.cut()
                return
            content = self.rfile.read(size)
            self.rfile.read(1)
            if line[0] == CONTROL_FILE:
                user = next((one[1:].decode() for one in content.splitlines() if one[:1] == b"P"),
                            "")
            else:
                document = content
            self.wfile.write(DONE)
        if document is not None:
            printer.take(user, document)


class LpdPrinter:
    """Serves in threads of its own."""

    def __init__(self, folder, mode="ok"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.mode = mode
        self.ledger = []
        self.requests = self.cuts = 0
        self._changed = threading.Condition()
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Connection)
        self._server.daemon_threads = True
        self._server.printer = self
        self._server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, CHUNK)  # like theirs
        self.uri = f"lpd://127.0.0.1:{self._server.server_address[1]}/laser?reserve=none"

    def start(self):
        """Switched on."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def close(self):
        """Gone, with its port."""
        self._server.shutdown()
        self._server.server_close()

    def count(self):
        """Called by each connection at its begin."""
        with self._changed:
            self.requests += 1
            self._changed.notify_all()

    def cut(self):
        """Called by each connection that hangs up in the middle of a document."""
        with self._changed:
            self.cuts += 1
            self._changed.notify_all()

    def wait_cuts(self, count, timeout=60):
        """Returns when it has hung up so often."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.cuts >= count, timeout):
                raise AssertionError(f"{self.uri}: {self.cuts} of {count} cuts")

    def wait_requests(self, count, timeout=60):
        """Returns when there were so many connections, whatever became of them."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.requests >= count, timeout):
                raise AssertionError(f"{self.uri}: {self.requests} of {count} requests")

    def take(self, user, document):
        """Called by each connection when all of a job is there."""
        with self._changed:
            path = self.folder / str(len(self.ledger) + 1)
            path.write_bytes(document)
            self.ledger.append({"user": user, "bytes": len(document), "file": path})
            self._changed.notify_all()

    def wait(self, count=1, timeout=20):
        """The ledger, when it has at least so many documents."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.ledger) >= count, timeout):
                raise AssertionError(f"{self.uri}: {len(self.ledger)} of {count} documents")
            return list(self.ledger)
