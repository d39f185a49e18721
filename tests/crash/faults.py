"""All that is done to the connector and its surroundings, and the order in which it is done."""

import dataclasses

import link

STORE = ("pwrite64", "fdatasync", "fsync", "ftruncate")
CALLS = ("write", *STORE, "sendto", "recvfrom", "sendmsg", "recvmsg", "connect", "socket", "close",
         "openat", "read", "pread64", "unlink", "unlinkat", "rename", "renameat", "writev",
         "fallocate", "mmap", "lseek", "fcntl")
# Before these the daemon is killed, with how many of a hundred kills are of it.
KILLS = {"write": 10, "pwrite64": 20, "fdatasync": 12, "fsync": 2, "ftruncate": 2, "sendto": 22,
         "recvfrom": 12, "sendmsg": 2, "connect": 5, "close": 6, "openat": 3, "read": 2,
         "unlink": 1, "unlinkat": 1, "rename": 1, "renameat": 1, "fcntl": 3, "writev": 1}
# How calls fail. Not those by which libuv wakes itself, whose failure cannot be survived.
ERRORS = {
    "pwrite64": ("EIO", "ENOSPC", "EDQUOT", "EROFS"), "fdatasync": ("EIO", "ENOSPC"),
    "fsync": ("EIO", "ENOSPC"), "ftruncate": ("EIO", "ENOSPC"), "pread64": ("EIO",),
    "sendto": ("ECONNRESET", "EPIPE", "ENOMEM"), "recvfrom": ("ECONNRESET", "ETIMEDOUT"),
    "connect": ("ECONNREFUSED", "ECONNRESET", "ENETUNREACH", "ETIMEDOUT", "EMFILE"),
    "socket": ("EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"),
    "openat": ("EMFILE", "ENFILE", "EIO", "ENOSPC", "EROFS", "ENOMEM"), "close": ("EIO",),
    "write": ("EIO", "ENOSPC"), "mmap": ("ENOMEM",), "fallocate": ("ENOSPC",),
    "read": ("EIO",), "sendmsg": ("ECONNRESET", "EAGAIN", "ENOMEM"), "unlink": ("EIO",),
    "rename": ("EIO",), "renameat": ("EIO", "ENOSPC"),
}
# These come where a printer's file is replaced, in lives in which one pauses.
REPLACING = ("fsync", "rename", "renameat", "unlinkat")
# What becomes of the cloud. Restarted: with its memory; killed: without.
CLOUD = ("forgets devices", "forgets jobs", "restarted", "killed")
BURST = 6  # so many of a call in a row at most

OPERATIONS = ("Fetch-Job", "Acknowledge-Job", "Fetch-Document", "Update-Job-Status",
              "Acknowledge-Document", "Update-Document-Status", "Get-Jobs", "Get-Notifications",
              "Get-Job-Attributes", "Update-Active-Jobs", "Create-Printer-Subscriptions",
              "Update-Output-Device-Attributes")
JOB_OPERATIONS = OPERATIONS[:6]
# (kind, bytes): where the answer ends
CUTS = [("cut-before", None), ("cut-headers", None), ("cut-ipp", 1), ("cut-ipp", 8),
        ("cut-ipp", 40), ("cut-after", None), ("truncated", 1), ("truncated", 30),
        ("garbage", 100), ("html", None), ("http-status", None), ("never", None)]
DOCUMENT_CUTS = [("cut-document", 0), ("cut-document", 1), ("cut-document", 400),
                 ("cut-document", -1), ("cut-last-chunk", None), ("longer-length", 10),
                 ("truncated", 60)]


# Where each answer is cut in a sweep: before anything is done, at its first byte, in the headers,
# in the IPP message, at end-of-attributes (before the last chunk, or where the document begins), at
# the first, a middle and the last byte of the document, after all of it.
SWEPT_CUTS = [("cut-before", None), ("cut-headers", None), ("cut-ipp", 1), ("cut-ipp", 8),
              ("cut-ipp", 40), ("cut-last-chunk", None), ("cut-after", None)]
SWEPT_DOCUMENT_CUTS = [("cut-document", 0), ("cut-document", 1), ("cut-document", 400),
                       ("cut-document", -1)]


# What the link to a queue is cut in, with how many of a hundred cuts are in it.
LINK_OPERATIONS = {
    "cups Create-Job": 15, "cups Send-Document": 30, "cups Get-Job-Attributes": 6,
    "cups Cancel-Job": 2, "cups Get-Jobs": 2, "cups Validate-Job": 2,
    "cups Get-Printer-Attributes": 2, "cups Get-Notifications": 2,
    "cups Create-Printer-Subscriptions": 1,
    "printer Print-Job": 30, "printer Get-Job-Attributes": 6, "printer Validate-Job": 1,
    "printer Get-Printer-Attributes": 1}
DOCUMENTS = ("cups Send-Document", "printer Print-Job")  # these have one
DOCUMENT_PLACES = (1, 400, 20000)


