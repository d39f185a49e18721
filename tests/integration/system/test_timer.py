"""The timer that writes metrics for node_exporter's textfile collector."""

import os
import pathlib
import shutil

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from bed.watch import wait_until
from service import UNIT, drop_in, output, systemctl

TIMER = "print-connector-metrics.timer"
WRITER = "print-connector-metrics.service"
FOLDER = pathlib.Path("/var/lib/prometheus/node-exporter")
FILE = FOLDER / "print-connector.prom"


@pytest.fixture(name="collector")
def fixture_collector():
    """node_exporter's folder, as its package makes it: not root's."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    shutil.chown(FOLDER, "daemon")
    FILE.unlink(missing_ok=True)
    yield FOLDER
    systemctl("disable", "--now", TIMER)
    shutil.rmtree(FOLDER)


def test_the_timer_is_off_until_somebody_wants_it(installed):
    del installed
    assert output(["systemctl", "is-enabled", TIMER])[1].strip() == "disabled"


def test_without_a_collector_nothing_is_written(service):
    del service
    assert not FOLDER.exists()
    systemctl("start", WRITER)  # its condition is not met, which is no failure
    assert systemctl("show", "--value", "-p", "ConditionResult", WRITER).strip() == "no"
    assert not FOLDER.exists()


def test_the_timer_writes_whole_files_again_and_again(service, collector):
    extra = drop_in("[Timer]\nOnActiveSec=\nOnActiveSec=0\nOnUnitActiveSec=1s\n"
                    "AccuracySec=1ms\n", TIMER)
    try:
        systemctl("enable", "--now", TIMER)
        seen = set()

        def look():
            """It is valid whenever it is there, and becomes another file each time."""
            if FILE.exists():
                with open(FILE, encoding="utf-8") as file:
                    text = file.read()
                    assert text.endswith("# EOF\n")
                    names = {family.name for family in text_string_to_metric_families(text)}
                    assert "print_connector_printers" in names, names
                    seen.add(os.fstat(file.fileno()).st_mtime_ns)
            return len(seen) >= 3
        wait_until(look, "three files written", 40)
        assert [path.name for path in collector.iterdir()] == [FILE.name]  # nothing half is left
        assert FILE.stat().st_mode & 0o777 == 0o644
    finally:
        extra.unlink()
        systemctl("daemon-reload")
    assert service.show("ActiveState") == "active"


def test_when_the_service_is_down_the_writer_fails_and_says_so(service, collector):
    del collector
    service.stop()
    code, _ = output(["systemctl", "start", WRITER])
    assert code != 0
    shown = output(["journalctl", "-u", WRITER, "-n", "20", "-o", "cat"])[1]
    assert "systemctl start " + UNIT.removesuffix(".service") in shown, shown
    service.start()
    systemctl("start", WRITER)
    assert FILE.exists()
