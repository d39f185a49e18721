"""How far a job is, and how much paper it took: told while it prints, and at the end."""

import time

from bed import PDF
from bed.route import connect
from bed.watch import wait_until

WORD = "Update-Job-Status"


def _words(bed, number):
    """What the cloud was told of the job, in order."""
    job = next(j for j in bed.cloud.jobs("q", told=1) if j["id"] == number)
    return [word for word in job["told"] if word["operation"] == WORD]


def test_pages_are_told_as_they_come_but_not_more_than_once_a_second(bed):
    bed.cups.add_fault("q", "pages=45")
    route = connect(bed, bed.daemon(), "q")
    with bed.cups.fault_gate():
        began = time.monotonic()
        number = route.submit(PDF)
        told, job = route.ended(number)
        seconds = time.monotonic() - began
    words = _words(bed, number)
    counts = [word.get("impressions") for word in words]
    print("impressions:", counts)
    known = [count for count in counts if count is not None]
    assert known == sorted(known) and len(known) >= 3
    assert counts[-1] == 45 and told["impressions"] == 45 and job["impressions"] == 45
    # one at the beginning and one at the end do not wait; a word may be late, and so two close
    assert len(words) <= seconds + 2, [word["time"] for word in words]


def test_what_nobody_counts_is_not_told(bed):
    printer = bed.socket_printer()
    bed.cups.add_raw("q", printer.uri)
    route = connect(bed, bed.daemon(), "q")
    told, job = route.ended(route.submit(PDF))
    assert job["impressions"] is None and told.get("impressions") in (None, -1)
    assert all(word.get("impressions") in (None, -1) for word in _words(bed, told["id"]))


def test_two_sides_are_two_impressions_on_one_sheet(bed):
    printer = bed.socket_printer()
    bed.cups.add_pcl("q", printer.uri, "-o", "Option1=True")
    route = connect(bed, bed.daemon(), "q")
    number = bed.cloud.client().print_job(PDF, sides="two-sided-long-edge")
    route.ended(number)
    last = _words(bed, number)[-1]
    assert last["impressions"] == 2 and last["sheets"] == 1, last
    number = bed.cloud.client().print_job(PDF)
    route.ended(number)
    last = _words(bed, number)[-1]
    assert last["impressions"] == 2 and last["sheets"] == 2, last


def test_the_page_log_of_cups_has_the_users_name(bed, eve):
    bed.start_cups(options={"PageLogFormat": '"%p %u %T %P %C"'})
    bed.cups.add_driverless("q", eve.uri)
    route = connect(bed, bed.daemon(), "q")
    _, job = route.ended(route.submit(PDF, user="maria"))
    log = bed.cups.dir / "log/page_log"
    wait_until(log.exists, "page_log", 20, [log])
    lines = wait_until(log.read_text, "a line", 20, [log]).splitlines()
    assert [line.split()[:2] for line in lines] == [['"q', "maria"]], lines
    assert job["impressions"] == 2