@dataclasses.dataclass
class Fault:
    """What is done in one life of the daemon. where: how far into it, of 1."""

    kind: str              # kill, error, random, cups, cloud, printer, cut, link, cancel
    call: str = ""         # or operation, or what becomes of cupsd or the cloud
    where: float = 0
    number: int = 0        # of the call; 0: by where
    error: str = ""        # or the kind of cut
    burst: int = 1
    bytes: int = 0
    how: str = ""          # a link ends

    def __str__(self):
        words = [self.kind, self.call, self.error, self.how]
        words += [f"#{self.number}"] if self.number else [f"at {self.where:.3f}"]
        words += [f"x{self.burst}"] if self.burst > 1 else []
        return " ".join(word for word in words if word)


def _kill(rng):
    return Fault("kill", rng.choices(list(KILLS), list(KILLS.values()))[0], rng.random())


def _error(rng):
    call = rng.choice(list(ERRORS))
    return Fault("error", call, rng.random(), error=rng.choice(ERRORS[call]),
                 burst=rng.choice((1, 1, 1, 2, BURST)))


def _cut(rng):
    if rng.random() < 0.25:
        kind, size = rng.choice(DOCUMENT_CUTS)
        return Fault("cut", "Fetch-Document", rng.random(), error=kind, bytes=size)
    kind, size = rng.choice(CUTS)
    operation = rng.choice(JOB_OPERATIONS if rng.random() < 0.7 else OPERATIONS)
    return Fault("cut", operation, rng.random(), error=kind, bytes=size)


def _link(rng):
    call = rng.choices(list(LINK_OPERATIONS), list(LINK_OPERATIONS.values()))[0]
    return Fault("link", call, rng.random(), bytes=rng.choice(DOCUMENT_PLACES),
                 error=rng.choice(_places(call)), how=rng.choice(link.HOWS))


def _places(call):
    """Where an exchange can be cut."""
    return [place for place in link.REQUEST_CUTS + link.ANSWER_CUTS
            if place != "document" or call in DOCUMENTS]


def _swept_cuts():
    """Every kind of message, at each position."""
    for operation in OPERATIONS:
        for kind, size in SWEPT_CUTS + SWEPT_DOCUMENT_CUTS * (operation == "Fetch-Document"):
            yield Fault("cut", operation, error=kind, bytes=size, number=1)
    for call in LINK_OPERATIONS:
        for place in _places(call):
            for size in DOCUMENT_PLACES if place == "document" else DOCUMENT_PLACES[:1]:
                for how in link.HOWS:
                    # the second Send-Document of a job lets cupsd print
                    for skip in (0, 0.5) if call == "cups Send-Document" else (0,):
                        yield Fault("link", call, skip, error=place, bytes=size, how=how)


def lives(rng):
    """Endlessly: what is done in the next life, one fault or several."""
    while True:
        dice = rng.random()
        if dice < 0.49:
            yield [_kill(rng)] + [Fault("cancel", rng.choice(("in the cloud", "here")))] * (
                rng.random() < 0.15)
        elif dice < 0.68:
            yield [_error(rng) for _ in range(rng.randint(1, 3))]
        elif dice < 0.76:
            yield [Fault("random", "kill -9", rng.random())]
        elif dice < 0.85:
            yield [_link(rng) for _ in range(rng.randint(1, 4))]
        elif dice < 0.86:
            yield [Fault("link", rng.choice(("cups", "printer")), rng.random(), error="all")]
        elif dice < 0.94:
            yield [_cut(rng) for _ in range(rng.randint(2, 5))]
        elif dice < 0.96:
            yield [Fault("printer", "fails", rng.random())]
        elif dice < 0.97:
            yield [Fault("cups", rng.choice(("killed", "restarted")), rng.random())]
        else:
            yield [Fault("cloud", rng.choice(CLOUD), rng.random())]


class Sweep:
    """Every answer of the cloud and every exchange with a queue cut at every position; then every
    call that kills, then every
    failure of every call, each at N = 1, 2, 3 ... until N is not reached any more. One of `parts`
    beds, which share the numbers among them."""

    MISSES = 3  # in a row, behind what a life without faults has

    def __init__(self, counts, before, part, parts):
        self.counts = counts
        self.before = before  # while the program is only being loaded
        self.kinds = [("kill", call, "") for call in KILLS]
        self.kinds += [("error", call, error) for call, errors in ERRORS.items()
                       for error in errors]
        self.cuts = list(_swept_cuts())[part::parts]
        self.part, self.parts = part, parts
        self.number, self.misses = 0, 0
        self.begun = False  # with calls, behind the cuts
        self._begin()

    def _begin(self):
        if self.kinds:
            self.number = self.before.get(self.kinds[0][1], 0) + self.part + 1
            self.misses = 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.cuts:
            return [self.cuts.pop()]
        if not self.kinds:
            raise StopIteration
        self.begun = True
        kind, call, error = self.kinds[0]
        self.number += self.parts
        return [Fault(kind, call, number=self.number - self.parts, error=error)]

    def came(self, reached):
        """Whether the last one was reached."""
        if not self.begun:
            return
        self.misses = 0 if reached else self.misses + 1
        if self.misses >= self.MISSES and self.number > self.counts.get(self.kinds[0][1], 0):
            self.kinds.pop(0)
            self._begin()
