"""Rows for state.db of a stopped daemon: many jobs without the hours that they take."""

import contextlib
import sqlite3
import uuid

CREATED = 1700000000


def fill(state, printer, count, job_state, first=100000, **values):
    """Adds jobs of the printer (its id; None: the only one) in that state, with these columns."""
    path = state / "state.db"
    owner = path.stat()
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        now = int(db.execute("SELECT unixepoch() * 1000").fetchone()[0])
        if printer is None:
            printer = db.execute("SELECT id FROM printers").fetchone()[0]
        columns = db.execute("PRAGMA table_info(jobs)").fetchall()
        row = {name: "" if kind == "TEXT" else 0 for _, name, kind, *_ in columns if name != "id"}
        row.update(detailed=1, printer=printer, state=job_state, impressions=-1, sheets=-1,
                   acknowledged=1, attempt=1, documents=1, cloud_created=CREATED,
                   job_name="quarterly report", user_name="alice", format="application/pdf",
                   received=now, acked=now, handed=now)
        if job_state in ("done", "reporting"):
            row.update(outcome="completed", finished=now, reported=now)
        row.update(values)
        names = ", ".join(row)
        marks = ", ".join(f":{name}" for name in row)
        db.executemany(f"INSERT INTO jobs ({names}) VALUES ({marks})",
                       ({**row, "uuid": str(uuid.uuid4()), "cloud_job": first + n,
                         "cloud_uuid": f"urn:uuid:{uuid.uuid4()}"} for n in range(count)))
    for name in ("state.db-wal", "state.db-shm"):
        (state / name).unlink(missing_ok=True)
    assert path.stat().st_uid == owner.st_uid
