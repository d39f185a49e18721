"""Many jobs at once: all printed, once each, in order, unchanged where the queue changes nothing;
and the same beside the peculiar servers of other people."""

import concurrent.futures
import hashlib

import pytest

import pdf
from bed.route import connect

TOGETHER = 101
SHARES = {"driverless": 16, "pcl": 60, "ipp": 124}  # by what a job costs there: 1.1, 0.2, 0.05 s


def _document(printer, n):
    return pdf.make(1, text=f"{printer} {n}")


def _sha256(data):
    return hashlib.sha256(data).hexdigest()


def _submit_all(bed):
    """200 jobs, the last 101 of them at once; {printer: {cloud job: document}}"""
    todo = [(printer, n) for printer, count in SHARES.items() for n in range(count)]
    todo.sort(key=lambda job: (job[1] / SHARES[job[0]], job[0]))  # evenly mixed
    jobs = {printer: {} for printer in SHARES}

    def submit(job):
        printer, n = job
        document = _document(printer, n)
        jobs[printer][bed.cloud.submit(document, printer, name=f"{printer} {n}")] = document
    split = len(todo) - TOGETHER
    for job in todo[:split]:
        submit(job)
    with concurrent.futures.ThreadPoolExecutor(TOGETHER) as pool:
        list(pool.map(submit, todo[split:]))
    return jobs


def test_two_hundred_jobs_through_three_queues(bed):
    bed.start_cloud(*SHARES)
    behind, direct = bed.ipp_printer("behind"), bed.ipp_printer("direct")
    socket = bed.socket_printer()
    bed.cups.add_driverless("driverless", behind.uri)
    bed.cups.add_pcl("pcl", socket.uri)
    daemon = bed.daemon()
    queues = {"driverless": "driverless", "pcl": "pcl", "ipp": direct.uri}
    for printer, queue in queues.items():
        connect(bed, daemon, queue, printer)
    jobs = _submit_all(bed)
    bed.cloud.wait_jobs(sum(SHARES.values()), state="final", timeout=150)
    assert {job["state_name"] for job in bed.cloud.jobs()} == {"completed"}
    records = daemon.wait_jobs(200, outcome="completed")
    assert {record["attempts"] for record in records} == {1}
    # none missing, none doubled, unchanged where nothing changes it, in order
    assert [entry["sha256"] for entry in direct.ledger("arrived")] == [
        _sha256(jobs["ipp"][number]) for number in sorted(jobs["ipp"])]
    assert len(behind.ledger("arrived")) == SHARES["driverless"]
    assert len(socket.ledger) == SHARES["pcl"]
    for printer, queue in queues.items():
        mine = sorted((r for r in records if r["queue"] == queue), key=lambda r: r["cloud_job"])
        assert len(mine) == SHARES[printer]
        if printer != "ipp":  # CUPS prints in the order in which jobs are closed
            starts = {job["job-id"]: job["time-at-processing"] for job in bed.cups.jobs(queue)}
            order = [starts[record["local_job"]] for record in mine]
            assert order == sorted(order), "\n".join(
                f"{printer} {r['cloud_job']}: local {r['local_job']} {start} {r['times']}"
                for r, start in zip(mine, order))


@pytest.mark.parametrize("server", ["ippserver", "pappl"])
def test_forty_jobs_through_a_server_with_all_its_quirks(bed, eve, server):
    bed.start_cloud(f"q,quirks={server}")
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    documents = {}
    for n in range(40):
        document = _document("q", n)
        documents[route.submit(document, name=f"job {n}")] = document
        if n in (5, 10):
            bed.cloud.wait_job(max(documents))
    bed.cloud.wait_jobs(40, state="9", timeout=120)
    daemon.wait_jobs(40, outcome="completed")
    assert [entry["sha256"] for entry in eve.ledger("arrived")] == [
        _sha256(documents[number]) for number in sorted(documents)]


@pytest.mark.parametrize("server", ["ippserver", "pappl"])
@pytest.mark.parametrize("kind", ["cancel", "abort", "refuse"])
def test_every_end_is_told_to_a_server_with_quirks(bed, eve, server, kind):
    bed.start_cloud(f"q,quirks={server}")
    daemon = bed.daemon()
    route = connect(bed, daemon, eve.uri)
    if kind == "refuse":
        number = route.submit(b"%!PS", mime="application/postscript")
    else:
        eve.mode = "fail" if kind == "abort" else "hold"
        with eve.gate():
            number = route.submit(_document("q", 1))
            eve.wait(1, "arrived")
            if kind == "cancel":
                route.cancel(number)
                daemon.wait_for_line("cancel requested")
    bed.cloud.wait_job(number)
    # PAPPL takes no canceled from a proxy, so that it is told aborted
    canceled = kind == "cancel" and server == "ippserver"
    assert route.told(number)["state_name"] == ("canceled" if canceled else "aborted")
    eve.mode = "ok"
    route.ended(route.submit(_document("q", 2)))
    assert len(eve.ledger("arrived")) == (1 if kind == "refuse" else 2)
