"""A cancel at each moment of a hand-over and after the end, from the cloud, by the administrator
and at the queue: the last word is true, nothing comes out of it, and nothing stays at CUPS."""

import http.client
import signal

import pdf
import pytest

from bed import PDF, ipp
from bed.route import connect

BIG = pdf.make(1, 24000000)  # more than sockets hold
HALF = 400000
LONG = 60000  # ms: a document that does not go on before its job has ended


@pytest.fixture(name="printer")
def fixture_printer(bed):
    """Behind queue q of CUPS."""
    printer = bed.socket_printer()
    bed.cups.add_raw("q", printer.uri)
    return printer


def _cancel(route, number, how):
    if how == "cloud":
        route.cancel(number)
    else:
        route.daemon.verb("cancel", str(route.record(number)["id"]))


def _spooled(bed):
    """Bytes of the document that CUPS is being sent, which it keeps under a hexadecimal name."""
    return sum(path.stat().st_size for path in (bed.cups.dir / "spool").glob("0*"))


def _stall(bed, size=HALF):
    bed.cloud.fault("stall-document", operation="Fetch-Document", bytes=size, ms=LONG)


def _half_at_cups(bed, route):
    """A job of which CUPS has the first half, and no more comes; (number, local job)."""
    _stall(bed)
    number = route.submit(pdf.make(1, 2 * HALF))
    route.daemon.wait(lambda: _spooled(bed) > HALF / 4, "half a document at CUPS")
    local, = bed.cups.jobs("q", "not-completed")
    return number, local["job-id"]


def _waiting_for_its_turn(bed, route):
    """(the job before it, of which half is at CUPS; one that waits to be closed; its local job)"""
    first, first_local = _half_at_cups(bed, route)
    number = route.submit(PDF)
    route.daemon.wait(lambda: (route.record(number) or {"times": {"handed": None}})
                      ["times"]["handed"], "all of it at CUPS")
    local, = [job["job-id"] for job in bed.cups.jobs("q", "not-completed")
              if job["job-id"] != first_local]
    return first, number, local


def _cancel_at_cups(bed, local):
    bed.cups.run("cancel", "-h", bed.cups.socket, f"q-{local}")


def _nothing_is_left(bed, route, printed):
    """Neither at CUPS nor to be printed; one more job comes through."""
    assert bed.cups.jobs("q", "not-completed") == []
    bed.cloud.clear_faults()
    route.ended(route.submit(pdf.make(1, 3000, "after it")))
    assert len(printed()) == 1
    assert bed.cups.jobs("q", "not-completed") == []


@pytest.mark.parametrize("how", ["cloud", "administrator"])
def test_a_cancel_with_half_of_it_at_cups_takes_it_back(bed, printer, how):
    route = connect(bed, bed.daemon(), "q")
    number, local = _half_at_cups(bed, route)
    _cancel(route, number, how)
    told, _ = route.ended(number, "canceled", timeout=20)
    assert "job-canceled-by-user" in told["reasons"] and told["final_told"] == 1
    assert bed.cups.job(local) is None
    _nothing_is_left(bed, route, lambda: printer.ledger)


@pytest.mark.parametrize("how", ["cloud", "administrator"])
def test_a_cancel_before_it_is_closed_takes_it_back(bed, printer, how):
    route = connect(bed, bed.daemon(), "q")
    first, number, local = _waiting_for_its_turn(bed, route)
    _cancel(route, number, how)
    route.ended(number, "canceled", timeout=20)
    assert bed.cups.job(local) is None
    assert route.record(first)["state"] == "handing"
    _cancel(route, first, how)
    route.ended(first, "canceled", timeout=20)
    _nothing_is_left(bed, route, lambda: printer.ledger)


