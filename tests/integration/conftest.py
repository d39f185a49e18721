"""Fixtures of the integration tests. Each test gets a folder that print system and daemon can
reach, and leaves neither a process nor a file; KEEP=1 keeps the folders."""

import os
import pathlib
import shutil
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent

# those are for tests/box.sh
collect_ignore = [] if "BOX" in os.environ else ["system"]
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]

from bed import process
from bed.bed import Bed
from bed.daemon import contents
from bed.ippeve import Bus
from bed.paper import Paper
from up_client import Up, start


def pytest_configure(config):
    """Once per worker."""
    del config
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    if os.geteuid() != 0:
        pytest.exit("the test bed needs root: run `make check`, which uses sudo", 2)
    process.become_subreaper()


def _folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="pc-", dir=os.environ.get("BED_DIR", "/tmp")))
    path.chmod(0o755)
    return path


def _remove(path):
    if "KEEP" not in os.environ:
        shutil.rmtree(path, ignore_errors=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows where its programs' logs end, while they are still there."""
    report = (yield).get_result()
    if call.when == "call" and report.failed and "bed_dir" in item.funcargs:
        logs = contents(item.funcargs["bed_dir"],
                        wanted=lambda path: path.suffix == ".log" or path.name == "error_log")
        for log in sorted(logs, key=lambda path: (path.name == "error_log", path)):
            lines = logs[log].decode(errors="replace").splitlines()[-40:]
            report.sections.append((f"{log.name} of {log.parent}", "\n".join(lines)))


@pytest.fixture(name="bed_dir")
def fixture_bed_dir():
    """A folder for one test, reachable by every user, with a short path (sockets live in it)."""
    path = _folder()
    yield path
    for one in [p for p in process.Process.running.values() if not p.shared]:
        one.kill()
    process.reap_orphans()
    _remove(path)


@pytest.fixture(name="bus", scope="session")
def fixture_bus():
    """D-Bus and Avahi, one pair per worker."""
    path = _folder()
    bus = Bus(path)
    yield bus
    bus.close()
    _remove(path)


@pytest.fixture(name="bed")
def fixture_bed(bed_dir, bus):
    """Everything, on demand."""
    with Bed(bed_dir, bus) as bed:
        yield bed


@pytest.fixture(name="cupsd")
def fixture_cupsd(bed):
    """A running cupsd with Debian's stock policy and no queues."""
    return bed.cups


@pytest.fixture(name="eve")
def fixture_eve(bed):
    """A running IPP printer."""
    return bed.ipp_printer()


@pytest.fixture(name="paper", params=["cups", "ipp"])
def fixture_paper(bed, request):
    """A CUPS queue and an IPP printer, and what comes out of it."""
    return Paper(bed, request.param)


@pytest.fixture(name="up")
def fixture_up(tmp_path):
    """Universal Print of an emulator without anything else."""
    emulator = start(tmp_path)
    yield Up(emulator)
    emulator.stop()


@pytest.fixture(name="socket_printer")
def fixture_socket_printer(bed):
    """A running socket printer."""
    return bed.socket_printer()


def pytest_terminal_summary(terminalreporter):
    """The counts, for tests/run.sh."""
    def count(*kinds):
        return sum(len(terminalreporter.stats.get(kind, [])) for kind in kinds)
    if os.environ.get("COUNTS") and not hasattr(terminalreporter.config, "workerinput"):
        with open(os.environ["COUNTS"], "w", encoding="ascii") as out:
            out.write(f"{count('passed')} {count('failed', 'error')}\n")
