"""Each exit status of a backend under each error policy of a queue, at a real cupsd: what the cloud
is told is what became of the job. And printers behind LPD."""

import contextlib

import pages
import pdf
import pytest

from bed import PDF, ipp
from bed.route import connect, health
from lpd_printer import LpdPrinter

POLICIES = ("abort-job", "retry-job", "retry-current-job", "stop-printer")
SLOW = 90  # seconds: tries, pauses of CUPS between them and the connector's own

# backend's exit status: what becomes of a job under each of POLICIES. "stopped" is a queue that
# stands still with the job in it, "held" and "loops" wait for a person.
TABLE = {
    "0":     ("completed", "completed", "completed", "completed"),
    "1":     ("aborted", "aborted", "loops", "stopped"),
    "2":     ("needs a password",) * 4,
    "3":     ("held",) * 4,
    "4":     ("stopped",) * 4,
    "5":     ("canceled",) * 4,
    "6":     ("aborted",) * 4,
    "7":     ("loops",) * 4,
    "crash": ("aborted", "aborted", "loops", "stopped"),
}
CELLS = [(rc, policy, fate) for rc, fates in TABLE.items() for policy, fate in zip(POLICIES, fates)]
WORDS = {"needs a password": "user name and password", "held": "held at the queue: release it",
         "loops": "again and again without end"}
ENDED = ("completed", "aborted", "canceled")


def name_of(rc, policy):
    """Of the queue, and of its printer in the cloud."""
    return f"rc{rc}-{policy}"


def fate_of(bed, route, number, stopped):
    """What the cloud believes, in the words of the table; None: it may still change."""
    told, job = route.told(number), route.record(number)
    state = told["state_name"]
    if state in ENDED or job is None:
        return state if state in ENDED else None
    for fate, words in WORDS.items():
        if state == "processing-stopped" and words in f"{told['message']} {job['error']}":
            return fate
    printer = ipp.PRINTER_STATES[bed.cloud.printer(route.printer)["state"]]
    if route.queue in stopped and printer == "stopped":
        return "stopped"
    return None


def test_what_the_cloud_is_told_is_true_for_each_exit_status_under_each_policy(bed):
    cups = bed.start_cups(options={"JobRetryInterval": "1", "JobRetryLimit": "2",
                                   "MaxClients": "300"})
    names = [name_of(rc, policy) for rc, policy, _ in CELLS]
    bed.start_cloud(*names)
    for rc, policy, fate in CELLS:
        pace = "&wait=1" if fate == "loops" else ""
        cups.add_fault(name_of(rc, policy), f"rc={rc}{pace}", "-o",
                       f"printer-error-policy={policy}")
    daemon = bed.daemon()
    with cups.fault_gate():
        routes = [connect(bed, daemon, name, name) for name in names]
        numbers = [route.submit(PDF) for route in routes]
        found = {}

        def look():
            stopped = {entry["subject"] for entry in health(daemon, "queue-stopped")}
            for route, number, (_, _, fate) in zip(routes, numbers, CELLS):
                if found.get(route.queue) != fate:
                    found[route.queue] = fate_of(bed, route, number, stopped)
            return all(found[name] == fate for name, (_, _, fate) in zip(names, CELLS))
        try:
            daemon.wait(look, "the fate of each job", SLOW)
        finally:
            print(f"{'exit':6}" + "".join(f"{policy:20}" for policy in POLICIES))
            for rc in TABLE:
                print(f"{rc:6}" + "".join(f"{str(found.get(name_of(rc, policy))):20}"
                                          for policy in POLICIES))
        _are_true(cups, routes, numbers)
        open_jobs = [(route, number) for route, number in zip(routes, numbers)
                     if route.told(number)["state_name"] not in ENDED]
        for route, number in open_jobs:
            route.cancel(number)
    for route, number in open_jobs:
        route.ended(number, "canceled")


