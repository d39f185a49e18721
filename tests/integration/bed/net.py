"""Ports and connections on loopback."""

import os
import socket


class Port:
    """A free port that stays ours while the server on it is stopped and started: the socket is
    bound but never listens, so connects are refused and nobody else is given the number. The
    server must set SO_REUSEADDR, as all of ours do."""

    def __init__(self):
        self._held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._held.bind(("127.0.0.1", 0))
        self.number = self._held.getsockname()[1]

    def __str__(self):
        return str(self.number)

    def close(self):
        """Gives the port back."""
        self._held.close()


def connections(pid):
    """TCP connections of a process that are open."""
    own = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            own.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except FileNotFoundError:
            continue
    count = 0
    for name in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{name}", encoding="ascii") as table:
            for line in list(table)[1:]:
                fields = line.split()
                count += fields[3] == "01" and f"socket:[{fields[9]}]" in own
    return count
