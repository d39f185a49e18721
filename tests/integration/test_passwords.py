"""PINs of jobs and passwords of documents: the printer gets them, and nothing else ever does."""

import contextlib
import pathlib
import re
import socket
import threading

import pytest

from bed import PDF, SANITIZED, ipp
from bed.route import connect

PIN = "4711-2963"
SECRET = "open sesame 5150"
PRINTER = """
ATTR integer job-password-supported 12
ATTR keyword job-password-encryption-supported none,sha2-256
ATTR integer document-password-supported 127
ATTR mimeMediaType document-format-supported application/octet-stream,application/pdf
ATTR keyword media-supported iso_a4_210x297mm
"""


class Wire(contextlib.AbstractContextManager):
    """Between the connector and a printer: remembers what the connector said."""

    def __init__(self, port):
        self._to = ("127.0.0.1", int(str(port)))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.said = bytearray()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __exit__(self, *exc):
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._to)
                for pair, keep in (((client, server), True), ((server, client), False)):
                    threading.Thread(target=self._pass, args=(*pair, keep), daemon=True).start()

    def _pass(self, source, target, keep):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if keep:
                    self.said += data
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@pytest.fixture(name="safe")
def fixture_safe(bed, bed_dir):
    """A printer that keeps jobs for a PIN; its uri leads over .wire."""
    conf = pathlib.Path(bed_dir) / "safe.conf"
    conf.write_text(PRINTER, encoding="ascii")
    printer = bed.ipp_printer("safe", options=["-a", conf])
    printer.wire = bed.enter(Wire(printer.port))
    printer.uri = printer.uri.replace(str(printer.port), str(printer.wire.port))
    return printer


def submit(bed, **secrets):
    """A job with secrets, by IPP; its number in the cloud."""
    client = ipp.Client(bed.cloud.uri("q"))
    answer = client.request("Print-Job", {
        "job-name": "test", "document-format": "application/pdf",
        **{name.replace("_", "-"): value for name, value in secrets.items()}}, document=PDF)
    assert answer.ok, answer
    return answer.groups("job")[0]["job-id"]


def octets(name, secret):
    """An attribute of that syntax as it is on the wire."""
    return b"\x30" + len(name).to_bytes(2, "big") + name.encode() + \
        len(secret).to_bytes(2, "big") + secret.encode()


def assert_nowhere(daemon, folder, *secrets):
    """Not in logs, answers, files, arguments, environment or a dump of the process."""
    said = [daemon.cli(*verb, as_json=as_json).stdout for as_json in (True, False)
            for verb in (("status",), ("printers",), ("jobs", "--all"), ("metrics",), ("job", "1"))]
    places = {"output": "".join(said).encode(), "log": daemon.process.log.read_bytes()}
    for name in ("cmdline", "environ"):
        places[name] = pathlib.Path(f"/proc/{daemon.process.pid}/{name}").read_bytes()
    places |= {str(path): data for path, data in daemon.files().items()}
    assert any(place.endswith("state.db") for place in places)
    if not SANITIZED:  # its shadow fills any disk
        places["dump"] = daemon.process.dump(folder)
        assert b"print-connector" in places["dump"]
    for place, data in places.items():
        assert not [s for s in secrets if s.encode() in data], place


def test_a_pin_and_a_password_reach_the_printer_and_nothing_else(bed, bed_dir, safe):
    daemon = bed.daemon()
    route = connect(bed, daemon, safe.uri)
    number = submit(bed, job_password=PIN.encode(), job_password_encryption="none",
                    document_password=SECRET.encode())
    route.ended(number)
    said = bytes(safe.wire.said)
    assert octets("job-password", PIN) in said
    assert octets("document-password", SECRET) in said
    assert b"job-password-encryption\0\4none" in said
    assert said.count(PIN.encode()) == said.count(SECRET.encode()) == 1
    assert len(safe.ledger("arrived")) == 1
    assert_nowhere(daemon, pathlib.Path(bed_dir), PIN, SECRET)
    # a job without any gets none of them
    route.ended(submit(bed))
    assert bytes(safe.wire.said).count(b"job-password") == said.count(b"job-password")


def test_a_pin_outlives_a_crash_sealed(bed, bed_dir, safe):
    daemon = bed.daemon()
    route = connect(bed, daemon, safe.uri)
    rule = bed.cloud.fault("cut-document", operation="Fetch-Document", bytes=10, count=-1)
    number = submit(bed, job_password=PIN.encode(), document_password=SECRET.encode())
    route.wait_record(number, "waiting")
    assert_nowhere(daemon, pathlib.Path(bed_dir), PIN, SECRET)
    daemon.kill()
    bed.cloud.clear_faults(rule)
    daemon.start()
    route.ended(number)
    assert octets("job-password", PIN) in bytes(safe.wire.said)
    assert len(safe.ledger("arrived")) == 1
    key = daemon.state / "passwords.key"
    assert key.stat().st_mode & 0o077 == 0


def test_a_job_is_not_printed_without_the_pin_that_was_lost(bed, safe):
    daemon = bed.daemon()
    route = connect(bed, daemon, safe.uri)
    rule = bed.cloud.fault("cut-document", operation="Fetch-Document", bytes=10, count=-1)
    number = submit(bed, job_password=PIN.encode())
    route.wait_record(number, "waiting")
    daemon.stop()
    (daemon.state / "passwords.key").unlink()
    bed.cloud.clear_faults(rule)
    daemon.start()
    told, _ = route.ended(number, "aborted")
    assert "cannot be read any more" in told["message"]
    assert safe.ledger("arrived") == []


