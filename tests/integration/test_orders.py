"""What an administrator orders: jobs tried again and resolved, printers paused, the connector
drained; and a stop that never waits for ever."""

import signal
import time

import pytest

import pdf
from bed import PDF, ipp
from bed.route import connect, health, wait_health

PROMPT = 60  # seconds: longer than any back-off that these tests reach
DRAIN = 20   # seconds that a stop waits for hand-overs
LONG = pdf.make(1, 8000000)


def _held(bed, route):
    """A job of which nobody knows whether it printed."""
    with bed.cups.fault_gate():
        number, job = route.submit_to_cups(PDF)
        bed.cups.kill()
        bed.cups.start()
        return number, route.wait_record(number, "held", timeout=PROMPT)


@pytest.fixture(name="forgetful")
def fixture_forgetful(bed):
    """A queue of a cupsd that forgets its jobs when it is killed."""
    bed.start_cups(options={"DirtyCleanInterval": "600"})
    bed.cups.add_fault("q", "wait=60")
    bed.cups.restart()
    return connect(bed, bed.daemon(), "q")


@pytest.mark.parametrize("verdict, outcome, tries", [
    ("--printed", "completed", 1), ("--abort", "aborted", 1), ("--print-again", "completed", 2)])
def test_a_held_job_is_resolved(bed, forgetful, verdict, outcome, tries):
    number, job = _held(bed, forgetful)
    daemon = forgetful.daemon
    remedy = wait_health(daemon, "job-held")["remedy"]
    assert f"resolve {job['id']} " in remedy and verdict in remedy
    forgetful.wait_online()
    daemon.verb("resolve", str(job["id"]), verdict)
    told, job = forgetful.ended(number, outcome, timeout=PROMPT)
    assert job["attempts"] == tries
    if tries == 1:
        assert "administrator" in told["message"]
        assert len(bed.cups.jobs("q")) == 0
    else:
        assert len(bed.cups.fault_ledger()) == 2
    assert health(daemon, "job-held") == []
    assert daemon.cli("resolve", str(job["id"]), verdict).error["kind"] in ("rejected", "gone")


def test_a_waiting_job_is_tried_when_ordered(bed):
    bed.start_cups(options={"MaxJobsPerPrinter": "1"})
    bed.cups.add_fault("q", "wait=60")
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    with bed.cups.fault_gate():
        client = bed.cups.client
        client.uri = bed.cups.uri("q")
        client.print_job(PDF)
        number = route.submit(PDF)
        job = route.wait_record(number, "waiting")
        tries = job["attempts"]
        assert daemon.cli("resolve", str(job["id"]), "--abort").error["kind"] == "rejected"
        daemon.verb("retry", str(job["id"]))
        daemon.wait(lambda: route.record(number)["attempts"] > tries, "another try")
    route.ended(number, timeout=PROMPT)


