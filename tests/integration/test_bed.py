"""The test bed itself: what the other tests rely on is so."""

import os
import signal
import time

import pytest

import pdf
from bed import DATA, PDF, ipp, process, submit
from bed.cupsd import Cupsd, stock_policy
from bed.ippeve import IppPrinter
from bed.process import Process
from bed.watch import Timeout, wait_until


def test_a_wait_ends_when_the_file_changes(bed_dir):
    writer = Process("writer", ["sh", "-c", f"echo ready >{bed_dir}/flag"], bed_dir / "w.log")
    path = bed_dir / "flag"
    assert wait_until(lambda: path.exists() and path.read_text(), "flag", 5, [path],
                      look_again=5) == "ready\n"
    assert writer.wait() == 0


def test_a_wait_ends_early_when_the_process_ends(bed_dir):
    liar = Process("liar", ["sh", "-c", "echo sorry; exit 3"], bed_dir / "liar.log")
    with pytest.raises(Timeout, match="(?s)liar ended before.*sorry"):
        liar.wait_for_line("ready", timeout=60)


def test_what_a_killed_program_left_behind_is_ended(bed_dir):
    script = "setsid cat /dev/zero >/dev/null & echo child=$!; wait"
    parent = Process("parent", ["sh", "-c", script], bed_dir / "p.log")
    child = int(parent.wait_for_line(r"child=(\d+)").group(1))
    parent.kill()
    wait_until(lambda: _ppid(child) == os.getpid(), "adoption")
    process.reap_orphans()
    assert not os.path.exists(f"/proc/{child}")


