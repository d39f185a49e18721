"""Queues become printers of Universal Print: one sign-in, certificates, renewal."""

import os
import time

import pytest

from up_client import start

QUEUES = [f"q{number:02}" for number in range(20)]


@pytest.fixture(name="cloud")
def fixture_cloud(bed_dir):
    """The emulator; a code approves itself when it is asked about for the second time."""
    folder = bed_dir / "up"
    folder.mkdir()
    emulator = start(folder, "--up", "approve-after=2", "--up", "code-interval=1", "--up",
                     "register-interval=1")
    os.chmod(emulator.values["up"]["ca"], 0o644)
    for path in [bed_dir, *folder.iterdir()]:
        if path.is_dir():
            path.chmod(0o755)
    folder.chmod(0o755)
    yield emulator
    emulator.stop()


def universal_print(cloud, **keys):
    """Settings of the daemon for it."""
    up = cloud.values["up"]
    return {"office": {"type": "universal-print", "client-id": up["client_id"],
                       "tenant": up["tenant"], "login-url": up["login"],
                       "registration-url": up["registration"], "print-url": up["print"],
                       "notification-url": up["notification"], "resource": up["resource"],
                       "ca-file": up["ca"], **keys}}


def test_twenty_queues_take_one_sign_in_and_less_than_ten_seconds(bed, cloud):
    for queue in QUEUES:
        bed.cups.add_raw(queue, "file:///dev/null")
    daemon = bed.daemon(clouds=universal_print(cloud))
    began = time.monotonic()
    result = daemon.cli("register", "--all")
    took = time.monotonic() - began
    assert result.code == 0, result
    assert took < 10 * max(1, os.getloadavg()[0] / os.cpu_count()), took
    events = [line["event"] for line in result.lines]
    assert events.count("code") == 1 and events.count("registered") == 20
    assert result.data == {"schema": 1, "event": "done", "registered": 20, "failed": 0}
    assert len(cloud.admin("GET", "/up/codes")["codes"]) == 1
    for queue in QUEUES:
        daemon.wait_printer(queue)
    devices = {printer["cloud_printer"] for printer in daemon.printers()}
    assert len(devices) == 20
    assert cloud.rules() == []
    secrets = cloud.admin("GET", "/up/secrets")
    log = daemon.process.log.read_text()
    code = next(line["user_code"] for line in result.lines if line["event"] == "code")
    assert code not in log and secrets


def test_a_renewal_keeps_the_binding(bed, cloud):
    bed.cups.add_raw("laser", "file:///dev/null")
    daemon = bed.daemon(clouds=universal_print(cloud))
    assert daemon.cli("register", "laser").code == 0
    before = daemon.wait_printer("laser") or daemon.printer("laser")
    result = daemon.cli("register", "--renew", "laser")
    assert result.code == 0, result
    after = daemon.wait_printer("laser") or daemon.printer("laser")
    assert after["id"] == before["id"] and after["cloud_printer"] == before["cloud_printer"]
    assert after["certificate"]["sha256"] != before["certificate"]["sha256"]
    daemon.restart()
    daemon.wait_printer("laser")
