"""XPS becomes PDF on its way to a queue that takes PDF: by the real xpstopdf, and by converters
that misbehave as only a document made for that could make them."""

import contextlib
import pathlib
import shutil
import subprocess

import pytest
import xps

from bed import BUILD, PDF
from bed.paper import Paper
from bed.route import connect
from bed.watch import wait_until

XPS = "application/oxps"
MARK = "for nobody else"


def converter(daemon_dir, name):
    """The path of a converter that misbehaves so."""
    path = pathlib.Path(daemon_dir) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(BUILD / "odd-converter", path)
    path.chmod(0o755)
    return path


def with_converter(bed, name):
    """A daemon whose converter it is."""
    return bed.daemon(settings={"jobs": {"xps-converter": converter(bed.dir / "daemon", name)}})


def children(daemon):
    """Process ids of the daemon's children."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(daemon.process.pid)],
                           capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def pdf_text(path):
    """(Pages, text) of a PDF."""
    info = subprocess.run(["pdfinfo", path], check=True, capture_output=True, text=True).stdout
    pages = next(int(line.split()[1]) for line in info.splitlines() if line.startswith("Pages"))
    text = subprocess.run(["pdftotext", path, "-"], check=True, capture_output=True, text=True)
    return pages, text.stdout


@pytest.mark.parametrize("mime", [XPS, "application/vnd.ms-xpsdocument",
                                  "application/octet-stream"])
def test_xps_is_printed_as_pdf_with_all_its_pages(bed, paper, mime):
    route = connect(bed, bed.daemon(), paper.queue)
    number = route.submit(xps.make(3, "converted page"), mime=mime)
    _, job = route.ended(number)
    document, = paper.documents
    pages, text = pdf_text(document["file"])
    assert pages == 3
    assert all(f"converted page {n}" in text for n in (1, 2, 3))
    assert f"made application/pdf of {XPS}" in route.events(number)
    assert job["attempts"] == 1
    ink = subprocess.run(["pdftoppm", "-r", "20", "-gray", "-f", "1", "-l", "1", document["file"]],
                         check=True, capture_output=True).stdout
    assert ink.count(b"\0") > 500  # the black square


def test_xps_is_offered_only_where_it_can_be_converted(bed, paper):
    daemon = bed.daemon(settings={"jobs": {"xps-converter": "/nonexistent/xpstopdf"}})
    route = connect(bed, daemon, paper.queue)
    formats = route.wait_attributes(lambda a: "document-format-supported" in a, "formats")
    assert XPS not in formats["document-format-supported"]
    told, job = route.ended(route.submit(xps.make(), mime=XPS), "aborted")
    assert told["refusal"] == 0x040a and told["documents"][0]["fetches"] == 0
    assert XPS in told["message"] and "libgxps-utils" in told["message"]
    assert job["times"]["acknowledged"] is None and len(paper.documents) == 0
    # of a type that was not said it is seen when its first bytes are here
    told, _ = route.ended(route.submit(xps.make(), mime="application/octet-stream"), "aborted")
    assert XPS in told["message"] and "libgxps-utils" in told["message"]
    del daemon.sections["jobs"]
    daemon.write_config()
    daemon.reload()
    route.wait_attributes(lambda a: XPS in a["document-format-supported"], "XPS at the cloud")
    route.ended(route.submit(xps.make(), mime=XPS))
    assert len(paper.documents) == 1


def test_damaged_xps_is_aborted_with_what_helps_and_prints_nothing(bed, paper):
    route = connect(bed, bed.daemon(), paper.queue)
    whole = xps.make(2)
    no_page = xps.make(2).replace(b"Documents/1/Pages/2.fpage", b"Documents/1/Pages/9.fpage")
    for damaged in (whole[:2000], whole[:-500], whole[:3000] + bytes(len(whole) - 3000), no_page):
        told, job = route.ended(route.submit(damaged, mime=XPS), "aborted")
        assert "print it as PDF" in told["message"], told
        assert job["error"]["kind"] == "rejected" and job["error"]["code"] == 0x0411
        assert "document-format-error" in str(told), told
    assert len(paper.documents) == 0
    route.ended(route.submit(PDF))
    assert len(paper.documents) == 1


def test_an_office_document_is_not_taken_for_xps(bed, paper):
    route = connect(bed, bed.daemon(), paper.queue)
    office = xps.make().replace(b"Documents/1/", b"word/ocumen/")
    told, _ = route.ended(route.submit(office, mime=XPS), "aborted")
    assert "wordprocessingml" in told["message"]
    assert len(paper.documents) == 0


def test_xps_that_is_too_large_is_aborted_with_that_reason(bed, paper):
    route = connect(bed, bed.daemon(), paper.queue)
    told, _ = route.ended(route.submit(xps.make(padding=65 << 20), mime=XPS), "aborted")
    assert "too large to convert" in told["message"] and "64 MB" in told["message"]
    assert len(paper.documents) == 0


@pytest.mark.parametrize("name, says", [
    ("attacks", "ended for what it tried to do"), ("fails", "damaged"), ("nothing", "damaged"),
    ("complains", "damaged"), ("crashes", "damaged"), ("grows", "too large"), ("eats", "damaged")])
def test_a_converter_that_misbehaves_fails_its_job_and_no_other(bed, paper, name, says):
    daemon = with_converter(bed, name)
    route = connect(bed, daemon, paper.queue)
    told, _ = route.ended(route.submit(xps.make(), mime=XPS), "aborted")
    assert says in told["message"]
    daemon.wait(lambda: not children(daemon), "the converter's end")
    assert len(paper.documents) == 0
    route.ended(route.submit(PDF))
    assert len(paper.documents) == 1
    if name == "attacks":
        daemon.wait_for_line("may be an attack")


def test_what_the_daemons_user_may_the_converter_may_not(bed, paper):
    daemon = with_converter(bed, "tries")
    (daemon.dir / "secret").write_text("not for converters", encoding="ascii")
    route = connect(bed, daemon, paper.queue)
    route.ended(route.submit(xps.make(), mime=XPS))
    said = pathlib.Path(paper.documents[-1]["file"]).read_text(encoding="ascii")
    assert "inet socket: EPERM" in said and "read beside it: EACCES" in said
    assert ": done" not in said, said


def test_a_document_is_nowhere_in_the_plain_while_it_is_converted(bed, paper):
    daemon = with_converter(bed, "sleeps")
    route = connect(bed, daemon, paper.queue)
    document = xps.make(text=MARK) + MARK.encode()
    number = route.submit(document, mime=XPS)
    child, = daemon.wait(lambda: children(daemon), "a converter")
    status = pathlib.Path(f"/proc/{child}/status")
    daemon.wait(lambda: "Seccomp:\t2" in status.read_text(encoding="ascii"), "its confinement")
    assert "NoNewPrivs:\t1" in status.read_text(encoding="ascii")
    assert not [path for path, data in daemon.files().items() if MARK.encode() in data]
    for fd in pathlib.Path(f"/proc/{daemon.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            target = str(fd.readlink())
            if "(deleted)" in target and not target.startswith("/memfd:"):
                assert MARK.encode() not in fd.read_bytes(), target
    # a cancel reaches it too
    route.cancel(number)
    route.ended(number, "canceled")
    daemon.wait(lambda: not children(daemon), "the converter's end")
    assert len(paper.documents) == 0


def test_killed_while_converting_it_is_converted_again_and_printed_once(bed, paper):
    daemon = with_converter(bed, "sleeps")
    route = connect(bed, daemon, paper.queue)
    number = route.submit(xps.make(2, "once"), mime=XPS)
    child, = daemon.wait(lambda: children(daemon), "a converter")
    daemon.kill()
    wait_until(lambda: not pathlib.Path(f"/proc/{child}/exe").exists(), "the converter's end", 20)
    del daemon.sections["jobs"]
    daemon.start()
    route.ended(number)
    assert len(paper.documents) == 1
    assert pdf_text(paper.documents[-1]["file"])[0] == 2


def test_a_stop_ends_a_converter_and_the_next_start_prints(bed):
    paper = Paper(bed, "ipp")
    daemon = with_converter(bed, "sleeps")
    route = connect(bed, daemon, paper.queue)
    number = route.submit(xps.make(), mime=XPS)
    daemon.wait(lambda: children(daemon), "a converter")
    daemon.stop()
    del daemon.sections["jobs"]
    daemon.start()
    route.ended(number)
    assert len(paper.documents) == 1
