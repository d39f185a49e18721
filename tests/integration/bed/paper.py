"""What came out of a queue that passes documents on unchanged."""


class Paper:
    """kind: "cups", a raw queue before a socket printer, or "ipp", an IPP printer. A document that
    came out is a dict with the path of its file and its sha256."""

    def __init__(self, bed, kind):
        self._socket = bed.socket_printer() if kind == "cups" else None
        self._eve = bed.ipp_printer() if kind == "ipp" else None
        if kind == "cups":
            bed.cups.add_raw("raw", self._socket.uri)
        self.queue = "raw" if kind == "cups" else self._eve.uri

    @property
    def documents(self):
        """In the order of their arrival."""
        return self._socket.ledger if self._socket else self._eve.ledger("arrived")
