"""Whole jobs through all three kinds of queue, and what the cloud learns of them."""

import statistics
import time

import pytest

import pdf
from bed import PDF, SANITIZED, ipp, submit
from bed.backlog import fill
from bed.emulator import Emulator
from bed.route import Route, connect
from bed.watch import wait_until

BIG = pdf.make(3, 3000000)
ORDER = ["received", "acknowledged", "handed", "finished", "reported"]
HISTORY = 10000  # jobs
SOON = 0.02      # seconds, from the start of a program to its end


def _make_queue(bed, kind):
    """(queue, what was printed there as a list of sha256)"""
    if kind == "pcl":
        printer = bed.socket_printer()
        bed.cups.add_pcl("pcl", printer.uri)
        return "pcl", lambda: [entry["sha256"] for entry in printer.ledger]
    printer = bed.ipp_printer()
    if kind == "driverless":
        bed.cups.add_driverless("driverless", printer.uri)
    return "driverless" if kind == "driverless" else printer.uri, \
        lambda: [entry["sha256"] for entry in printer.ledger()]


def _seen_by_owner(bed, queue, number, user):
    """The local job as its owner may see it."""
    if queue.startswith("ipp"):
        client = ipp.Client(queue, user=user)
        return client.request("Get-Job-Attributes", {"job-id": number}).groups("job")[0]
    client = bed.cups.client
    client.user = user
    return client.request("Get-Job-Attributes", {"job-id": number},
                          uri=bed.cups.uri(queue)).groups("job")[0]


@pytest.mark.parametrize("kind", ["driverless", "pcl", "ipp"])
def test_a_job_is_printed_and_the_cloud_is_told(bed, kind):
    queue, printed = _make_queue(bed, kind)
    daemon = bed.daemon()
    route = connect(bed, daemon, queue)
    number = bed.cloud.print_job(PDF, name="Quarterly report")
    told, job = route.ended(number)
    assert len(printed()) == 1
    assert (told["impressions"], job["impressions"]) == (2, 2)
    assert told["final_told"] == 1
    document = told["documents"][0]
    assert document["whole"] and document["acknowledged"] and document["fetches"] == 1
    assert document["state"] == 9
    assert (job["bytes"], job["attempts"], job["error"]) == (PDF.stat().st_size, 1, None)
    times = [job["times"][name] for name in ORDER]
    assert times == sorted(times) and None not in times
    local = _seen_by_owner(bed, queue, job["local_job"], "alice")
    assert local["job-name"] == "Quarterly report"
    assert local["job-originating-user-name"] == "alice"


def test_the_time_line_has_every_step_with_its_source(bed, eve):
    route = connect(bed, bed.daemon(), eve.uri)
    number = route.submit(PDF)
    _, job = route.ended(number)
    line = route.daemon.job(job["id"])
    assert line["id"] == job["id"] and line["outcome"] == "completed"
    sources = [event["source"] for event in line["events"]]
    assert sources[0] == "cloud" and sources[-1] == "cloud"
    assert {"cloud", "connector", "queue"} == set(sources)
    texts = "\n".join(event["text"] for event in line["events"])
    for step in ("fetched as cloud job", "accepted", "has all of it",
                 "completed", "told: completed"):
        assert step in texts
    times = [event["time"] for event in line["events"]]
    assert times == sorted(times)


@pytest.mark.parametrize("transfer", ["chunked", "length"])
def test_what_a_queue_passes_on_unchanged_is_the_same_byte_for_byte(bed, eve, transfer):
    bed.start_cloud(f"r,transfer={transfer}", f"i,transfer={transfer}")
    socket = bed.socket_printer()
    bed.cups.add_raw("raw", socket.uri)
    daemon = bed.daemon()
    raw, direct = connect(bed, daemon, "raw", "r"), connect(bed, daemon, eve.uri, "i")
    numbers = raw.submit(BIG), direct.submit(BIG)
    sent = bed.cloud.job(numbers[0], "r")["documents"][0]["sha256"]
    raw.ended(numbers[0])
    direct.ended(numbers[1])
    assert [entry["sha256"] for entry in socket.wait()] == [sent]
    assert [entry["sha256"] for entry in eve.wait()] == [sent]


def _submit_two_documents(bed, printer="q"):
    client = bed.cloud.client(printer)
    number = client.request("Create-Job", {"job-name": "two"}).groups("job")[0]["job-id"]
    for last, document in ((False, pdf.make(1, text="first")), (True, pdf.make(2, text="second"))):
        answer = client.request("Send-Document", {
            "job-id": number, "document-format": "application/pdf", "last-document": last},
            document=document)
        assert answer.ok, answer
    return number