@pytest.mark.parametrize("how", ["cloud", "administrator"])
def test_a_cancel_while_it_is_fetched_for_an_ipp_printer_stops_it(bed, eve, how):
    route = connect(bed, bed.daemon(), eve.uri)
    _stall(bed)
    number = route.submit(pdf.make(1, 2 * HALF))
    bed.cloud.wait(operation="Fetch-Document")
    route.wait_record(number, "handing")
    _cancel(route, number, how)
    route.ended(number, "canceled", timeout=20)
    bed.cloud.clear_faults()
    route.ended(route.submit(PDF))
    assert len(eve.ledger("arrived")) == 1


@pytest.mark.parametrize("how", ["cloud", "administrator"])
def test_a_cancel_with_half_of_it_at_an_ipp_printer_cancels_it_there(bed, eve, how):
    """What is cut would be printed: it gets all of it, and is told to cancel it."""
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    eve.mode = "hold"
    with eve.gate():
        bed.cloud.fault("stall-document", operation="Fetch-Document", bytes=HALF, ms=2000)
        number = route.submit(BIG)
        bed.cloud.wait(operation="Fetch-Document")
        eve.process.signal(signal.SIGSTOP)  # it takes what the sockets hold, and no more
        bed.cloud.clear_faults()
        daemon.wait(lambda: route.told(number)["documents"][0]["whole"], "all of it fetched")
        daemon.wait(lambda: _unread(eve.port.number) > 50000, "a part of it at the printer")
        _cancel(route, number, how)
        daemon.process.wait_for_line("cancel requested")
        eve.process.signal(signal.SIGCONT)
        job = route.wait_record(number, "printing")
        daemon.wait(lambda: "to-stop-point" in str(_at(eve, job)["job-state-reasons"]),
                    "the cancel at the printer")
    told, job = route.ended(number, "canceled")
    assert "job-canceled-by-user" in told["reasons"] and told["final_told"] == 1
    assert ipp.JOB_STATES[_at(eve, job)["job-state"]] == "canceled"
    eve.mode = "ok"
    route.ended(route.submit(PDF))
    assert len(eve.ledger("arrived")) <= 2  # it and the next, each once at most


def _at(eve, job):
    answer = eve.client.request("Get-Job-Attributes", {"job-id": job["local_job"]})
    return answer.groups("job")[0]


def _unread(port):
    """Bytes that wait to be read by the listener on a port of 127.0.0.1."""
    total = 0
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in list(table)[1:]:
            words = line.split()
            if int(words[1].split(":")[1], 16) == port:
                total += int(words[4].split(":")[1], 16)
    return total


def test_a_cancel_at_cups_with_half_of_it_there_reaches_the_cloud(bed, printer):
    route = connect(bed, bed.daemon(), "q")
    bed.cloud.fault("stall-document", operation="Fetch-Document", bytes=HALF, ms=3000)
    number = route.submit(pdf.make(1, 2 * HALF))
    route.daemon.wait(lambda: _spooled(bed) > HALF / 4, "half a document at CUPS")
    local, = bed.cups.jobs("q", "not-completed")
    _cancel_at_cups(bed, local["job-id"])
    told, job = route.ended(number, "canceled")
    assert "canceled-at-device" in told["reasons"] and told["final_told"] == 1
    assert job["attempts"] == 1
    _nothing_is_left(bed, route, lambda: printer.ledger)


def test_a_cancel_at_cups_before_it_is_closed_reaches_the_cloud(bed, printer):
    route = connect(bed, bed.daemon(), "q")
    first, number, local = _waiting_for_its_turn(bed, route)
    _cancel_at_cups(bed, local)
    _cancel(route, first, "cloud")
    told, job = route.ended(number, "canceled")
    assert "canceled-at-device" in told["reasons"] and told["final_told"] == 1
    assert job["attempts"] == 1
    route.ended(first, "canceled")
    _nothing_is_left(bed, route, lambda: printer.ledger)


