"""A printer on a TCP port, as JetDirect: takes bytes and writes them to files.

In a test: SocketPrinter(folder).start(). By hand: python3 socket_printer.py FOLDER [MODE]

Modes: ok | slow BYTES_PER_SECOND | reset AFTER_BYTES | hang (stops reading until the mode changes).
Refusing connections is stop(); start() listens on the same port again. Every document becomes
FOLDER/N and a line of FOLDER/ledger.jsonl: {"n", "bytes", "sha256", "end": "eof"|"reset", "file"}.
"""

import hashlib
import json
import pathlib
import socket
import struct
import sys
import threading

CHUNK = 65536


class SocketPrinter:
    """Serves in threads of its own."""

    def __init__(self, folder, mode="ok"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ledger = []
        self._changed = threading.Condition()
        self._mode = mode
        self._listener = None
        self._open = set()
        self._count = 0
        self._port = socket.socket()
        self._port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._port.bind(("127.0.0.1", 0))  # held for as long as the printer exists
        self.port = self._port.getsockname()[1]
        self.uri = f"socket://127.0.0.1:{self.port}"

    @property
    def mode(self):
        """How it behaves; may be set at any time, also in the middle of a document."""
        return self._mode

    @mode.setter
    def mode(self, mode):
        with self._changed:
            self._mode = mode
            self._changed.notify_all()

    def start(self):
        """Switched on."""
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, CHUNK)  # as little as theirs
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(16)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def stop(self):
        """Switched off: connections break, new ones are refused."""
        if self._listener:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._changed:
            for conn in self._open:
                _reset(conn)
            self._open.clear()
            self._changed.notify_all()

    def close(self):
        """Gone, with its port."""
        self.stop()
        self._port.close()

    def wait(self, count=1, timeout=20):
        """The ledger, when it has at least so many documents."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.ledger) >= count, timeout):
                raise AssertionError(f"{self.uri}: {len(self.ledger)} of {count} documents"
                                     f" after {timeout} s")
            return list(self.ledger)

    def wait_for_data(self, count=1, timeout=20):
        """Returns when the count-th document has begun to arrive."""
        def begun():
            path = self.folder / str(count)
            return path.exists() and path.stat().st_size > 0
        with self._changed:
            if not self._changed.wait_for(begun, timeout):
                raise AssertionError(f"{self.uri}: document {count} has not begun")

    def _accept(self, listener):
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            with self._changed:
                self._open.add(conn)
            threading.Thread(target=self._take, args=(conn,), daemon=True).start()

    def _take(self, conn):
        digest, size, end, number = hashlib.sha256(), 0, "eof", None
        try:
            while True:
                verb, _, amount = self._mode.partition(" ")
                if verb == "hang":
                    self._pause(conn, None)
                    if conn not in self._open:
                        break
                    continue
                data = conn.recv(max(1, int(amount) // 10) if verb == "slow" else CHUNK)
                if not data:
                    break
                number = number or self._number()
                with open(self.folder / str(number), "ab") as out:
                    out.write(data)
                digest.update(data)
                size += len(data)
                with self._changed:
                    self._changed.notify_all()
                if verb == "reset" and size >= int(amount or 1):
                    end = "reset"
                    break
                if verb == "slow":
                    self._pause(conn, 0.1)
        except OSError:
            end = "reset"
        with self._changed:
            if conn not in self._open:  # switched off meanwhile
                end = "reset"
            self._open.discard(conn)
        if number:  # before whoever sent it sees that it has ended
            self._write(number, size, digest.hexdigest(), end)
        if end == "reset":
            _reset(conn)
        conn.close()

    def _number(self):
        with self._changed:
            self._count += 1
            return self._count

    def _pause(self, conn, timeout):
        """Until the mode changes, the printer is switched off or the time is over."""
        now = self._mode
        with self._changed:
            self._changed.wait_for(lambda: self._mode != now or conn not in self._open, timeout)

    def _write(self, number, size, digest, end):
        entry = {"n": number, "bytes": size, "sha256": digest, "end": end,
                 "file": str(self.folder / str(number))}
        with self._changed:
            with open(self.folder / "ledger.jsonl", "a", encoding="utf-8") as ledger:
                ledger.write(json.dumps(entry) + "\n")
            self.ledger.append(entry)
            self._changed.notify_all()


def _reset(conn):
    """Ends a connection by RST, also under a thread that reads from it."""
    try:
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.shutdown(socket.SHUT_RD)
    except OSError:
        pass


def main():
    """A printer by hand, until it is interrupted."""
    printer = SocketPrinter(sys.argv[1], " ".join(sys.argv[2:]) or "ok").start()
    print(printer.port, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        printer.close()


if __name__ == "__main__":
    main()