def test_several_documents_are_one_job_at_cups(bed):
    printer = bed.ipp_printer()
    bed.cups.add_driverless("q", printer.uri)
    route = connect(bed, bed.daemon(), "q")
    number = _submit_two_documents(bed)
    told, job = route.ended(number)
    assert all(d["whole"] and d["acknowledged"] and d["state"] == 9 for d in told["documents"])
    assert len(told["documents"]) == 2
    assert len(bed.cups.jobs("q")) == 1
    assert job["bytes"] == sum(len(pdf.make(n, text=t)) for n, t in ((1, "first"), (2, "second")))


def test_several_documents_for_a_printer_of_one_are_refused_before_they_are_accepted(bed, eve):
    route = connect(bed, bed.daemon(), eve.uri)
    number = _submit_two_documents(bed)
    told, job = route.ended(number, "aborted")
    assert told["refusal"] == 0x0509
    assert told["documents"][0]["fetches"] == 0
    assert "one document per job" in told["message"]
    assert job["times"]["acknowledged"] is None and "one by one" in job["error"]["text"]
    assert eve.ledger("arrived") == []
    route.ended(route.submit(PDF))  # the next one prints


def test_printers_of_several_clouds_are_served_side_by_side(bed, eve):
    bed.start_cloud("a")
    with Emulator(bed.dir / "other", ["b"]) as other:
        bed.cups.add_driverless("q", eve.uri)
        daemon = bed.daemon(clouds={"test": {"uri": bed.cloud.base()},
                                    "other": {"uri": other.base()}})
        first = connect(bed, daemon, eve.uri, "a")
        daemon.register("q", other.uri("b"), cloud="other")
        other.wait_device("b")
        numbers = first.submit(PDF), other.submit(PDF, "b")
        first.ended(numbers[0])
        assert other.wait_job(numbers[1], "b")["state_name"] == "completed"
        daemon.wait_jobs(2, outcome="completed")
        clouds = daemon.verb("status")["clouds"]
        assert {c["name"]: c["reachable"] for c in clouds} == {"test": True, "other": True}
        assert {j["cloud"] for j in daemon.jobs("--all")} == {"test", "other"}


def test_a_queue_may_be_in_two_clouds_and_is_then_ambiguous(bed, eve):
    bed.start_cloud("a")
    with Emulator(bed.dir / "other", ["b"]) as other:
        daemon = bed.daemon(clouds={"test": {"uri": bed.cloud.base()},
                                    "other": {"uri": other.base()}})
        daemon.register(eve.uri, bed.cloud.uri("a"))
        daemon.register(eve.uri, other.uri("b"), cloud="other")
        result = daemon.cli("unregister", eve.uri, "--yes")
        assert result.code == 1 and "--cloud" in (result.error["text"] + result.error["remedy"])
        daemon.verb("unregister", eve.uri, "--yes", "--cloud", "other")
        assert [p["cloud"] for p in daemon.printers()] == ["test"]


def test_a_held_job_prints_only_after_its_release(bed, eve):
    route = connect(bed, bed.daemon(), eve.uri)
    client = bed.cloud.client()
    held = client.print_job(PDF, name="held", job_hold_until="indefinite")
    route.ended(route.submit(PDF, name="other"))
    assert [entry["name"] for entry in eve.ledger("arrived")] == ["other"]
    assert route.record(held) is None and route.told(held)["times"]["acknowledged"] is None
    assert client.request("Release-Job", {"job-id": held}).ok
    route.ended(held)
    assert [entry["name"] for entry in eve.ledger()] == ["other", "held"]


def test_identify_reaches_the_printer(bed, eve):
    route = connect(bed, bed.daemon(), eve.uri)
    answer = bed.cloud.client().request("Identify-Printer", {
        "identify-actions": "display", "message": "here"})
    assert answer.ok, answer
    eve.process.wait_for_line("(?i)identify")
    wait_until(lambda: not bed.cloud.printer()["identify_pending"], "acknowledgement",
               paths=[bed.cloud.record])
    route.ended(route.submit(PDF))


def test_an_urgent_job_goes_first_then_the_oldest(bed, eve):
    daemon = bed.daemon(settings={"jobs": {"max-jobs-per-printer": "1"}})
    route = connect(bed, daemon, eve.uri)
    eve.mode = "hold"
    client = bed.cloud.client()
    with eve.gate():
        first = client.print_job(PDF, name="first")
        eve.wait(1, "arrived")
        numbers = [client.print_job(PDF, name=name, job_priority=priority) for name, priority in
                   (("low", 10), ("middle", 50), ("high", 90), ("also high", 90))]
    for number in [first] + numbers:
        route.ended(number)
    assert [entry["name"] for entry in eve.ledger()] == [
        "first", "high", "also high", "middle", "low"]


def test_changed_capabilities_are_sent_again(bed, eve):
    bed.cups.add_driverless("q", eve.uri)
    route = connect(bed, bed.daemon(), "q")
    assert route.attributes()["printer-info"] != "Second floor"
    updates = bed.cloud.counters("q")["Update-Output-Device-Attributes"]
    bed.cups.lpadmin("-p", "q", "-D", "Second floor", "-o", "print-quality-default=5")
    seen = route.wait_attributes(lambda a: a.get("printer-info") == "Second floor", "new info")
    assert seen["print-quality-default"] in ("5", "high")
    assert bed.cloud.counters("q")["Update-Output-Device-Attributes"] > updates


