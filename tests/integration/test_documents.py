"""Documents that come cut, short, or as something else than they are called: what is called
completed was printed whole, and nothing else reaches a printer."""

import pdf
import pytest

from bed import PDF, submit
from bed.route import connect

BIG = pdf.make(1, 300000)
PJL = b"\x1b%-12345X@PJL SET RET=OFF\r\n@PJL ENTER LANGUAGE=PCL\r\n"
POSTSCRIPT = b"%!PS-Adobe-3.0\n(anything) run showpage\n"
CUTS = {"first": 1, "middle": len(BIG) // 2, "last": len(BIG) - 1}


def sums(paper):
    """sha256 of each document that came out."""
    return [document["sha256"] for document in paper.documents]


@pytest.mark.parametrize("transfer", ["chunked", "length"])
def test_a_document_cut_anywhere_is_fetched_again_and_printed_once(bed, paper, transfer):
    bed.start_cloud(f"q,transfer={transfer}")
    route = connect(bed, bed.daemon(), paper.queue)
    for place in CUTS.values():
        bed.cloud.fault("cut-document", operation="Fetch-Document", bytes=place)
        number = route.submit(BIG)
        told, job = route.ended(number)
        assert (told["documents"][0]["fetches"], job["attempts"]) == (2, 2)
    sent = told["documents"][0]["sha256"]
    assert sums(paper) == [sent] * len(CUTS)


@pytest.mark.parametrize("fault", [
    {"kind": "longer-length", "bytes": 1000}, {"kind": "cut-last-chunk"},
    {"kind": "cut-document", "bytes": 150000, "reset": 1}, {"kind": "cut-before"},
    {"kind": "cut-after"}, {"kind": "never", "count": 0}])
def test_a_document_shorter_than_announced_is_not_the_document(bed, paper, fault):
    route = connect(bed, bed.daemon(), paper.queue)
    bed.cloud.fault(operation="Fetch-Document", **fault)
    told, _ = route.ended(route.submit(BIG))
    assert sums(paper) == [told["documents"][0]["sha256"]]


def test_a_document_that_never_comes_whole_is_never_completed(bed, paper):
    route = connect(bed, bed.daemon(), paper.queue)
    rule = bed.cloud.fault("cut-document", operation="Fetch-Document", bytes=len(BIG) - 1,
                           count=-1)
    number = route.submit(BIG)
    route.daemon.wait(lambda: (route.record(number) or {}).get("attempts", 0) >= 3, "3 tries")
    job = route.wait_record(number, "waiting")
    assert job["error"]["text"] and job["outcome"] is None
    assert route.told(number)["state_name"] != "completed"
    assert sums(paper) == []
    bed.cloud.clear_faults(rule)
    told, _ = route.ended(number)
    assert sums(paper) == [told["documents"][0]["sha256"]]


def test_a_waiting_job_says_why_in_the_cloud(bed, paper):
    route = connect(bed, bed.daemon(), paper.queue)
    bed.cloud.fault("cut-document", operation="Fetch-Document", bytes=10, count=-1)
    number = route.submit(BIG)
    told = bed.cloud.wait_job(number, state="6", reason="resources-are-not-ready")
    assert told["message"]
    bed.cloud.clear_faults()
    route.ended(number)


def test_a_document_that_the_cloud_lost_ends_aborted(bed, paper):
    route = connect(bed, bed.daemon(), paper.queue)
    bed.cloud.fault("ipp-status", operation="Fetch-Document", status=0x0406, count=-1)
    told, job = route.ended(route.submit(BIG), "aborted")
    assert job["error"]["kind"] == "gone"
    assert told["message"] and sums(paper) == []


@pytest.mark.parametrize("data, mime", [
    (PJL, "application/pdf"), (POSTSCRIPT, "application/pdf"), (b"plain text", "application/pdf"),
    (b"", "application/pdf"), (PDF.read_bytes(), "image/jpeg"), (b"\x7fELF\1\1\1" * 50, None),
    (PJL, "application/octet-stream")],
    ids=["pjl", "postscript", "text", "nearly-empty", "pdf-as-jpeg", "unknown", "pjl-untyped"])
def test_bytes_that_are_not_what_they_are_called_reach_no_printer(bed, paper, data, mime):
    route = connect(bed, bed.daemon(), paper.queue)
    told, job = route.ended(route.submit(data or b"%", mime=mime or "application/octet-stream"),
                            "aborted")
    assert job["error"]["kind"] == "rejected" and job["error"]["text"]
    assert told["message"].endswith(job["error"]["text"])
    assert sums(paper) == []
    route.ended(route.submit(PDF))
    assert sums(paper) == [submit.sha256(PDF)]


@pytest.mark.parametrize("mime", ["application/postscript", "application/vnd.cups-raw",
                                  "application/vnd.hp-pcl", "text/plain"])
def test_formats_that_are_not_allowed_are_refused_before_they_are_accepted(bed, paper, mime):
    route = connect(bed, bed.daemon(), paper.queue)
    told, job = route.ended(route.submit(POSTSCRIPT, mime=mime), "aborted")
    assert told["refusal"] == 0x040a and told["documents"][0]["fetches"] == 0
    assert mime in told["message"] and "allow-formats" in told["message"]
    assert job["times"]["acknowledged"] is None and sums(paper) == []


@pytest.mark.parametrize("data, mime, says", [
    (PDF.read_bytes(), "application/pdf", "administrator can add it to its allow-formats"),
    (PDF.read_bytes(), "application/octet-stream", "application/pdf is not what this queue"),
    (b"\xff\xd8\xff\xe0 JPEG", "image/jpeg", "image/jpeg is not what this queue")])
def test_a_queue_without_a_driver_takes_what_is_named_for_it_and_nothing_else(bed, data, mime,
                                                                              says):
    printer = bed.socket_printer()
    bed.cups.add_raw("raw", printer.uri)
    daemon = bed.daemon(settings={"queue raw": {"allow-formats": "application/postscript"}})
    route = connect(bed, daemon, "raw")
    told, _ = route.ended(route.submit(data, mime=mime), "aborted")
    assert says in told["message"], told["message"]
    assert printer.ledger == []
    route.ended(route.submit(POSTSCRIPT, mime="application/postscript"))
    assert len(printer.ledger) == 1


def test_what_a_printer_does_not_know_is_refused_before_any_page(bed):
    eve = bed.ipp_printer(formats=["application/pdf"])
    route = connect(bed, bed.daemon(), eve.uri)
    told, job = route.ended(route.submit(b"\x89PNG\r\n\x1a\n", mime="image/png"), "aborted")
    assert told["refusal"] == 0x040a and told["documents"][0]["fetches"] == 0
    assert "image/png is not understood by this queue; print it as PDF" in told["message"]
    told, job = route.ended(route.submit(b"\x89PNG\r\n\x1a\n\0", mime="application/octet-stream"),
                            "aborted")
    assert "unsupported-document-format" in str(told) and job["local_job"] in (None, 0)
    assert eve.ledger("arrived") == []


def test_an_untyped_pdf_is_printed_as_what_it_is(bed, eve):
    route = connect(bed, bed.daemon(), eve.uri)
    told, _ = route.ended(route.submit(PDF, mime="application/octet-stream"))
    assert told["documents"][0]["format"] == "application/octet-stream"
    assert eve.ledger()[0]["format"] == "application/pdf"


def test_a_format_that_changes_on_the_way_is_not_believed(bed, paper):
    route = connect(bed, bed.daemon(), paper.queue)
    bed.cloud.fault("wrong-format", operation="Fetch-Document", text="application/postscript",
                    count=-1)
    route.ended(route.submit(PDF), "aborted")
    assert sums(paper) == []


def test_a_format_that_the_administrator_allows_is_printed(bed):
    printer = bed.socket_printer()
    bed.cups.add_raw("raw", printer.uri)
    daemon = bed.daemon(settings={"queue raw": {
        "allow-formats": "application/pdf, application/postscript"}})
    route = connect(bed, daemon, "raw")
    told, _ = route.ended(route.submit(POSTSCRIPT, mime="application/postscript"))
    assert [entry["sha256"] for entry in printer.ledger] == [told["documents"][0]["sha256"]]


def test_a_document_that_is_too_large_is_refused_with_that_reason(bed, paper):
    daemon = bed.daemon(settings={"jobs": {"max-document-size": "100K"}})
    route = connect(bed, daemon, paper.queue)
    told, job = route.ended(route.submit(BIG), "aborted")
    assert "longer than" in job["error"]["text"] and told["message"]
    assert sums(paper) == []
    route.ended(route.submit(PDF))


@pytest.mark.parametrize("mime, outcome", [
    ("application/pdf\n<0>forged line", "aborted"), ("application/pdf; charset=binary", "aborted"),
    ("../../etc/passwd", "aborted"), ("$(reboot)", "aborted"),
    ("application/" + "x" * 240, "aborted"),
    ("APPLICATION/PDF", "completed"), ("", "completed")])
def test_an_absurd_format_is_refused_by_its_name_or_is_none(bed, paper, mime, outcome):
    daemon = bed.daemon()
    route = connect(bed, daemon, paper.queue)
    bed.cloud.fault("wrong-format", operation="Fetch-Document", text=mime, count=-1)
    told, job = route.ended(route.submit(PDF, mime="application/octet-stream"), outcome)
    assert len(sums(paper)) == (outcome == "completed")
    if outcome == "aborted":
        assert "unsupported-document-format" in str(told)
        assert job["error"]["text"].isprintable() and len(job["error"]["text"]) < 192
        assert "administrator" in job["error"]["text"], job
    bed.cloud.clear_faults()
    route.ended(route.submit(PDF))