@pytest.mark.parametrize("kind", ["cups", "ipp"])
def test_a_cancel_after_the_end_changes_nothing(bed, eve, printer, kind):
    route = connect(bed, bed.daemon(), "q" if kind == "cups" else eve.uri)
    number = route.submit(PDF)
    _, job = route.ended(number)
    result = route.daemon.cli("cancel", str(job["id"]))
    assert result.code == 1 and result.error["text"]
    assert not bed.cloud.client().request("Cancel-Job", {"job-id": number}).ok
    if kind == "cups":
        assert bed.cups.run("cancel", "-h", bed.cups.socket, f"q-{job['local_job']}",
                            check=False).returncode != 0
    else:
        assert not eve.client.request("Cancel-Job", {"job-id": job["local_job"]}).ok
    route.ended(route.submit(pdf.make(1, 3000)))
    told = route.told(number)
    assert told["state_name"] == "completed" and told["final_told"] == 1
    assert route.record(number)["outcome"] == "completed"
    assert len(printer.ledger if kind == "cups" else eve.ledger("arrived")) == 2
    assert route.daemon.cli("cancel", "4711").code == 1


def test_a_cancel_that_comes_when_it_has_printed_says_that_it_was_too_late(bed, printer):
    """The cloud cannot be told of the end, and cancels meanwhile."""
    route = connect(bed, bed.daemon(), "q")
    bed.cloud.fault("http-status", operation="Update-Job-Status", http=503, count=-1)
    number = route.submit(PDF)
    job = route.wait_record(number, "reporting")
    result = route.daemon.cli("cancel", str(job["id"]))
    assert result.code == 1 and "completed" in result.error["text"]
    route.cancel(number)
    bed.cloud.clear_faults()
    route.wait_record(number, "done", timeout=60)
    told = route.told(number)
    assert told["state_name"] == "canceled" and len(printer.ledger) == 1
    assert any("had printed" in text for text in route.events(number))
    assert route.record(number)["outcome"] == "completed"


def test_a_cancel_of_a_held_job_while_the_daemon_rests_ends_it(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    eve.mode = "hold"
    with eve.gate():
        number, _ = route.submit_to_eve(eve, PDF)
        eve.stop()
        eve.mode = "ok"
        eve.start()
        route.wait_record(number, "held", timeout=60)
    daemon.stop()
    route.cancel(number)
    daemon.start()
    route.ended(number, "canceled", timeout=20)
    assert len(eve.ledger("arrived")) == 1


@pytest.mark.parametrize("purged", [False, True])
def test_cups_brings_back_a_canceled_job_whose_document_ends_later_but_no_purged_one(bed, purged):
    """Why what is taken back is purged."""
    bed.cups.add_raw("q", bed.socket_printer().uri)
    client = ipp.Client(bed.cups.uri("q", port=True))
    number = client.request("Create-Job").groups("job")[0]["job-id"]
    send = ipp.encode("Send-Document", 1, [("operation", {
        "attributes-charset": "utf-8", "attributes-natural-language": "en",
        "printer-uri": client.uri, "job-id": number, "requesting-user-name": client.user,
        "document-format": "application/octet-stream", "last-document": False})])
    body = send + PDF.read_bytes()
    late = http.client.HTTPConnection("127.0.0.1", int(str(bed.cups.port)), timeout=60)
    late.putrequest("POST", "/printers/q")
    late.putheader("Content-Type", "application/ipp")
    late.putheader("Content-Length", str(len(body)))
    late.endheaders(body[:-1])
    assert client.request("Cancel-Job", {"job-id": number}).ok
    if purged:
        assert client.request("Cancel-Job", {"job-id": number, "purge-job": True}).ok
    late.send(body[-1:])
    assert ipp.decode(late.getresponse().read()).ok != purged
    late.close()
    job = bed.cups.job(number)
    assert (job and job["job-state"]) == (None if purged else 4)  # held, and read as such
    bed.cups.stop()
    bed.cups.start()
    left = bed.cups.jobs("q", "not-completed")
    assert [job["job-id"] for job in left] == ([] if purged else [number])
