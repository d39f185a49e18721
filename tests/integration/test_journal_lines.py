"""What the log tells of jobs at level info: one line of one that went well, everything of one that
failed."""

import re

from bed import PDF
from bed.route import connect

AT_INFO = {"log": {"level": "info"}}
NOT_PDF = b"\x1b%-12345X@PJL SET RET=OFF\r\n@PJL ENTER LANGUAGE=PCL\r\n"


def _lines_of(daemon, job):
    return [line for line in daemon.process.text().splitlines() if f"job {job['id']}: " in line]


def test_a_job_that_goes_well_is_one_line(bed, eve):
    route = connect(bed, bed.daemon(settings=AT_INFO), eve.uri)
    _, job = route.ended(route.submit(PDF))
    route.daemon.stop()
    line, = _lines_of(route.daemon, job)
    assert re.search(rf"completed on \S+, 2 impressions, {PDF.stat().st_size} bytes, \d+\.\d s$",
                     line)


def test_a_job_that_fails_brings_its_details(bed, eve):
    route = connect(bed, bed.daemon(settings=AT_INFO), eve.uri)
    _, job = route.ended(route.submit(NOT_PDF, mime="application/pdf"), "aborted")
    route.daemon.stop()
    lines = _lines_of(route.daemon, job)
    details = [line for line in lines if re.search(r"\(\d+\.\d{3} s before it failed\)$", line)]
    assert len(details) >= 3
    assert any("accepted from the cloud" in line for line in details)
    last, = [line for line in lines if line not in details]
    assert "<4>" in last and f"aborted on {eve.uri}: " in last and lines[-1] == last
