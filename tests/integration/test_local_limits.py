"""The machine has run out of something: nothing is acknowledged without a commit, health says so,
and work goes on by itself when the limit is gone."""

import contextlib
import os
import re
import resource
import signal

import pytest

import pdf
from bed import PDF, SANITIZED
from bed.limits import FakeClock, SmallStateDaemon, failing, limited
from bed.route import connect, cpu_seconds, health, wait_health


@pytest.fixture(name="printer")
def fixture_printer(bed):
    """Behind queue raw."""
    printer = bed.socket_printer()
    bed.cups.add_raw("raw", printer.uri)
    return printer


def _small_state(bed, options):
    daemon = bed.enter(SmallStateDaemon(bed.dir / "daemon", {"test": {"uri": bed.cloud.base()}},
                                        bed.cups).mount(options))
    bed.cloud.watch(daemon)
    return daemon


def _is_acknowledged(route, number):
    return route.told(number)["times"]["acknowledged"] is not None


def _submit_until_failing(route, daemon, most=60):
    """Jobs until the store says that it cannot be written; their numbers."""
    numbers = []
    for n in range(most):
        numbers.append(route.submit(pdf.make(1, 2000, f"job {n}")))
        if health(daemon, "store-failing"):
            break
    entry = wait_health(daemon, "store-failing")
    assert entry["severity"] == "error" and daemon.cli("status").code == 4
    return numbers


def _nothing_more_is_acknowledged(route, daemon):
    """Of two that come now; their numbers."""
    late = [route.submit(PDF) for _ in range(2)]
    mark = daemon.mark()
    daemon.process.signal(signal.SIGHUP)  # a turn of everything
    daemon.wait_for_line("settings reloaded", since=mark)
    assert not any(_is_acknowledged(route, number) for number in late)
    return late


def _all_are_printed_once(route, daemon, printer, numbers):
    for number in numbers:
        route.ended(number, timeout=90)
    wanted = sorted(route.told(number)["documents"][0]["sha256"] for number in numbers)
    assert sorted(entry["sha256"] for entry in printer.ledger) == wanted
    daemon.wait(lambda: not health(daemon, "store-failing"), "no store-failing")


def test_a_full_disk_stops_claims_and_work_goes_on_when_there_is_room(bed, printer):
    daemon = _small_state(bed, "size=2m")
    route = connect(bed, daemon, "raw")
    numbers = [route.submit(PDF)]
    route.ended(numbers[0])
    with daemon.full():
        numbers += _submit_until_failing(route, daemon)
        numbers += _nothing_more_is_acknowledged(route, daemon)
    daemon.wait_for_line("the job store can be written again")
    _all_are_printed_once(route, daemon, printer, numbers)


def test_a_kill_on_a_full_disk_loses_nothing(bed, printer):
    daemon = _small_state(bed, "size=2m")
    route = connect(bed, daemon, "raw")
    with daemon.full():
        numbers = _submit_until_failing(route, daemon)
        daemon.kill()
    daemon.start()
    _all_are_printed_once(route, daemon, printer, numbers)


def test_without_inodes_jobs_go_on_and_a_registration_says_why_it_fails(bed, printer):
    bed.start_cloud("q", "r")
    bed.cups.add_raw("other", printer.uri)
    daemon = _small_state(bed, "size=8m,nr_inodes=20")
    route = connect(bed, daemon, "raw")
    with daemon.without_inodes():
        numbers = [route.submit(PDF)]
        route.ended(numbers[0])
        refused = daemon.cli("register", "other", "--cloud-uri", bed.cloud.uri("r"))
        assert refused.code == 1 and "No space left" in refused.stdout
        assert [p["queue"] for p in daemon.printers()] == ["raw"]
    daemon.register("other", bed.cloud.uri("r"))
    numbers.append(route.submit(PDF))
    _all_are_printed_once(route, daemon, printer, numbers)


def test_a_start_without_inodes_or_on_a_read_only_disk_says_so(bed, printer):
    del printer
    daemon = _small_state(bed, "size=8m,nr_inodes=20")
    route = connect(bed, daemon, "raw")
    daemon.stop()
    daemon.remount("ro")
    assert daemon.spawn().wait(20) == 1
    assert re.search(r"cannot start: .*(read-only|readonly)", daemon.process.text(), re.I)
    daemon.remount("rw")
    with daemon.without_inodes():
        assert daemon.spawn().wait(20) == 1
        assert "cannot start: " in daemon.process.text()
    assert not list(daemon.inside.glob("state.db.damaged-*"))
    daemon.start()
    route.wait_online()
    route.ended(route.submit(PDF))


@pytest.mark.parametrize("calls, error", [
    (["fdatasync"], "EIO"), (["fdatasync"], "ENOSPC"), (["pwrite64"], "EIO"),
    (["pwrite64", "fdatasync", "ftruncate"], "EROFS")])
def test_what_cannot_be_synced_is_not_acknowledged(bed, printer, calls, error):
    daemon = bed.daemon()
    route = connect(bed, daemon, "raw")
    numbers = [route.submit(PDF)]
    route.ended(numbers[0])
    with failing(daemon, calls, error):
        numbers.append(route.submit(PDF))
        wait_health(daemon, "store-failing")
        assert not _is_acknowledged(route, numbers[1])
        numbers += _nothing_more_is_acknowledged(route, daemon)
    daemon.wait_for_line("the job store can be written again", timeout=60)
    _all_are_printed_once(route, daemon, printer, numbers)


