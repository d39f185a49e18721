"""Tests of the installed package under a real systemd. They run in tests/box.sh only, one after the
other: what they change is the machine itself."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from bed.process import run
from service import SETTINGS, Service, dpkg, output, package


def is_installed():
    """Whether the package is."""
    return "ok installed" in output(["dpkg-query", "-W", "-f", "${Status}", "print-connector"])[1]


@pytest.fixture(name="installed")
def fixture_installed():
    """The package, installed."""
    if not is_installed():
        dpkg("-i", package())
    for folder in (SETTINGS / "conf.d", SETTINGS / "credentials"):
        for path in folder.iterdir():
            path.unlink()


@pytest.fixture(name="make_service")
def fixture_make_service(bed, installed):
    """make_service(**options of Daemon): the service with the cloud and CUPS of the bed, stopped;
    its state and what it knew are gone."""
    del installed
    made = []

    def make(clouds=None, settings=None):
        run(["systemctl", "stop", "print-connector"])
        run(["systemctl", "clean", "--what=state", "--what=cache", "print-connector"])
        service = Service(bed.dir / "service", clouds or {"test": {"uri": bed.cloud.base()}},
                          bed.cups, settings)
        made.append(service)
        return service

    yield make
    for service in made:
        service.__exit__(None)


@pytest.fixture(name="service")
def fixture_service(make_service):
    """It runs, nothing is registered."""
    service = make_service()
    service.start()
    return service


@pytest.fixture(name="people", scope="session")
def fixture_people():
    """alice, who is in the control group, and a stranger."""
    if not is_installed():
        dpkg("-i", package())
    run(["useradd", "-M", "-G", "print-connector", "alice"])
    run(["useradd", "-M", "stranger"])
    return "alice", "stranger"