def test_a_paused_printer_takes_nothing_until_it_is_resumed(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    daemon.verb("pause", eve.uri)
    assert daemon.printer(eve.uri)["state"] == "paused"
    assert "resume" in wait_health(daemon, "printer-paused")["remedy"]
    route.wait_reason("paused")
    assert ipp.PRINTER_STATES[bed.cloud.printer()["state"]] == "stopped"
    number = route.submit(PDF)
    daemon.restart()
    daemon.wait_printer(eve.uri, "paused")
    daemon.verb("status", codes=(0, 4))
    assert route.record(number) is None
    daemon.verb("resume", eve.uri)
    route.ended(number, timeout=PROMPT)
    assert len(eve.ledger("arrived")) == 1
    assert health(daemon, "printer-paused") == []


def test_a_drain_waits_for_what_is_under_way_and_takes_nothing_more(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    eve.mode = "hold"
    with eve.gate():
        number = route.submit(PDF)
        route.wait_record(number, "printing")
        drained = daemon.verb("drain")
        assert (drained["handing"], drained["printing"]) == (0, 1)
        assert wait_health(daemon, "drained")["remedy"] == "print-connector resume"
        later = route.submit(PDF)
        eve.mode = "ok"
    route.ended(number, timeout=PROMPT)
    assert route.record(later) is None
    daemon.verb("resume")
    route.ended(later, timeout=PROMPT)


def test_a_job_active_in_three_crashes_is_held_and_the_rest_goes_on(bed, eve):
    bed.cups.add_fault("q", "wait=60")
    bed.start_cloud("a", "b")
    daemon = bed.daemon()
    route = connect(bed, daemon, "q", "a")
    other = connect(bed, daemon, eve.uri, "b")
    with bed.cups.fault_gate():
        number = route.submit(PDF)
        route.wait_record(number, "printing")
        other.ended(other.submit(PDF), timeout=PROMPT)  # what the job became is committed with it
        for left in (2, 1, 0):
            daemon.kill()
            daemon.start()
            job = route.wait_record(number, "printing" if left else "held")
    assert "crashed 3 times" in job["error"]["text"]
    entry = wait_health(daemon, "job-quarantined")
    assert entry["severity"] == "error" and f"resolve {job['id']}" in entry["remedy"]
    other.ended(other.submit(PDF), timeout=PROMPT)
    daemon.verb("resolve", str(job["id"]), "--printed")
    route.ended(number, "completed", timeout=PROMPT)
    daemon.stop()
    daemon.start()
    assert health(daemon, "job-quarantined") == []


# ---- stopping ---------------------------------------------------------------------------------

def _stops(daemon, limit, *signals):
    """Seconds until it has ended, with status 0."""
    begin = time.monotonic()
    daemon.process.signal(signal.SIGTERM)
    for number in signals:
        daemon.wait_for_line("SIGTERM: stopping")
        daemon.process.signal(number)
    assert daemon.process.wait(limit) == 0
    return time.monotonic() - begin


@pytest.mark.parametrize("operation, state", [
    ("Acknowledge-Job", "claiming"), ("Fetch-Document", "handing"),
    ("Update-Job-Status", "reporting")])
def test_a_stop_ends_while_the_cloud_says_nothing(bed, eve, operation, state):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    bed.cloud.fault("never", operation=operation, count=-1)
    number = route.submit(PDF)
    route.wait_record(number, state)
    _stops(daemon, DRAIN + 10)
    bed.cloud.clear_faults()
    daemon.start()
    route.ended(number, timeout=PROMPT)
    assert len(eve.ledger("arrived")) == 1


def test_a_stop_ends_while_cups_says_nothing(bed):
    printer = bed.socket_printer()
    bed.cups.add_raw("raw", printer.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "raw")
    bed.cloud.fault("stall-document", operation="Fetch-Document", bytes=100000, ms=3000)
    number = route.submit(LONG)
    daemon.wait(lambda: (route.record(number) or {}).get("local_job"), "a local job")
    bed.cups.process.signal(signal.SIGSTOP)
    try:
        _stops(daemon, DRAIN + 10)
    finally:
        bed.cups.process.signal(signal.SIGCONT)
    bed.cloud.clear_faults()
    daemon.start()
    route.ended(number, timeout=PROMPT)
    assert len(printer.ledger) == 1


def test_a_stop_does_not_wait_for_a_printer_that_stalls(bed):
    printer = bed.socket_printer("stalled", "hang")
    bed.cups.add_raw("raw", printer.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "raw")
    number = route.submit(LONG)
    route.wait_record(number, "printing")
    assert _stops(daemon, DRAIN) < DRAIN / 2
    printer.mode = "ok"
    daemon.start()
    route.ended(number, timeout=PROMPT)


def test_a_second_signal_does_not_wait(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    bed.cloud.fault("never", operation="Fetch-Document", count=-1)
    number = route.submit(PDF)
    route.wait_record(number, "handing")
    assert _stops(daemon, DRAIN, signal.SIGINT) < DRAIN / 2
    bed.cloud.clear_faults()
    daemon.start()
    route.ended(number, timeout=PROMPT)
    assert len(eve.ledger("arrived")) == 1
