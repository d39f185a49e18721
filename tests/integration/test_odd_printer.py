"""A printer that answers differently each time: attributes of other types, empty, endless, with
control characters, twice, coming and going, answers that are none. What is told of it is legal and
told now and then, its jobs end, the other printers go on, and nothing grows."""

import re
import time

import pytest

from bed import PDF, SANITIZED
from bed.odd import OddPrinter
from bed.route import connect

ANSWERS = 200
PARTS = 4              # a job of the other printer in each
LONG = 240             # seconds for one part on a loaded machine
GROWTH_KB = 4096       # of memory in the second half of the answers; one of them may have 300 kB
LINES_AN_ANSWER = 0.5  # of the journal: what is equal is said five times a minute (log_memory.h)

# allowance.h and channel_listen.c: 6 changes at once, then reasons every 10 s and the rest every
# 3 s; one at its return, and heartbeats (10 min) and what a job makes us tell again
AT_ONCE, REASONS_S, DETAILS_S, MORE = 6, 10, 3, 4


def _anonymous_kb(daemon):
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))


def _updates(bed):
    return bed.cloud.counters("odd")["Update-Output-Device-Attributes"]


def _ends_with_a_reason(route, number):
    told = route.cloud.wait_job(number, route.printer, timeout=LONG)
    job = route.wait_record(number, "done", timeout=LONG)
    assert told["state_name"] == job["outcome"], (told, job)
    print("the odd printer's job:", job["outcome"], job["error"])
    assert job["outcome"] == "completed" or (job["outcome"] == "aborted" and job["error"]["text"])
    return job["outcome"]


@pytest.mark.parametrize("seed", [2, 3])
def test_a_printer_that_answers_differently_each_time_harms_nobody(bed, eve, seed):
    print("seed:", seed)
    bed.start_cloud("odd", "good")
    paper = bed.socket_printer()
    bed.cups.add_raw("good", paper.uri)
    printer = bed.enter(OddPrinter(eve, seed))
    daemon = bed.daemon(settings={"printers": {"state-interval": "100ms"},
                                  "jobs": {"when-unknown": "abort"}, "log": {"level": "info"}})
    odd = connect(bed, daemon, printer.uri, "odd")
    good = connect(bed, daemon, "good", "good")
    sane = odd.attributes()
    before, began, mark = _updates(bed), time.monotonic(), daemon.mark()
    memory = []
    printer.odd = True
    number = odd.submit(PDF)
    for part in range(1, PARTS + 1):
        printer.wait(part * ANSWERS // PARTS, [daemon.process, bed.cloud.process], LONG)
        good.ended(good.submit(PDF))
        memory.append(_anonymous_kb(daemon))
    outcome = _ends_with_a_reason(odd, number)
    told, seconds = _updates(bed) - before, time.monotonic() - began
    said = daemon.process.text()[mark:]
    answers = printer.served.total()
    print(f"{answers} odd answers in {seconds:.0f} s: {told} updates, {said.count(chr(10))} lines,"
          f" kB {memory}: {dict(printer.served)}")
    assert 1 <= told <= 2 * AT_ONCE + seconds / REASONS_S + seconds / DETAILS_S + MORE
    assert SANITIZED or memory[-1] - memory[PARTS // 2 - 1] < GROWTH_KB
    assert said.count("\n") < LINES_AN_ANSWER * answers
    assert not re.search(r"[^\n\x20-\x7e\x80-\U0010ffff]", said)
    assert len(printer.served) > 8 and not bed.cloud.violations()
    assert len(paper.ledger) == PARTS and len(eve.ledger()) == (outcome == "completed")
    printer.odd = False
    odd.ended(odd.submit(PDF), timeout=LONG)
    odd.wait_attributes(lambda now: _lasting(now) == _lasting(sane), "what it said at first", LONG)


def _lasting(attributes):
    """Without what differs in time."""
    return {name: value for name, value in attributes.items()
            if not name.endswith(("-time", "-date-time", "up-time"))}