def _short(route, daemon, printer, what, resource_name, value):
    """The daemon is short of something; it says so, takes nothing, and goes on by itself."""
    numbers = [route.submit(PDF)]
    route.ended(numbers[0])
    with limited(daemon, resource_name, value):
        entry = wait_health(daemon, "limit-reached")
        assert entry["severity"] == "error" and what in entry["text"]
        assert "systemctl edit print-connector" in entry["remedy"]
        assert daemon.cli("status").code == 4
        numbers += [route.submit(pdf.make(1, 2000, f"job {n}")) for n in range(3)]
        daemon.wait_for_line(f"short of {what}, no jobs are taken")
        numbers += _nothing_more_is_acknowledged(route, daemon)
        assert not any(_is_acknowledged(route, number) for number in numbers[1:])
    daemon.wait_for_line(f"enough {what} again")
    _all_are_printed_once(route, daemon, printer, numbers)
    assert health(daemon, "limit-reached") == []


def test_short_of_descriptors_it_says_so_and_work_goes_on_when_there_are_more(bed, printer):
    daemon = bed.daemon()
    route = connect(bed, daemon, "raw")
    route.ended(route.submit(PDF))
    printer.ledger.clear()
    used = {int(fd) for fd in os.listdir(f"/proc/{daemon.process.pid}/fd")}
    free = [fd for fd in range(1000) if fd not in used]
    _short(route, daemon, printer, "file descriptors", "nofile", free[10])


def test_short_of_memory_it_says_so_and_work_goes_on_when_there_is_more(bed, printer):
    daemon = bed.daemon()
    route = connect(bed, daemon, "raw")
    route.ended(route.submit(PDF))
    printer.ledger.clear()
    _short(route, daemon, printer, "memory", "as", _size(daemon) + (12 << 20))


def _size(daemon):
    with open(f"/proc/{daemon.process.pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()


def test_without_descriptors_nothing_is_lost_and_no_time_is_burnt(bed, printer):
    daemon = bed.daemon()
    route = connect(bed, daemon, "raw")
    numbers = [route.submit(PDF)]
    route.ended(numbers[0])
    with limited(daemon, "nofile", 3):
        before = cpu_seconds(daemon)
        numbers += [route.submit(PDF) for _ in range(3)]
        mark = daemon.mark()
        daemon.process.signal(signal.SIGHUP)
        daemon.wait_for_line("settings", since=mark)
        with contextlib.suppress(AssertionError):  # what is open may be enough
            bed.cloud.wait_job(numbers[-1], timeout=4)
        assert cpu_seconds(daemon) - before < 2
    _all_are_printed_once(route, daemon, printer, numbers)


def test_without_memory_it_may_end_but_nothing_is_lost(bed, printer):
    """An allocation that cannot fail ends the process, and systemd starts it again."""
    daemon = bed.daemon(expect_clean=False)
    route = connect(bed, daemon, "raw")
    numbers = [route.submit(PDF)]
    route.ended(numbers[0])
    with limited(daemon, "as", _size(daemon)):
        for n in range(10):
            numbers.append(route.submit(pdf.make(1, 300000, f"job {n}")))
        with contextlib.suppress(AssertionError):
            bed.cloud.wait_job(numbers[-1], timeout=4)
        daemon.kill()
    daemon.start()
    _all_are_printed_once(route, daemon, printer, numbers)


FAKE_TIME = pytest.mark.skipif(SANITIZED, reason="the sanitizer must be loaded first")


@FAKE_TIME
@pytest.mark.parametrize("offset", ["+10y", "-10y"])
def test_a_clock_that_jumps_by_years_ends_no_job(bed, offset):
    bed.cups.add_fault("q", "wait=120")
    clock = FakeClock(bed.dir)
    daemon = bed.daemon(env=clock.env)
    route = connect(bed, daemon, "q")
    with bed.cups.fault_gate():
        numbers = [route.submit(PDF)]
        route.wait_record(numbers[0], "printing")
        clock.move(offset)
        numbers.append(route.submit(pdf.make(1, 2000)))
        route.wait_record(numbers[1], "handing", "printing")
        late = daemon.verb("status", codes=(0, 4))
        assert not any(entry["code"].startswith("job") for entry in late["health"])
        daemon.kill()
        daemon.start()
        route.wait_online()
        route.wait_record(numbers[0], "printing")
        numbers.append(route.submit(pdf.make(1, 3000)))
        route.wait_record(numbers[2], "handing", "printing")
        clock.move("+0")
        daemon.stop()
        daemon.start()
        route.wait_online()
        for number in numbers:
            route.wait_record(number, "handing", "printing")
    for number in numbers:
        route.ended(number)
    numbers.append(route.submit(PDF))
    route.ended(numbers[-1])
    assert len(bed.cups.fault_ledger()) == 4


@FAKE_TIME
def test_suspended_for_hours_it_goes_on(bed, printer):
    clock = FakeClock(bed.dir)
    daemon = bed.daemon(env=clock.env)
    route = connect(bed, daemon, "raw")
    numbers = [route.submit(PDF)]
    route.ended(numbers[0])
    daemon.process.signal(signal.SIGSTOP)
    numbers.append(route.submit(PDF))
    bed.cloud.forget("subscriptions")  # as after their lease
    clock.move("+8h")
    daemon.process.signal(signal.SIGCONT)
    numbers.append(route.submit(PDF))
    _all_are_printed_once(route, daemon, printer, numbers)