def test_an_empty_tray_is_shown_in_the_cloud_and_goes_again(bed, eve):
    route = connect(bed, bed.daemon(), eve.uri)
    eve.mode = "media"
    with eve.gate():
        number = route.submit(PDF)
        route.wait_reason("media-empty")
        assert route.told(number)["state_name"] != "completed"
    route.ended(number)
    route.wait_attributes(lambda a: "media-empty" not in a["printer-state-reasons"], "paper")


def test_the_cloud_sees_that_a_job_is_printing_and_how_far_it_is(bed, eve):
    route = connect(bed, bed.daemon(), eve.uri)
    eve.mode = "slow 4"
    with eve.gate():
        number = route.submit(PDF)
        told = bed.cloud.wait_job(number, state="5", impressions=1)
        assert "job-printing" in told["reasons"]
    assert route.ended(number)[0]["impressions"] == 4


def test_a_registered_queue_is_served_again_after_a_restart(bed, eve):
    bed.cups.add_driverless("q", eve.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    before = daemon.printer("q")["id"]
    daemon.restart()
    route.wait_online()
    assert daemon.printer("q")["id"] == before
    route.ended(route.submit(PDF))
    daemon.verb("unregister", "q", "--yes")
    assert daemon.printers() == []
    daemon.restart()
    assert daemon.printers() == []


def test_a_ticket_reaches_the_printer_and_what_it_lacks_is_named(bed, eve):
    bed.cups.add_driverless("q", eve.uri)
    route = connect(bed, bed.daemon(), "q")
    number = bed.cloud.client().print_job(PDF, copies=2, sides="two-sided-long-edge")
    _, job = route.ended(number)
    client = bed.cups.client
    local = client.request("Get-Job-Attributes", {"job-id": job["local_job"]},
                           uri=bed.cups.uri("q")).groups("job")[0]
    assert local["copies"] == 2 or "copies" in "".join(job["dropped"])
    assert local.get("sides") == "two-sided-long-edge" or "sides" in "".join(job["dropped"])


def test_names_are_hidden_when_the_settings_say_so(bed, eve):
    daemon = bed.daemon(settings={"jobs": {"job-name": "hidden", "user-name": "fixed:cloud"},
                                  "log": {"names": "hidden"}})
    route = connect(bed, daemon, eve.uri)
    number = route.submit(PDF, name="salaries", user="maria")
    _, job = route.ended(number)
    local = _seen_by_owner(bed, eve.uri, job["local_job"], "cloud")
    assert local["job-originating-user-name"] == "cloud"
    assert "salaries" not in local["job-name"]
    assert "salaries" not in daemon.process.text() and "maria" not in daemon.process.text()


def test_each_of_two_printers_gets_its_own_jobs(bed, eve):
    bed.start_cloud("a", "b")
    second = bed.ipp_printer("second")
    daemon = bed.daemon()
    routes = connect(bed, daemon, eve.uri, "a"), connect(bed, daemon, second.uri, "b")
    numbers = [(route, route.submit(PDF, name=f"{route.printer} {n}"))
               for n in range(3) for route in routes]
    for route, number in numbers:
        route.ended(number)
    assert [entry["name"] for entry in eve.ledger()] == ["a 0", "a 1", "a 2"]
    assert [entry["name"] for entry in second.ledger()] == ["b 0", "b 1", "b 2"]
    assert submit.sha256(PDF) == eve.ledger()[0]["sha256"]


def test_a_cloud_printer_is_bound_to_one_queue_only(bed, eve):
    bed.cups.add_driverless("q", eve.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    result = daemon.cli("register", eve.uri, "--cloud", "test", "--cloud-uri", bed.cloud.uri())
    assert result.code == 1 and "bound to queue q" in result.stdout
    assert [p["queue"] for p in daemon.printers()] == ["q"]
    assert Route(bed, daemon, "q").record(1) is None
    route.ended(route.submit(PDF))


@pytest.mark.skipif(SANITIZED, reason="the sanitizer's own start takes longer")
@pytest.mark.parametrize("verb", [["status"], ["jobs"], ["jobs", "--all"]])
def test_what_is_asked_most_is_answered_at_once_whatever_the_history(bed, eve, verb):
    daemon = bed.daemon(with_cups=False)
    connect(bed, daemon, eve.uri)
    daemon.stop()
    fill(daemon.state, None, HISTORY, "done")
    daemon.start()
    took = []
    for _ in range(20):
        began = time.monotonic()
        assert daemon.cli(*verb, as_json=False).code in (0, 4)
        took.append(time.monotonic() - began)
    assert statistics.median(took) < SOON, took
