"""Jobs that somebody does not want any more, on either side, at any moment."""

import time

import pdf
import pytest

from bed import PDF, ipp
from bed.route import connect, cpu_seconds, health, wait_health

BIG = pdf.make(1, 2000000)


def _local_state(bed, queue, number):
    if queue.startswith("ipp"):
        answer = ipp.Client(queue).request("Get-Job-Attributes", {"job-id": number})
        return ipp.JOB_STATES[answer.groups("job")[0]["job-state"]]
    return ipp.JOB_STATES[bed.cups.job(number)["job-state"]]


def test_a_job_canceled_before_it_was_claimed_never_reaches_the_queue(bed, eve):
    route = connect(bed, bed.daemon(), eve.uri)
    held = bed.cloud.client().print_job(PDF, job_hold_until="indefinite")
    route.cancel(held)
    route.ended(route.submit(PDF, name="other"))
    assert route.told(held)["state_name"] == "canceled"
    assert route.record(held) is None
    assert [entry["name"] for entry in eve.ledger("arrived")] == ["other"]


@pytest.mark.parametrize("kind", ["cups", "ipp"])
def test_a_cancel_while_the_document_comes_stops_it(bed, eve, kind):
    queue = "q" if kind == "cups" else eve.uri
    if kind == "cups":
        bed.cups.add_driverless("q", eve.uri)
    route = connect(bed, bed.daemon(), queue)
    bed.cloud.fault("stall-document", operation="Fetch-Document", bytes=len(BIG) // 2, ms=60000)
    number = route.submit(BIG)
    bed.cloud.wait(operation="Fetch-Document")
    route.wait_record(number, "handing")
    route.cancel(number)
    route.ended(number, "canceled", timeout=15)
    assert eve.ledger("arrived") == []
    route.ended(route.submit(PDF))
    assert len(eve.ledger("arrived")) == 1


@pytest.mark.parametrize("how", ["in the cloud", "by the administrator"])
def test_a_cancel_while_the_ipp_printer_prints_reaches_it(bed, eve, how):
    route = connect(bed, bed.daemon(), eve.uri)
    eve.mode = "hold"
    with eve.gate():
        number, job = route.submit_to_eve(eve, PDF)
        if how == "in the cloud":
            route.cancel(number)
        else:
            route.daemon.verb("cancel", str(job["id"]))
        eve.process.wait_for_line("Cancel-Job successful-ok")  # else it prints, once it may
    told, job = route.ended(number, "canceled", timeout=20)
    assert "job-canceled-by-user" in told["reasons"]
    assert _local_state(bed, eve.uri, job["local_job"]) == "canceled"


@pytest.mark.parametrize("how", ["in the cloud", "by the administrator"])
def test_a_cancel_while_cups_prints_reaches_it(bed, how):
    bed.cups.add_fault("q", "wait=60")
    route = connect(bed, bed.daemon(), "q")
    with bed.cups.fault_gate():
        number, job = route.submit_to_cups(PDF)
        if how == "in the cloud":
            route.cancel(number)
        else:
            route.daemon.verb("cancel", str(job["id"]))
        route.ended(number, "canceled", timeout=20)
        assert _local_state(bed, "q", job["local_job"]) == "canceled"


def test_a_cancel_at_cups_reaches_the_cloud(bed):
    bed.cups.add_fault("q", "wait=60")
    route = connect(bed, bed.daemon(), "q")
    with bed.cups.fault_gate():
        number, job = route.submit_to_cups(PDF)
        bed.cups.run("cancel", "-h", bed.cups.socket, f"q-{job['local_job']}")
        told, _ = route.ended(number, "canceled", timeout=20)
    assert told["final_told"] == 1


def test_a_cancel_at_the_ipp_printer_reaches_the_cloud(bed, eve):
    route = connect(bed, bed.daemon(), eve.uri)
    eve.mode = "hold"
    with eve.gate():
        number, job = route.submit_to_eve(eve, PDF)
        assert eve.client.request("Cancel-Job", {"job-id": job["local_job"]}).ok
    route.ended(number, "canceled", timeout=20)


def test_a_waiting_job_can_be_canceled(bed, eve):
    route = connect(bed, bed.daemon(), eve.uri)
    bed.cloud.fault("http-status", operation="Fetch-Document", http=503, count=-1)
    number = route.submit(PDF)
    job = route.wait_record(number, "waiting")
    assert "503" in job["error"]["text"]
    route.cancel(number)
    route.ended(number, "canceled", timeout=15)
    assert eve.ledger("arrived") == []


@pytest.mark.parametrize("kind", ["cups", "ipp"])
@pytest.mark.parametrize("mode", ["fail", "jam 0.1"])
def test_what_the_printer_aborts_is_aborted_and_not_canceled(bed, eve, kind, mode):
    queue = "q" if kind == "cups" else eve.uri
    if kind == "cups":
        bed.cups.add_driverless("q", eve.uri)
    route = connect(bed, bed.daemon(), queue)
    eve.mode = mode
    number = route.submit(PDF)
    bed.cloud.wait_job(number)
    job = route.wait_record(number, "done")
    word = "aborted"
    if kind == "cups" and _local_state(bed, "q", job["local_job"]) == "completed":
        word = "completed"  # CUPS' own: its backend saw "aborted" before its monitor did
    told, job = route.ended(number, word)
    assert told["message"] and (word == "completed" or job["error"]["text"])
    assert not [reason for reason in told["reasons"] if "cancel" in reason]
    eve.mode = "ok"
    route.ended(route.submit(PDF))


def test_a_filter_that_fails_is_no_completed_job(bed):
    printer = bed.socket_printer()
    bed.cups.add_pcl("q", printer.uri)
    route = connect(bed, bed.daemon(), "q")
    number = route.submit(b"%PDF-1.4\nnothing more of it", mime="application/pdf")
    told, job = route.ended(number, "aborted")
    assert job["error"]["text"] and told["message"]
    route.ended(route.submit(PDF))


def test_a_backend_that_fails_is_no_completed_job(bed):
    bed.cups.add_fault("q", "rc=1", "-o", "printer-error-policy=abort-job")
    route = connect(bed, bed.daemon(), "q")
    told, job = route.ended(route.submit(PDF), "aborted")
    assert job["error"]["text"] and told["message"]


@pytest.mark.parametrize("options", [("rc=7", ()),
                                     ("rc=1", ("-o", "printer-error-policy=retry-current-job"))])
def test_a_queue_that_runs_a_backend_again_without_end_is_noticed(bed, options):
    query, policy = options
    bed.cups.add_fault("q", query, *policy)
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    number = route.submit(PDF)
    entry = wait_health(daemon, "queue-looping", timeout=60)
    assert entry["subject"] == "q" and "printer-error-policy" in entry["remedy"]
    told = bed.cloud.wait_job(number, state="5,6", reason="printer-stopped")
    assert "again and again" in told["message"]
    before, begin = cpu_seconds(daemon), time.monotonic()
    bed.cloud.wait_job(number, state="5,6")
    daemon.wait(lambda: time.monotonic() - begin > 5, "five seconds")
    assert cpu_seconds(daemon) - before < 0.2 * (time.monotonic() - begin)
    route.cancel(number)
    route.ended(number, "canceled", timeout=30)
    assert health(daemon, "queue-looping") == []
