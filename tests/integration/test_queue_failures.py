"""Printers that are off, queues that stop or vanish, CUPS that is away: a job is claimed only when
it can be printed, waits in the cloud with the reason, and prints when all is well again."""

import time

import pytest

import pdf
from bed import PDF, ipp
from bed.route import connect, cpu_seconds, health, wait_health

PROMPT = 60  # seconds: longer than any back-off that these failures reach


def _is_untouched(route, number):
    """The cloud still has it for anyone."""
    told = route.told(number)
    return told["state_name"] in ("pending", "processing-stopped") and \
        told["times"]["acknowledged"] is None and route.record(number) is None


def test_an_ipp_printer_that_is_off_gets_its_jobs_when_it_is_back(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    eve.stop()
    entry = wait_health(daemon, "queue-unreachable")
    assert entry["subject"] == eve.uri and entry["remedy"]
    route.wait_reason("connecting-to-device")
    assert ipp.PRINTER_STATES[bed.cloud.printer()["state"]] == "stopped"
    assert daemon.printer(eve.uri)["state"] == "offline"
    numbers = [route.submit(PDF, name=f"job {n}") for n in range(3)]
    daemon.verb("status", codes=(0, 4))
    assert all(_is_untouched(route, number) for number in numbers)
    eve.start()
    for number in numbers:
        route.ended(number, timeout=PROMPT)
    assert [entry["name"] for entry in eve.ledger("arrived")] == ["job 0", "job 1", "job 2"]
    assert health(daemon, "queue-unreachable") == []


def test_an_ipp_printer_that_is_off_at_the_start_is_waited_for(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    daemon.stop()
    eve.stop()
    number = route.submit(PDF)
    daemon.start()
    wait_health(daemon, "queue-unreachable")
    assert _is_untouched(route, number)
    eve.start()
    route.ended(number, timeout=PROMPT)
    assert len(eve.ledger("arrived")) == 1


def test_a_stopped_queue_is_shown_and_claims_nothing(bed, eve):
    bed.cups.add_driverless("q", eve.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    bed.cups.run("cupsdisable", "-h", bed.cups.socket, "-r", "toner is out", "q")
    entry = wait_health(daemon, "queue-stopped")
    assert "cupsenable q" in entry["remedy"]
    route.wait_reason("paused")
    number = route.submit(PDF)
    assert _is_untouched(route, number)
    bed.cups.run("cupsenable", "-h", bed.cups.socket, "q")
    route.ended(number, timeout=PROMPT)
    assert len(eve.ledger("arrived")) == 1


def test_a_queue_that_rejects_jobs_claims_nothing(bed, eve):
    bed.cups.add_driverless("q", eve.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    bed.cups.run("cupsreject", "-h", bed.cups.socket, "q")
    wait_health(daemon, "queue-stopped")
    number = route.submit(PDF)
    assert _is_untouched(route, number)
    bed.cups.run("cupsaccept", "-h", bed.cups.socket, "q")
    route.ended(number, timeout=PROMPT)


def test_a_device_behind_cups_that_is_off_is_never_completed(bed):
    printer = bed.socket_printer()
    bed.cups.add_raw("raw", printer.uri)
    route = connect(bed, bed.daemon(), "raw")
    printer.stop()
    number = route.submit(PDF)
    job = route.wait_record(number, "printing")
    bed.cups.wait_error_log(f"Job {job['local_job']}. Connecting to printer")
    word = route.wait_job_reason(number, "printer-stopped")
    assert word["state"] == 6 and "switch it on" in word["message"], word
    printer.start()
    route.ended(number, timeout=PROMPT)
    assert len(printer.ledger) == 1


def test_a_queue_that_stops_under_a_job_shows_it_and_finishes_it_later(bed):
    bed.cups.add_fault("q", "rc=4&once=1")
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    number = route.submit(PDF)
    wait_health(daemon, "queue-stopped")
    assert route.record(number)["state"] == "printing"
    assert route.told(number)["state_name"] != "completed"
    bed.cups.run("cupsenable", "-h", bed.cups.socket, "q")
    route.ended(number, timeout=PROMPT)
    assert len(bed.cups.fault_ledger()) == 2


def test_cups_that_is_down_at_the_start_is_waited_for(bed, eve):
    bed.cups.add_driverless("q", eve.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    daemon.stop()
    bed.cups.stop()
    number = route.submit(PDF)
    daemon.start()
    entry = wait_health(daemon, "cups-down")
    assert entry["severity"] == "error" and entry["remedy"]
    assert daemon.cli("status").code == 4
    assert _is_untouched(route, number)
    before = cpu_seconds(daemon)
    bed.cups.start()
    route.ended(number, timeout=PROMPT)
    assert cpu_seconds(daemon) - before < 1
    assert len(eve.ledger("arrived")) == 1


def test_cups_that_goes_away_is_one_reason_for_all_its_queues(bed, eve):
    bed.start_cloud("a", "b", "c")
    bed.cups.add_driverless("a", eve.uri)
    bed.cups.add_raw("b", bed.socket_printer().uri)
    daemon = bed.daemon()
    first, second = connect(bed, daemon, "a", "a"), connect(bed, daemon, "b", "b")
    other = connect(bed, daemon, eve.uri, "c")
    bed.cups.stop()
    daemon.wait_printer("a", "offline")
    daemon.wait_printer("b", "offline")
    entries = health(daemon, "cups-down")
    assert [entry["subject"] for entry in entries] == [str(bed.cups.socket)]
    assert str(bed.cups.socket) in entries[0]["text"]
    other.ended(other.submit(PDF))  # an IPP printer needs no CUPS
    bed.cups.start()
    numbers = first.submit(PDF), second.submit(PDF)
    first.ended(numbers[0], timeout=PROMPT)
    second.ended(numbers[1], timeout=PROMPT)


def test_cups_restarted_while_it_prints_does_not_make_two_jobs(bed):
    bed.cups.add_fault("q", "wait=60")
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    with bed.cups.fault_gate():
        number, job = route.submit_to_cups(PDF)
        bed.cups.restart()
    route.ended(number, timeout=PROMPT)
    assert len(bed.cups.jobs("q")) == 1  # ours was handed over once, whatever CUPS did with it
    assert route.record(number)["attempts"] == 1


def test_of_jobs_in_line_at_a_restart_of_cups_only_the_first_may_have_come_twice(bed):
    bed.cups.add_fault("q", "wait=60")
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    with bed.cups.fault_gate():
        first, _ = route.submit_to_cups(PDF)
        others = [route.submit(PDF) for _ in range(3)]
        for number in others:
            route.wait_record(number, "printing")
        bed.cups.restart()
        daemon.process.wait_for_line("may have come out twice", timeout=PROMPT)
    assert "twice" in route.ended(first, timeout=PROMPT)[0]["message"]
    for number in others:
        assert "twice" not in route.ended(number, timeout=PROMPT)[0]["message"]


def test_cups_killed_while_it_prints_is_never_taken_for_completed(bed):
    bed.start_cups(options={"DirtyCleanInterval": "600"})
    bed.cups.add_fault("q", "wait=60")
    bed.cups.restart()  # so that it knows the queue, but not the job that comes
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    with bed.cups.fault_gate():
        number, job = route.submit_to_cups(PDF)
        bed.cups.kill()
        bed.cups.start()
        job = route.wait_record(number, "held", timeout=PROMPT)
    assert "unknown whether it printed" in job["error"]["text"]
    entry = wait_health(daemon, "job-held")
    assert entry["subject"] == str(job["id"]) and f"resolve {job['id']}" in entry["remedy"]
    bed.cloud.wait_job(number, state="6", reason="resources-are-not-ready")
    daemon.verb("cancel", str(job["id"]))
    route.ended(number, "canceled")
    assert len(bed.cups.jobs("q")) == 0  # not handed over again


def test_when_unknown_abort_ends_it(bed):
    bed.start_cups(options={"DirtyCleanInterval": "600"})
    bed.cups.add_fault("q", "wait=60")
    bed.cups.restart()
    route = connect(bed, bed.daemon(settings={"jobs": {"when-unknown": "abort"}}), "q")
    with bed.cups.fault_gate():
        number, job = route.submit_to_cups(PDF)
        bed.cups.kill()
        bed.cups.start()
        told, _ = route.ended(number, "aborted", timeout=PROMPT)
    assert "unknown whether it printed" in told["message"]


def test_an_ipp_printer_that_dies_in_the_middle_leaves_the_job_held(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    eve.mode = "hold"
    with eve.gate():
        number, _ = route.submit_to_eve(eve, PDF)
        eve.stop()
        wait_health(daemon, "queue-unreachable")
        assert route.record(number)["state"] == "printing"
        eve.mode = "ok"
        eve.start()
        job = route.wait_record(number, "held", timeout=PROMPT)
    assert "unknown whether it printed" in job["error"]["text"]
    assert len(eve.ledger("arrived")) == 1
    route.ended(route.submit(PDF), timeout=PROMPT)  # the next one prints
    daemon.verb("cancel", str(job["id"]))
    route.ended(number, "canceled")


def test_a_queue_made_again_is_the_same_printer(bed, eve):
    bed.cups.add_driverless("q", eve.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    before = daemon.printer("q")["id"]
    bed.cups.lpadmin("-x", "q")
    entry = wait_health(daemon, "queue-missing")
    assert entry["subject"] == "q" and "lpadmin -p q" in entry["remedy"]
    number = route.submit(PDF)
    assert _is_untouched(route, number)
    assert [p["queue"] for p in daemon.printers()] == ["q"]
    second = bed.socket_printer()
    bed.cups.add_raw("q", second.uri, "-D", "other hardware")
    route.ended(number, timeout=PROMPT)
    assert len(second.ledger) == 1 and eve.ledger("arrived") == []
    assert daemon.printer("q")["id"] == before
    route.wait_attributes(lambda a: a.get("printer-info") == "other hardware", "new attributes")


def test_a_broken_printer_delays_no_other(bed, eve):
    bed.start_cloud("a", "b", "c")
    stalled = bed.socket_printer("stalled", "hang")
    bed.cups.add_raw("a", stalled.uri)
    off = bed.ipp_printer("off")
    daemon = bed.daemon()
    slow = connect(bed, daemon, "a", "a")
    gone = connect(bed, daemon, off.uri, "b")
    good = connect(bed, daemon, eve.uri, "c")
    off.stop()
    stuck = [slow.submit(pdf.make(1, 8000000)) for _ in range(3)]
    missing = gone.submit(PDF)
    took = []
    for _ in range(5):
        began = time.monotonic()
        good.ended(good.submit(PDF))
        took.append(time.monotonic() - began)
    assert sorted(took)[len(took) // 2] < 5, took
    stalled.mode = "ok"
    off.start()
    for number in stuck:
        slow.ended(number, timeout=PROMPT)
    gone.ended(missing, timeout=PROMPT)


def test_a_queue_that_denies_the_user_aborts_with_that_reason(bed, eve):
    bed.cups.add_driverless("q", eve.uri, "-u", "deny:mallory")
    route = connect(bed, bed.daemon(), "q")
    told, job = route.ended(route.submit(PDF, user="mallory"), "aborted")
    assert job["error"]["kind"] == "denied" and told["message"]
    route.ended(route.submit(PDF, user="alice"))


def test_a_full_spool_of_cups_is_not_the_fault_of_the_document(bed):
    bed.start_cups(spool="size=1m")
    printer = bed.socket_printer()
    bed.cups.add_raw("q", printer.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    document = pdf.make(1, 400000)
    with bed.cups.full_spool():
        number = route.submit(document)
        job = route.wait_record(number, "waiting")
        assert "spool of CUPS is full" in job["error"]["text"]
        entry = wait_health(daemon, "queue-full")
        assert entry["subject"] == "q" and "/var/spool/cups" in entry["remedy"]
        assert "spool of CUPS is full" in entry["text"]
        route.wait_attempts(number, 4)  # a document that is refused twice would be final
        assert route.told(number)["state_name"] == "processing-stopped"
    told, job = route.ended(number, timeout=PROMPT)
    assert told["final_told"] == 1 and job["attempts"] >= 4
    assert [entry["bytes"] for entry in printer.ledger] == [len(document)]
    assert health(daemon, "queue-full") == []
    assert bed.cups.jobs("q", "not-completed") == []


@pytest.mark.parametrize("limit", ["MaxJobs", "MaxJobsPerPrinter", "MaxJobsPerUser"])
def test_a_full_queue_makes_the_job_wait(bed, limit):
    bed.start_cups(options={limit: "1"})
    bed.cups.add_fault("q", "wait=60")
    route = connect(bed, bed.daemon(), "q")
    with bed.cups.fault_gate():
        client = bed.cups.client
        client.uri = bed.cups.uri("q")
        client.print_job(PDF)
        number = route.submit(PDF)
        job = route.wait_record(number, "waiting")
        assert "no more jobs" in job["error"]["text"]
        assert wait_health(route.daemon, "queue-full")["subject"] == "q"
        route.wait_attempts(number, 4)
        assert route.told(number)["state_name"] == "processing-stopped"
    route.ended(number, timeout=PROMPT)
    assert len(bed.cups.fault_ledger()) == 2
    assert health(route.daemon, "queue-full") == []


@pytest.mark.parametrize("queue", ["no-such-queue", "ipp://127.0.0.1:9/ipp/print"])
def test_a_queue_that_is_not_there_is_not_registered(bed, queue):
    daemon = bed.daemon()
    bed.cups.add_raw("q", bed.socket_printer().uri)
    result = daemon.cli("register", queue, "--cloud", "test", "--cloud-uri", bed.cloud.uri())
    assert result.code == 1 and daemon.printers() == []
    connect(bed, daemon, "q")
