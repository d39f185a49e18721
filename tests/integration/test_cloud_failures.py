"""A cloud that is away, refuses, or talks nonsense: no job is lost, none is called completed that
was not printed, and nothing keeps the processor busy."""

import shlex

import pytest

from bed import PDF, ipp
from bed.route import connect, cpu_seconds, health, wait_health
from bed.watch import wait_until

NONSENSE = [{"kind": "html"}, {"kind": "garbage", "bytes": 99}, {"kind": "cut-headers"},
            {"kind": "truncated", "bytes": 20}, {"kind": "cut-ipp", "bytes": 20},
            {"kind": "cut-after"}, {"kind": "http-status", "http": 503},
            {"kind": "ipp-status", "status": 0x0507}]


def _requests(cloud, printer=None):
    return sum(cloud.counters(printer).values())


def _wait_quiet_cpu(daemon, cloud, seconds=3, most=0.15):
    """For so long (the time of waits that are never met) the daemon uses next to nothing."""
    before = cpu_seconds(daemon)
    with pytest.raises(AssertionError):
        wait_until(lambda: False, "nothing", seconds, [cloud.dir], [daemon.process],
                   look_again=seconds)
    assert cpu_seconds(daemon) - before < most


def test_a_cloud_that_is_down_at_the_start_is_waited_for(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    assert daemon.stop() == 0
    bed.cloud.stop()
    daemon.start()
    entry = wait_health(daemon, "cloud-unreachable")
    assert entry["severity"] == "error" and entry["subject"] == "test" and entry["remedy"]
    assert daemon.cli("status").code == 4
    assert daemon.printer(eve.uri)["state"] == "offline"
    assert daemon.printer(eve.uri)["reasons"]
    bed.cloud.start()
    route.wait_online()
    assert health(daemon, "cloud-unreachable") == []
    route.ended(route.submit(PDF))


def test_a_cloud_that_is_down_is_one_health_entry_and_no_work(bed, eve):
    bed.start_cloud("a", "b")
    second = bed.ipp_printer("second")
    daemon = bed.daemon()
    first = connect(bed, daemon, eve.uri, "a")
    other = connect(bed, daemon, second.uri, "b")
    bed.cloud.stop()
    wait_health(daemon, "cloud-unreachable")
    assert len(health(daemon, "cloud-unreachable")) == 1
    assert health(daemon, "printer-offline") == []
    _wait_quiet_cpu(daemon, bed.cloud)
    bed.cloud.start()
    first.wait_online()
    other.wait_online()
    numbers = first.submit(PDF), other.submit(PDF)
    first.ended(numbers[0])
    other.ended(numbers[1])


def test_a_job_goes_on_printing_while_the_cloud_is_away(bed, eve):
    bed.start_cloud("q,wait=1000")
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    eve.mode = "hold"
    with eve.gate():
        number = route.submit(PDF)
        eve.wait(1, "arrived")
        bed.cloud.wait_job(number, state="5")
        bed.cloud.fault("cut-before", count=-1)
        wait_health(daemon, "cloud-unreachable")
    eve.wait()
    job = route.wait_record(number, "reporting")
    assert job["outcome"] == "completed" and job["times"]["reported"] is None
    assert route.told(number)["state_name"] == "processing"
    bed.cloud.clear_faults()
    told, _ = route.ended(number)
    assert told["final_told"] == 1
    assert len(eve.ledger("arrived")) == 1


@pytest.mark.parametrize("http", [401, 403])
def test_a_refused_printer_says_so_and_keeps_quiet(bed, eve, http):
    bed.start_cloud("a", "b")
    second = bed.ipp_printer("second")
    daemon = bed.daemon()
    refused = connect(bed, daemon, eve.uri, "a")
    other = connect(bed, daemon, second.uri, "b")
    bed.cloud.fault("http-status", printer="a", http=http, count=-1)
    bed.cloud.forget("subscriptions", "a")
    refused.submit(PDF)
    daemon.wait_printer(eve.uri, "refused")
    entry = wait_health(daemon, "printer-refused")
    assert entry["subject"] == eve.uri and str(http) in entry["text"] and entry["remedy"]
    daemon.wait_for_line(f"refused: .*{http}")
    before = _requests(bed.cloud, "a")
    other.ended(other.submit(PDF))
    _wait_quiet_cpu(daemon, bed.cloud)
    assert _requests(bed.cloud, "a") == before
    assert eve.ledger("arrived") == []
    bed.cloud.clear_faults()
    daemon.restart()
    refused.wait_online()
    refused.ended(1)
    assert len(eve.ledger("arrived")) == 1


def _follow(daemon, remedy):
    """Types in what the remedy says; what was answered."""
    answers = []
    for command in remedy.split("; "):
        name, *words = shlex.split(command)
        assert name == "print-connector"
        result = daemon.cli(*words)
        assert result.code == 0, result
        answers.append(result.data)
    return answers


@pytest.mark.parametrize("several", [False, True])
def test_the_remedy_for_a_refused_printer_registers_it_again_as_it_was(bed, eve, several):
    bed.start_cloud("a")
    other = {"other": {"uri": bed.cloud.base()}} if several else {}
    daemon = bed.daemon(clouds={"test": {"uri": bed.cloud.base()}, **other})
    route = connect(bed, daemon, eve.uri, "a")
    before = daemon.printer(eve.uri)
    rule = bed.cloud.fault("http-status", printer="a", http=403, count=-1)
    bed.cloud.forget("subscriptions", "a")
    daemon.wait_printer(eve.uri, "refused")
    remedy = wait_health(daemon, "printer-refused")["remedy"]
    assert ("--cloud test" in remedy) == several
    assert remedy in [line.get("remedy") for line in daemon.cli("doctor").lines]
    bed.cloud.clear_faults(rule)
    gone, *_ = _follow(daemon, remedy)
    assert gone["queues"][0]["text"].endswith(remedy.split("; ")[1])
    again = daemon.wait_printer(eve.uri)
    assert (again["cloud"], again["name"]) == (before["cloud"], before["name"])
    route.ended(route.submit(PDF))


def test_a_printer_that_was_deleted_in_the_cloud_stays_registered(bed, eve):
    bed.start_cloud("a", "b")
    second = bed.ipp_printer("second")
    daemon = bed.daemon()
    connect(bed, daemon, eve.uri, "a")
    other = connect(bed, daemon, second.uri, "b")
    bed.cloud.remove_printer("a")
    printer = daemon.wait_printer(eve.uri, "refused")
    assert "no such printer" in printer["reasons"][0] and "404" in printer["reasons"][0]
    assert wait_health(daemon, "printer-refused")["remedy"]
    other.ended(other.submit(PDF))
    assert {p["queue"] for p in daemon.printers()} == {eve.uri, second.uri}


def test_a_cloud_that_forgot_the_device_is_told_again(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    bed.cloud.forget("devices,subscriptions")
    bed.cloud.wait_device()
    route.wait_online()
    route.ended(route.submit(PDF))


def test_retry_after_is_obeyed(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    route.ended(route.submit(PDF))
    rule = bed.cloud.fault("http-status", http=503, retry_after=3, count=-1)
    bed.cloud.forget("subscriptions")
    wait_health(daemon, "cloud-unreachable")
    assert "503" in health(daemon, "cloud-unreachable")[0]["text"]
    hits = bed.cloud.faults()["faults"][0]["hits"]
    with pytest.raises(AssertionError):
        wait_until(lambda: bed.cloud.faults()["faults"][0]["hits"] > hits, "an early request", 2,
                   [bed.cloud.record])
    bed.cloud.clear_faults(rule)
    route.wait_online()
    route.ended(route.submit(PDF))


def test_a_web_page_instead_of_ipp_is_named_as_such(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    bed.cloud.fault("html", count=-1)
    bed.cloud.forget("subscriptions")
    entry = wait_health(daemon, "cloud-unreachable")
    assert "instead of IPP" in entry["text"]
    _wait_quiet_cpu(daemon, bed.cloud)
    bed.cloud.clear_faults()
    route.wait_online(timeout=60)
    route.ended(route.submit(PDF))


def _print_through(route, eve, operation, faults, before=lambda: None):
    """One job for each fault, each printed and told once."""
    for number, fault in enumerate(faults, 1):
        rule = route.cloud.fault(**fault, operation=operation)
        before()
        told, _ = route.ended(route.submit(PDF, name=f"job {number}"))
        assert told["final_told"] == 1, (fault, told)
        route.cloud.clear_faults(rule)
    names = [entry["name"] for entry in eve.ledger("arrived")]
    assert sorted(names) == [f"job {n}" for n in range(1, len(faults) + 1)]


@pytest.mark.parametrize("operation", [
    "Fetch-Job", "Acknowledge-Job", "Fetch-Document", "Update-Document-Status",
    "Update-Job-Status"])
def test_nonsense_about_a_job_costs_neither_job_nor_paper(bed, eve, operation):
    _print_through(connect(bed, bed.daemon(), eve.uri), eve, operation, NONSENSE)


@pytest.mark.parametrize("operation, forgotten", [
    ("Get-Jobs", None), ("Get-Notifications", None), ("Update-Active-Jobs", "subscriptions"),
    ("Create-Printer-Subscriptions", "subscriptions"),
    ("Update-Output-Device-Attributes", "devices,subscriptions")])
def test_nonsense_about_the_printer_costs_a_moment(bed, eve, operation, forgotten):
    route = connect(bed, bed.daemon(), eve.uri)
    _print_through(route, eve, operation, NONSENSE[:2],
                   lambda: bed.cloud.forget(forgotten) if forgotten else None)


@pytest.mark.parametrize("operation", ["Get-Jobs", "Fetch-Job", "Update-Job-Status"])
def test_an_endless_answer_ends_by_its_limit(bed, eve, operation):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    bed.cloud.fault("endless", operation=operation)
    route.ended(route.submit(PDF))
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    assert peak < 60 * 1024  # KiB


def test_an_unanswered_request_blocks_nobody_else(bed, eve):
    bed.start_cloud("a", "b")
    second = bed.ipp_printer("second")
    daemon = bed.daemon()
    first = connect(bed, daemon, eve.uri, "a")
    other = connect(bed, daemon, second.uri, "b")
    bed.cloud.fault("never", printer="a", operation="Fetch-Document", count=-1)
    stuck = first.submit(PDF)
    first.wait_record(stuck, "handing")
    for _ in range(3):
        other.ended(other.submit(PDF), timeout=10)
    first.cancel(stuck)
    first.ended(stuck, "canceled", timeout=15)
    assert eve.ledger("arrived") == []


def test_lost_and_repeated_events_change_nothing(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    bed.cloud.events(repeat=20)
    for _ in range(3):
        route.ended(route.submit(PDF))
    bed.cloud.events(repeat=0, drop=1)
    lost = route.submit(PDF)
    route.ended(route.submit(PDF))  # its event lets the connector look at the list
    route.ended(lost)
    assert len(eve.ledger("arrived")) == 5


def test_numbers_that_start_again_are_other_jobs(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    assert route.submit(PDF, name="before") == 1
    route.ended(1)
    bed.cloud.forget("all", renumber=1)
    bed.cloud.wait_device()
    assert route.submit(PDF, name="after") == 1
    assert bed.cloud.wait_job(1)["state_name"] == "completed"
    assert [entry["name"] for entry in eve.wait(2)] == ["before", "after"]
    daemon.wait_jobs(2, outcome="completed")


def test_a_finished_job_that_the_cloud_offers_again_is_not_printed_again(bed, eve):
    bed.start_cloud("q,quirks=ippserver.4")
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    numbers = []
    for n in range(5):
        numbers.append(route.submit(PDF, name=f"job {n}"))
        eve.wait(n + 1)
    for number in numbers:
        bed.cloud.wait_job(number, timeout=30)
    eve.wait(5)
    assert [entry["name"] for entry in eve.ledger("arrived")] == [f"job {n}" for n in range(5)]


def test_a_paused_cloud_printer_still_gets_what_was_submitted(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    bed.cloud.configure(paused=1)
    client = bed.cloud.client()
    assert ipp.PRINTER_STATES[bed.cloud.printer()["state"]] == "stopped"
    assert client.request("Get-Printer-Attributes").ok
    bed.cloud.configure(paused=0)
    route.ended(route.submit(PDF))
