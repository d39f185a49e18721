"""The package: upgrade with jobs on their way, removal, purge."""

import os
import pathlib
import re

import pytest

from bed import BUILD, PDF, ROOT
from bed.process import run
from bed.route import connect
from service import STATE, UNIT, dpkg, output, package, systemctl

JOBS = 12


@pytest.fixture(name="route")
def fixture_route(bed, service):
    """A registered queue on a socket printer, which is route.paper."""
    route_paper = bed.socket_printer()
    bed.cups.add_raw("laser", route_paper.uri)
    route = connect(bed, service, "laser")
    route.paper = route_paper
    return route


@pytest.fixture(name="newer")
def fixture_newer(bed_dir):
    """The same package under a higher version."""
    tree = bed_dir / "newer"
    run(["dpkg-deb", "-R", package(), tree])
    control = tree / "DEBIAN/control"
    control.write_text(control.read_text().replace("Version: ", "Version: 1:"))
    path = bed_dir / "newer.deb"
    run(["dpkg-deb", "-Znone", "-b", tree, path])
    return path


def test_an_upgrade_with_jobs_on_their_way_prints_each_once(bed, route, newer):
    pid = route.daemon.pid
    mine = [route.submit(PDF) for _ in range(JOBS)]
    route.wait_record(mine[0])
    text = dpkg("-i", newer)
    assert "rror" not in text, text
    assert route.daemon.pid not in (0, pid)
    mine += [route.submit(PDF)]
    for number in mine:
        told = bed.cloud.wait_job(number, "q", timeout=120)
        assert told["state_name"] == "completed", told
    assert len(route.paper.ledger) == len(mine)
    assert route.daemon.show("NRestarts") == "0"  # no crash in between
    dpkg("-i", "--force-downgrade", package())


def test_removing_keeps_the_state_and_installing_again_goes_on(route):
    before = route.daemon.printers()[0]["id"]
    dpkg("-r", "print-connector")
    assert (STATE / "state.db").exists()
    assert not pathlib.Path("/usr/sbin/print-connectord").exists()
    assert not pathlib.Path("/run/print-connector").exists()
    assert systemctl("is-active", UNIT, check=False).strip() == "inactive"
    dpkg("-i", package())
    systemctl("is-active", UNIT)
    route.wait_online()
    assert route.daemon.printers()[0]["id"] == before
    route.ended(route.submit(PDF))
    assert len(route.paper.ledger) == 1


def test_purging_removes_everything_and_names_the_printers(route):
    name = route.daemon.printers()[0]["name"]
    route.daemon.config.unlink()
    text = dpkg("-P", "print-connector")
    assert f"  {name} in cloud test, of queue laser\n" in text
    assert "these printers are still listed in their clouds" in text
    left = [path for path in (STATE, "/var/cache/print-connector", "/etc/print-connector",
                              "/etc/apparmor.d/usr.sbin.print-connectord",
                              "/etc/apparmor.d/local/usr.sbin.print-connectord",
                              "/run/print-connector", "/lib/systemd/system/" + UNIT)
            if os.path.lexists(path)]
    assert left == []
    assert output(["systemctl", "cat", UNIT])[0] != 0


def test_purging_what_never_registered_a_printer_says_nothing(installed):
    del installed
    systemctl("start", UNIT)
    assert "clouds" not in dpkg("-P", "print-connector")


def test_purging_names_the_printers_of_a_stopped_service_too(route):
    name = route.daemon.printers()[0]["name"]
    route.daemon.stop()
    assert f"  {name} in cloud test, of queue laser\n" in dpkg("-P", "print-connector")


def test_purging_what_cannot_be_read_says_so(route):
    route.daemon.stop()
    (STATE / "state.db").write_bytes(b"no database" * 1000)
    assert "its printers\nare not known" in dpkg("-P", "print-connector")


def test_it_is_installed_with_what_belongs_to_it(installed):
    del installed
    files = set(run(["dpkg", "-L", "print-connector"]).stdout.splitlines())
    assert {"/usr/sbin/print-connectord", "/usr/bin/print-connector",
            "/etc/print-connector/print-connector.conf",
            f"/lib/systemd/system/{UNIT}"} <= files
    conffiles = run(["dpkg-query", "-W", "-f", "${Conffiles}", "print-connector"]).stdout.split()
    assert set(conffiles[::2]) == {"/etc/apparmor.d/usr.sbin.print-connectord",
                                   "/etc/print-connector/print-connector.conf"}
    assert run(["dpkg", "-V", "print-connector"]).stdout == ""


def test_the_package_is_clean():
    # said until there are manuals
    allowed = [] if list(ROOT.glob("man/*.8")) else ["--suppress-tags", "no-manual-page"]
    code, text = output(["lintian", "--allow-root", "--no-cfg", "--fail-on", "error,warning",
                         *allowed, *(BUILD / "deb").glob("*.changes")], timeout=600)
    assert code == 0 and text == "", text


def test_every_package_has_the_version_of_the_program():
    version = re.search(r"^VERSION +:= (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    assert (ROOT / "packaging/debian/changelog").read_text().startswith(
        f"print-connector ({version}) ")
    spec = (ROOT / "packaging/print-connector.spec").read_text()
    assert f"\nVersion:        {version}\n" in spec
    assert f" - {version}-1\n" in spec


def test_the_package_needs_what_the_build_does():
    control = (ROOT / "packaging/debian/control").read_text()
    needed = {line.strip(" ,") for line in
              control[control.index("Build-Depends:"):control.index("Standards")].splitlines()[1:]}
    listed = {line for line in (ROOT / "packaging/build-depends").read_text().splitlines()
              if line and not line.startswith("#")}
    assert needed - {"debhelper-compat (= 13)", "dh-apparmor",
                     "dh-sequence-installsysusers"} == \
        listed - {"gcc", "libc6-dev", "make"}  # those are build-essential
