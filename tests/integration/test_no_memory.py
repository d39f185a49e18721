"""Any one allocation of the real daemon fails. Small ones of its own end it, as a crash does, since
nothing sensible is left to do and the journal holds; so do those of libraries that cannot say no,
or do not look at what they got. Whatever it does: no other end than that, our own code never uses
what is not there, and no job is lost, doubled or told a false word."""

import pathlib
import re
import signal

import pdf
import pytest

from bed import BUILD, SANITIZED
from bed.daemon import reachable
from bed.route import connect
from bed.watch import wait_until

PLACES = [1, 30, 200, 700, 1500]  # among the allocations of one job
PROMPT = 60


def _is_over(route, number):
    return route.daemon.process.returncode is not None or \
        route.told(number)["state_name"] in ("completed", "aborted", "canceled")


def _faulted_in_a_library(log):
    """Whether the innermost frame that is not libc's is not ours."""
    frames = re.findall(r"^(\S+?)\(.*\[0x[0-9a-f]+\]$", log, re.MULTILINE)
    frames = [pathlib.Path(frame).name for frame in frames]
    inner = [frame for frame in frames if not frame.startswith(("libc.", "no-memory", "ld-linux"))]
    return bool(inner) and inner[0] != "print-connectord"


def _settle(route, number, papers):
    """The end of a job, by the administrator where nobody can know; what paper says fits."""
    job = route.wait_record(number, "done", "held", timeout=PROMPT)
    if job["state"] == "held":
        assert "unknown whether it printed" in job["error"]["text"]
        route.daemon.verb("cancel", str(job["id"]))
        route.ended(number, "canceled", timeout=PROMPT)
        return
    told, job = route.ended(number, timeout=PROMPT)
    assert papers().count(told["documents"][0]["sha256"]) == 1


@pytest.mark.skipif(SANITIZED, reason="the sanitizer has its own allocator")
@pytest.mark.parametrize("kind", ["cups", "ipp"])
def test_an_allocation_that_fails_loses_and_doubles_nothing(bed, eve, kind):
    socket = bed.socket_printer()
    bed.cups.add_raw("q", socket.uri)
    queue = "q" if kind == "cups" else eve.uri
    daemon = bed.daemon(expect_clean=False)
    route = connect(bed, daemon, queue)
    daemon.stop()
    failed, ends = 0, []
    for n, place in enumerate(PLACES):
        daemon.env = {"LD_PRELOAD": reachable(BUILD / "no-memory.so", daemon.dir),
                      "NO_MEMORY_AT": str(place)}
        daemon.start()
        route.wait_online()
        mark = daemon.mark()
        daemon.process.signal(signal.SIGUSR1)
        number = route.submit(pdf.make(1, 3000 + n))
        daemon.process.wait_for_line("no memory", PROMPT, mark)
        failed += 1
        wait_until(lambda: _is_over(route, number), "the end of daemon or job", PROMPT)
        if daemon.process.returncode is None:
            daemon.kill()
        ends.append(daemon.process.returncode)
        if ends[-1] == -signal.SIGSEGV:
            log = daemon.process.text()[mark:]
            assert _faulted_in_a_library(log), log
        daemon.env = {}
        daemon.start()
        if kind == "cups":
            _settle(route, number, lambda: [entry["sha256"] for entry in socket.ledger])
        else:
            _settle(route, number, lambda: [entry["sha256"] for entry in eve.ledger("arrived")])
        assert daemon.stop() == 0
    assert failed == len(PLACES)
    assert set(ends) <= {-signal.SIGABRT, -signal.SIGKILL, -signal.SIGSEGV}, ends