def _are_true(cups, routes, numbers):
    """CUPS says the same, and no job was handed over twice."""
    for route, number in zip(routes, numbers):
        jobs = cups.jobs(route.queue)
        assert len(jobs) == 1, (route.queue, jobs)
        state, told = ipp.JOB_STATES[jobs[0]["job-state"]], route.told(number)["state_name"]
        assert (told == state) if told in ENDED else state not in ENDED, (route.queue, told, state)
        assert route.record(number)["attempts"] == 1


@pytest.mark.parametrize("driver", ["raw", "pcl"])
def test_a_printer_behind_lpd_gets_the_document_and_its_owner(bed, driver):
    printer = LpdPrinter(bed.dir / "lpd").start()
    with contextlib.closing(printer):
        add = bed.cups.add_raw if driver == "raw" else bed.cups.add_pcl
        add("q", printer.uri)
        route = connect(bed, bed.daemon(), "q")
        document = pdf.make_marked(["tl", "br"])
        route.ended(route.submit(document, user="maria"))
        entry = printer.wait()[0]
    assert len(printer.ledger) == 1 and entry["user"] == "maria"
    if driver == "raw":
        assert entry["file"].read_bytes() == document
    else:
        assert [page.ink for page in pages.from_pcl(entry["file"])] == [{"tl"}, {"br"}]


def test_a_printer_behind_lpd_that_refuses_is_never_taken_for_done(bed):
    cups = bed.start_cups(options={"JobRetryInterval": "1", "JobRetryLimit": "1000"})
    printer = LpdPrinter(bed.dir / "lpd", "refuse").start()
    with contextlib.closing(printer):
        cups.add_raw("q", printer.uri)
        route = connect(bed, bed.daemon(), "q")
        number = route.submit(PDF)
        route.wait_record(number, "printing")
        printer.wait_requests(2)
        assert route.told(number)["state_name"] not in ENDED and not printer.ledger
        printer.mode = "ok"
        route.ended(number)
    assert len(printer.ledger) == 1


def test_a_printer_behind_lpd_that_hangs_up_in_place_of_a_word_is_never_taken_for_done(bed):
    """CUPS calls such a job completed, whatever the policy of its queue."""
    bed.start_cloud(*POLICIES)
    printer = LpdPrinter(bed.dir / "lpd", "cut").start()
    with contextlib.closing(printer):
        for policy in POLICIES:
            bed.cups.add_raw(policy, printer.uri, "-o", f"printer-error-policy={policy}")
        daemon = bed.daemon()
        routes = [connect(bed, daemon, policy, policy) for policy in POLICIES]
        numbers = [route.submit(PDF) for route in routes]
        for route, number in zip(routes, numbers):
            job = route.wait_record(number, "held", timeout=SLOW)
            assert "hung up" in job["error"]["text"], job
            route.wait_job_reason(number, "resources-are-not-ready", SLOW)
            told = route.told(number)
            assert told["state_name"] not in ENDED and "unknown whether" in told["message"], told
            assert bed.cups.jobs(route.queue)[0]["job-state"] == 9
        assert printer.cuts >= len(POLICIES) and not printer.ledger
        held = routes[0].record(numbers[0])
        assert daemon.cli("resolve", held["id"], "--printed").code == 0
        routes[0].ended(numbers[0])


def test_a_printer_behind_lpd_that_hangs_up_in_mid_document_leaves_its_job_in_doubt(bed):
    """CUPS sends it again after half a minute, and then says nothing of how that went."""
    printer = LpdPrinter(bed.dir / "lpd", "cut 1000").start()
    with contextlib.closing(printer):
        bed.cups.add_raw("q", printer.uri)
        daemon = bed.daemon()
        route = connect(bed, daemon, "q")
        number = route.submit(pdf.make(size=8_000_000))
        printer.wait_cuts(1)
        printer.mode = "ok"
        printer.wait(timeout=SLOW)
        job = route.wait_record(number, "held", "done", timeout=SLOW)
        assert job["state"] == "held" and "in the middle" in job["error"]["text"], job
        assert daemon.cli("resolve", job["id"], "--abort").code == 0
        route.ended(number, "aborted")
