"""What README.md and the manuals tell to type on an installed system, typed there; the connector's
own commands are those of test_examples.py."""

import pathlib
import re
import shlex

import pytest

from bed import ROOT
from bed.process import run
from bed.route import connect
from service import UNIT, systemctl

PROGRAMS = r"(?:systemctl|journalctl|systemd-tmpfiles|systemd-sysusers)"
LINE = rf"(?:^\.(?:It |Pq )?(?:Ql|Dl) |^\$ |[`(;] ?|^)(?:sudo )?({PROGRAMS}\b[^`;#\n]*)"
ELSEWHERE = ("systemctl edit", "systemctl status cups", "status=243")  # an editor; not ours
PAGES = ["README.md", *(f"man/{page}" for page in (
    "print-connector.1", "print-connector.conf.5", "print-connector-troubleshooting.7",
    "print-connectord.8"))]
ABORTED = "f9fdc4c8840d41a0a9bb1669bc4f288d"


def typed(text):
    """The command lines of a page for those programs, in its order."""
    text = re.sub(r" ?\\e?\n +", " ", text)  # continued
    for line in re.findall(LINE, text, re.MULTILINE):
        line = re.sub(r"[ .,;:]+$", "", line)
        if not line.startswith(ELSEWHERE):
            yield line


def test_each_page_has_such_commands():
    found = {page: list(typed((ROOT / page).read_text())) for page in PAGES}
    print(found)
    assert all(found.values()), found
    assert sum(map(len, found.values())) >= 15


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_work_on_an_installed_system(bed, service, page):
    bed.cups.add_raw("laser", bed.socket_printer().uri)
    route = connect(bed, service, "laser")
    job = route.ended(route.submit(b"neither this nor that"), "aborted")[1]["id"]
    for line in typed((ROOT / page).read_text()):
        words = shlex.split(line.replace("MESSAGE_ID=ID", f"MESSAGE_ID={ABORTED}"))
        words = [re.sub("^CONNECTOR_JOB=.*", f"CONNECTOR_JOB={job}", word) for word in words]
        text = run([*words, "--no-pager"] if "ctl" in words[0] else words, 60).stdout
        if words[0] == "journalctl":
            assert "No entries" not in text and "print-connectord" in text, line
    assert systemctl("is-active", UNIT).strip() == "active"


def test_files_that_the_manuals_name_are_there(installed):
    """But for what exists only once there is something to keep in it."""
    del installed
    pages = "".join(page.read_text() for page in sorted((ROOT / "man").iterdir()))
    paths = set(re.findall(r"^\.(?:It )?Pa (/(?:etc|usr)/\S+)", pages, re.MULTILINE))
    paths = {re.sub(r"/(?:\*\.conf|NAME|office)$", "", path) for path in paths}
    assert {"/etc/print-connector/mapping.d", "/usr/share/print-connector/grafana.json"} < paths
    missing = [path for path in sorted(paths) if not pathlib.Path(path).exists()]
    assert not missing


def test_a_backup_goes_on_printing_where_it_is_restored(bed, service):
    """As print-connector(1) tells it, by root; what comes belongs to the service's own user."""
    paper = bed.socket_printer()
    bed.cups.add_raw("laser", paper.uri)
    route = connect(bed, service, "laser")
    route.ended(route.submit(b"%PDF-1.4\n"), "completed")
    passphrase, backup = bed.dir / "passphrase", bed.dir / "printers.backup"
    passphrase.write_text("correct horse battery\n")
    passphrase.chmod(0o600)
    service.verb("backup", str(backup), "--passphrase-file", str(passphrase))
    service.stop()
    systemctl("clean", "--what=state", "--what=cache", UNIT)
    restore = ["restore", str(backup), "--takeover", "--yes", "--passphrase-file", str(passphrase)]
    early = service.cli(*restore)
    assert early.code == 1 and "is not there" in early.error["text"]
    for command in early.error["remedy"].split("; "):
        run(command.split())
    service.verb(*restore)
    service.start()
    route.wait_online()
    route.ended(route.submit(b"%PDF-1.4\n"), "completed")
    assert len(paper.ledger) == 2
