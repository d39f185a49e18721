"""Hundreds of queues and printers without the minutes that making them one by one takes."""

import contextlib
import sqlite3
import uuid

QUEUE = """\
<Printer {name}>
UUID urn:uuid:{uuid}
Info {name}
MakeModel Local Raw Printer
DeviceURI {device}
State Idle
Type 4
Accepting Yes
Shared Yes
JobSheets none none
QuotaPeriod 0
PageLimit 0
KLimit 0
OpPolicy default
ErrorPolicy retry-job
</Printer>
"""


def write_queues(cups, names, device):
    """Raw queues of a cupsd that does not run."""
    path = cups.dir / "etc/printers.conf"
    path.write_text("".join(QUEUE.format(name=name, uuid=uuid.uuid4(), device=device)
                            for name in names))
    path.chmod(0o600)


def add_printers(state, bindings):
    """Printers {queue: cloud_uri} into the state.db of a stopped daemon, like the one it has."""
    with contextlib.closing(sqlite3.connect(state / "state.db")) as db, db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(printers)")]
        like = dict(zip(columns, db.execute("SELECT * FROM printers").fetchone()))
        marks = ", ".join(f":{name}" for name in columns)
        db.executemany(f"INSERT INTO printers VALUES ({marks})",
                       ({**like, "id": str(uuid.uuid4()), "queue": queue, "name": queue,
                         "cloud_uri": uri, "cloud_printer": uri.rsplit("/", 1)[1]}
                        for queue, uri in bindings.items()))
