"""The emulator's wrapper: submit, wait, fail, and end well."""

import json

import pytest

from bed import PDF, ipp, submit
from bed.emulator import Emulator
from bed.process import Process
from bed.watch import Timeout


@pytest.fixture(name="emulator")
def fixture_emulator(bed_dir):
    """With one printer, q."""
    with Emulator(bed_dir / "cloud") as emulator:
        yield emulator


def test_jobs_come_from_ipptool_and_from_the_admin_port(emulator):
    first = emulator.print_job(PDF, name="by ipptool")
    second = emulator.submit(PDF, name="by admin", user="bob")
    jobs = {job["id"]: job for job in emulator.jobs("q")}
    assert (jobs[first]["name"], jobs[first]["user"]) == ("by ipptool", "alice")
    assert (jobs[second]["name"], jobs[second]["user"]) == ("by admin", "bob")
    assert emulator.job(second)["documents"][0]["sha256"] == submit.sha256(PDF)


def test_a_wait_ends_when_the_job_does(emulator):
    number = emulator.submit(PDF)
    with pytest.raises(Timeout, match="not met"):
        emulator.wait_job(number, timeout=0.1)
    emulator.cancel(number)
    assert emulator.wait_job(number)["state_name"] == "canceled"
    assert len(emulator.wait_jobs(1)) == 1


def test_a_wait_ends_when_a_watched_program_does(emulator, bed_dir):
    emulator.watch(Process("daemon", ["sh", "-c", "echo gone"], bed_dir / "d.log"))
    with pytest.raises(Timeout, match="(?s)daemon ended.*gone"):
        emulator.wait_device(timeout=600)


def test_faults_hit_and_are_cleared(emulator):
    client = emulator.client()
    rule = emulator.fault("http-status", http=503, operation="Get-Printer-Attributes")
    with pytest.raises(OSError, match="HTTP 503"):
        client.request("Get-Printer-Attributes")
    assert client.request("Get-Printer-Attributes").ok
    emulator.fault("html", count=-1)
    emulator.clear_faults()
    assert client.request("Get-Printer-Attributes").ok
    assert isinstance(rule, int) and "faults" in emulator.faults()


def test_printers_come_and_go(emulator):
    uri = emulator.add_printer("second")
    assert uri.endswith("/second")
    assert ipp.Client(uri).request("Get-Printer-Attributes").ok
    emulator.remove_printer("second")
    with pytest.raises(OSError, match="HTTP 404"):
        ipp.Client(uri).request("Get-Printer-Attributes")


def test_a_restarted_cloud_is_at_the_same_address(emulator):
    assert emulator.stop() == 0
    with pytest.raises(OSError):
        emulator.client().request("Get-Printer-Attributes")
    emulator.start()
    assert emulator.client().request("Get-Printer-Attributes").ok


def test_tls_has_a_ca_and_client_certificates(bed_dir):
    with Emulator(bed_dir / "cloud", ["q"], tls=True) as emulator:
        client = ipp.Client(emulator.uri("q", tls=True), ca=emulator.ca)
        assert client.request("Get-Printer-Attributes").ok
        certificate, key = emulator.certificate("printer-1")
        assert "BEGIN CERTIFICATE" in certificate and "PRIVATE KEY" in key
        assert emulator.base(tls=True).startswith("ipps://localhost:")
        assert emulator.ca.stat().st_mode & 0o004  # the daemon, another user, must read it


def test_a_breach_of_the_standard_fails_the_test(bed_dir):
    with pytest.raises(AssertionError, match="rule"):
        with Emulator(bed_dir / "cloud") as emulator:
            client = emulator.client()
            client.request("Create-Printer-Subscriptions",  # without notify-pull-method
                           groups=[("subscription", {"notify-events": "job-completed"})])
            emulator.wait(violations=1, timeout=30)
    assert all(json.loads(line) for line in (bed_dir / "cloud/record.jsonl").open())