@pytest.mark.parametrize("kind", ["cups", "ipp"])
def test_a_printer_that_keeps_no_jobs_is_given_none_that_asks_for_it(bed, kind):
    printer = bed.socket_printer() if kind == "cups" else bed.ipp_printer()
    if kind == "cups":
        bed.cups.add_raw("raw", printer.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "raw" if kind == "cups" else printer.uri)
    number = submit(bed, job_password=PIN.encode())
    told, job = route.ended(number, "aborted")
    assert told["refusal"] == 0x040b and told["documents"][0]["fetches"] == 0
    assert "PIN, which it cannot; print it without one" in told["message"]
    assert job["times"]["acknowledged"] is None
    assert PIN.encode() not in daemon.process.log.read_bytes()
    route.ended(submit(bed))
    assert len(printer.ledger if kind == "cups" else printer.ledger("arrived")) == 1


def test_a_pin_that_the_printer_does_not_understand_is_refused(bed, safe):
    route = connect(bed, bed.daemon(), safe.uri)
    told, _ = route.ended(submit(bed, job_password=PIN.encode(), job_password_encryption="md5"),
                          "aborted")
    assert "encrypted as it does not know" in told["message"]
    told, _ = route.ended(submit(bed, job_password=b"1" * 13), "aborted")
    assert "longer than it takes" in told["message"]
    assert safe.ledger("arrived") == []


def test_a_document_that_needs_a_password_is_refused_where_it_cannot_be_given(bed):
    printer = bed.socket_printer()
    bed.cups.add_raw("raw", printer.uri)
    route = connect(bed, bed.daemon(), "raw")
    told, _ = route.ended(submit(bed, document_password=SECRET.encode()), "aborted")
    assert "needs a password, which this queue does not take" in told["message"]
    assert "document-password-error" in str(told)
    assert printer.ledger == []


# ---- behind a queue of CUPS ----------------------------------------------------------------------

PIN_PPD = """\
*PPD-Adobe: "4.3"
*FormatVersion: "4.3"
*FileVersion: "1.0"
*LanguageVersion: English
*LanguageEncoding: ISOLatin1
*PCFileName: "PIN.PPD"
*Manufacturer: "Test"
*Product: "(PIN)"
*ModelName: "PIN"
*ShortNickName: "PIN"
*NickName: "Test PIN"
*PSVersion: "(3010.000) 0"
*LanguageLevel: "3"
*ColorDevice: False
*DefaultColorSpace: Gray
*FileSystem: False
*Throughput: "1"
*cupsFilter2: "application/pdf application/pdf 0 -"
*cupsJobPassword: "11111111"
*OpenUI *PageSize: PickOne
*DefaultPageSize: A4
*PageSize A4: "<</PageSize[595 842]>>setpagedevice"
*CloseUI: *PageSize
*OpenUI *PageRegion: PickOne
*DefaultPageRegion: A4
*PageRegion A4: "<</PageSize[595 842]>>setpagedevice"
*CloseUI: *PageRegion
*DefaultImageableArea: A4
*ImageableArea A4: "10 10 585 832"
*DefaultPaperDimension: A4
*PaperDimension A4: "595 842"
"""


def test_a_pin_through_cups_reaches_the_printer_behind_it(bed, bed_dir, safe):
    bed.cups.add_driverless("q", safe.uri)
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    route.ended(submit(bed, job_password=PIN.encode(), job_password_encryption="none"))
    assert octets("job-password", PIN) in bytes(safe.wire.said)
    assert len(safe.ledger("arrived")) == 1
    assert_nowhere(daemon, pathlib.Path(bed_dir), PIN)


@pytest.mark.parametrize("able", [True, False])
def test_a_pin_reaches_a_driver_that_takes_one_and_is_refused_for_others(bed, bed_dir, able):
    ppd = pathlib.Path(bed_dir) / "pin.ppd"
    ppd.write_text(PIN_PPD if able else PIN_PPD.replace("*cupsJobPassword", "*%"))
    bed.cups.lpadmin("-p", "q", "-E", "-v", "fault:/q?rc=0", "-P", ppd)
    daemon = bed.daemon()
    route = connect(bed, daemon, "q")
    told, _ = route.ended(submit(bed, job_password=b"47112963"),
                          "completed" if able else "aborted")
    assert len(bed.cups.fault_ledger()) == able
    arguments = re.findall(r"argv\[5\]=.*job-password=(\S+)",
                           (bed.cups.dir / "log/error_log").read_text(errors="replace"))
    assert set(arguments) == ({"47112963"} if able else set())
    if not able:
        assert "PIN, which it cannot; print it without one" in told["message"]
    told, _ = route.ended(submit(bed, job_password=b"471129630"), "aborted")
    assert ("longer than it takes" if able else "which it cannot") in told["message"]
    told, _ = route.ended(submit(bed, job_password=b"x" * 32, job_password_encryption="sha2-256"),
                          "aborted")
    assert ("encrypted as it does not know" if able else "which it cannot") in told["message"]
    assert_nowhere(daemon, pathlib.Path(bed_dir), "47112963")
