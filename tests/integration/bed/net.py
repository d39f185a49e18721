"""Ports on loopback."""

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
