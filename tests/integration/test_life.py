"""The daemon's own life: start, settings, state, stop, kill."""

import re
import signal
import time

import pytest

import pdf
from bed import PDF
from bed.daemon import Daemon
from bed.route import connect, cpu_seconds, health, wait_health
from bed.watch import wait_until

BIG = pdf.make(1, 4000000)


def _fails(daemon):
    """What a start says that must fail with exit 1."""
    daemon.expect_clean = False
    assert daemon.spawn().wait(20) == 1
    return daemon.process.text()


# ---- settings ----------------------------------------------------------------------------------

@pytest.mark.parametrize("section, key, nearest", [
    ("jobs", "max-transfer", "max-transfers"), ("connector", "state-dir", "state-directory"),
    ("cloud test", "ur1", "uri")])
def test_an_unknown_setting_is_named_with_its_place_and_the_nearest(bed, section, key, nearest):
    daemon = bed.make_daemon(settings={section: {key: "1"}}, with_cups=False)
    text = _fails(daemon)
    line = 1 + daemon.config.read_text().splitlines().index(f"{key} = 1")
    assert f"{daemon.config}:{line}" in text
    assert key in text and nearest in text


def test_a_setting_out_of_range_is_named(bed):
    daemon = bed.make_daemon(settings={"jobs": {"max-transfers": "many"}}, with_cups=False)
    text = _fails(daemon)
    assert "max-transfers" in text and str(daemon.config) in text


def test_check_config_shows_what_is_in_effect(bed):
    daemon = bed.make_daemon(settings={"jobs": {"max-transfers": "7"}}, with_cups=False)
    assert daemon.spawn("--check-config").wait() == 0
    assert re.search(r"max-transfers\s*=\s*7", daemon.process.text())
    daemon.sections["jobs"]["max-transfers"] = "0x"
    assert daemon.spawn("--check-config").wait() == 1
    daemon.expect_clean = False


