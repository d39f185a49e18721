"""state.db damaged: set aside, printers served again, jobs told; and what is checked when."""

import os
import shutil
import sqlite3

import pytest

from bed import PDF
from bed.backlog import fill
from bed.route import connect, health, wait_health

PAGE = 4096


def _overwrite(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def _truncate(state):
    os.truncate(state / "state.db", (state / "state.db").stat().st_size // PAGE // 2 * PAGE)


def _garbage_wal(state):
    """A -wal whose database is gone: nobody knows what it belonged to."""
    (state / "state.db").unlink()
    (state / "state.db-wal").write_bytes(os.urandom(8 * PAGE))


DAMAGES = {
    "header": lambda state: _overwrite(state / "state.db", 0, b"this is no database at all"),
    "schema": lambda state: _overwrite(state / "state.db", 100, b"\xff" * 500),
    "middle": lambda state: _overwrite(state / "state.db", (state / "state.db").stat().st_size
                                       // PAGE // 2 * PAGE, b"\x5a" * PAGE),
    "all but the first page": lambda state: _overwrite(
        state / "state.db", PAGE, os.urandom((state / "state.db").stat().st_size - PAGE)),
    "truncated": _truncate,
    "empty": lambda state: os.truncate(state / "state.db", 0),
    "gone": lambda state: (state / "state.db").unlink(),
    "garbage in the wal": _garbage_wal,
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_state_is_set_aside_and_its_printers_go_on(bed, eve, kind):
    bed.start_cloud("a", "b")
    printer = bed.socket_printer()
    bed.cups.add_raw("raw", printer.uri)
    daemon = bed.daemon()
    first = connect(bed, daemon, eve.uri, "a")
    second = connect(bed, daemon, "raw", "b")
    second.ended(second.submit(PDF))
    before = [{key: p[key] for key in ("id", "queue", "cloud_printer", "certificate")}
              for p in daemon.printers()]
    assert daemon.stop() == 0
    fill(daemon.state, before[1]["id"], 200, "done")
    DAMAGES[kind](daemon.state)
    daemon.start()
    daemon.wait_for_line(r"it was set aside as state\.db\.damaged-")
    daemon.wait_for_line(r"recovered: 2 printers")
    entry = wait_health(daemon, "state-damaged")
    aside = [path for path in daemon.state.glob("state.db.damaged-*") if path.suffix != ".shm"]
    assert entry["severity"] == "error" and str(aside[0].parent) in entry["text"]
    assert daemon.cli("status").code == 4
    after = [{key: p[key] for key in ("id", "queue", "cloud_printer", "certificate")}
             for p in daemon.printers()]
    assert after == before
    for route in (first, second):
        route.wait_online()
        route.ended(route.submit(PDF))
    daemon.restart()
    assert health(daemon, "state-damaged")
    for path in daemon.state.glob("state.db.damaged-*"):
        path.unlink()
    assert not health(daemon, "state-damaged")
    assert sqlite3.connect(daemon.state / "state.db").execute(
        "PRAGMA integrity_check").fetchone() == ("ok",)


def test_damage_beside_a_job_that_prints_neither_loses_nor_doubles_it(bed):
    """The job's own row can be read: it is watched to its end."""
    bed.cups.add_fault("q", "wait=60")
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    with bed.cups.fault_gate():
        number, job = route.submit_to_cups(PDF)
        daemon.kill()
        fill(daemon.state, None, 300, "done")
        _overwrite(daemon.state / "state.db",
                   (daemon.state / "state.db").stat().st_size - 20 * PAGE, b"\x5a" * 8 * PAGE)
        daemon.start()
        daemon.wait_for_line(r"recovered: 1 printer, 1 open")
        assert route.wait_record(number, "printing")["id"] == job["id"]
    route.ended(number)
    assert len(bed.cups.fault_ledger()) == 1 and len(bed.cups.jobs("q")) == 1


def test_a_job_whose_row_is_lost_is_said_to_be_unknown(bed):
    bed.cups.add_fault("q", "wait=60")
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    with bed.cups.fault_gate():
        number, job = route.submit_to_cups(PDF)
        daemon.kill()
        for path in daemon.state.glob("state.db*"):
            path.unlink()
        daemon.start()
        daemon.wait_for_line(r"recovered: 1 printer, no open jobs and no finished ones")
        daemon.wait_for_line(r"how many open jobs were not recovered cannot be known")
        route.wait_online()
    bed.cups.wait_job(job["local_job"])
    route.ended(route.submit(PDF))
    assert len(bed.cups.fault_ledger()) == 2


def test_damage_while_it_runs_is_met_without_a_restart_by_hand(bed):
    printer = bed.socket_printer()
    bed.cups.add_raw("raw", printer.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "raw")
    assert daemon.stop() == 0
    fill(daemon.state, None, 5000, "done")
    daemon.start()
    route.wait_online()
    route.ended(route.submit(PDF))
    pid = daemon.process.pid
    with open(daemon.state / "state.db", "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(PAGE)
        file.write(b"\x5a" * (size - PAGE))
    assert daemon.cli("jobs", "--all").code == 1
    number = route.submit(PDF)
    daemon.wait_for_line(r"starting again with what can be recovered")
    daemon.wait_for_line(r"recovered: 1 printer")
    route.ended(number)
    assert daemon.process.pid == pid and len(printer.wait(2)) == 2


def test_a_newer_state_is_refused_with_reason_and_remedy(bed):
    daemon = bed.daemon(with_cups=False)
    assert daemon.stop() == 0
    with sqlite3.connect(daemon.state / "state.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = shutil.copy(daemon.state / "state.db", bed.dir / "before")
    daemon.expect_clean = False
    assert daemon.spawn().wait(20) == 1
    assert "written by a newer version (schema 99" in daemon.process.text()
    assert "install that version again" in daemon.process.text()
    assert open(before, "rb").read() == (daemon.state / "state.db").read_bytes()


def test_ten_thousand_open_jobs_do_not_keep_the_others_waiting(bed):
    """The limits are for a loaded machine; make bench has the figures."""
    bed.start_cloud("a", "b")
    printer = bed.socket_printer()
    for queue in ("crowded", "other"):
        bed.cups.add_raw(queue, printer.uri)
    daemon = bed.daemon(settings={"log": {"level": "info"}})
    connect(bed, daemon, "crowded", "a")
    other = connect(bed, daemon, "other", "b")
    crowded = daemon.printer("crowded")["id"]
    assert daemon.stop() == 0
    fill(daemon.state, crowded, 5000, "held")
    fill(daemon.state, crowded, 5000, "reporting", first=500000)
    number = other.submit(PDF)
    daemon.start(timeout=10)
    bed.cloud.wait_job(number, "b", timeout=20)
    assert daemon.verb("status", codes=(0, 4))["jobs"]["held"] == 5000
    bed.cloud.clear_violations()  # it is told of jobs that it never had