def _ppid(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        return int(stat.read().rsplit(")", 1)[1].split()[1])


def test_the_stored_pdf_is_what_the_generator_makes():
    assert PDF.read_bytes() == pdf.make(2)
    assert len(pdf.make(1, 100000)) > 100000


def test_ipp_messages_survive_encoding_and_decoding():
    job = {"copies": 2, "media-col": {"media-size": {"x-dimension": 21000, "y-dimension": 29700},
                                      "media-type": "stationery"},
           "finishings": [3, 4], "fit": True, "job-name": "Grüße"}
    groups = [("operation", {"attributes-charset": "utf-8"}), ("job", job)]
    answer = ipp.decode(ipp.encode("Print-Job", 7, groups) + b"%PDF")
    assert answer.groups("job") == [job]
    assert answer.data == b"%PDF"


def test_the_socket_printer_takes_documents_whole(socket_printer, cupsd):
    cupsd.add_raw("raw", socket_printer.uri)
    number = ipp.Client(cupsd.uri("raw", port=True)).print_job(PDF)
    entry = socket_printer.wait()[0]
    assert entry["sha256"] == submit.sha256(PDF)
    assert entry["end"] == "eof"
    assert cupsd.wait_job(number)["job-state"] == 9


def test_the_socket_printer_resets_hangs_and_refuses(socket_printer, cupsd):
    cupsd.add_raw("raw", socket_printer.uri, "-o", "printer-error-policy=abort-job")
    client = ipp.Client(cupsd.uri("raw", port=True))
    socket_printer.mode = "reset 100"
    number = client.print_job(pdf.make(1, 16000000))  # more than a socket holds
    assert socket_printer.wait()[0]["end"] == "reset"
    assert ipp.JOB_STATES[cupsd.wait_job(number)["job-state"]] == "aborted"

    socket_printer.mode = "hang"
    number = client.print_job(pdf.make(1, 16000000))
    cupsd.wait_job(number, ["processing"])
    assert len(socket_printer.ledger) == 1
    socket_printer.mode = "ok"
    assert socket_printer.wait(2)[1]["bytes"] > 16000000

    socket_printer.stop()
    cupsd.wait_error_log(f"Job {client.print_job(PDF)}. Connecting to printer")
    assert len(socket_printer.ledger) == 2
    socket_printer.start()
    assert socket_printer.wait(3, timeout=40)[2]["sha256"] == submit.sha256(PDF)


def test_a_queue_with_a_driver_prints_pcl_fast(socket_printer, cupsd):
    cupsd.add_pcl("pcl", socket_printer.uri)
    took = []
    while not took or (min(took) >= 3 and len(took) < 5):  # no SNMP: it costs 4 seconds each time
        number = ipp.Client(cupsd.uri("pcl", port=True)).print_job(PDF)
        entry = socket_printer.wait(len(took) + 1, timeout=30)[-1]
        began = time.monotonic()
        assert cupsd.wait_job(number)["job-state"] == 9
        took.append(time.monotonic() - began)
        with open(entry["file"], "rb") as out:
            assert out.read(2) == b"\x1bE"  # PCL reset
    assert min(took) < 3, took


def test_a_driverless_queue_prints_to_the_ipp_printer(eve, cupsd):
    cupsd.add_driverless("eve", eve.uri)
    number = ipp.Client(cupsd.uri("eve", port=True)).print_job(PDF)
    assert eve.wait()[0]["format"] == "application/pdf"
    assert ipp.JOB_STATES[cupsd.wait_job(number)["job-state"]] == "completed"


@pytest.mark.parametrize("mode, event, state", [
    ("ok", "printed", "completed"), ("fail", "failed", "aborted"),
    ("jam 0.1", "jammed", "aborted")])
def test_the_ipp_printer_ends_jobs_as_it_is_told(eve, mode, event, state):
    eve.mode = mode
    number = eve.client.print_job(PDF)
    entry = eve.wait(1, event)[0]
    assert entry["sha256"] == submit.sha256(PDF)
    assert entry["job"] == number
    wait_until(lambda: ipp.JOB_STATES[_job(eve, number)["job-state"]] == state, state)


@pytest.mark.parametrize("mode", ["hold", "media", "slow 60"])
def test_the_ipp_printer_waits_at_the_gate(eve, mode):
    eve.mode = mode
    with eve.gate():
        number = eve.client.print_job(PDF)
        eve.wait(1, "arrived")
        assert not eve.ledger("printed")
        assert ipp.JOB_STATES[_job(eve, number)["job-state"]] == "processing"
        if mode == "media":
            wait_until(lambda: "media-empty" in str(_state_reasons(eve)), "reason")
    assert eve.wait()[0]["job"] == number


def _job(printer, number):
    answer = printer.client.request("Get-Job-Attributes", {"job-id": number})
    return answer.groups("job")[0]


def _state_reasons(printer):
    answer = printer.client.request("Get-Printer-Attributes")
    return answer.groups("printer")[0]["printer-state-reasons"]


def test_the_ipp_printer_keeps_its_port_over_a_restart(eve):
    eve.stop()
    with pytest.raises(OSError):
        eve.client.request("Get-Printer-Attributes")
    eve.start()
    eve.client.print_job(PDF)
    assert eve.wait()[0]["bytes"] == PDF.stat().st_size


def test_two_ipp_printers_of_one_session_have_ledgers_of_their_own(bed_dir, bus):
    with IppPrinter(bed_dir / "a", bus, "a") as a, IppPrinter(bed_dir / "b", bus, "b") as b:
        a.client.print_job(PDF)
        assert len(a.wait()) == 1
        assert b.ledger("arrived") == []


def test_the_stock_policy_is_the_installed_one_and_active(cupsd, socket_printer):
    policy = stock_policy()
    assert "<Policy default>" in policy and "<Policy kerberos>" in policy
    cupsd.add_raw("raw", socket_printer.uri)
    socket_printer.mode = "hang"
    client = cupsd.client
    client.uri = cupsd.uri("raw")
    number = client.print_job(PDF)
    stranger = cupsd.client
    stranger.user = "mallory"
    seen = stranger.request("Get-Job-Attributes", {"job-id": number}).groups("job")[0]
    assert "job-uuid" in seen and not seen.get("job-name")  # whose name is private
    with pytest.raises(OSError, match="HTTP 40[13]"):
        stranger.request("Cancel-Job", {"job-id": number})
    with pytest.raises(OSError, match="HTTP 401"):
        client.request("Pause-Printer")
    assert client.request("Cancel-Job", {"job-id": number}).ok
    assert ipp.JOB_STATES[cupsd.wait_job(number)["job-state"]] == "canceled"


def test_the_fault_backend_fails_as_its_uri_says(cupsd):
    cupsd.add_fault("bad", "rc=1", "-o", "printer-error-policy=abort-job")
    cupsd.add_fault("held", "rc=3")
    client = cupsd.client
    client.uri = cupsd.uri("bad")
    assert ipp.JOB_STATES[cupsd.wait_job(client.print_job(PDF))["job-state"]] == "aborted"
    client.uri = cupsd.uri("held")
    number = client.print_job(PDF)
    cupsd.wait_job(number, ["pending-held"])
    assert [entry["rc"] for entry in cupsd.fault_ledger()] == ["1", "3"]
    assert cupsd.fault_ledger()[1]["sha256"] == submit.sha256(PDF)


def test_the_fault_backend_waits_at_the_gate(cupsd):
    cupsd.add_fault("slow", "rc=0&wait=60&state=toner-low-warning")
    client = cupsd.client
    client.uri = cupsd.uri("slow")
    with cupsd.fault_gate():
        number = client.print_job(PDF)
        wait_until(lambda: "toner-low-warning" in
                   str(cupsd.printer("slow")["printer-state-reasons"]), "reason")
        assert ipp.JOB_STATES[cupsd.job(number)["job-state"]] == "processing"
    assert ipp.JOB_STATES[cupsd.wait_job(number)["job-state"]] == "completed"


def test_cupsd_restarts_with_its_queues_and_dies_when_killed(bed_dir, socket_printer):
    with Cupsd(bed_dir / "cups", {"DirtyCleanInterval": "0"}) as cupsd:
        cupsd.add_raw("raw", socket_printer.uri)
        cupsd.restart()
        assert cupsd.printer("raw")["printer-name"] == "raw"
        cupsd.kill()
        assert cupsd.process.returncode == -signal.SIGKILL
        with pytest.raises(OSError):
            cupsd.client.request("CUPS-Get-Default")
        cupsd.start()
        assert cupsd.printer("raw")["printer-name"] == "raw"


def test_file_device_is_off_unless_asked_for(bed_dir):
    with Cupsd(bed_dir / "cups") as cupsd:
        with pytest.raises(AssertionError, match="(?i)file"):
            cupsd.add_pcl("file", f"file://{bed_dir}/out")


def test_ipptool_and_lp_submit_as_users_do(cupsd, socket_printer):
    cupsd.add_raw("raw", socket_printer.uri)
    number = submit.ipptool(cupsd.uri("raw", port=True), PDF, name="by ipptool")
    assert ipp.JOB_STATES[cupsd.wait_job(number)["job-state"]] == "completed"
    submit.lp(cupsd.socket, "raw", PDF)
    assert [entry["sha256"] for entry in socket_printer.wait(2)] == [submit.sha256(PDF)] * 2
    assert (DATA / "print-job.test").exists()


@pytest.mark.parametrize("name", ["two-pages.pdf", "page.jpg", "page.png", "page.pwg"])
def test_every_sample_is_a_document_that_cups_prints(cupsd, socket_printer, name):
    cupsd.add_pcl("pcl", socket_printer.uri)
    number = submit.ipptool(cupsd.uri("pcl", port=True), DATA / name)
    assert ipp.JOB_STATES[cupsd.wait_job(number)["job-state"]] == "completed"
    with open(socket_printer.wait()[0]["file"], "rb") as out:
        assert out.read(2) == b"\x1bE"