def test_wrong_settings_at_a_reload_leave_the_old_ones(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    daemon.sections["jobs"] = {"max-transfer": "1"}
    daemon.reload()
    daemon.wait_for_line("settings not reloaded.*max-transfers")
    assert wait_health(daemon, "settings-wrong")["subject"] == str(daemon.config)
    route.ended(route.submit(PDF))
    daemon.sections["jobs"] = {"max-document-size": "1K"}
    daemon.reload()
    daemon.wait_for_line("settings reloaded")
    assert health(daemon, "settings-wrong") == []
    route.ended(route.submit(pdf.make(1, 5000)), "aborted")


# ---- state -------------------------------------------------------------------------------------

def test_a_second_instance_on_the_same_state_is_refused(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    second = Daemon(bed.dir / "second", {"test": {"uri": bed.cloud.base()}}, bed.cups,
                    {"connector": {"state-directory": daemon.state}})
    try:
        text = _fails(second)
    finally:
        second.close()
    assert str(daemon.process.pid) in text and str(daemon.state) in text
    route.ended(route.submit(PDF))


def test_two_instances_with_their_own_state_live_side_by_side(bed, eve):
    bed.start_cloud("a", "b")
    other = bed.ipp_printer("other")
    first = connect(bed, bed.daemon("one"), eve.uri, "a")
    second = connect(bed, bed.daemon("two"), other.uri, "b")
    numbers = first.submit(PDF), second.submit(PDF)
    first.ended(numbers[0])
    second.ended(numbers[1])


def test_a_state_directory_that_cannot_be_written_is_said(bed):
    daemon = bed.make_daemon(settings={"connector": {"state-directory": "/proc/nowhere"}},
                             with_cups=False)
    assert "/proc/nowhere" in _fails(daemon)


# ---- killed ------------------------------------------------------------------------------------

def _printed_once_after(route, printer_ledger, number, daemon):
    daemon.start()
    route.ended(number)
    assert len(printer_ledger()) == 1


def test_killed_while_the_document_comes_it_is_printed_once(bed):
    printer = bed.socket_printer()
    bed.cups.add_raw("raw", printer.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "raw")
    rule = bed.cloud.fault("stall-document", operation="Fetch-Document", bytes=len(BIG) // 2,
                           ms=60000)
    number = route.submit(BIG)
    route.wait_record(number, "handing")
    bed.cloud.wait(operation="Fetch-Document")
    wait_until(lambda: bed.cups.jobs("raw"), "the local job", paths=[bed.cups.dir / "log"])
    daemon.kill()
    bed.cloud.clear_faults(rule)
    _printed_once_after(route, lambda: printer.ledger, number, daemon)
    assert printer.ledger[0]["sha256"] == route.told(number)["documents"][0]["sha256"]


def test_killed_at_a_cups_with_a_long_history_it_leaves_no_local_job_behind(bed):
    cups = bed.start_cups(options={"MaxJobs": "0"})
    printer = bed.socket_printer()
    cups.add_raw("raw", printer.uri)
    cups.fill_history("raw")
    daemon = bed.daemon()
    route = connect(bed, daemon, "raw")
    rule = bed.cloud.fault("stall-document", operation="Fetch-Document", bytes=len(BIG) // 2,
                           ms=60000)
    number = route.submit(BIG)
    wait_until(lambda: cups.jobs("raw", "not-completed"), "the local job",
               paths=[cups.dir / "log"])
    route.wait_record(number, "handing")
    daemon.kill()
    bed.cloud.clear_faults(rule)
    _printed_once_after(route, lambda: printer.ledger, number, daemon)
    assert cups.jobs("raw", "not-completed") == []


def test_killed_while_cups_prints_it_is_printed_once(bed):
    bed.cups.add_fault("q", "wait=60")
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    with bed.cups.fault_gate():
        number, job = route.submit_to_cups(PDF)
        daemon.kill()
        daemon.start()
        route.wait_record(number, "printing")
    route.ended(number)
    assert len(bed.cups.fault_ledger()) == 1 and len(bed.cups.jobs("q")) == 1


def test_killed_while_cups_prints_and_ended_meanwhile_it_is_told(bed):
    bed.cups.add_fault("q", "wait=60")
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    with bed.cups.fault_gate():
        number, job = route.submit_to_cups(PDF)
        daemon.kill()
    bed.cups.wait_job(job["local_job"])
    daemon.start()
    route.ended(number)
    assert len(bed.cups.fault_ledger()) == 1


def test_killed_while_the_ipp_printer_prints_it_is_printed_once(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    eve.mode = "hold"
    with eve.gate():
        number, _ = route.submit_to_eve(eve, PDF)
        bed.cloud.wait_job(number, state="5")
        daemon.kill()
    daemon.start()
    route.ended(number)
    assert len(eve.ledger("arrived")) == 1


def test_killed_before_the_end_was_told_it_is_told_once(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    bed.cloud.fault("http-status", http=503, operation="Update-Job-Status", count=-1)
    number = route.submit(PDF)
    route.wait_record(number, "reporting")
    daemon.kill()
    bed.cloud.clear_faults()
    daemon.start()
    told, _ = route.ended(number)
    assert told["final_told"] == 1 and len(eve.ledger("arrived")) == 1


@pytest.mark.parametrize("operation", ["Fetch-Job", "Acknowledge-Job"])
def test_killed_while_it_claims_it_is_printed_once(bed, eve, operation):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    bed.cloud.fault("never", operation=operation, effect=1, count=-1)
    number = route.submit(PDF)
    bed.cloud.wait(operation=operation)
    daemon.kill()
    bed.cloud.clear_faults()
    _printed_once_after(route, lambda: eve.ledger("arrived"), number, daemon)


def test_killed_at_any_moment_of_many_jobs_each_is_printed_once(bed):
    printer = bed.socket_printer()
    bed.cups.add_raw("raw", printer.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "raw")
    sums = []
    for n in range(30):
        number = route.submit(pdf.make(1, 2000, f"job {n}"))
        sums.append(route.told(number)["documents"][0]["sha256"])
    for count in (3, 9, 16, 22):
        printer.wait(count)
        daemon.kill()
        daemon.start()
    bed.cloud.wait_jobs(30, state="9")
    assert sorted(entry["sha256"] for entry in printer.wait(30)) == sorted(sums)
    daemon.wait_jobs(30, outcome="completed")


def test_after_crashes_in_a_row_the_cloud_is_left_alone_for_a_while(bed, eve):
    daemon = bed.daemon()
    daemon.sections["connector"]["crash-pause"] = "3s"
    route = connect(bed, daemon, eve.uri)
    for _ in range(3):
        daemon.kill()
        since = time.monotonic()
        daemon.start()
        daemon.verb("jobs")  # this life is counted
    daemon.wait_printer(eve.uri, timeout=60)
    assert time.monotonic() - since >= 3
    assert "crashed 3 times in a row: no cloud is asked for 3 s" in daemon.process.text()
    number = route.submit(PDF)
    route.ended(number)
    assert len(eve.ledger("arrived")) == 1


# ---- stopped -----------------------------------------------------------------------------------

def test_a_stop_lets_the_hand_over_finish(bed):
    printer = bed.socket_printer()
    bed.cups.add_raw("raw", printer.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "raw")
    bed.cloud.fault("stall-document", operation="Fetch-Document", bytes=1000000, ms=1500)
    number = route.submit(BIG)
    route.wait_record(number, "handing")
    assert daemon.stop() == 0
    daemon.start()
    told, job = route.ended(number)
    assert told["documents"][0]["fetches"] == 1 and job["attempts"] == 1
    assert [entry["sha256"] for entry in printer.wait()] == [told["documents"][0]["sha256"]]


def test_a_stop_leaves_what_prints_to_the_queue(bed, eve):
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    eve.mode = "hold"
    with eve.gate():
        number = route.submit(PDF)
        route.wait_record(number, "printing")
        daemon.process.signal(signal.SIGTERM)
        daemon.wait_notify("STOPPING=1")
        assert daemon.process.wait(5) == 0
    daemon.start()
    route.ended(number)
    assert len(eve.ledger("arrived")) == 1


def test_ctrl_c_stops_it_too(bed):
    daemon = bed.daemon(with_cups=False)
    daemon.process.signal(signal.SIGINT)
    assert daemon.process.wait(5) == 0


def test_an_idle_daemon_uses_next_to_no_time(bed, eve):
    bed.start_cloud("a", "b")
    bed.cups.add_driverless("q", eve.uri)
    daemon = bed.daemon()
    connect(bed, daemon, "q", "a")
    connect(bed, daemon, eve.uri, "b")
    before = cpu_seconds(daemon)
    with pytest.raises(AssertionError):
        wait_until(lambda: False, "nothing", 5, [daemon.dir], look_again=5)
    assert cpu_seconds(daemon) - before < 0.1
